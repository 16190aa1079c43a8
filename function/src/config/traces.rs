//! The settings of traces, which OpenTelemetry defines. Owns how they are parsed and validated, and which of
//! two names has priority. Spans are exported in [`telemetry`](crate::telemetry).

use http::{HeaderName, HeaderValue};
use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::env::EnvReader;
use super::{clear_text, words};
use crate::proxy::Proxies;
use crate::telemetry::otlp;

/// Where spans go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Exporter {
    /// To the collector of the settings, if there is one.
    IfAddressed,
    /// To a collector, by default on this machine.
    Otlp,
    None,
}

/// The address that OpenTelemetry defines for a collector without another address.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318/v1/traces";

/// How spans are exported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Protocol {
    Protobuf,
    /// Not offered, but collectors receive both encodings at the same port.
    Json,
    /// Not offered: it would bring a second HTTP stack, and every collector accepts both.
    Grpc,
}

/// The protocols that OpenTelemetry defines.
const PROTOCOLS: &[(&str, Protocol)] = &[
    ("http/protobuf", Protocol::Protobuf),
    ("http/json", Protocol::Json),
    ("grpc", Protocol::Grpc),
];

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

/// A sampler, and whether the decision of the parent span has priority.
#[derive(Clone, Copy)]
struct Choice {
    root: fn(f64) -> Sampler,
    after_parent: bool,
}

const fn choice(root: fn(f64) -> Sampler, after_parent: bool) -> Choice {
    Choice { root, after_parent }
}

const SAMPLERS: &[(&str, Choice)] = &[
    ("always_on", choice(|_| Sampler::AlwaysOn, false)),
    ("always_off", choice(|_| Sampler::AlwaysOff, false)),
    ("traceidratio", choice(Sampler::TraceIdRatioBased, false)),
    ("parentbased_always_on", choice(|_| Sampler::AlwaysOn, true)),
    (
        "parentbased_always_off",
        choice(|_| Sampler::AlwaysOff, true),
    ),
    (
        "parentbased_traceidratio",
        choice(Sampler::TraceIdRatioBased, true),
    ),
];

/// Reads every setting, so that all errors are reported together; `None` if no spans are exported.
pub(super) fn read(
    reader: &mut EnvReader,
    proxies: &Proxies,
    is_enabled: bool,
) -> Option<otlp::Settings> {
    let exporter = exporter(reader);
    let endpoint = endpoint(reader);
    let headers = first(
        [
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ],
        |name| reader.optional(name, parse_headers),
    );
    let protocol = first(
        [
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ],
        |name| reader.tolerant_choice(name, PROTOCOLS),
    );
    let sampler = sampler(reader);
    propagators(reader);
    let endpoint = match exporter {
        Exporter::IfAddressed => endpoint,
        Exporter::Otlp => {
            let address = Url::parse(DEFAULT_ENDPOINT).ok();
            let local = address.map(|address| ("OTEL_TRACES_EXPORTER", address));
            endpoint.or(local)
        }
        Exporter::None => None,
    };
    let (name, endpoint) = endpoint.filter(|_| is_enabled)?;
    if !can_export(reader, protocol) {
        return None;
    }
    warn_of_unread(reader);
    let headers = headers.filter(|(_, headers)| !headers.is_empty());
    let exposed = headers.as_ref();
    reader.warn_all(exposed.and_then(|(what, _)| clear_text::warning(name, &endpoint, what)));
    Some(otlp::Settings {
        proxy: proxies.of(&endpoint),
        endpoint,
        headers: headers.map(|(_, headers)| headers).unwrap_or_default(),
        sampler,
    })
}

