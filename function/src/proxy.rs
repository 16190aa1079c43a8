//! The HTTP proxies of outgoing calls. Owns what an address of a proxy is, which proxy a destination has,
//! and that credentials appear in no output. Destinations without a proxy are in `exclusion`. The settings are
//! read in [`config::proxy`](crate::config); calls are made in `rocketchat::client` and `telemetry::otlp`.

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::ClientBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

mod exclusion;

pub(crate) use exclusion::Exclusion;

/// Destinations on this machine, which no proxy can reach; other programs exclude them too.
const LOCAL: &str = "localhost,127.0.0.0/8,::1";

/// The proxies that the configuration names, and the destinations without one.
#[derive(Debug, Default)]
pub struct Proxies {
    /// For `http://`.
    pub(crate) http: Option<ProxyAddress>,
    /// For `https://`.
    pub(crate) https: Option<ProxyAddress>,
    /// For a scheme that has no other proxy.
    pub(crate) all: Option<ProxyAddress>,
    /// The destinations without a proxy, besides this machine.
    pub(crate) without: Vec<Exclusion>,
}

/// The proxy of one destination.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Without credentials.
    address: Uri,
    /// The value of `Proxy-Authorization`; its debug output is a placeholder.
    credentials: Option<HeaderValue>,
}

/// The address of a proxy, which may contain credentials.
#[derive(Clone, Debug)]
pub(crate) struct ProxyAddress(SecretString);

impl ProxyAddress {
    /// Parses `http://user:password@host:port`; the scheme, the credentials and the port may be left out.
    /// An error does not contain the text, because of its credentials.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str =
            "expected the address of an HTTP proxy, such as http://proxy.example.org:3128";
        if lacks_slashes(text) {
            return Err(
                "expected the address of an HTTP proxy, such as http://proxy.example.org:3128, found no // after its scheme",
            );
        }
        let is_complete = text.contains("://");
        let complete = if is_complete {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let url = Url::parse(&complete).map_err(|_| EXPECTED)?;
        if url.scheme().starts_with("socks") {
            return Err(
                "expected the address of an HTTP proxy, such as http://proxy.example.org:3128, found one of a SOCKS proxy, which is not supported",
            );
        }
        let is_usable = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_usable {
            return Err(
                "expected the address of an HTTP proxy without a path, such as http://proxy.example.org:3128; percent-encode other characters than letters and digits in its password",
            );
        }
        Ok(Self(SecretString::from(url.as_str())))
    }
}

/// Whether a scheme is not followed by `//`, so that it would become the user name or the host. A host
/// named like a scheme may have a port.
fn lacks_slashes(text: &str) -> bool {
    const SCHEMES: [&str; 5] = ["http", "https", "socks", "socks4", "socks5"];
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = SCHEMES
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let is_port = rest
        .trim_end_matches('/')
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    is_scheme && !rest.starts_with("//") && !is_port
}

impl Proxies {
    /// The proxy of a destination, if it has one.
    pub(crate) fn of(&self, destination: &Url) -> Option<Proxy> {
        let port = destination.port_or_known_default();
        let without = self.without.iter().filter_map(|entry| entry.hosts(port));
        let without: Vec<_> = without.collect();
        if without.contains(&"*") {
            // The library would still use a proxy for IP addresses.
            return None;
        }
        let text = |address: &Option<ProxyAddress>| {
            let address = address.as_ref();
            address.map_or_else(String::new, |address| address.0.expose_secret().to_owned())
        };
        let matcher = Matcher::builder()
            .http(text(&self.http))
            .https(text(&self.https))
            .all(text(&self.all))
            .no(format!("{LOCAL},{}", without.join(",")))
            .build();
        let destination: Uri = destination.as_str().parse().ok()?;
        let found = matcher.intercept(&destination)?;
        Some(Proxy {
            address: found.uri().clone(),
            credentials: found.basic_auth().cloned(),
        })
    }
}

impl Proxy {
    /// The address without credentials, for people.
    pub(crate) fn address(&self) -> String {
        self.address.to_string().trim_end_matches('/').to_owned()
    }
}

