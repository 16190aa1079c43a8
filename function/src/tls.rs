//! TLS of outgoing connections. Owns the trusted certificate authorities and the versions of TLS.
//! Clients are created in [`http_client`](crate::http_client).

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

mod server_certificate;

use server_certificate::ServerCertificateVerifier;
pub(crate) use server_certificate::UnusableCertificate;

/// Why TLS cannot be set up.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TlsError {
    /// A certificate of an additional authority cannot be used.
    #[error(
        "expected certificates of authorities in ROCKETCHAT_CA, found one that cannot be used; give the root certificate of the authority"
    )]
    Authority,
    /// The TLS library rejected its settings.
    #[error("the TLS library rejected its settings")]
    Build,
}

/// TLS 1.2 and 1.3 with ring and compiled-in authorities: the image has no certificate files, and reading
/// the system's store would take longer than the rest of the startup.
///
/// `authorities` are trusted in addition to the compiled-in ones. A server may also present one of them
/// itself, because a self-signed certificate usually is one of an authority.
pub(crate) fn client(authorities: &[CertificateDer<'static>]) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for authority in authorities {
        roots
            .add(authority.clone())
            .map_err(|_| TlsError::Authority)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::Build)?;
    let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = ServerCertificateVerifier {
        usual: usual.map_err(|_| TlsError::Build)?,
        trusted: authorities.to_vec(),
    };
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}
