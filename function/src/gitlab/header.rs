//! Headers that a request must not repeat, because two programs could read different ones. Owns how a
//! repeated one is recognized. What it means is decided by the reader of each header.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The request has this header more than once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Repeated;

/// The value of a header that may appear at most once.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Repeated> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Repeated),
    }
}

/// The value of a header; `None` if it is missing or repeated.
pub(crate) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    single(headers, name).ok().flatten()
}

/// Whether a value of `Content-Type` is this media type, with any parameters.
pub(crate) fn is_media_type(value: &HeaderValue, expected: &str) -> bool {
    let essence = value.as_bytes().split(|byte| *byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(expected.as_bytes())
}