/// Makes all calls of a client go through a proxy, or none, whatever the environment says.
pub(crate) fn apply(
    proxy: Option<&Proxy>,
    client: ClientBuilder,
) -> Result<ClientBuilder, reqwest::Error> {
    let Some(proxy) = proxy else {
        return Ok(client.no_proxy());
    };
    let mut rule = reqwest::Proxy::all(proxy.address.to_string())?;
    if let Some(credentials) = &proxy.credentials {
        rule = rule.custom_http_auth(credentials.clone());
    }
    Ok(client.no_proxy().proxy(rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy_of(destination: &str, without: &str) -> Option<String> {
        let http = ProxyAddress::parse("plain:3128").expect("is an address");
        let https = ProxyAddress::parse("http://robin:s3cret@tunnel:3128").expect("is an address");
        let without = without.split(',').map(str::trim);
        let without = without.filter(|entry| !entry.is_empty());
        let without = without.map(|entry| Exclusion::parse(entry).expect(entry));
        let proxies = Proxies {
            http: Some(http),
            https: Some(https),
            all: None,
            without: without.collect(),
        };
        let destination = Url::parse(destination).expect("is an address");
        let found = proxies.of(&destination)?;
        assert!(!format!("{proxies:?} {found:?}").contains("s3cret"));
        assert!(!format!("{found:?}").contains("cm9iaW46czNjcmV0"));
        Some(found.address())
    }

    #[test]
    fn a_destination_has_the_proxy_of_its_scheme_unless_it_is_excluded() {
        let (plain, tunnel) = (Some("http://plain:3128"), Some("http://tunnel:3128"));
        for (destination, without, expected) in [
            ("http://chat.example.org", "", plain),
            ("https://chat.example.org", "", tunnel),
            ("https://chat.example.org:8443/chat", "", tunnel),
            ("https://chat.example.org", "example.org", None),
            (
                "https://chat.example.org",
                "other.example,.EXAMPLE.org",
                None,
            ),
            ("https://chat.example.org", "hat.example.org", tunnel),
            ("https://chat.example.org", "*", None),
            ("https://203.0.113.7", "*", None),
            ("https://chat.example.org", "*.example.org", None),
            ("https://chat.example.org", "example.org:443", None),
            ("https://chat.example.org:8443", "example.org:443", tunnel),
            ("https://[2001:db8::1]", "[2001:db8::1]", None),
            ("http://rocketchat.chat.svc", ".svc, 10.0.0.0/8", None),
            ("http://10.1.2.3:3000", ".svc, 10.0.0.0/8", None),
            ("http://11.1.2.3:3000", ".svc, 10.0.0.0/8", plain),
            ("http://localhost:3000", "", None),
            ("http://127.0.0.2:3000", "", None),
            ("http://[::1]:3000", "", None),
        ] {
            let found = proxy_of(destination, without);
            assert_eq!(found.as_deref(), expected, "{destination} {without}");
        }
    }

    #[test]
    fn a_proxy_for_all_schemes_has_the_lowest_precedence() {
        let address = |text| Some(ProxyAddress::parse(text).expect("is an address"));
        let proxies = Proxies {
            https: address("tunnel:3128"),
            all: address("any:3128"),
            ..Proxies::default()
        };
        for (destination, expected) in [
            ("http://chat.example.org", "http://any:3128"),
            ("https://chat.example.org", "http://tunnel:3128"),
        ] {
            let destination = Url::parse(destination).expect("is an address");
            let found = proxies.of(&destination).map(|proxy| proxy.address());
            assert_eq!(found.as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_unusable_address_is_refused_without_showing_it() {
        for text in [
            "socks5://robin:s3cret@proxy:1080",
            "ftp://robin:s3cret@proxy",
            "http://robin:s3cret@proxy/path",
            "http://robin:s3/cret@proxy",
            "http://robin:s3cret@proxy:99999",
            "http://",
            "http:robin:s3cret@proxy:3128",
            "HTTPS:robin:s3cret@proxy:3128",
            "http:/robin:s3cret@proxy:3128",
            "socks5:robin:s3cret@proxy:3128",
        ] {
            let error = ProxyAddress::parse(text).expect_err(text);
            assert!(error.starts_with("expected the address of an HTTP proxy"));
            assert!(!error.contains("s3"), "{error}");
            if !text.contains("://") {
                assert!(error.ends_with("found no // after its scheme"), "{error}");
            }
        }
    }

    #[test]
    fn an_address_may_lack_its_scheme_also_if_a_name_resembles_one() {
        for text in [
            "proxy:3128",
            "robin:s3cret@proxy:3128",
            "http:3128",
            "https:3128/",
        ] {
            assert!(ProxyAddress::parse(text).is_ok(), "{text}");
        }
    }
}
