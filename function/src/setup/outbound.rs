//! Whether GitLab sends to an address. Owns which addresses GitLab takes for local, and how its allow-list is
//! read. GitLab itself decides, with its own resolver; a name that only it resolves to a local address is
//! refused when the webhook is written.

use std::net::IpAddr;

use serde::Deserialize;
use url::{Host, Url};

/// The settings under Admin, Settings, Network, Outbound requests.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub(crate) struct OutboundRules {
    /// Whether webhooks may be sent to the local network.
    #[serde(rename = "allow_local_requests_from_web_hooks_and_services")]
    allows_all: bool,
    /// Hosts to which requests are allowed nevertheless, with or without a port.
    #[serde(rename = "outbound_local_requests_whitelist")]
    hosts: Vec<String>,
    /// Only administrators may read the settings.
    #[serde(skip)]
    is_hidden: bool,
}

impl OutboundRules {
    /// The account may not read them.
    pub(crate) fn hidden() -> Self {
        Self {
            is_hidden: true,
            ..Self::default()
        }
    }

    /// Whether nothing is known about them.
    pub(crate) fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// Whether GitLab sends to a local address. Networks in the list are compared by GitLab only.
    pub(crate) fn allow(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        let host = host.trim_matches(['[', ']']);
        let with_port = url
            .port_or_known_default()
            .map(|port| format!("{host}:{port}"));
        let is_listed = |entry: &String| {
            let entry = entry.trim_matches(['[', ']']);
            entry.eq_ignore_ascii_case(host)
                || with_port
                    .as_ref()
                    .is_some_and(|other| other.eq_ignore_ascii_case(entry))
                || contains(entry, host)
        };
        self.allows_all || self.hosts.iter().any(is_listed)
    }

    /// The list with the host of an address.
    pub(crate) fn with(&self, url: &Url) -> Vec<String> {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).to_owned();
        self.hosts.iter().cloned().chain([host]).collect()
    }

    /// The settings with another list.
    pub(crate) fn replaced(&self, hosts: Vec<String>) -> Self {
        Self {
            hosts,
            ..self.clone()
        }
    }
}

/// Whether an entry is a network that contains the address.
fn contains(network: &str, host: &str) -> bool {
    let Some((base, length)) = network.split_once('/') else {
        return false;
    };
    match (base.parse(), host.parse(), length.parse::<u32>()) {
        (Ok(IpAddr::V4(base)), Ok(IpAddr::V4(host)), Ok(length @ 0..=32)) => {
            let differing = u32::from(base) ^ u32::from(host);
            length == 0 || differing >> (32 - length) == 0
        }
        (Ok(IpAddr::V6(base)), Ok(IpAddr::V6(host)), Ok(length @ 0..=128)) => {
            let differing = u128::from(base) ^ u128::from(host);
            length == 0 || differing >> (128 - length) == 0
        }
        _ => false,
    }
}

/// Whether the address is surely in a local network.
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let suffixes = [
                ".svc",
                ".svc.cluster.local",
                ".localhost",
                ".local",
                ".internal",
            ];
            !name.contains('.') || suffixes.iter().any(|suffix| name.ends_with(suffix))
        }
        Some(Host::Ipv4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("is an address")
    }

    #[test]
    fn names_of_clusters_and_private_addresses_are_local() {
        for (address, expected) in [
            ("https://webhooks.example.org/webhook", false),
            ("http://203.0.113.7/webhook", false),
            ("http://webhook-app.hooks.svc:8080/webhook", true),
            ("http://webhook-app.hooks.svc.cluster.local/webhook", true),
            ("http://webhook-app/webhook", true),
            ("http://10.1.2.3/webhook", true),
            ("http://127.0.0.1:8080/webhook", true),
            ("http://[fd00::1]/webhook", true),
            ("http://[2001:db8::1]/webhook", false),
        ] {
            assert_eq!(is_local(&url(address)), expected, "{address}");
        }
    }

    #[test]
    fn an_entry_is_a_host_a_host_with_its_port_or_a_network() {
        let rules = |entry: &str| OutboundRules::default().replaced(vec![entry.to_owned()]);
        for (entry, address, expected) in [
            ("hooks", "http://hooks:8080/webhook", true),
            ("HOOKS", "http://hooks:8080/webhook", true),
            ("hooks:8080", "http://hooks:8080/webhook", true),
            ("hooks:80", "http://hooks/webhook", true),
            ("hooks:9090", "http://hooks:8080/webhook", false),
            ("other", "http://hooks:8080/webhook", false),
            ("10.0.0.0/8", "http://10.1.2.3/webhook", true),
            ("10.0.0.0/8", "http://11.1.2.3/webhook", false),
            ("0.0.0.0/0", "http://11.1.2.3/webhook", true),
            ("10.0.0.0/99", "http://10.1.2.3/webhook", false),
            ("fd00::/8", "http://[fd00::1]/webhook", true),
            ("fd00::1", "http://[fd00::1]/webhook", true),
            ("", "http://hooks/webhook", false),
        ] {
            assert_eq!(
                rules(entry).allow(&url(address)),
                expected,
                "{entry} {address}"
            );
        }
        let address = url("http://hooks/webhook");
        assert!(!OutboundRules::default().allow(&address));
        let hosts = rules("other").with(&address);
        assert_eq!(hosts, ["other", "hooks"]);
        assert!(rules("other").replaced(hosts).allow(&address));
    }
}
