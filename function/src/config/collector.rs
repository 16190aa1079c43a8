//! The settings of the collector that spans are exported to, which OpenTelemetry defines: its address and its
//! headers. Owns which of two names is read. Whether spans are exported is in [`traces`](super::traces).

use std::fmt::Display;

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::env::EnvReader;

/// For traces and for all signals.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// For traces and for all signals.
const HEADERS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_HEADERS",
];

/// Names and values.
type Headers = Vec<(String, SecretString)>;

/// What OpenTelemetry defines and webhook-app does not read, and what it does instead.
const NOT_READ: &[(&str, &str)] = &[
    ("TIMEOUT", "the time limit of an export is fixed"),
    ("COMPRESSION", "spans are sent without compression"),
    (
        "CERTIFICATE",
        "the certificate of the collector must be from a public authority",
    ),
    ("CLIENT_CERTIFICATE", "no client certificate is sent"),
    ("CLIENT_KEY", "no client certificate is sent"),
];

/// Whether an address is set, whatever it is.
pub(super) fn is_addressed(reader: &EnvReader) -> bool {
    ENDPOINTS.iter().any(|name| reader.has_value(name))
}

/// The address that spans are posted to, and the setting that names it. The address for traces is used
/// unchanged, and the one for all signals is the base of it.
pub(super) fn address(reader: &mut EnvReader) -> Option<(&'static str, Url)> {
    let (name, mut endpoint) = first(reader, ENDPOINTS, parse_endpoint)?;
    let base = endpoint.path().trim_end_matches('/').to_owned();
    if name == ENDPOINTS[1] {
        if base.ends_with("/v1/traces") {
            reader.warn(name, "ends with /v1/traces, which is appended once more, so that collectors refuse the spans; remove it, or set OTEL_EXPORTER_OTLP_TRACES_ENDPOINT instead, which is used unchanged");
        }
        endpoint.set_path(&format!("{base}/v1/traces"));
    } else if base.is_empty() {
        reader.warn(name, "has no path and is used unchanged, so that collectors refuse the spans; append /v1/traces, or set OTEL_EXPORTER_OTLP_ENDPOINT instead");
    }
    Some((name, endpoint))
}

/// The headers of an export, and the setting that names them.
pub(super) fn headers(reader: &mut EnvReader) -> Option<(&'static str, Headers)> {
    first(reader, HEADERS, parse_headers)
}

/// Warns of wrong headers, if nothing reads them because there is no address.
pub(super) fn warn_of_headers(reader: &mut EnvReader) {
    for name in HEADERS {
        reader.tolerant(name, parse_headers, |_| None);
    }
}

/// Warns of settings of the exporter that have no effect.
pub(super) fn warn_of_unread(reader: &mut EnvReader) {
    for (setting, instead) in NOT_READ {
        for prefix in ["OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"] {
            let name = format!("{prefix}{setting}");
            if reader.is_filled(&name) {
                reader.warn(&name, format_args!("has no effect: {instead}"));
            }
        }
    }
}

/// The setting for traces, or else the one for all signals, with its name. If the one for traces is given,
/// nothing reads the other one, so that a wrong value of it is a warning.
fn first<T, E: Display>(
    reader: &mut EnvReader,
    [traces, all]: [&'static str; 2],
    parse: impl Fn(&str) -> Result<T, E>,
) -> Option<(&'static str, T)> {
    if reader.has_value(traces) {
        let value = reader.optional(traces, &parse);
        reader.tolerant(all, &parse, |_| None);
        return value.map(|value| (traces, value));
    }
    reader.optional(all, parse).map(|value| (all, value))
}

fn parse_endpoint(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str =
        "expected the address of an OTLP collector over HTTP, such as http://collector:4318";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "expected an address without credentials, which would be logged; give them in OTEL_EXPORTER_OTLP_HEADERS, such as authorization=Basic%20…",
        );
    }
    if super::repeats_scheme(&url) {
        return Err(
            "expected an address with one scheme, such as http://collector:4318, found two; remove one",
        );
    }
    let is_usable = matches!(url.scheme(), "http" | "https") && url.query().is_none();
    is_usable.then_some(url).ok_or(EXPECTED)
}

fn parse_headers(text: &str) -> Result<Vec<(String, SecretString)>, &'static str> {
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    pairs
        .map(header)
        .collect::<Option<_>>()
        .ok_or("expected name=value, separated by commas, such as authorization=Bearer%20secret")
}

/// One header; OpenTelemetry's specification says that its value is percent-encoded.
fn header(pair: &str) -> Option<(String, SecretString)> {
    let (name, value) = pair.split_once('=')?;
    let name = HeaderName::try_from(name.trim()).ok()?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    HeaderValue::try_from(value.as_ref()).ok()?;
    Some((name.to_string(), SecretString::from(value.into_owned())))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn values_of_headers_are_percent_decoded() {
        let cases = [
            ("a space", "a=Bearer%20x", Some("Bearer x")),
            ("characters of base64", "a=x+/y==", Some("x+/y==")),
            ("an encoded comma", "a=x%2Cy", Some("x,y")),
            ("an ampersand", "a=x&y=z", Some("x&y=z")),
            ("no escape", "a=100%", Some("100%")),
            ("no UTF-8", "a=%FF", None),
            ("a line break", "a=x%0D%0Ab: y", None),
            ("no value", "a", None),
            ("no name", "=x", None),
        ];
        for (case, text, expected) in cases {
            let header = header(text);
            let value = header.as_ref().map(|(_, value)| value.expose_secret());
            assert_eq!(value, expected, "{case}");
        }
    }
}
