//! Bodies in which one value is replaced by an oversized one: a list of millions of entries, or a
//! text of megabytes. Owns the values; the fields are those of the documents that the caller gives.

use std::collections::BTreeSet;

use serde_json::Value;

/// In the place of the oversized value. It is longer than any text of a document.
const PLACEHOLDER: &str = "\"the place of the oversized value, which is filled in later\"";

/// One body with an oversized value.
#[derive(Clone, Debug)]
pub struct Oversized {
    /// The kind of event, as the body names it.
    pub kind: String,
    /// The path of the value.
    pub field: String,
    /// The oversized value, in words.
    pub value: String,
    before: String,
    filling: Filling,
    after: String,
}

/// A value of any length: a start, a part that is repeated, and an end.
#[derive(Clone, Debug)]
struct Filling {
    start: &'static str,
    repeated: String,
    end: &'static str,
    /// Closes every repeated part after the end; empty if they are not nested.
    closing: &'static str,
}

impl Oversized {
    /// The body, of about this length.
    pub fn body(&self, bytes: usize) -> Vec<u8> {
        let Filling {
            start,
            repeated,
            end,
            closing,
        } = &self.filling;
        let count = bytes / (repeated.len() + closing.len()).max(1);
        let mut body = Vec::with_capacity(bytes + self.before.len() + self.after.len() + 64);
        for part in [self.before.as_str(), start] {
            body.extend_from_slice(part.as_bytes());
        }
        for _ in 0..count {
            body.extend_from_slice(repeated.as_bytes());
        }
        body.extend_from_slice(end.as_bytes());
        for _ in 0..count {
            body.extend_from_slice(closing.as_bytes());
        }
        body.extend_from_slice(self.after.as_bytes());
        body
    }

    /// Every value of the documents, replaced by every oversized one. A field that several documents
    /// of one kind have is replaced once, and of a list only the first entry.
    pub fn all(documents: &[Value]) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for document in documents {
            let kind = ["object_kind", "event_name"]
                .iter()
                .find_map(|name| document[*name].as_str())
                .unwrap_or_default();
            let mut paths = Vec::new();
            collect(document, "", &mut paths);
            for path in paths {
                if !seen.insert((kind.to_owned(), path.clone())) {
                    continue;
                }
                let Some(replaced) = document.pointer(&path) else {
                    continue;
                };
                let (before, after) = around(document, &path);
                all.extend(fillings(replaced).into_iter().map(|(value, filling)| Self {
                    kind: kind.to_owned(),
                    field: path.clone(),
                    value,
                    before: before.clone(),
                    filling,
                    after: after.clone(),
                }));
            }
        }
        all
    }

    /// Bodies of structured CloudEvents whose data is oversized, in either form. `data` is a valid
    /// body.
    pub fn envelopes(data: &str) -> Vec<Self> {
        let before = r#"{"specversion":"1.0","id":"1","source":"s","type":"t","#;
        let (head, _) = data.split_at(1);
        let rest = &data[1..];
        let text = |name: &str, repeated: &str, start| {
            envelope(name, before, "\"data_base64\":\"", repeated, start, "\"}")
        };
        vec![
            text("base64 with an escape", "QUFB", "\\u0051UFB"),
            text("base64", "QUFB", ""),
            text("base64 of escapes", "\\u0051UFB", ""),
            text("base64 of slashes", "\\/\\/\\/\\/", ""),
            // `{"a":"` and escaped letters.
            text("base64 of a text of escapes", "XG5c", "eyJhIjoi"),
            envelope(
                "data with a text",
                before,
                &format!("\"data\":{head}\"x\":\""),
                "\\n",
                "",
                &format!("\",{rest}}}"),
            ),
            envelope(
                "an id",
                "{\"specversion\":\"1.0\",",
                "\"id\":\"",
                "\\n",
                "",
                &format!("\",\"source\":\"s\",\"data\":{data}}}"),
            ),
            envelope(
                "a key",
                "{\"specversion\":\"1.0\",\"id\":\"1\",",
                "\"",
                "x",
                "\\n",
                &format!("\":1,\"source\":1,\"data\":{data}}}"),
            ),
        ]
    }
}

