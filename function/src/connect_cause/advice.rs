//! What to do if no connection to a server was established. Owns the advice for each cause, which names the
//! server and its settings.

use super::ConnectCause;

/// A server that this program calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Server {
    /// Its settings begin with `ROCKETCHAT_`.
    RocketChat,
    /// Its settings begin with `GITLAB_`.
    GitLab,
}

/// The advice about one server; every text is a constant.
macro_rules! advice {
    ($cause:expr, $server:literal, $prefix:literal) => {
        match $cause {
            ConnectCause::Dns => concat!("the host name in ", $prefix, "_URL does not resolve; check its spelling and the DNS of this network"),
            ConnectCause::Refused => concat!("no program listens on the host and port in ", $prefix, "_URL; check both, and that ", $server, " is running"),
            ConnectCause::Unreachable => concat!("the host in ", $prefix, "_URL does not answer; check the address, firewalls and network policies"),
            ConnectCause::CertificateUntrusted => concat!("the certificate of ", $server, " is not from a trusted authority; give the certificate of the authority, or a self-signed certificate itself, in ", $prefix, "_CA; a certificate that an authority signed does not help itself, and the server must send its intermediate certificates, or give them there too"),
            ConnectCause::CertificateUnusable => concat!("the certificate of ", $server, ", or that of its authority, cannot be used, whatever ", $prefix, "_CA contains; issue a new one: X.509 version 3, RSA of at least 2048 bits or ECDSA with P-256 or P-384, SHA-256, and serverAuth if it has an extended key usage"),
            ConnectCause::CertificateName => concat!("the certificate of ", $server, " is for another host name; set ", $prefix, "_URL to one of its subject alternative names, or add the name there (-addext subjectAltName=DNS:…)"),
            ConnectCause::CertificateExpired => concat!("the certificate of ", $server, " has expired or is not valid yet; renew it, or correct the clock of this machine"),
            ConnectCause::NotTls => concat!($prefix, "_URL starts with https://, but the port answers without TLS; use http:// or the port for https"),
            ConnectCause::TlsRefused => concat!($server, ", or a proxy in front of it, refused the TLS handshake; let it accept TLS 1.2 or 1.3 with ECDHE, the host name in ", $prefix, "_URL, and clients without a certificate, and use a key of RSA, P-256 or P-384"),
            ConnectCause::ClientCertificate => concat!($server, ", or a proxy in front of it, asks for a client certificate, which this program does not have; let it accept clients without one, or set ", $prefix, "_URL to an address where it does"),
            ConnectCause::TlsExpected => concat!($prefix, "_URL starts with http://, but the port expects TLS; use https://"),
            ConnectCause::Proxy => concat!("no connection to ", $server, " through the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, in upper or lower case; check the address of the proxy and its log, or add the host in ", $prefix, "_URL to NO_PROXY"),
            ConnectCause::ProxyCertificate => concat!("the certificate of the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, in upper or lower case, is not accepted; check its name and dates, and give its authority in ", $prefix, "_CA, or use http:// in the address of the proxy"),
            ConnectCause::Other => concat!("no connection to ", $server, "; check ", $prefix, "_URL, DNS and network policies"),
        }
    };
}

impl ConnectCause {
    /// What to check.
    pub(crate) fn advice(self, server: Server) -> &'static str {
        match server {
            Server::RocketChat => advice!(self, "Rocket.Chat", "ROCKETCHAT"),
            Server::GitLab => advice!(self, "GitLab", "GITLAB"),
        }
    }
}
