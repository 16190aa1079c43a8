//! Requests that came through a proxy. Owns the headers by which they are recognised; what they may not
//! see is decided in [`router`](super::router).

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

/// What proxies add. Knative's queue-proxy, the last one before the container, always sets it, and a client
/// cannot make it leave the header out. Prometheus connects to the pod directly and sends neither.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whether a proxy has forwarded the request.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_is_forwarded_if_a_proxy_has_left_its_header() {
        let cases = [
            (None, false),
            (Some(("user-agent", "Prometheus/3.15.0")), false),
            (Some(("x-prometheus-scrape-timeout-seconds", "5")), false),
            (Some(("x-forwarded-for", "192.0.2.1, 198.51.100.2")), true),
            (Some(("X-Forwarded-For", "")), true),
            (Some(("forwarded", "for=192.0.2.1;proto=http")), true),
        ];
        for (header, expected) in cases {
            let headers = header.map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, HeaderValue::from_static(value))
            });
            assert_eq!(
                is_forwarded(&headers.into_iter().collect()),
                expected,
                "{header:?}"
            );
        }
    }
}
