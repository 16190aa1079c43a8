//! The headers of a webhook before its body is read. Owns which ones must not be repeated, because two
//! programs could read different ones, and which content is accepted. Headers that authenticate a webhook
//! are read in [`verification`](crate::gitlab::verification).

use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version};

use crate::gitlab::cloud_event;
use crate::gitlab::header::{self, Repeated, is_media_type};
use crate::outcome::{Failure, Source};

/// The kind of event that GitLab names in a header.
pub(super) const EVENT: HeaderName = HeaderName::from_static("x-gitlab-event");

/// Rejects what a proxy in front might understand in another way: RFC 9112 requires one `Host`, and a body
/// of `gzip, chunked` would be read as compressed bytes.
pub(super) fn check(parts: &Parts) -> Result<(), Failure> {
    let single = |name| header::single(&parts.headers, &name);
    let has_host = match single(HOST) {
        Ok(None) => parts.version != Version::HTTP_11,
        Ok(Some(_)) => true,
        Err(Repeated) => false,
    };
    let is_framed = match single(TRANSFER_ENCODING) {
        Ok(None) => true,
        Ok(Some(coding)) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        Err(Repeated) => false,
    };
    if has_host && is_framed && single(EVENT).is_ok() {
        Ok(())
    } else {
        Err(Failure::BadHeaders)
    }
}

/// GitLab sends uncompressed JSON. A compressed body could expand to a thousand times its size.
pub(super) fn check_content(headers: &HeaderMap, source: Source) -> Result<(), Failure> {
    let is_envelope = source == Source::CloudEvent && cloud_event::is_structured(headers);
    if !is_envelope && !header::only(headers, &CONTENT_TYPE).is_some_and(is_json) {
        return Err(Failure::MediaType);
    }
    match header::single(headers, &CONTENT_ENCODING) {
        Ok(None) => Ok(()),
        Ok(Some(encoding)) if encoding.as_bytes().eq_ignore_ascii_case(b"identity") => Ok(()),
        Ok(Some(_)) | Err(Repeated) => Err(Failure::ContentEncoding),
    }
}

/// Whether it is JSON with any parameters. A comma separates the values of a header that was repeated
/// before a gateway.
fn is_json(media_type: &HeaderValue) -> bool {
    is_media_type(media_type, "application/json") && !media_type.as_bytes().contains(&b',')
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    fn checked(version: Version, headers: &[(&str, &str)]) -> Result<(), Failure> {
        let mut request = Request::post("/webhook").version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn headers_that_two_programs_could_read_differently_are_rejected() {
        const HOST: (&str, &str) = ("host", "hooks.example.org");
        const CODING: &str = "transfer-encoding";
        let cases: [(&str, Headers, bool); 9] = [
            ("one host", &[HOST], true),
            ("no host", &[], false),
            ("two hosts", &[HOST, HOST], false),
            ("chunked", &[HOST, (CODING, "Chunked")], true),
            ("compressed", &[HOST, (CODING, "gzip, chunked")], false),
            (
                "twice",
                &[HOST, (CODING, "chunked"), (CODING, "chunked")],
                false,
            ),
            ("a list", &[HOST, (CODING, "chunked, chunked")], false),
            ("identity", &[HOST, (CODING, "identity")], false),
            (
                "two events",
                &[HOST, ("x-gitlab-event", "a"), ("x-gitlab-event", "b")],
                false,
            ),
        ];
        for (case, headers, expected) in cases {
            let result = checked(Version::HTTP_11, headers);
            assert_eq!(result.is_ok(), expected, "{case}");
        }
        assert_eq!(checked(Version::HTTP_10, &[]), Ok(()), "HTTP/1.0");
    }

    #[test]
    fn content_is_json_without_compression_and_named_once() {
        const JSON: (&str, &str) = ("content-type", "application/json");
        const ENCODING: &str = "content-encoding";
        let cases: [(&str, Headers, Result<(), Failure>); 8] = [
            ("JSON", &[JSON], Ok(())),
            (
                "a parameter",
                &[("content-type", "application/JSON ; charset=utf-8")],
                Ok(()),
            ),
            ("twice", &[JSON, JSON], Err(Failure::MediaType)),
            (
                "a list",
                &[("content-type", "application/json; a=b, text/plain")],
                Err(Failure::MediaType),
            ),
            ("no compression", &[JSON, (ENCODING, "Identity")], Ok(())),
            (
                "compressed",
                &[JSON, (ENCODING, "gzip")],
                Err(Failure::ContentEncoding),
            ),
            (
                "compressed the second time",
                &[JSON, (ENCODING, "identity"), (ENCODING, "gzip")],
                Err(Failure::ContentEncoding),
            ),
            (
                "a list of encodings",
                &[JSON, (ENCODING, "identity, gzip")],
                Err(Failure::ContentEncoding),
            ),
        ];
        for (case, entries, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in entries {
                let name = HeaderName::try_from(*name).unwrap();
                headers.append(name, value.parse().unwrap());
            }
            let found = check_content(&headers, Source::Webhook);
            assert_eq!(found, expected, "{case}");
        }
    }
}
