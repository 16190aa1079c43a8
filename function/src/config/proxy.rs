//! The settings of outgoing proxies, with the names that other programs use. Owns which of two spellings
//! is read. What an address may be and which destination it is for is decided in
//! [`proxy`](crate::proxy).

use super::env::EnvReader;
use crate::proxy::{Proxies, ProxyAddress};

/// Reads every setting, so that all errors are reported together.
pub(super) fn read(reader: &mut EnvReader) -> Proxies {
    let http = address(reader, "HTTP_PROXY", "http_proxy");
    let https = address(reader, "HTTPS_PROXY", "https_proxy");
    let without = either(reader, "NO_PROXY", "no_proxy", |text| {
        Ok(text.replace('\n', ","))
    });
    Proxies::new(http.as_ref(), https.as_ref(), &without.unwrap_or_default())
}

fn address(reader: &mut EnvReader, upper: &str, lower: &str) -> Option<ProxyAddress> {
    either(reader, upper, lower, ProxyAddress::parse)
}

/// The setting in upper case, or else in lower case, which some programs require.
fn either<T>(
    reader: &mut EnvReader,
    upper: &str,
    lower: &str,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Option<T> {
    let found = reader.optional(upper, &parse);
    found.or_else(|| reader.optional(lower, &parse))
}
