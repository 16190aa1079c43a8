//! Logs: one line per event on standard output, JSON for machines or plain for a terminal. Owns the
//! format of a line and the filter by level. What is logged is decided where it happens, mostly in
//! `http::access_log`; how a line reaches standard output is in `output`.

use std::fmt::{self, Write as _};
use std::panic::PanicHookInfo;
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::trace::TraceMembers;
use crate::limits::LIMITS;

pub(super) mod output;

use output::LogOutput;

/// How a line is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// One JSON object.
    Json,
    /// Plain text, for a terminal.
    Pretty,
}

/// Writes events of at least `level` to standard output; those of libraries only if they are
/// warnings or errors, unless `level` is `debug` or `trace`.
pub(super) fn lines<S>(
    level: LevelFilter,
    format: LogFormat,
    color: bool,
    output: LogOutput,
) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let libraries = if level > LevelFilter::INFO {
        level
    } else {
        level.min(LevelFilter::WARN)
    };
    let filter = filter_fn(move |metadata| {
        let is_own = metadata.target().starts_with("webhook_app");
        metadata.is_event() && *metadata.level() <= if is_own { level } else { libraries }
    });
    let lines = Lines {
        format,
        color,
        output,
    };
    lines.with_filter(filter.with_max_level_hint(level))
}

/// Logs only the location of a panic: its message may contain a payload. Waits until the line is written,
/// because the process may end.
pub(super) fn panic(panic: &PanicHookInfo<'_>, output: &LogOutput) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(
        place,
        "panic: this is a bug in webhook-app; report it with the place"
    );
    output.flush();
}

/// Writes each event to one buffer and that in one call: half the cost of the JSON lines of
/// `tracing-subscriber`.
struct Lines {
    format: LogFormat,
    color: bool,
    output: LogOutput,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = match self.format {
            LogFormat::Json => json(event),
            LogFormat::Pretty => pretty(event, self.color),
        };
        line.push('\n');
        self.output.write(line.as_bytes());
    }
}

fn json(event: &Event<'_>) -> String {
    let level = event.metadata().level();
    let now = humantime::format_rfc3339_millis(SystemTime::now());
    let mut line = Json(String::with_capacity(512));
    let _ = write!(
        line.0,
        r#"{{"timestamp":"{now}","level":"{}""#,
        level_name(*level)
    );
    event.record(&mut line);
    let _ = write!(line.0, "{TraceMembers}}}");
    line.0
}

fn pretty(event: &Event<'_>, color: bool) -> String {
    let level = *event.metadata().level();
    let name = level_name(level);
    let now = humantime::format_rfc3339_seconds(SystemTime::now());
    let mut fields = Pretty::default();
    event.record(&mut fields);
    let (begin, end) = if color {
        (color_of(level), "\u{1b}[0m")
    } else {
        ("", "")
    };
    let Pretty { message, fields } = fields;
    format!("{now} {begin}{name:5}{end} {message}{fields}")
}

/// The escape sequence that begins the color of a level.
fn color_of(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG | Level::TRACE => "\u{1b}[2m",
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The fields of an event as members of an object.
struct Json(String);

impl Json {
    fn name(&mut self, field: &Field) {
        // Names of fields are literals of this crate and libraries, and need no escape.
        self.0.push_str(",\"");
        self.0.push_str(field.name());
        self.0.push_str("\":");
    }

    fn escape(&mut self, value: &str) {
        for char in visible(value) {
            // Control characters have been replaced already.
            if matches!(char, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(char);
        }
    }
}

impl Visit for Json {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        self.0.push('"');
        if is_plain(value) {
            self.0.push_str(value);
        } else {
            self.escape(value);
        }
        self.0.push('"');
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        let _ = write!(self.0, "{value}");
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.name(field);
        let _ = write!(self.0, "{value}");
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field);
        let _ = write!(self.0, "{value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// The message and the fields after it.
#[derive(Default)]
struct Pretty {
    message: String,
    fields: String,
}

impl Visit for Pretty {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.extend(visible(value));
            return;
        }
        let _ = write!(self.fields, " {}=", field.name());
        if !needs_quotes(value) {
            self.fields.extend(visible(value));
            return;
        }
        self.fields.push('"');
        for char in visible(value) {
            if matches!(char, '"' | '\\') {
                self.fields.push('\\');
            }
            self.fields.push(char);
        }
        self.fields.push('"');
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// Whether a reader could not tell where a value begins and ends.
fn needs_quotes(value: &str) -> bool {
    value.is_empty() || value.contains(|char: char| char.is_whitespace() || "\"\\=".contains(char))
}

/// Whether a value needs no escape, like nearly all values.
fn is_plain(value: &str) -> bool {
    let plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    value.len() <= LIMITS.telemetry.max_field_chars && value.bytes().all(plain)
}

/// A value without characters that could forge a line, move the cursor or hide text.
fn visible(value: &str) -> impl Iterator<Item = char> {
    let hidden = |char: char| char.is_control() || crate::rocketchat::markup::is_invisible(char);
    let shown = move |char| {
        if hidden(char) {
            char::REPLACEMENT_CHARACTER
        } else {
            char
        }
    };
    value
        .chars()
        .take(LIMITS.telemetry.max_field_chars)
        .map(shown)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Keeps the last line.
    struct Last<'a>(bool, &'a Mutex<String>);

    impl<S: Subscriber> Layer<S> for Last<'static> {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            *self.1.lock().unwrap() = pretty(event, self.0);
        }
    }

    fn logged(color: bool, log: impl FnOnce()) -> String {
        let line: &Mutex<String> = Box::leak(Box::default());
        let subscriber = tracing_subscriber::registry().with(Last(color, line));
        tracing::subscriber::with_default(subscriber, log);
        let line = line.lock().unwrap();
        let (_, line) = line.split_once("Z ").unwrap();
        line.to_owned()
    }

    #[test]
    fn a_pretty_value_is_quoted_if_its_end_would_be_unclear() {
        let line = logged(false, || {
            tracing::warn!(
                plain = "acme/rocket",
                number = 7,
                detail = "expected \"a\", found b",
                forged = "x status=200",
                empty = "",
                cursor = "\u{1b}[2J",
                "webhook rejected"
            );
        });
        assert_eq!(
            line,
            "warn  webhook rejected plain=acme/rocket number=7 detail=\"expected \\\"a\\\", found b\" forged=\"x status=200\" empty=\"\" cursor=\u{fffd}[2J"
        );
    }

    #[test]
    fn only_the_level_is_colored() {
        let line = |color| logged(color, || tracing::error!(key = 1, "failed"));
        assert_eq!(line(true), "\u{1b}[31merror\u{1b}[0m failed key=1");
        assert_eq!(line(false), "error failed key=1");
    }
}
