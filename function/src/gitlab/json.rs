//! The strings of a JSON document. Owns the guarantee that none is too long for the parser: serde
//! copies a string that contains an escape, and puts an unexpected string into the text of its
//! error, escaped, so one of 20 MiB would become a text of more than 100 MiB. Which texts are kept is
//! decided in [`text`](super::text).

use std::borrow::Cow;

use crate::limits::LIMITS;

/// Ends a string whose rest was left out: a space that nobody writes, so that a blank text stays blank. The
/// texts that messages show end long before it.
pub(super) const CUT: char = '\u{1680}';

/// The document with the start of every string that is longer than
/// [`max_json_string_bytes`](crate::limits::EventLimits::max_json_string_bytes), and [`CUT`] after it.
/// Valid JSON stays valid, and lists and objects stay as they are.
pub(super) fn shortened(document: &str) -> Cow<'_, str> {
    let bytes = document.as_bytes();
    let mut short = String::new();
    let (mut copied, mut at) = (0, 0);
    if bytes.len() <= LIMITS.events.max_json_string_bytes {
        return Cow::Borrowed(document);
    }
    while let Some(quote) = bytes[at..].iter().position(|byte| *byte == b'"') {
        let start = at + quote + 1;
        let end = end_of_string(bytes, start);
        if end - start > LIMITS.events.max_json_string_bytes {
            if copied == 0 {
                // See the limit: memory of this size returns to the system at once.
                short.reserve_exact(LIMITS.bodies.large_capacity_bytes);
            }
            short.push_str(&document[copied..cut(document, start, end)]);
            short.push(CUT);
            copied = end;
        }
        at = bytes.len().min(end + 1);
    }
    if copied == 0 {
        return Cow::Borrowed(document);
    }
    short.push_str(&document[copied..]);
    Cow::Owned(short)
}

/// The position of the closing quote, or the end of the document.
pub(super) fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where the kept part of a string ends: not in a character, an escape or a surrogate pair.
fn cut(document: &str, start: usize, end: usize) -> usize {
    let bytes = document.as_bytes();
    let limit = start + LIMITS.events.max_json_string_bytes;
    let mut at = start;
    let mut is_half = false;
    while at < end && (at < limit || is_half) {
        let escape = bytes[at..end].strip_prefix(b"\\u");
        is_half = matches!(
            escape,
            Some([b'd' | b'D', b'8' | b'9' | b'a'..=b'b' | b'A'..=b'B', ..])
        );
        at += match (escape, bytes[at]) {
            (Some(_), _) => 6,
            (None, b'\\') => 2,
            _ => 1,
        };
    }
    document.floor_char_boundary(at.min(end))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_long_string_keeps_its_start_and_the_document_stays_valid() {
        let limit = LIMITS.events.max_json_string_bytes;
        for repeated in [
            "x",
            "é",
            "山",
            "\\n",
            "\\\\",
            "\\\"",
            "\\u0041",
            "\\ud83d\\ude00",
            "\u{7f}",
        ] {
            for start in ["", "x", "xy", "xyz"] {
                let long = format!("\"{start}{}\"", repeated.repeat(limit));
                let document = format!("{{{long}:[{{}},{long}],\"after\":\"\\\"\"}}");
                let short = shortened(&document);
                assert!(short.len() < 3 * limit, "{repeated}");
                let value: Value = serde_json::from_str(&short).expect("is valid");
                let whole: Value = serde_json::from_str(&document).expect("is valid");
                assert_eq!(value["after"], "\"");
                let entries = |value: &Value| value.as_object().map(serde_json::Map::len);
                assert_eq!(entries(&value), entries(&whole));
                let mut keys = value.as_object().into_iter().flatten().map(|(key, _)| key);
                let is_start = |key: &str| {
                    let start = key.trim_end_matches(CUT);
                    start.len() > 1 && long_text(&whole).starts_with(start)
                };
                assert!(keys.any(|key| is_start(key)));
            }
        }
    }

    fn long_text(value: &Value) -> &str {
        let mut keys = value.as_object().into_iter().flatten().map(|(key, _)| key);
        keys.find(|key| *key != "after").map_or("", String::as_str)
    }

    #[test]
    fn a_document_without_long_strings_is_not_copied() {
        let document = format!("[{}\"x\"]", "\"x\",".repeat(100_000));
        assert!(matches!(shortened(&document), Cow::Borrowed(_)));
        for broken in ["\"", "\"\\", "{\"a\":\"\\u", "", "\\"] {
            let long = broken.to_owned() + &"x".repeat(LIMITS.events.max_json_string_bytes * 2);
            assert!(shortened(&long).len() <= long.len());
            let long = "x".repeat(LIMITS.events.max_json_string_bytes * 2) + broken;
            assert!(shortened(&long).len() <= long.len());
        }
    }
}
