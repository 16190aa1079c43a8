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
    /// Self-signed by `openssl req -x509`, so it is also the certificate of an authority: the announced one.
    SelfSigned,
    /// The same for `elsewhere.example`.
    SelfSignedOtherHost,
    /// Self-signed, also the certificate of an authority, and expired in 2020.
    SelfSignedExpired,
}

impl Certificate {
    fn names(self) -> &'static str {
        match self {
            Self::OtherHost | Self::SelfSignedOtherHost => "DNS:elsewhere.example",
            _ => "DNS:localhost,IP:127.0.0.1",
        }
    }

    fn dates(self) -> (&'static str, &'static str) {
        match self {
            Self::Expired | Self::SelfSignedExpired => ("20200101000000Z", "20200201000000Z"),
            _ => ("20200101000000Z", "20491231000000Z"),
        }
    }
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
    let names = certificate.names();
    let (from, until) = certificate.dates();
    folder.write("settings", AUTHORITY_SETTINGS)?;
    folder.write("index", "")?;
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let new_chat_key = format!("{new_key} -subj /CN=chat -keyout chat.key");
    let dates = format!("-startdate {from} -enddate {until}");
    let sign = "ca -batch -notext -config settings -extfile extensions -in chat.csr -out chat.pem";
    let request = format!("req {new_chat_key} -out chat.csr");
    let authority = format!("req -x509 -days 36500 {new_key} -subj /CN=authority");
    let mut announced = "ca.pem";
    match certificate {
        Certificate::SelfSigned | Certificate::SelfSignedOtherHost => {
            folder.openssl(&format!(
                "req -x509 -days 36500 {new_chat_key} -addext subjectAltName={names} -out chat.pem"
            ))?;
            announced = "chat.pem";
        }
        Certificate::SelfSignedExpired => {
            let extensions = format!("subjectAltName={names}\nbasicConstraints=critical,CA:TRUE\n");
            folder.write("extensions", &extensions)?;
            folder.openssl(&request)?;
            folder.openssl(&format!("{sign} -selfsign -keyfile chat.key {dates}"))?;
            announced = "chat.pem";
        }
        _ => {
            folder.write("extensions", &format!("subjectAltName={names}\n"))?;
            folder.openssl(&format!("{authority} -keyout ca.key -out ca.pem"))?;
            folder.openssl(&request)?;
            folder.openssl(&format!("{sign} -cert ca.pem -keyfile ca.key {dates}"))?;
        }
    }
    if certificate == Certificate::OtherAuthority {
        folder.openssl(&format!("{authority} -keyout other.key -out other.pem"))?;
        announced = "other.pem";
    }
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
