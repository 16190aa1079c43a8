//! The settings of outgoing proxies, with the names that other programs use. Owns which of two spellings
//! is read, and where `NO_PROXY` is split. What an address may be and which destination it is for is decided in
//! [`proxy`](crate::proxy).

use super::env::EnvReader;
use crate::proxy::{Exclusion, Proxies, ProxyAddress};

/// Reads every setting, so that all errors are reported together.
pub(super) fn read(reader: &mut EnvReader) -> Proxies {
    Proxies {
        http: address(reader, "HTTP_PROXY", "http_proxy"),
        https: address(reader, "HTTPS_PROXY", "https_proxy"),
        all: all(reader, "ALL_PROXY").or_else(|| all(reader, "all_proxy")),
        without: exclusions(reader),
    }
}

/// The setting in upper case, or else in lower case, which some programs require.
fn address(reader: &mut EnvReader, upper: &str, lower: &str) -> Option<ProxyAddress> {
    let found = reader.optional(upper, ProxyAddress::parse);
    found.or_else(|| reader.optional(lower, ProxyAddress::parse))
}

/// Often the address of a SOCKS proxy, for programs that can use it.
fn all(reader: &mut EnvReader, name: &str) -> Option<ProxyAddress> {
    reader.tolerant(name, ProxyAddress::parse, |_| None)
}

/// The entries, which curl separates with commas or spaces. One that can never match is a warning.
fn exclusions(reader: &mut EnvReader) -> Vec<Exclusion> {
    let names = ["NO_PROXY", "no_proxy"];
    let given = names.into_iter().find_map(|name| {
        let text = reader.optional(name, |text| Ok::<_, &str>(text.to_owned()))?;
        Some((name, text))
    });
    let Some((name, text)) = given else {
        return Vec::new();
    };
    let separators = |char: char| char == ',' || char.is_whitespace();
    let entries = text.split(separators).filter(|entry| !entry.is_empty());
    let mut found = Vec::new();
    for entry in entries {
        match Exclusion::parse(entry) {
            Ok(exclusion) => found.push(exclusion),
            Err(problem) => {
                let shown = reader.found(name, entry);
                reader.warn(
                    name,
                    format_args!("an entry never matches: {problem}{shown}"),
                );
            }
        }
    }
    found
}
