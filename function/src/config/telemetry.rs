//! The settings of logs and metrics. Owns how they are parsed and validated; where OpenTelemetry defines an
//! environment variable, that one is read, also in [`traces`]. What the settings change is
//! implemented in [`telemetry`](crate::telemetry).

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;

use super::env::EnvReader;
use super::{traces, words};
use crate::proxy::Proxies;
use crate::telemetry::Settings;
use crate::telemetry::log::LogFormat;

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

/// Reads every setting, so that all errors are reported together.
pub(super) fn read(reader: &mut EnvReader, proxies: &Proxies) -> Settings {
    let log_level = reader.choice("LOG_LEVEL", LEVELS, LevelFilter::INFO);
    let is_terminal = io::stdout().is_terminal();
    let (log_format, color) = presentation(is_terminal, reader.is_filled("NO_COLOR"));
    let log_format = reader.choice("LOG_FORMAT", FORMATS, log_format);
    let is_enabled = !is_sdk_disabled(reader);
    let metrics = metrics(reader) && is_enabled;
    let service_name = reader.optional("OTEL_SERVICE_NAME", |name| Ok::<_, &str>(name.to_owned()));
    Settings {
        log_level,
        log_format,
        color,
        log_thread: true,
        metrics,
        service_name: service_name.unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
        traces: traces::read(reader, proxies, is_enabled),
    }
}

/// The format of log lines if `LOG_FORMAT` is not set, and whether the output has colors.
fn presentation(is_terminal: bool, is_color_refused: bool) -> (LogFormat, bool) {
    let format = if is_terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    };
    (format, is_terminal && !is_color_refused)
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
        .tolerant(NAME, parse, suggest)
        .unwrap_or((true, false));
    if has_other {
        reader.warn(NAME, "asks for an exporter that webhook-app does not have, so metrics are served at /metrics; let the collector scrape them there, and set prometheus or none");
    }
    serves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_has_plain_lines_and_colors() {
        let cases = [
            ((true, false), (LogFormat::Pretty, true)),
            ((true, true), (LogFormat::Pretty, false)),
            ((false, false), (LogFormat::Json, false)),
            ((false, true), (LogFormat::Json, false)),
        ];
        for ((is_terminal, is_color_refused), expected) in cases {
            let found = presentation(is_terminal, is_color_refused);
            assert_eq!(found, expected, "{is_terminal} {is_color_refused}");
        }
    }
}
