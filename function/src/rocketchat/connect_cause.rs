//! Why no connection to Rocket.Chat was established. Owns the closed list of causes, their labels and
//! advice, and how a cause follows from the chain of errors of the HTTP library. Other errors of a call
//! are in [`api_error`](super::api_error).

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter::successors;

use rustls::{AlertDescription, CertificateError};

use crate::tls::UnusableCertificate;

/// Why no connection was established.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConnectCause {
    /// The host name does not resolve.
    Dns,
    /// No program listens on the port.
    Refused,
    /// The host does not answer, or there is no route to it.
    Unreachable,
    /// The certificate is from an authority that is not trusted.
    CertificateUntrusted,
    /// The certificate cannot be used even if its authority is trusted.
    CertificateUnusable,
    /// The certificate is for another name.
    CertificateName,
    /// The certificate has expired or is not valid yet.
    CertificateExpired,
    /// The address starts with `https://`, and the port answers without TLS.
    NotTls,
    /// The server refused the handshake, for example because it knows no TLS 1.2.
    TlsRefused,
    /// The server asks for a client certificate.
    ClientCertificate,
    /// The address starts with `http://`, and the port expects TLS.
    TlsExpected,
    /// There is no connection to the proxy, or none through it.
    Proxy,
    /// The certificate of the proxy is not accepted.
    ProxyCertificate,
    /// Any other cause, such as a connection that closes during the handshake.
    Other,
}