/// The first of two settings, with its name. Both are read, so that all errors are reported together.
fn first<T>(
    names: [&'static str; 2],
    mut read: impl FnMut(&str) -> Option<T>,
) -> Option<(&'static str, T)> {
    let [one, other] = names.map(|name| read(name).map(|value| (name, value)));
    one.or(other)
}

/// OpenTelemetry allows several exporters, separated by commas.
fn exporter(reader: &mut EnvReader) -> Exporter {
    const NAME: &str = "OTEL_TRACES_EXPORTER";
    let parse = |text: &str| {
        let text = text.to_ascii_lowercase();
        let words: Vec<_> = text.split(',').map(str::trim).collect();
        let others = words.iter().filter(|word| !["otlp", "none"].contains(word));
        match others.count() {
            0 if words.contains(&"otlp") => Ok((Exporter::Otlp, false)),
            0 => Ok((Exporter::None, false)),
            _ if words.contains(&"otlp") => Ok((Exporter::Otlp, true)),
            _ => Err("expected one of otlp, none"),
        }
    };
    let suggest = |text: &str| words::nearest(text, ["otlp", "none"].into_iter());
    let (exporter, has_other) = reader
        .tolerant(NAME, parse, suggest)
        .unwrap_or((Exporter::IfAddressed, false));
    if has_other {
        reader.warn(
            NAME,
            "asks for an exporter that webhook-app does not have, so spans are exported only with otlp",
        );
    }
    exporter
}

/// The address that spans are posted to, and the setting that names it. The address for traces is used
/// unchanged, and the one for all signals is the base of it.
fn endpoint(reader: &mut EnvReader) -> Option<(&'static str, Url)> {
    const NAMES: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ];
    let (name, mut endpoint) = first(NAMES, |name| reader.optional(name, parse_endpoint))?;
    if name == NAMES[1] {
        let base = endpoint.path().trim_end_matches('/');
        endpoint.set_path(&format!("{base}/v1/traces"));
    }
    Some((name, endpoint))
}

/// Whether spans can be exported. Exporting over HTTP to a port for gRPC would fail again and again.
fn can_export(reader: &mut EnvReader, protocol: Option<(&'static str, Protocol)>) -> bool {
    match protocol {
        None | Some((_, Protocol::Protobuf)) => true,
        Some((name, Protocol::Json)) => {
            reader.warn(name, "is http/json, which webhook-app does not have, so http/protobuf is used, which collectors receive at the same address");
            true
        }
        Some((name, Protocol::Grpc)) => {
            reader.warn(name, "is grpc, which webhook-app does not have, so no spans are exported; set http/protobuf, and in OTEL_EXPORTER_OTLP_ENDPOINT the port for HTTP, usually 4318");
            false
        }
    }
}

/// An unknown sampler or argument is ignored, as OpenTelemetry requires.
fn sampler(reader: &mut EnvReader) -> Sampler {
    let sampler = reader.tolerant_choice("OTEL_TRACES_SAMPLER", SAMPLERS);
    let share = reader.tolerant("OTEL_TRACES_SAMPLER_ARG", share, |_| None);
    let sampler = sampler.unwrap_or(choice(|_| Sampler::AlwaysOn, true));
    let root = (sampler.root)(share.unwrap_or(1.0));
    if sampler.after_parent {
        Sampler::ParentBased(Box::new(root))
    } else {
        root
    }
}

/// Baggage is in OpenTelemetry's default, and nothing here reads it.
fn propagators(reader: &mut EnvReader) {
    const NAME: &str = "OTEL_PROPAGATORS";
    let text = reader.optional(NAME, |text| Ok::<_, &str>(text.to_ascii_lowercase()));
    let is_other = |word: &str| !["tracecontext", "baggage"].contains(&word.trim());
    if text.is_some_and(|text| text.split(',').any(is_other)) {
        reader.warn(
            NAME,
            "asks for a format that webhook-app does not have; it reads and writes traceparent and tracestate (tracecontext)",
        );
    }
}

/// Warns of settings of the exporter that have no effect.
fn warn_of_unread(reader: &mut EnvReader) {
    for (setting, instead) in NOT_READ {
        for prefix in ["OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"] {
            let name = format!("{prefix}{setting}");
            if reader.is_filled(&name) {
                reader.warn(&name, format_args!("has no effect: {instead}"));
            }
        }
    }
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
    let is_usable = matches!(url.scheme(), "http" | "https") && url.query().is_none();
    is_usable.then_some(url).ok_or(EXPECTED)
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or("expected a number from 0 to 1, such as 0.01 for one trace in a hundred")
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
