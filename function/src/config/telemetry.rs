//! The settings of logs, metrics and traces. Owns how they are parsed and validated; where
//! OpenTelemetry defines an environment variable, that one is read. What the settings change is
//! implemented in [`telemetry`](crate::telemetry).

use std::io::{self, IsTerminal as _};

use http::{HeaderName, HeaderValue};
use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use tracing::level_filters::LevelFilter;
use url::Url;

use super::env::EnvReader;
use super::words;
use crate::proxy::Proxies;
use crate::telemetry::log::LogFormat;
use crate::telemetry::{Settings, otlp};

const LEVELS: &[(&str, LevelFilter)] = &[
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

const FORMATS: &[(&str, LogFormat)] = &[("json", LogFormat::Json), ("pretty", LogFormat::Pretty)];

/// Exporters of metrics that OpenTelemetry defines and that are not offered. Pushing is not, because the
/// autoscaler's rules rely on the labels that scraping adds.
const OTHER_METRICS: [&str; 3] = ["otlp", "console", "logging"];

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

/// Reads every setting, so that all errors are reported together.
pub(super) fn read(reader: &mut EnvReader, proxies: &Proxies) -> Settings {
    let log_level = reader.choice("LOG_LEVEL", LEVELS, LevelFilter::INFO);
    let terminal = io::stdout().is_terminal();
    let log_format = if terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    };
    let log_format = reader.choice("LOG_FORMAT", FORMATS, log_format);
    let is_enabled = !is_sdk_disabled(reader);
    let metrics = metrics(reader) && is_enabled;
    let service_name = reader.optional("OTEL_SERVICE_NAME", |name| Ok::<_, &str>(name.to_owned()));
    Settings {
        log_level,
        log_format,
        color: terminal && !reader.is_filled("NO_COLOR"),
        log_thread: true,
        metrics,
        service_name: service_name.unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
        traces: traces(reader, proxies).filter(|_| is_enabled),
    }
}

/// OpenTelemetry's specification: only `true` disables it, and any other value is a warning.
fn is_sdk_disabled(reader: &mut EnvReader) -> bool {
    const NAME: &str = "OTEL_SDK_DISABLED";
    let text = reader.optional(NAME, |text| Ok::<_, &str>(text.to_ascii_lowercase()));
    let is_known = matches!(text.as_deref(), None | Some("true" | "false"));
    if !is_known {
        reader.warn(NAME, "has no effect, because it is neither true nor false");
    }
    text.as_deref() == Some("true")
}

/// Whether metrics are served. OpenTelemetry allows several exporters, separated by commas.
fn metrics(reader: &mut EnvReader) -> bool {
    const NAME: &str = "OTEL_METRICS_EXPORTER";
    let parse = |text: &str| {
        let text = text.to_ascii_lowercase();
        let words: Vec<_> = text.split(',').map(str::trim).collect();
        let is_other = |word: &str| OTHER_METRICS.contains(&word);
        let is_known = |word: &&str| matches!(*word, "prometheus" | "none") || is_other(word);
        if !words.iter().all(is_known) {
            return Err("expected one of prometheus, none");
        }
        let is_none = words.iter().all(|word| *word == "none");
        Ok((!is_none, words.into_iter().any(is_other)))
    };
    let suggest = |text: &str| words::nearest(text, ["prometheus", "none"].into_iter());
    let (serves, has_other) = reader
        .suggesting(NAME, parse, suggest)
        .unwrap_or((true, false));
    if has_other {
        reader.warn(NAME, "asks for an exporter that webhook-app does not have, so metrics are served at /metrics; let the collector scrape them there, and set prometheus or none");
    }
    serves
}

/// Whether spans can be exported. Exporting over HTTP to a port for gRPC would fail again and again.
fn can_export(reader: &mut EnvReader) -> bool {
    const NAME: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
    let protocol = reader.choice(NAME, PROTOCOLS, Protocol::Protobuf);
    match protocol {
        Protocol::Protobuf => {}
        Protocol::Json => {
            reader.warn(NAME, "is http/json, which webhook-app does not have, so http/protobuf is used, which collectors receive at the same address");
        }
        Protocol::Grpc => {
            reader.warn(NAME, "is grpc, which webhook-app does not have, so no spans are exported; set http/protobuf, and in OTEL_EXPORTER_OTLP_ENDPOINT the port for HTTP, usually 4318");
        }
    }
    protocol != Protocol::Grpc
}

fn traces(reader: &mut EnvReader, proxies: &Proxies) -> Option<otlp::Settings> {
    let endpoint = reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let headers = reader.optional("OTEL_EXPORTER_OTLP_HEADERS", headers);
    let can_export = can_export(reader);
    let all = choice(|_| Sampler::AlwaysOn, true);
    let sampler = reader.choice("OTEL_TRACES_SAMPLER", SAMPLERS, all);
    let share = reader.optional("OTEL_TRACES_SAMPLER_ARG", share);
    let root = (sampler.root)(share.unwrap_or(1.0));
    let endpoint = endpoint.filter(|_| can_export)?;
    Some(otlp::Settings {
        proxy: proxies.of(&endpoint),
        endpoint,
        headers: headers.unwrap_or_default(),
        sampler: if sampler.after_parent {
            Sampler::ParentBased(Box::new(root))
        } else {
            root
        },
    })
}

fn endpoint(text: &str) -> Result<Url, &'static str> {
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

fn headers(text: &str) -> Result<Vec<(String, SecretString)>, &'static str> {
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
