//! Credentials that would cross a network unencrypted. Owns which hosts are near enough for `http://`:
//! this machine, the cluster and private networks, where other parts of the network may encrypt. How a
//! warning is shown is decided in `bootstrap` and `webhook-app check`.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Domains of Services within a cluster, and of this machine.
const NEAR: [&str; 3] = [".svc", ".svc.cluster.local", ".localhost"];

/// A warning if `what`, which `setting` sends to `url`, can be read on the way.
pub(super) fn warning(setting: &str, url: &Url, what: &str) -> Option<String> {
    let is_exposed = url.scheme() == "http" && !url.host().is_some_and(|host| is_near(&host));
    is_exposed.then(|| {
        format!(
            "{setting} starts with http://, so {what} can be read on the way; use https://, or an address within the cluster"
        )
    })
}

fn is_near(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            !name.contains('.') || NEAR.iter().any(|domain| name.ends_with(domain))
        }
        Host::Ipv4(address) => is_near_v4(*address),
        Host::Ipv6(address) => is_near_v6(*address),
    }
}

fn is_near_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private() || address.is_link_local()
}

fn is_near_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some_and(is_near_v4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unencrypted_connections_to_remote_hosts_are_warned_about() {
        let cases = [
            ("https://chat.example.org", false),
            ("http://chat.example.org", true),
            ("http://chat.example.org.", true),
            ("http://203.0.113.7:3000", true),
            ("http://[2001:db8::1]", true),
            ("http://[::ffff:203.0.113.7]", true),
            ("http://172.32.0.1", true),
            ("http://svc.example.org", true),
            ("http://chatsvc.example", true),
            ("http://localhost:3000", false),
            ("http://chat.localhost", false),
            ("http://127.0.0.1:3000", false),
            ("http://[::1]", false),
            ("http://rocketchat", false),
            ("http://rocketchat.chat.svc:3000", false),
            ("http://rocketchat.chat.svc.cluster.local.", false),
            ("http://10.1.2.3", false),
            ("http://172.16.0.1", false),
            ("http://192.168.1.1", false),
            ("http://169.254.1.1", false),
            ("http://[fd00::1]", false),
            ("http://[fe80::1]", false),
            ("http://[::ffff:10.1.2.3]", false),
        ];
        for (address, expected) in cases {
            let url = Url::parse(address).unwrap();
            let warning = warning("ROCKETCHAT_URL", &url, "the token");
            assert_eq!(warning.is_some(), expected, "{address}");
        }
    }
}
