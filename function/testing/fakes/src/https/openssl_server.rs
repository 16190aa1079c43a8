//! A server with TLS that accepts no call: the program `openssl s_server`, for certificates and versions of
//! TLS that rustls does not serve. Owns the process; the certificates are made in `certificates`.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use super::certificates::{CERTIFICATE, Certificate, Issued, KEY, issue};

/// What the server expects of a client.
#[derive(Clone, Copy, Debug)]
pub enum Handshake {
    /// Nothing in particular.
    Usual,
    /// TLS 1.1.
    Tls11,
    /// A certificate, with TLS 1.2.
    ClientCertificateTls12,
    /// A certificate, with TLS 1.3.
    ClientCertificateTls13,
}

impl Handshake {
    fn options(self) -> &'static str {
        match self {
            Self::Usual => "",
            Self::Tls11 => " -tls1_1",
            Self::ClientCertificateTls12 => " -tls1_2 -Verify 1",
            Self::ClientCertificateTls13 => " -tls1_3 -Verify 1",
        }
    }
}

/// A running server, reachable as `localhost`; dropping it stops it.
pub struct OpensslServer {
    process: Child,
    /// Kept open, because the program stops if it cannot write.
    _output: BufReader<ChildStdout>,
    port: u16,
    issued: Issued,
}

impl OpensslServer {
    /// Listens on a free port.
    pub fn start(certificate: Certificate, handshake: Handshake) -> io::Result<Self> {
        let issued = issue(certificate)?;
        let options = handshake.options();
        // Level 0 allows what is wrong with the certificate, and TLS 1.1.
        let arguments = format!(
            "s_server -accept 127.0.0.1:0 -naccept 1000 -www -cipher DEFAULT@SECLEVEL=0 -cert {CERTIFICATE} -key {KEY}{options}"
        );
        let mut process = issued
            .openssl(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut output = BufReader::new(output);
        let port = port(&mut output)?;
        Ok(Self {
            process,
            _output: output,
            port,
            issued,
        })
    }

    /// Its base URL, such as `https://localhost:40123`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate of its authority in PEM format, for the client to trust.
    pub fn authority(&self) -> io::Result<String> {
        self.issued.authority()
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _status = self.process.wait();
    }
}

/// The port in the line `ACCEPT 127.0.0.1:40123`.
fn port(output: impl BufRead) -> io::Result<u16> {
    for line in output.lines() {
        let line = line?;
        if let Some(address) = line.strip_prefix("ACCEPT ") {
            let port = address.rsplit(':').next().unwrap_or_default();
            return port.trim().parse().map_err(io::Error::other);
        }
    }
    Err(io::Error::other(
        "expected the address of openssl s_server, found the end of its output",
    ))
}
