//! The address of Rocket.Chat. Owns what it may contain; that of GitLab is read in [`gitlab`](super::gitlab).

use url::Url;

/// Parses the address of a Rocket.Chat server.
pub(super) fn chat_address(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "expected an address that starts with https:// or http://, such as https://chat.example.org";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if repeats_scheme(&url) => Err(
            "expected an address with one scheme, such as https://chat.example.org, found two; remove one",
        ),
        "http" | "https" if is_plain => Ok(url),
        "http" | "https" => Err(
            "expected an address without credentials, query or fragment, such as https://chat.example.org",
        ),
        _ => Err(EXPECTED),
    }
}

/// Whether the host and the path of an address are another address, as in `https://https://chat.example.org`.
pub(super) fn repeats_scheme(url: &Url) -> bool {
    matches!(url.host_str(), Some("http" | "https")) && url.path().starts_with("//")
}
