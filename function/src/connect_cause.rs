//! Why no connection to a server was established. Owns the closed list of causes, their labels, and how a
//! cause follows from the chain of errors of the HTTP library. What to do about a cause is in
//! [`advice`]; other errors of a call are with the client of each server.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter::successors;

use rustls::{AlertDescription, CertificateError};

use crate::tls::UnusableCertificate;

mod advice;

pub(crate) use advice::Server;

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
    /// Whether a later connection may succeed without a change by an operator, because the server starts, or because the
    /// network policies of a new pod do not apply yet.
    pub(crate) fn may_pass(self) -> bool {
        matches!(self, Self::Dns | Self::Refused | Self::Unreachable)
    }

    /// The label in logs and metrics.
    pub(crate) fn label(self) -> &'static str {
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

    /// Whether a person must act before a connection can be established.
    pub(crate) fn is_permanent(self) -> bool {
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
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        chain(error).find_map(Self::of_link).unwrap_or(Self::Other)
    }

    /// The cause if connections are those to a proxy, which looks up the host itself. `in_tunnel` says
    /// whether the proxy opened a tunnel, so that TLS is that of the server.
    pub(crate) fn via_proxy(self, in_tunnel: bool) -> Self {
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
            // Includes a self-signed certificate that is not in the setting of authorities.
            _ => Self::CertificateUntrusted,
        }
    }
}

/// An error and its sources. That of an I/O error is the error it wraps, which its method `source` skips.
pub(crate) fn chain<'a>(
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
