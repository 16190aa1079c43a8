//! The path of a value in a JSON document, such as `commits[2].id`. Owns how it follows from the position of an
//! error. A deserializer that records the path would need every type to be compiled a second time.

use super::json::end_of_string;

/// A step from a value to one of its parts.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// An entry of an object; `None` before its first key and after a comma.
    Key(Option<&'a str>),
    /// An entry of a list, counted from 0.
    Index(usize),
}

/// The path of the value at or before this position, which serde_json counts from line 1 and column 0 in bytes;
/// `.` for the whole document. The document must be valid up to there.
pub(super) fn path(document: &str, line: usize, column: usize) -> String {
    let start: usize = document
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let end = document.floor_char_boundary(start.saturating_add(column));
    let text = describe(&steps(&document[..end]));
    if text.is_empty() {
        ".".to_owned()
    } else {
        text
    }
}

/// The steps to the value at the end of the start of a document.
fn steps(document: &str) -> Vec<Step<'_>> {
    let bytes = document.as_bytes();
    let mut steps = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => steps.push(Step::Key(None)),
            b'[' => steps.push(Step::Index(0)),
            b'}' | b']' => drop(steps.pop()),
            b',' => match steps.last_mut() {
                Some(Step::Key(key)) => *key = None,
                Some(Step::Index(index)) => *index += 1,
                None => {}
            },
            b'"' => {
                let end = end_of_string(bytes, at + 1);
                if let Some(Step::Key(key @ None)) = steps.last_mut() {
                    *key = document.get(at + 1..end);
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    steps
}

fn describe(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Key(None) => {}
            Step::Key(Some(key)) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Index(index) => {
                text.push('[');
                text.push_str(&index.to_string());
                text.push(']');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Document {
        id: u64,
        name: Option<String>,
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Part {
        flag: Option<bool>,
        #[serde(default)]
        sizes: Vec<u8>,
        inner: Option<Box<Part>>,
    }

    fn path_of_error(document: &str) -> String {
        let error = serde_json::from_str::<Document>(document).expect_err(document);
        assert!(error.is_data(), "{document}: {error}");
        path(document, error.line(), error.column())
    }

    #[test]
    fn an_error_has_the_path_that_serde_path_to_error_records() {
        for (document, expected) in [
            (r#"{"id":"x"}"#, "id"),
            (r#"{"id":-1,"name":"a"}"#, "id"),
            (r#"{"id":1.5}"#, "id"),
            (r#"{"id":[1]}"#, "id"),
            (r#"{"id":{"id":1}}"#, "id"),
            ("{\n  \"name\": \"a\",\n  \"id\": true\n}", "id"),
            ("{\"name\":\"é\\\"{[,\\\\\",\n\"id\":null}", "id"),
            (r#"{"id":1,"unknown":[{"a":[1,2]},{}],"name":[]}"#, "name"),
            (r#"{"id":1,"name":{}}"#, "name"),
            (r#"{"id":1,"parts":"x"}"#, "parts"),
            (r#"{"id":1,"parts":[7]}"#, "parts[0]"),
            (r#"{"id":1,"parts":[{}, {"flag":1}]}"#, "parts[1].flag"),
            (
                r#"{"id":1,"parts":[{"sizes":[1,255,256]}]}"#,
                "parts[0].sizes[2]",
            ),
            (
                r#"{"parts":[{},{"inner":{"flag":true,"inner":{"sizes":[0,"1"]}}}]}"#,
                "parts[1].inner.inner.sizes[1]",
            ),
            (r#"{"parts":[{"flag":true}]}"#, "."),
        ] {
            assert_eq!(path_of_error(document), expected, "{document}");
            let mut json = serde_json::Deserializer::from_str(document);
            let recorded = serde_path_to_error::deserialize::<_, Document>(&mut json);
            let recorded = recorded.expect_err(document).path().to_string();
            assert_eq!(recorded, expected, "{document}");
        }
    }

    #[test]
    fn a_field_that_appears_twice_is_named() {
        assert_eq!(path_of_error(r#"{"id":1,"name":"a","id":2}"#), "id");
        let nested = r#"{"id":1,"parts":[{"flag":true,"flag":true}]}"#;
        assert_eq!(path_of_error(nested), "parts[0].flag");
    }

    #[test]
    fn any_position_in_any_text_has_a_path() {
        for text in ["", "{", "}]", "[\"é", "{\"a\\", "\n\n", "{\"é\":[[],"] {
            for line in 0..4 {
                for column in 0..12 {
                    assert!(!path(text, line, column).is_empty());
                }
            }
        }
    }
}