fn envelope(
    value: &str,
    before: &str,
    name: &str,
    repeated: &str,
    start: &'static str,
    after: &str,
) -> Oversized {
    Oversized {
        kind: "CloudEvent".to_owned(),
        field: String::new(),
        value: value.to_owned(),
        before: format!("{before}{name}"),
        filling: Filling {
            start,
            repeated: repeated.to_owned(),
            end: "",
            closing: "",
        },
        after: after.to_owned(),
    }
}

fn collect(value: &Value, path: &str, paths: &mut Vec<String>) {
    if !path.is_empty() {
        paths.push(path.to_owned());
    }
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                collect(value, &format!("{path}/{name}"), paths);
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                collect(first, &format!("{path}/0"), paths);
            }
        }
        _ => {}
    }
}

/// The document before and after the value at this path.
fn around(document: &Value, path: &str) -> (String, String) {
    let mut document = document.clone();
    if let Some(value) = document.pointer_mut(path) {
        *value = Value::from(PLACEHOLDER.trim_matches('"'));
    }
    let text = document.to_string();
    let (before, after) = text.split_once(PLACEHOLDER).unwrap_or_default();
    (before.to_owned(), after.to_owned())
}

/// The oversized values in the place of this one, in words and in JSON.
fn fillings(replaced: &Value) -> Vec<(String, Filling)> {
    let text = |name: &str, start, repeated: &str| filling(name, start, repeated, "\"", "");
    let mut all = vec![
        text("text", "\"", "x"),
        text("text with an escape", "\"\\n", "x"),
        text("text of short escapes", "\"", "\\n"),
        text("text of escaped letters", "\"", "\\u0041"),
        text("text of escaped control characters", "\"a", "\\u007f"),
        text("text of control characters", "\"", "\u{7f}"),
        text("text of three-byte characters", "\"", "山"),
        text("text with an escape and spaces", "\"\\n", " "),
        filling("number", "1", "1", "", ""),
        filling("nested lists", "", "[", "0", "]"),
        filling("nested objects", "", "{\"a\":", "0", "}"),
        filling("object of keys", "{", "\"k\":0,", "\"l\":0}", ""),
        filling("object with a key", "{\"\\n", "x", "\":0}", ""),
        filling("null and spaces", "null", " ", "", ""),
    ];
    let mut entries: Vec<(String, String)> = ["{}", "0", "\"\"", "[]", "null", "{\"id\":1}"]
        .map(|entry| (entry.to_owned(), entry.to_owned()))
        .into();
    if let Some(first) = replaced.as_array().and_then(|items| items.first()) {
        entries.push(("its entry".to_owned(), first.to_string()));
        entries.push(("its empty entry".to_owned(), emptied(first).to_string()));
    }
    // Valid up to the end where the entries are.
    let end = if replaced.is_string() { "\"\"]" } else { "{}]" };
    for (name, entry) in entries {
        let list = format!("list of {name}");
        all.push(filling(&list, "[", &format!("{entry},"), end, ""));
    }
    all
}

fn filling(
    name: &str,
    start: &'static str,
    repeated: &str,
    end: &'static str,
    closing: &'static str,
) -> (String, Filling) {
    let filling = Filling {
        start,
        repeated: repeated.to_owned(),
        end,
        closing,
    };
    (name.to_owned(), filling)
}

/// The same value with texts and numbers of one character.
fn emptied(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::from(""),
        Value::Number(_) => Value::from(0),
        Value::Array(items) => items.iter().map(emptied).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            entries
                .map(|(name, value)| (name.clone(), emptied(value)))
                .collect()
        }
        other => other.clone(),
    }
}
