//! Validation of message attachments: the type of each key, and the required keys of a field.

use serde_json::Value;

#[derive(Clone, Copy)]
enum Kind {
    Text,
    TextOrNumber,
    Bool,
    Number,
    Object,
    List,
    Url,
}

const KEYS: [(&str, Kind); 26] = [
    ("color", Kind::Text),
    ("text", Kind::Text),
    ("ts", Kind::TextOrNumber),
    ("thumb_url", Kind::Url),
    ("button_alignment", Kind::Text),
    ("actions", Kind::List),
    ("message_link", Kind::Url),
    ("collapsed", Kind::Bool),
    ("author_name", Kind::Text),
    ("author_link", Kind::Url),
    ("author_icon", Kind::Url),
    ("title", Kind::Text),
    ("title_link", Kind::Url),
    ("title_link_download", Kind::Bool),
    ("image_dimensions", Kind::Object),
    ("image_url", Kind::Url),
    ("image_preview", Kind::Text),
    ("image_type", Kind::Text),
    ("image_size", Kind::Number),
    ("audio_url", Kind::Url),
    ("audio_type", Kind::Text),
    ("audio_size", Kind::Number),
    ("video_url", Kind::Url),
    ("video_type", Kind::Text),
    ("video_size", Kind::Number),
    ("fields", Kind::List),
];

/// The first error of these attachments, with the server's text.
pub(super) fn check(attachments: &Value) -> Result<(), String> {
    let Some(attachments) = attachments.as_array() else {
        return Err("Match error: Expected array, got something else".to_owned());
    };
    for attachment in attachments {
        for (key, kind) in KEYS {
            if let Some(value) = attachment.get(key).filter(|value| !value.is_null()) {
                check_value(key, kind, value)?;
            }
        }
        let fields = attachment.get("fields").and_then(Value::as_array);
        fields.into_iter().flatten().try_for_each(check_field)?;
    }
    Ok(())
}

/// Keys that the server ignores; in a client they are a typing mistake.
pub(super) fn unknown_keys(attachments: &Value) -> Vec<String> {
    let attachments = attachments.as_array().into_iter().flatten();
    attachments
        .filter_map(Value::as_object)
        .flat_map(|attachment| attachment.keys())
        .filter(|key| !KEYS.iter().any(|(known, _)| known == key))
        .cloned()
        .collect()
}

fn check_value(key: &str, kind: Kind, value: &Value) -> Result<(), String> {
    let fits = match kind {
        Kind::Text | Kind::Url => value.is_string(),
        Kind::TextOrNumber => value.is_string() || value.is_number(),
        Kind::Bool => value.is_boolean(),
        Kind::Number => value.is_number(),
        Kind::Object => value.is_object(),
        Kind::List => value.is_array(),
    };
    if !fits {
        return Err(format!("Match error: unexpected type in field {key}"));
    }
    let url = value.as_str().unwrap_or_default();
    if matches!(kind, Kind::Url) && !is_absolute_url(url) {
        return Err("Invalid href value provided".to_owned());
    }
    Ok(())
}

/// An http(s) URL with a host, or the path of an uploaded file. This also rejects `javascript:`.
fn is_absolute_url(text: &str) -> bool {
    if text.starts_with("/file-upload/") {
        return true;
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    matches!(scheme, "http" | "https") && !rest.is_empty() && !rest.starts_with('/')
}

/// A falsy value in JavaScript counts as missing: null, an empty text, zero and `false`.
fn check_field(field: &Value) -> Result<(), String> {
    let missing = |key: &str| match field.get(key) {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(_) => false,
    };
    let is_text_or_absent = field.get("title").is_none_or(Value::is_string);
    let is_bool_or_absent = field.get("short").is_none_or(Value::is_boolean);
    if !is_text_or_absent || !is_bool_or_absent {
        return Err("Match error: unexpected type in an attachment field".to_owned());
    }
    if missing("title") || missing("value") {
        return Err("Invalid attachment field, title and value is required".to_owned());
    }
    Ok(())
}
