//! Clients of other servers over HTTP. Owns what all of them have in common: which certificates they trust, that
//! they follow no redirect and repeat nothing by themselves, and that only the settings name a proxy. Headers and
//! time limits belong to each client.

use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::pki_types::CertificateDer;

use crate::proxy::{self, Proxy};
use crate::tls::{self, TlsError};

/// Why a client could not be created.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HttpClientError {
    /// TLS could not be configured.
    Tls(TlsError),
    /// The HTTP library rejected its settings.
    Build,
}

/// What a client begins with. It trusts `authorities` in addition to the compiled-in ones.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where clients begin"
)]
pub(crate) fn builder(
    authorities: &[CertificateDer<'static>],
    proxy: Option<&Proxy>,
) -> Result<ClientBuilder, HttpClientError> {
    let tls = tls::client(authorities).map_err(HttpClientError::Tls)?;
    let http = Client::builder()
        .tls_backend_preconfigured(tls)
        // A redirect would send a token or a message to another server.
        .redirect(redirect::Policy::none())
        // Whoever calls decides about retries.
        .retry(retry::never());
    proxy::apply(proxy, http).map_err(|_| HttpClientError::Build)
}
