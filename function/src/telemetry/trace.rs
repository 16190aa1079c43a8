//! Trace context propagation. Owns which `traceparent` and `tracestate` headers of a request are
//! accepted, and how their trace reaches outgoing calls and log lines; OpenTelemetry's propagator
//! parses and writes them. Works without an exporter; the span of a webhook is in
//! [`span`](super::span).

use std::fmt;

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::{FutureExt as _, TraceContextExt as _};
use opentelemetry::{Context, ContextGuard};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::limits::LIMITS;

/// Length of a `traceparent` of version 00: its four fields have 2, 32, 16 and 2 hex digits.
const PARENT_LENGTH: usize = 55;

/// The trace and the span that a request belongs to; empty if it belongs to none.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceContext(pub(super) Context);

impl TraceContext {
    /// Reads the headers of a request; invalid ones give an empty context.
    pub(crate) fn extract(headers: &HeaderMap) -> Self {
        let headers = StrictExtractor(HeaderExtractor(headers));
        Self(TraceContextPropagator::new().extract(&headers))
    }

    /// Runs `request` with this context as the current one.
    pub(crate) fn scope<F: Future>(self, request: F) -> impl Future<Output = F::Output> {
        request.with_context(self.0)
    }

    /// Makes this context the current one until the guard is dropped.
    pub(crate) fn attach(&self) -> ContextGuard {
        self.0.clone().attach()
    }
}

/// The headers that pass the current context on to a called server; none if it is empty.
pub(crate) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut injector = NonEmptyInjector(HeaderInjector(&mut headers));
    Context::map_current(|context| {
        TraceContextPropagator::new().inject_context(context, &mut injector);
    });
    headers
}

/// Rejects what the propagator accepts against W3C Trace Context: it takes the first of several
/// headers, ids that are too short, signs before digits, and a state of any length.
struct StrictExtractor<'a>(HeaderExtractor<'a>);

impl Extractor for StrictExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let HeaderExtractor(headers) = self.0;
        let occurs_once = headers.get_all(key).iter().count() == 1;
        let value = self.0.get(key).filter(|_| occurs_once)?;
        let is_valid = match key {
            "traceparent" => is_well_formed(value),
            _ => value.len() <= LIMITS.telemetry.max_tracestate_bytes,
        };
        is_valid.then_some(value)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys()
    }
}

/// Whether the fields have their lengths. Versions after 00 may add more fields after a dash.
fn is_well_formed(parent: &str) -> bool {
    let Some((fields, rest)) = parent.split_at_checked(PARENT_LENGTH) else {
        return false;
    };
    let is_allowed = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    fields.bytes().all(is_allowed)
        && fields.split('-').map(str::len).eq([2, 32, 16, 2])
        && (rest.is_empty() || rest.starts_with('-') && !fields.starts_with("00"))
}

/// The propagator writes a `tracestate` even if it is empty.
struct NonEmptyInjector<'a>(HeaderInjector<'a>);

impl Injector for NonEmptyInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.0.set(key, value);
        }
    }
}

/// The members of a JSON log line that name the current trace, and its span if this process began
/// it.
pub(super) struct TraceMembers;

impl fmt::Display for TraceMembers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Context::map_current(|context| {
            let span = context.span();
            let span = span.span_context();
            if span.is_valid() {
                write!(formatter, r#","trace_id":"{}""#, span.trace_id())?;
            }
            if span.is_valid() && !span.is_remote() {
                write!(formatter, r#","span_id":"{}""#, span.span_id())?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn extract(parents: &[&str], states: &[&str]) -> TraceContext {
        let mut headers = HeaderMap::new();
        for (name, values) in [("traceparent", parents), ("tracestate", states)] {
            for value in values {
                headers.append(name, value.parse().expect("is a header value"));
            }
        }
        TraceContext::extract(&headers)
    }

    /// The headers of a call that is made for a request with these.
    fn passed_on(parents: &[&str], states: &[&str]) -> HeaderMap {
        let _attached = extract(parents, states).attach();
        headers()
    }

    #[test]
    fn a_trace_is_passed_on_as_it_came() {
        let headers = passed_on(&[PARENT], &["vendor=1,other=2"]);
        assert_eq!(headers["traceparent"], PARENT);
        assert_eq!(headers["tracestate"], "vendor=1,other=2");
    }

    #[test]
    fn a_log_line_names_the_trace_and_not_the_span_of_the_sender() {
        assert_eq!(TraceMembers.to_string(), "");
        let _attached = extract(&[PARENT], &[]).attach();
        assert_eq!(
            TraceMembers.to_string(),
            r#","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736""#
        );
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = format!("cc{}-what-comes-next", &PARENT[2..]);
        assert_eq!(passed_on(&[&later], &[])["traceparent"], PARENT);
    }

    #[test]
    fn only_the_flag_that_is_known_is_passed_on() {
        let flags = |flags| format!("{}{flags}", &PARENT[..53]);
        assert_eq!(
            passed_on(&[&flags("ff")], &[])["traceparent"],
            flags("01").as_str()
        );
    }

    #[test]
    fn an_invalid_parent_is_not_passed_on() {
        let with = |from: &str, to: &str| PARENT.replace(from, to);
        let cases = [
            ("empty", String::new()),
            ("short", PARENT[..54].to_owned()),
            ("long", format!("{PARENT}-00")),
            ("a dash after it", format!("{PARENT}-")),
            (
                "no trace",
                with("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            ),
            ("no span", with("00f067aa0ba902b7", &"0".repeat(16))),
            ("capitals", PARENT.to_uppercase()),
            ("version ff", with("00-4", "ff-4")),
            ("other digits", with("4bf9", "4bg9")),
            ("a sign", with("4bf9", "+bf9")),
            ("dashes elsewhere", with("-00f0", "00f0-")),
            ("more digits", with("-01", "-011")),
        ];
        for (case, parent) in cases {
            assert!(passed_on(&[&parent], &["a=1"]).is_empty(), "{case}");
        }
        assert!(passed_on(&[PARENT, PARENT], &[]).is_empty(), "two of them");
        assert!(passed_on(&[], &["a=1"]).is_empty(), "none");
    }

    #[test]
    fn an_invalid_state_is_not_passed_on() {
        let long = format!("vendor={}", "x".repeat(506));
        let cases: [(&str, &[&str]); 5] = [
            ("none", &[]),
            ("empty", &[""]),
            ("two of them", &["a=1", "b=2"]),
            ("too long", &[&long]),
            ("no pair", &["vendor"]),
        ];
        for (case, states) in cases {
            let headers = passed_on(&[PARENT], states);
            assert_eq!(headers["traceparent"], PARENT, "{case}");
            assert_eq!(headers.get("tracestate"), None, "{case}");
        }
    }
}
