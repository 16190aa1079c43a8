//! What became of the deliveries: the answers by status, how long they took, and how often each commit reached the chat.

use std::collections::BTreeMap;
use std::fmt;

use fakes::exchange::exchange;
use serde_json::{Value, json};

use crate::load::Attempt;

/// The count, shown as one line of JSON.
pub(crate) struct Stats(Value);

impl Stats {
    /// Counts the answers, and asks the chat stand-in at this address what has arrived.
    pub(crate) async fn of(attempts: &[Attempt], chat: Option<&str>) -> Result<Self, String> {
        let mut milliseconds: Vec<_> = attempts.iter().map(|one| one.took.as_millis()).collect();
        milliseconds.sort_unstable();
        let mut tally = json!({
            "sent": attempts.len(),
            "answers": answers(attempts),
            "unanswered": unanswered(attempts),
            "median_ms": milliseconds.get(milliseconds.len() / 2),
            "slowest_ms": milliseconds.last(),
        });
        if let Some(chat) = chat {
            tally["stored"] = stored(attempts, &messages(chat).await?);
        }
        Ok(Self(tally))
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn answers(attempts: &[Attempt]) -> BTreeMap<String, usize> {
    let answers = attempts.iter().filter_map(|one| one.answer.as_ref().ok());
    counted(answers.map(|answer| answer.status.to_string()))
}

/// Why there was no answer, and how often.
fn unanswered(attempts: &[Attempt]) -> BTreeMap<String, usize> {
    let problems = attempts.iter().filter_map(|one| one.answer.as_ref().err());
    counted(problems.cloned())
}

fn counted(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// How many of the commits are in one message, in none, in several.
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
    let answer = exchange("GET", &url, &[], b"").await;
    let answer = answer.map_err(|error| format!("{url} gave no answer: {error}"))?;
    let messages = serde_json::from_slice(&answer.body);
    messages.map_err(|error| format!("{url} answered no list of messages: {error}"))
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
            answer: Err("none".to_owned()),
            took: Duration::ZERO,
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
