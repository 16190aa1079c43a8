//! The settings of traces, which OpenTelemetry defines. Owns whether spans are exported, how, and which of
//! them. Where to is in [`collector`]; spans are exported in [`telemetry`](crate::telemetry).

use opentelemetry_sdk::trace::Sampler;
use url::Url;

use super::env::EnvReader;
use super::{clear_text, collector, words};
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

/// `None` if no spans are exported. Settings that nothing reads then cause no error.
pub(super) fn read(
    reader: &mut EnvReader,
    proxies: &Proxies,
    is_enabled: bool,
) -> Option<otlp::Settings> {
    if !is_enabled {
        return None;
    }
    let exporter = exporter(reader);
    if exporter == Exporter::None {
        return None;
    }
    let protocol = protocol(reader);
    let sampler = sampler(reader);
    propagators(reader);
    let has_default = exporter == Exporter::Otlp;
    if !has_default && !collector::is_addressed(reader) {
        collector::warn_of_headers(reader);
        return None;
    }
    if !can_export(reader, protocol) {
        return None;
    }
    let address = collector::address(reader);
    let headers = collector::headers(reader);
    let local = Url::parse(DEFAULT_ENDPOINT).ok().filter(|_| has_default);
    let local = local.map(|address| ("OTEL_TRACES_EXPORTER", address));
    let (name, endpoint) = address.or(local)?;
    collector::warn_of_unread(reader);
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

/// The protocol and the setting that names it; the one for traces has priority.
fn protocol(reader: &mut EnvReader) -> Option<(&'static str, Protocol)> {
    let names = [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ];
    let [traces, all] = names.map(|name| {
        let protocol = reader.tolerant_choice(name, PROTOCOLS)?;
        Some((name, protocol))
    });
    traces.or(all)
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

fn share(text: &str) -> Result<f64, &'static str> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or("expected a number from 0 to 1, such as 0.01 for one trace in a hundred")
}