impl ConnectCause {
    /// The label in logs and metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            // `refused` and `unreachable` are the labels of other failures.
            Self::Refused => "connection_refused",
            Self::Unreachable => "host_unreachable",
            Self::CertificateUntrusted => "certificate_untrusted",
            Self::CertificateUnusable => "certificate_unusable",
            Self::CertificateName => "certificate_name",
            Self::CertificateExpired => "certificate_expired",
            Self::NotTls => "not_tls",
            Self::TlsRefused => "tls_refused",
            Self::ClientCertificate => "client_certificate",
            Self::TlsExpected => "tls_expected",
            Self::Proxy => "proxy_connect",
            Self::ProxyCertificate => "proxy_certificate",
            Self::Other => "connect",
        }
    }

    /// What to check.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Dns => {
                "the host name in ROCKETCHAT_URL does not resolve; check its spelling and the DNS of this network"
            }
            Self::Refused => {
                "no program listens on the host and port in ROCKETCHAT_URL; check both, and that Rocket.Chat is running"
            }
            Self::Unreachable => {
                "the host in ROCKETCHAT_URL does not answer; check the address, firewalls and network policies"
            }
            Self::CertificateUntrusted => {
                "the certificate of Rocket.Chat is not from a trusted authority; give the certificate of the authority, or a self-signed certificate itself, in ROCKETCHAT_CA; a certificate that an authority signed does not help itself, and the server must send its intermediate certificates, or give them there too"
            }
            Self::CertificateUnusable => {
                "the certificate of Rocket.Chat, or that of its authority, cannot be used, whatever ROCKETCHAT_CA contains; issue a new one: X.509 version 3, RSA of at least 2048 bits or ECDSA with P-256 or P-384, SHA-256, and serverAuth if it has an extended key usage"
            }
            Self::CertificateName => {
                "the certificate of Rocket.Chat is for another host name; set ROCKETCHAT_URL to one of its subject alternative names, or add the name there (-addext subjectAltName=DNS:…)"
            }
            Self::CertificateExpired => {
                "the certificate of Rocket.Chat has expired or is not valid yet; renew it, or correct the clock of this machine"
            }
            Self::NotTls => {
                "ROCKETCHAT_URL starts with https://, but the port answers without TLS; use http:// or the port for https"
            }
            Self::TlsRefused => {
                "Rocket.Chat, or a proxy in front of it, refused the TLS handshake; let it accept TLS 1.2 or 1.3 with ECDHE, the host name in ROCKETCHAT_URL, and clients without a certificate, and use a key of RSA, P-256 or P-384"
            }
            Self::ClientCertificate => {
                "Rocket.Chat, or a proxy in front of it, asks for a client certificate, which this program does not have; let it accept clients without one, or set ROCKETCHAT_URL to an address where it does"
            }
            Self::TlsExpected => {
                "ROCKETCHAT_URL starts with http://, but the port expects TLS; use https://"
            }
            Self::Proxy => {
                "no connection to Rocket.Chat through the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, in upper or lower case; check the address of the proxy and its log, or add the host in ROCKETCHAT_URL to NO_PROXY"
            }
            Self::ProxyCertificate => {
                "the certificate of the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, in upper or lower case, is not accepted; check its name and dates, and give its authority in ROCKETCHAT_CA, or use http:// in the address of the proxy"
            }
            Self::Other => {
                "no connection to Rocket.Chat; check ROCKETCHAT_URL, DNS and network policies"
            }
        }
    }

    /// Whether a person must act before a connection can be established.
    pub(super) fn is_permanent(self) -> bool {
        match self {
            Self::CertificateUntrusted
            | Self::CertificateUnusable
            | Self::CertificateName
            | Self::CertificateExpired
            | Self::NotTls
            | Self::TlsRefused
            | Self::ClientCertificate
            | Self::TlsExpected
            | Self::ProxyCertificate => true,
            // A restart of the server or of its DNS record ends these.
            Self::Dns | Self::Refused | Self::Unreachable | Self::Proxy | Self::Other => false,
        }
    }

    /// The cause that the errors of a chain contain.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        chain(error).find_map(Self::of_link).unwrap_or(Self::Other)
    }

    /// The cause if connections are those to a proxy, which looks up the host itself. `in_tunnel` says
    /// whether the proxy opened a tunnel, so that TLS is that of the server.
    pub(super) fn via_proxy(self, in_tunnel: bool) -> Self {
        let is_certificate = matches!(
            self,
            Self::CertificateUntrusted
                | Self::CertificateUnusable
                | Self::CertificateName
                | Self::CertificateExpired
        );
        let is_tls = matches!(
            self,
            Self::NotTls | Self::TlsRefused | Self::ClientCertificate
        );
        if in_tunnel && (is_certificate || is_tls) {
            self
        } else if is_certificate {
            Self::ProxyCertificate
        } else {
            // Without TLS, it cannot be told whether the proxy or the server behind it answered.
            Self::Proxy
        }
    }

    fn of_link(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return match error {
                rustls::Error::InvalidCertificate(error) => Some(Self::of_certificate(error)),
                rustls::Error::InvalidMessage(_) => Some(Self::NotTls),
                rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
                // Such as an answer of a server that knows TLS up to version 1.1 only.
                rustls::Error::PeerIncompatible(_) => Some(Self::TlsRefused),
                _ => None,
            };
        }
        match error.downcast_ref::<io::Error>()?.kind() {
            ErrorKind::ConnectionRefused => Some(Self::Refused),
            ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::TimedOut
            // A firewall on this machine.
            | ErrorKind::PermissionDenied => Some(Self::Unreachable),
            _ => None,
        }
    }

    fn of_alert(alert: AlertDescription) -> Option<Self> {
        match alert {
            AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity
            | AlertDescription::UnrecognisedName
            // Also that of OpenSSL with TLS 1.2 if it asks for a client certificate.
            | AlertDescription::HandshakeFailure => Some(Self::TlsRefused),
            // About that of the client, which sent none; Go and TLS 1.2 send the second one.
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::NoCertificate => Some(Self::ClientCertificate),
            _ => None,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::CertificateExpired,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::CertificateName
            }
            CertificateError::Other(cause) if cause.0.is::<UnusableCertificate>() => {
                Self::CertificateUnusable
            }
            // Includes a self-signed certificate that is not in ROCKETCHAT_CA.
            _ => Self::CertificateUntrusted,
        }
    }
}

/// An error and its sources. That of an I/O error is the error it wraps, which its method `source` skips.
pub(super) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
            Some(Some(wrapped)) => Some(wrapped),
            _ => error.source(),
        }
    })
}
