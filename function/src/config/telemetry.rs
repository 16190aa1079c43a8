//! The settings of logs, metrics and traces. Owns their rules; where OpenTelemetry has a standard
//! variable, that one is read. What is done with them is [`telemetry`](crate::telemetry)'s business.

use std::io::{self, IsTerminal as _};

use http::{HeaderName, HeaderValue};
use opentelemetry_sdk::trace::Sampler;
use secrecy::SecretString;
use tracing::level_filters::LevelFilter;
use url::Url;

use super::env::EnvReader;
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

/// Whether anything is counted. Pushing metrics is not offered: the autoscaler's rules count on the
/// labels that scraping adds.
const METRICS: &[(&str, bool)] = &[("prometheus", true), ("none", false)];

/// gRPC would bring a second HTTP stack; every collector takes both.
const PROTOCOLS: &[(&str, ())] = &[("http/protobuf", ())];

/// Which traces are kept: all, none or a share of them; after their parent, if they have one.
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

/// Every setting is read before the first mistake ends the attempt.
pub(super) fn read(reader: &mut EnvReader) -> Settings {
    let log_level = reader.choice("LOG_LEVEL", LEVELS, LevelFilter::INFO);
    let terminal = io::stdout().is_terminal();
    let log_format = if terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    };
    let log_format = reader.choice("LOG_FORMAT", FORMATS, log_format);
    let metrics = reader.choice("OTEL_METRICS_EXPORTER", METRICS, true);
    let service_name = reader.optional("OTEL_SERVICE_NAME", |name| Ok::<_, &str>(name.to_owned()));
    Settings {
        log_level,
        log_format,
        metrics,
        service_name: service_name.unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
        traces: traces(reader),
    }
}

fn traces(reader: &mut EnvReader) -> Option<otlp::Settings> {
    let endpoint = reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let headers = reader.optional("OTEL_EXPORTER_OTLP_HEADERS", headers);
    reader.choice("OTEL_EXPORTER_OTLP_PROTOCOL", PROTOCOLS, ());
    let all = choice(|_| Sampler::AlwaysOn, true);
    let sampler = reader.choice("OTEL_TRACES_SAMPLER", SAMPLERS, all);
    let share = reader.optional("OTEL_TRACES_SAMPLER_ARG", share);
    let root = (sampler.root)(share.unwrap_or(1.0));
    Some(otlp::Settings {
        endpoint: endpoint?,
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
        "expected the address of a collector for OTLP over HTTP, such as http://collector:4318";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let usable = matches!(url.scheme(), "http" | "https") && url.query().is_none();
    usable.then_some(url).ok_or(EXPECTED)
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
        .ok_or("expected name=value, with commas between, such as authorization=Bearer%20secret")
}

/// Values may be written as in addresses, with `%20` for a space.
fn header(pair: &str) -> Option<(String, SecretString)> {
    let (name, value) = pair.split_once('=')?;
    let name = HeaderName::try_from(name.trim()).ok()?;
    // The decoder is one for forms, where these would have a meaning; tokens hold them.
    let value = value.trim().replace('+', "%2B");
    let value = value.replace('=', "%3D").replace('&', "%26");
    let (value, _) = url::form_urlencoded::parse(value.as_bytes()).next()?;
    HeaderValue::try_from(value.as_ref()).ok()?;
    Some((name.to_string(), SecretString::from(value.into_owned())))
}
