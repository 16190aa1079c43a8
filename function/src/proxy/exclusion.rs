//! Destinations that are called without a proxy. Owns which entries of `NO_PROXY` can be served: those that
//! curl or Go accept. How a host is compared is decided by `hyper-util`.

use std::net::IpAddr;

use url::Host;

/// One entry: a host or several, and one port or all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Exclusion {
    /// A name that includes its subdomains, an address, a network, or `*` for all.
    host: String,
    port: Option<u16>,
}

impl Exclusion {
    /// Parses an entry; an error says why it can never match.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("://") {
            return Err("expected a host, found a URL; write only its host name");
        }
        if let Some(host) = hosts(text) {
            return Ok(Self { host, port: None });
        }
        let with_port = text.rsplit_once(':').and_then(|(host, port)| {
            let (host, port) = (hosts(host)?, port.parse().ok()?);
            Some(Self {
                host,
                port: Some(port),
            })
        });
        with_port.ok_or(if text.contains('*') {
            "expected a domain such as example.org, which includes its subdomains, a network such as 10.0.0.0/8, or * for all, found * within an entry"
        } else {
            "expected a host name, a domain such as example.org, an IP address or a network such as 10.0.0.0/8"
        })
    }

    /// The hosts, if a destination with this port is meant.
    pub(super) fn hosts(&self, port: Option<u16>) -> Option<&str> {
        (self.port.is_none() || self.port == port).then_some(&*self.host)
    }
}

/// The hosts of an entry without a port: Go accepts `*.example.org` for `.example.org`, and curl a final dot
/// and brackets.
fn hosts(text: &str) -> Option<String> {
    let unbracketed = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if text == "*" || is_network(text) {
        return Some(text.to_owned());
    }
    if let Ok(address) = unbracketed.unwrap_or(text).parse::<IpAddr>() {
        return Some(address.to_string());
    }
    let name = text.strip_prefix('*').filter(|rest| rest.starts_with('.'));
    let name = name.unwrap_or(text);
    let name = name.strip_prefix('.').unwrap_or(name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let allowed = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    match Host::parse(name).ok()? {
        Host::Domain(name) if name.chars().all(allowed) => Some(name),
        _ => None,
    }
}

fn is_network(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_what_curl_or_go_accept_or_can_never_match() {
        let cases = [
            ("example.org", Some(("example.org", None))),
            (".Example.org", Some(("example.org", None))),
            ("*.example.org", Some(("example.org", None))),
            ("example.org.", Some(("example.org", None))),
            ("rocket_chat", Some(("rocket_chat", None))),
            ("bücher.example", Some(("xn--bcher-kva.example", None))),
            (
                "chat.example.org:8443",
                Some(("chat.example.org", Some(8443))),
            ),
            (".example.org:443", Some(("example.org", Some(443)))),
            ("*", Some(("*", None))),
            ("10.1.2.3", Some(("10.1.2.3", None))),
            ("10.1.2.3:3128", Some(("10.1.2.3", Some(3128)))),
            ("10.0.0.0/8", Some(("10.0.0.0/8", None))),
            ("::1", Some(("::1", None))),
            ("[::1]", Some(("::1", None))),
            ("[::1]:80", Some(("::1", Some(80)))),
            ("fd00::/8", Some(("fd00::/8", None))),
            ("http://example.org", None),
            ("*example.org", None),
            ("chat.*", None),
            ("10.*", None),
            ("10.", None),
            ("10.0.0.0/33", None),
            ("example.org/chat", None),
            ("example.org:port", None),
            ("a.example;b.example", None),
            ("<local>", None),
            (".", None),
        ];
        for (text, expected) in cases {
            let found = Exclusion::parse(text).ok();
            let found = found.as_ref().map(|entry| (&*entry.host, entry.port));
            assert_eq!(found, expected, "{text}");
        }
    }
}
