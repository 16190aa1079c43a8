//! Statistics of a load run: responses by status, latencies, and how often each commit was stored as a message.

use std::collections::BTreeMap;
use std::fmt;

use fakes::exchange::exchange;
use serde_json::{Value, json};

use crate::load::Attempt;

/// The statistics; `Display` prints them as one line of JSON.
pub(crate) struct Stats(Value);

impl Stats {
    /// Counts the responses, and the messages of the fake Rocket.Chat at this URL.
    pub(crate) async fn of(attempts: &[Attempt], chat: Option<&str>) -> Result<Self, String> {
        let mut milliseconds: Vec<_> = attempts
            .iter()
            .map(|one| one.duration.as_millis())
            .collect();
        milliseconds.sort_unstable();
        let mut stats = json!({
            "sent": attempts.len(),
            "answers": by_status(attempts),
            "unanswered": unanswered(attempts),
            "median_ms": milliseconds.get(milliseconds.len() / 2),
            "slowest_ms": milliseconds.last(),
        });
        if let Some(chat) = chat {
            stats["stored"] = stored(attempts, &messages(chat).await?);
        }
        Ok(Self(stats))
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn by_status(attempts: &[Attempt]) -> BTreeMap<String, usize> {
    let responses = attempts.iter().filter_map(|one| one.response.as_ref().ok());
    counted(responses.map(|response| response.status.to_string()))
}

/// The errors without a response, and how often each occurred.
fn unanswered(attempts: &[Attempt]) -> BTreeMap<String, usize> {
    let errors = attempts
        .iter()
        .filter_map(|one| one.response.as_ref().err());
    counted(errors.cloned())
}

fn counted(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// How many of the commits were stored once, never and several times.
fn stored(attempts: &[Attempt], messages: &[Value]) -> Value {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for message in messages {
        let text = message["text"].as_str().unwrap_or_default();
        let sha = text
            .split_once("/-/commit/")
            .and_then(|(_, rest)| rest.get(..40));
        *seen.entry(sha.unwrap_or_default()).or_default() +=
            message["inserts"].as_u64().unwrap_or_default();
    }
    let times = |one: &Attempt| seen.get(one.sha.as_str()).copied().unwrap_or_default();
    let count = |wanted: fn(u64) -> bool| attempts.iter().filter(|one| wanted(times(one))).count();
    json!({
        "once": count(|times| times == 1),
        "never": count(|times| times == 0),
        "again": count(|times| times > 1),
    })
}

async fn messages(chat: &str) -> Result<Vec<Value>, String> {
    let url = format!("{chat}/inspect/messages");
    let response = exchange("GET", &url, &[], b"").await;
    let response = response.map_err(|error| format!("{url} did not respond: {error}"))?;
    let messages = serde_json::from_slice(&response.body);
    messages.map_err(|error| format!("expected a list of messages from {url}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::stored;
    use crate::load::Attempt;

    const SHA: &str = "3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b";

    fn attempt(sha: &str) -> Attempt {
        Attempt {
            sha: sha.to_owned(),
            response: Err("none".to_owned()),
            duration: Duration::ZERO,
        }
    }

    fn message(sha: &str, inserts: u64) -> Value {
        json!({ "text": format!("[x](https://gitlab.example.org/a/-/commit/{sha}) pushed"), "inserts": inserts })
    }

    #[test]
    fn a_commit_is_counted_by_the_messages_that_show_it() {
        let other = SHA.replace('3', "4");
        let cases = [
            ("no message", vec![], "never"),
            (
                "a message of another commit",
                vec![message(&other, 1)],
                "never",
            ),
            ("one message", vec![message(SHA, 1)], "once"),
            (
                "two messages",
                vec![message(SHA, 1), message(SHA, 1)],
                "again",
            ),
            ("a message stored twice", vec![message(SHA, 2)], "again"),
        ];
        for (case, messages, expected) in cases {
            let counts = stored(&[attempt(SHA)], &messages);

            assert_eq!(counts[expected], 1, "{case}: {counts}");
        }
    }
}
