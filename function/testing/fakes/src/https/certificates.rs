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
    /// It is of X.509 version 1.
    VersionOne,
    /// Its RSA key has 1024 bits.
    ShortKey,
    /// The RSA key of its authority has 1024 bits.
    ShortAuthorityKey,
    /// Its key is of the curve P-521.
    LargeCurve,
    /// The key of its authority is of the curve P-521.
    LargeAuthorityCurve,
    /// It is signed with SHA-1.
    Sha1,
    /// It is for clients only.
    ForClients,
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

    fn extensions(self) -> String {
        let names = self.names();
        match self {
            Self::VersionOne => String::new(),
            Self::ForClients => format!("subjectAltName={names}\nextendedKeyUsage=clientAuth\n"),
            Self::SelfSignedExpired => {
                format!("subjectAltName={names}\nbasicConstraints=critical,CA:TRUE\n")
            }
            _ => format!("subjectAltName={names}\n"),
        }
    }
}

/// A certificate with its key, and the authority that a client must trust to accept it, as files.
pub(super) struct Issued {
    folder: Folder,
    announced: &'static str,
}

impl Issued {
    pub(super) fn certificate(&self) -> io::Result<CertificateDer<'static>> {
        CertificateDer::from_pem_file(self.folder.0.join(CERTIFICATE)).map_err(io::Error::other)
    }

    pub(super) fn key(&self) -> io::Result<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_file(self.folder.0.join(KEY)).map_err(io::Error::other)
    }

    pub(super) fn authority(&self) -> io::Result<String> {
        std::fs::read_to_string(self.folder.0.join(self.announced))
    }

    /// The program `openssl` in the folder of the files.
    pub(super) fn openssl(&self, arguments: &str) -> Command {
        self.folder.command(arguments)
    }
}

/// The name of the file with the certificate.
pub(super) const CERTIFICATE: &str = "chat.pem";
/// The name of the file with its key.
pub(super) const KEY: &str = "chat.key";

/// The settings of `openssl ca`, which is the only command that issues an expired certificate.
const AUTHORITY_SETTINGS: &str = "[ca]\ndefault_ca = test\n[test]\ndatabase = index\nnew_certs_dir = .\nrand_serial = yes\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n";

pub(super) fn issue(certificate: Certificate) -> io::Result<Issued> {
    let folder = Folder::create()?;
    let names = certificate.names();
    let (from, until) = certificate.dates();
    folder.write("settings", AUTHORITY_SETTINGS)?;
    folder.write("index", "")?;
    folder.write("extensions", &certificate.extensions())?;
    let usual_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let large_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-521 -nodes";
    let short_key = "-newkey rsa:1024 -nodes";
    let (authority_key, chat_key) = match certificate {
        Certificate::ShortKey => (usual_key, short_key),
        Certificate::ShortAuthorityKey => (short_key, usual_key),
        Certificate::LargeCurve => (usual_key, large_key),
        Certificate::LargeAuthorityCurve => (large_key, usual_key),
        _ => (usual_key, usual_key),
    };
    let new_chat_key = format!("{chat_key} -subj /CN=chat -keyout {KEY}");
    let dates = format!("-startdate {from} -enddate {until}");
    let sign = format!("ca -batch -notext -config settings -in chat.csr -out {CERTIFICATE}");
    let extensions = match certificate {
        // Any file of extensions makes it one of version 3.
        Certificate::VersionOne => "",
        Certificate::Sha1 => " -extfile extensions -md sha1",
        _ => " -extfile extensions",
    };
    let request = format!("req {new_chat_key} -out chat.csr");
    let authority = format!("req -x509 -days 36500 {authority_key} -subj /CN=authority");
    let mut announced = "ca.pem";
    match certificate {
        Certificate::SelfSigned | Certificate::SelfSignedOtherHost => {
            folder.openssl(&format!(
                "req -x509 -days 36500 {new_chat_key} -addext subjectAltName={names} -out {CERTIFICATE}"
            ))?;
            announced = CERTIFICATE;
        }
        Certificate::SelfSignedExpired => {
            folder.openssl(&request)?;
            let signer = format!("-selfsign -keyfile {KEY}");
            folder.openssl(&format!("{sign}{extensions} {signer} {dates}"))?;
            announced = CERTIFICATE;
        }
        _ => {
            folder.openssl(&format!("{authority} -keyout ca.key -out ca.pem"))?;
            folder.openssl(&request)?;
            let signer = "-cert ca.pem -keyfile ca.key";
            folder.openssl(&format!("{sign}{extensions} {signer} {dates}"))?;
        }
    }
    if certificate == Certificate::OtherAuthority {
        folder.openssl(&format!("{authority} -keyout other.key -out other.pem"))?;
        announced = "other.pem";
    }
    Ok(Issued { folder, announced })
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

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("openssl");
        command
            .args(arguments.split(' '))
            .current_dir::<&Path>(&self.0)
            .stdin(Stdio::null());
        command
    }

    fn openssl(&self, arguments: &str) -> io::Result<()> {
        let output = self.command(arguments).output().map_err(|error| {
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
