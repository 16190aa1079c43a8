//! Where a request stands in a trace. Owns the headers of W3C Trace Context, read from a webhook and
//! passed on to whoever is called for it, and what log lines say of them. Works without exporter;
//! spans of our own are [`span`](super::span)'s business.

use std::fmt;
use std::future::Future;

use http::{HeaderMap, HeaderName, HeaderValue};

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// `00-`, 32 digits of the trace, `-`, 16 of the span, `-`, 2 of flags.
const PARENT_LENGTH: usize = 55;

/// What has to be passed on at least; longer ones may be dropped, and are.
const MAX_STATE_LENGTH: usize = 512;

tokio::task_local! {
    static CURRENT: Option<TraceContext>;
}

/// The trace, and the span that calls made from here belong to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TraceContext {
    parent: HeaderValue,
    state: Option<HeaderValue>,
    span_is_ours: bool,
}

impl TraceContext {
    /// What came with a request, if it is well formed.
    pub fn arrived(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(&PARENT).iter();
        let (Some(parent), None) = (parents.next(), parents.next()) else {
            return None;
        };
        Some(Self {
            parent: understood(parent)?,
            state: state(headers),
            span_is_ours: false,
        })
    }

    /// A span of our own.
    pub(super) fn ours(trace: [u8; 16], span: [u8; 8], sampled: bool, state: &str) -> Option<Self> {
        let mut parent = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut parent[3..35], &trace);
        write_hex(&mut parent[36..52], &span);
        parent[54] += u8::from(sampled);
        let state = HeaderValue::from_str(state).ok();
        Some(Self {
            parent: HeaderValue::from_bytes(&parent).ok()?,
            state: state.filter(|state| !state.is_empty()),
            span_is_ours: true,
        })
    }

    /// 32 hex digits.
    pub fn trace_id(&self) -> &str {
        self.digits(3..35)
    }

    /// 16 hex digits, if the span is ours.
    pub fn span_id(&self) -> Option<&str> {
        self.span_is_ours.then(|| self.digits(36..52))
    }

    /// The span that what follows belongs to, whoever it is of.
    pub(super) fn parent_id(&self) -> &str {
        self.digits(36..52)
    }

    /// Whether the caller keeps this trace.
    pub(super) fn is_sampled(&self) -> bool {
        u8::from_str_radix(self.digits(53..55), 16).is_ok_and(|flags| flags & 1 == 1)
    }

    pub(super) fn state(&self) -> &str {
        let state = self.state.as_ref().and_then(|state| state.to_str().ok());
        state.unwrap_or_default()
    }

    /// For a call made on behalf of the request.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(PARENT, self.parent.clone());
        if let Some(state) = &self.state {
            headers.insert(STATE, state.clone());
        }
        headers
    }

    fn digits(&self, range: std::ops::Range<usize>) -> &str {
        // All of it is text, but only these bytes have to be looked at.
        let digits = self.parent.as_bytes().get(range).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

/// The formatter of the standard library would take many times as long.
fn write_hex(text: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// A parent as version 00 writes it. Later versions begin the same way and may go on after a dash.
fn understood(parent: &HeaderValue) -> Option<HeaderValue> {
    let text = parent.to_str().ok()?;
    let (known, rest) = text.split_at_checked(PARENT_LENGTH)?;
    let parts: Vec<_> = known.split('-').collect();
    let [version, trace, span, flags] = parts[..] else {
        return None;
    };
    let hex = |part: &str, length| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let well_formed = hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
    let there = |id: &str| id.bytes().any(|byte| byte != b'0');
    let ends = match version {
        "00" => rest.is_empty(),
        "ff" => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    if !(well_formed && ends && there(trace) && there(span)) {
        return None;
    }
    HeaderValue::from_str(&format!("00{}", &known[2..])).ok()
}

fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(&STATE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let fits = value.to_str().is_ok() && (1..=MAX_STATE_LENGTH).contains(&value.len());
    fits.then(|| value.clone())
}

/// Runs what belongs to a request; inside of it [`current`] is `context`.
pub fn within<F: Future>(
    context: Option<TraceContext>,
    request: F,
) -> impl Future<Output = F::Output> {
    CURRENT.scope(context, request)
}

/// Where the request under way stands, if it stands anywhere.
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// The members of a log line that tell of the request under way.
pub(super) struct Members;

impl fmt::Display for Members {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write = |context: &Option<TraceContext>| {
            let Some(context) = context else {
                return Ok(());
            };
            write!(formatter, r#","trace_id":"{}""#, context.trace_id())?;
            match context.span_id() {
                Some(span_id) => write!(formatter, r#","span_id":"{span_id}""#),
                None => Ok(()),
            }
        };
        CURRENT.try_with(write).unwrap_or(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT_TEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn arrived(parents: &[&str], state: &str) -> Option<TraceContext> {
        let mut headers = HeaderMap::new();
        for parent in parents {
            headers.append(PARENT, parent.parse().expect("is a header value"));
        }
        headers.append(STATE, state.parse().expect("is a header value"));
        TraceContext::arrived(&headers)
    }

    #[test]
    fn a_trace_is_passed_on_as_it_came() {
        let context = arrived(&[PARENT_TEXT], "vendor=1").expect("is a context");
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id(), None, "the span is the caller's");
        assert!(context.is_sampled());
        assert_eq!(context.headers()[PARENT], PARENT_TEXT);
        assert_eq!(context.headers()[STATE], "vendor=1");
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = format!("cc{}-what-comes-next", &PARENT_TEXT[2..]);
        let context = arrived(&[&later], "").expect("is a context");
        assert_eq!(context.headers()[PARENT], PARENT_TEXT);
        assert_eq!(context.headers().get(STATE), None);
    }

    #[test]
    fn what_is_no_trace_is_not_passed_on() {
        let with = |from: &str, to: &str| PARENT_TEXT.replace(from, to);
        let cases = [
            ("empty", String::new()),
            ("short", PARENT_TEXT[..54].to_owned()),
            ("long", format!("{PARENT_TEXT}-00")),
            (
                "no trace",
                with("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            ),
            ("no span", with("00f067aa0ba902b7", &"0".repeat(16))),
            ("capitals", PARENT_TEXT.to_uppercase()),
            ("version ff", with("00-4", "ff-4")),
            ("other digits", with("4bf9", "4bg9")),
            ("dashes elsewhere", with("-00f0", "00f0-")),
        ];
        for (case, parent) in cases {
            assert_eq!(arrived(&[&parent], ""), None, "{case}");
        }
        assert_eq!(
            arrived(&[PARENT_TEXT, PARENT_TEXT], ""),
            None,
            "two of them"
        );
        assert_eq!(arrived(&[], ""), None, "none");
    }
}
