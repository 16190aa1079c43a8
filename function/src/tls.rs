//! Which servers we believe. Owns the TLS of outgoing connections. Who is called, and with which
//! time limits, is decided by those who call: [`rocketchat::client`](crate::rocketchat::client) and
//! the exporter of spans in [`telemetry`](crate::telemetry).

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// Why TLS cannot be set up.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TlsError {
    /// A certificate of an authority of one's own cannot be used.
    #[error("expected certificates of authorities in ROCKETCHAT_CA, found one that cannot be used")]
    Authority,
    /// The library refused its settings.
    #[error("the TLS library refused its settings")]
    Build,
}

/// TLS 1.2 and 1.3 with ring and compiled-in authorities: the image holds no files, and reading a
/// system's store would take longer than everything else at start.
///
/// `authorities` are trusted beside the compiled-in ones.
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
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::Build)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
