//! The event log of a hook: one record for each attempt, as GitLab stores and shows it.
//! Owns redaction, oversize records and how long records are shown. Source: `app/models/hooks/web_hook_log.rb`,
//! `app/services/web_hooks/log_execution_service.rb` and `lib/api/entities/web_hook_log.rb`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::clock::iso;
use crate::exchange::Response;

const REDACTED: &str = "[REDACTED]";
const DAY: u64 = 86_400;
/// Records are shown for these days, counted from midnight, and can be resent until their table is dropped.
const SHOWN_DAYS: u64 = 7;
const KEPT_DAYS: u64 = 14;
const RESPONSE_BODY: usize = 8 * 1024;
const RESPONSE_HEADERS: usize = 50;
const RESPONSE_HEADER: usize = 1024;

/// What is recorded as the status if there was no response.
pub(super) const INTERNAL_ERROR: &str = "internal error";

/// One attempt.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) id: u64,
    pub(super) hook: u64,
    /// The URL as it is shown: without user and password.
    pub(super) url: String,
    /// The URL to which it was sent; a resend is refused if it is another one today.
    pub(super) sent_to: String,
    pub(super) trigger: &'static str,
    pub(super) request_headers: Vec<(String, String)>,
    pub(super) request_data: Value,
    /// None if there was no response.
    pub(super) response: Option<Response>,
    pub(super) duration: Duration,
    pub(super) created_at: Duration,
}

impl Event {
    /// The status as text: `200`, or `internal error`.
    pub(super) fn status(&self) -> String {
        let response = self.response.as_ref();
        response.map_or_else(
            || INTERNAL_ERROR.to_owned(),
            |response| response.status.to_string(),
        )
    }

    pub(super) fn idempotency_key(&self) -> Option<&str> {
        let mut headers = self.request_headers.iter();
        let found = headers.find(|(name, _)| name == "Idempotency-Key");
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn is_shown(&self, now: Duration) -> bool {
        let oldest = (now.as_secs() / DAY).saturating_sub(SHOWN_DAYS) * DAY;
        self.created_at.as_secs() >= oldest
    }

    pub(super) fn is_kept(&self, now: Duration) -> bool {
        now.saturating_sub(self.created_at).as_secs() < KEPT_DAYS * DAY
    }

    pub(super) fn json(&self, with_time: bool) -> Value {
        let headers = self.request_headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        let (response_headers, response_body) = self.shown_response();
        let mut shown = json!({
            "id": self.id,
            "url": self.url,
            "trigger": self.trigger,
            "request_headers": headers.collect::<Map<_, _>>(),
            "request_data": self.request_data,
            "response_headers": response_headers,
            "response_body": response_body,
            "execution_duration": self.duration.as_secs_f64(),
            "response_status": self.status(),
        });
        if with_time && let Value::Object(fields) = &mut shown {
            fields.insert("created_at".to_owned(), iso(self.created_at).into());
        }
        shown
    }

    fn shown_response(&self) -> (Map<String, Value>, String) {
        let Some(response) = &self.response else {
            return (Map::new(), String::new());
        };
        let headers = response.headers.iter().take(RESPONSE_HEADERS);
        let headers = headers.map(|(name, value)| {
            let value = cut(value, RESPONSE_HEADER);
            (capitalized(name), Value::from(value))
        });
        (headers.collect(), cut(&response.text(), RESPONSE_BODY))
    }
}

/// The record of a body: with e-mail addresses redacted, and without a body that is too large to be queued.
pub(super) fn recorded(body: &Value, limit: Option<usize>) -> Value {
    if limit.is_some_and(|limit| body.to_string().len() > limit) {
        return json!({ "oversize": true });
    }
    let mut body = body.clone();
    redact(&mut body);
    body
}

/// Custom headers are redacted, and so is the secret token; signatures are not.
pub(super) fn recorded_headers(
    headers: &[(String, Vec<u8>)],
    custom: &[String],
) -> Vec<(String, String)> {
    // The client adds these; the one of a user and password in the URL, too.
    let by_client = ["Accept", "Connection", "Authorization"];
    let headers = headers
        .iter()
        .filter(|(name, _)| custom.contains(name) || !by_client.contains(&name.as_str()));
    let recorded = headers.map(|(name, value)| {
        let is_secret = name == "X-Gitlab-Token" || custom.contains(name);
        let value = if is_secret {
            REDACTED.to_owned()
        } else {
            String::from_utf8_lossy(value).into_owned()
        };
        (name.clone(), value)
    });
    recorded.collect()
}

/// Replaces each text that as a whole is an e-mail address.
fn redact(value: &mut Value) {
    match value {
        Value::String(text) if is_email(text) => REDACTED.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => fields.values_mut().for_each(redact),
        _ => {}
    }
}

/// As Ruby's `URI::MailTo::EMAIL_REGEXP`.
fn is_email(text: &str) -> bool {
    let Some((user, host)) = text.split_once('@') else {
        return false;
    };
    let in_user =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        bytes.len() <= 63
            && ends
                .iter()
                .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
            && bytes
                .iter()
                .all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    !user.is_empty() && user.bytes().all(in_user) && host.split('.').all(is_label)
}

fn cut(text: &str, bytes: usize) -> String {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// `content-type` as `Content-Type`.
fn capitalized(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn only_texts_that_are_an_address_as_a_whole_are_redacted() {
        let cases = [
            ("robin@example.org", true),
            ("robin.o'neil+ci@sub-domain.example.org", true),
            ("root@localhost", true),
            ("Robin <robin@example.org>", false),
            ("robin@example.org\n", false),
            (" robin@example.org", false),
            ("robin@-example.org", false),
            ("robin@example..org", false),
            ("git@gitlab.example.org:acme/rocket.git", false),
            ("@alice", false),
            ("robin@", false),
            ("", false),
        ];

        for (text, expected) in cases {
            assert_eq!(is_email(text), expected, "{text}");
        }
    }
}
