//! Certificates for tests, made by the program `openssl` so that no key is part of the repository.
//! Owns what is wrong with a certificate; the TLS listener is in the parent module.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Nothing: valid for `localhost` and 127.0.0.1.
    Valid,
    /// It is for `elsewhere.example`.
    OtherHost,
    /// It expired in 2020.
    Expired,
    /// It is signed by an authority other than the announced one.
    OtherAuthority,
}

/// A certificate with its key, and the authority that a client must trust to accept it.
pub(super) struct Issued {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) authority: String,
}

/// The settings of `openssl ca`, which is the only command that issues an expired certificate.
const AUTHORITY_SETTINGS: &str = "[ca]\ndefault_ca = test\n[test]\ndatabase = index\nnew_certs_dir = .\nrand_serial = yes\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n";

pub(super) fn issue(certificate: Certificate) -> io::Result<Issued> {
    let folder = Folder::create()?;
    let host = match certificate {
        Certificate::OtherHost => "DNS:elsewhere.example",
        Certificate::Valid | Certificate::Expired | Certificate::OtherAuthority => {
            "DNS:localhost,IP:127.0.0.1"
        }
    };
    let (from, until) = match certificate {
        Certificate::Expired => ("20200101000000Z", "20200201000000Z"),
        Certificate::Valid | Certificate::OtherHost | Certificate::OtherAuthority => {
            ("20200101000000Z", "20491231000000Z")
        }
    };
    folder.write("settings", AUTHORITY_SETTINGS)?;
    folder.write("index", "")?;
    folder.write("extensions", &format!("subjectAltName={host}\n"))?;
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let authority = format!("req -x509 -days 36500 {new_key} -subj /CN=authority");
    folder.openssl(&format!("{authority} -keyout ca.key -out ca.pem"))?;
    if certificate == Certificate::OtherAuthority {
        folder.openssl(&format!("{authority} -keyout other.key -out other.pem"))?;
    }
    folder.openssl(&format!(
        "req {new_key} -subj /CN=chat -keyout chat.key -out chat.csr"
    ))?;
    folder.openssl(&format!(
        "ca -batch -notext -config settings -extfile extensions -cert ca.pem -keyfile ca.key -startdate {from} -enddate {until} -in chat.csr -out chat.pem"
    ))?;
    let announced = if certificate == Certificate::OtherAuthority {
        "other.pem"
    } else {
        "ca.pem"
    };
    Ok(Issued {
        certificate: CertificateDer::from_pem_file(folder.0.join("chat.pem"))
            .map_err(io::Error::other)?,
        key: PrivateKeyDer::from_pem_file(folder.0.join("chat.key")).map_err(io::Error::other)?,
        authority: std::fs::read_to_string(folder.0.join(announced))?,
    })
}

/// A temporary folder, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("fakes-https-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        std::fs::write(self.0.join(name), text)
    }

    fn openssl(&self, arguments: &str) -> io::Result<()> {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir::<&Path>(&self.0)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| {
                let advice = format!("openssl does not start: {error}; install openssl");
                io::Error::new(error.kind(), advice)
            })?;
        if output.status.success() {
            return Ok(());
        }
        let problem = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("openssl {arguments}: {problem}")))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}
