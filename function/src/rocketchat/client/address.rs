//! The addresses of calls. Owns that a server may be below a path.

use url::Url;

use crate::rocketchat::endpoint::Endpoint;

/// The address of an endpoint.
pub(super) fn endpoint_url(base: &Url, endpoint: Endpoint) -> Url {
    url_of(base, endpoint.path())
}

/// The address of a path.
pub(super) fn url_of(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    // Keeps the path of a server below one. `base` is http or https, so it has a path.
    let path = format!("{}{path}", base.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// The address with a parameter.
pub(super) fn with_query(url: &Url, name: &str, value: &str) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair(name, value);
    url
}
