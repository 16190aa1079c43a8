//! Built-in messages of every kind of event: each fixture gives a message or a skip reason, and one reviewed
//! snapshot contains all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use webhook_app::gitlab::commit::CommitSha;
use webhook_app::gitlab::event::{Event, ParseError};
use webhook_app::gitlab::kind::Kind;
use webhook_app::gitlab::verification::Verified;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};
use webhook_app::notifier::{SkipReason, templates};

use crate::markup::{assert_harmless, seen};

/// Every payload of the fixtures by its name, the examples of the program among them.
pub(crate) fn fixtures() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/fixtures/gitlab");
    let files = fs::read_dir(folder).expect("can be read");
    let examples = Kind::known().filter_map(|kind| {
        let payload = serde_json::from_str(templates::example(kind)?).expect("is JSON");
        Some((format!("example_of_{}", kind.label()), payload))
    });
    let fixtures: BTreeMap<_, _> = files
        .map(|file| {
            let path = file.expect("can be read").path();
            let name = path.file_stem().expect("has a name").to_string_lossy();
            let body = fs::read(&path).expect("can be read");
            let payload = serde_json::from_slice(&body).expect("is JSON");
            (name.into_owned(), payload)
        })
        .chain(examples)
        .collect();
    assert!(fixtures.len() > 80, "{}", fixtures.len());
    fixtures
}

/// The message of one event.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) shown_commit: Option<CommitSha>,
    pub(crate) content_key: String,
}

/// Reads a body as if it had been verified.
pub(crate) fn parse(hook: Option<&[u8]>, body: &[u8]) -> Result<Event, ParseError> {
    Event::parse(hook, Verified::by_operator(body))
}

/// The kind of a body, and its built-in message or why it has none.
pub(crate) fn render(
    hook: Option<&[u8]>,
    body: &[u8],
) -> Result<(Kind, Result<Rendered, SkipReason>), ParseError> {
    let event = parse(hook, body)?;
    let message = message::render(&event, Visibility::default(), MessageStyle::Signs);
    let attributes = &event.attributes;
    let shown_commit = attributes.source_sha.as_ref().or(attributes.sha.as_ref());
    let rendered = message.map(|message| Rendered {
        text: message.text(),
        shown_commit: shown_commit.cloned(),
        content_key: event.meta.content_key.as_str().to_owned(),
    });
    Ok((event.kind(), rendered))
}

/// Renders a payload that has no header.
pub(crate) fn compose(payload: &Value) -> Result<(Kind, Result<Rendered, SkipReason>), ParseError> {
    render(None, payload.to_string().as_bytes())
}

/// The payload with the longest message of each kind.
pub(crate) fn examples() -> BTreeMap<&'static str, Value> {
    let mut examples = BTreeMap::new();
    for payload in fixtures().into_values() {
        if let (kind, Ok(message)) = compose(&payload).expect("is an event") {
            let longest = examples.entry(kind.label()).or_insert((0, Value::Null));
            if message.text.len() > longest.0 {
                *longest = (message.text.len(), payload);
            }
        }
    }
    examples
        .into_iter()
        .map(|(kind, (_, payload))| (kind, payload))
        .collect()
}

/// Asserts that a message has no stray blank, no placeholder for a missing value and no truncated sentence.
#[track_caller]
pub(crate) fn assert_complete(name: &str, text: &str) {
    for bad in ["null", "None", "[REDACTED]", "``", "  ", " ,", ",,", "\n\n"] {
        assert!(!text.contains(bad), "{name}: {bad:?} in {text}");
    }
    for line in text.lines() {
        let end = line.split(' ').next_back().unwrap_or_default();
        let cut = [
            "by", "in", "of", "at", "on", "to", "from", "as", "is", "into", "now",
        ];
        assert!(
            !cut.contains(&end) && !line.ends_with(','),
            "{name}: {text}"
        );
        assert!(line.trim() == line && !line.is_empty(), "{name}: {text}");
    }
}

/// Asserts that a message has a sign, a first line that a notification shows in full, few lines, and the full id
/// of its commit.
#[track_caller]
pub(crate) fn assert_laid_out(message: &Rendered) {
    let text = message.text.as_str();
    if let Some(sha) = &message.shown_commit {
        assert!(text.contains(sha.as_str()), "no full id in: {text}");
    }
    let (sign, _) = text.split_once(' ').expect("has words");
    assert_eq!(sign.chars().count(), 1, "no sign: {text}");
    let first = text.lines().next().unwrap_or_default();
    let visible = seen(first).chars().count();
    assert!(
        visible <= LIMITS.texts.headline,
        "{visible} characters in: {text}"
    );
    assert!(text.lines().count() <= LIMITS.texts.lines, "{text}");
}

#[test]
fn messages_of_all_fixtures() {
    let mut table = String::new();
    for (name, payload) in fixtures() {
        let (kind, composed) = compose(&payload).expect("is an event");
        let _ = writeln!(table, "## {name} ({})", kind.label());
        match composed {
            Ok(message) => {
                assert_harmless(&message.text);
                assert_complete(&name, &message.text);
                assert_laid_out(&message);
                let _ = writeln!(table, "{}\n", message.text);
            }
            Err(reason) => {
                let _ = writeln!(table, "nothing is sent: {}\n", reason.description());
            }
        }
    }
    insta::assert_snapshot!("messages_of_all_fixtures", table);
}

#[test]
fn every_kind_has_a_message_and_every_skip_reason_has_a_fixture() {
    let mut sent = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    for payload in fixtures().values() {
        match compose(payload).expect("is an event") {
            (kind, Ok(_)) => sent.insert(kind.label()),
            (_, Err(reason)) => reasons.insert(reason.label()),
        };
    }
    let missing: Vec<_> = Kind::known()
        .map(Kind::label)
        .filter(|kind| !sent.contains(kind))
        .collect();
    assert_eq!(missing, [""; 0], "kinds without a message");
    // Reasons that rules, templates and the chat server decide are tested in their modules.
    let tested_elsewhere = [
        SkipReason::HookTest,
        SkipReason::NoRule,
        SkipReason::Nobody,
        SkipReason::Unmapped,
        SkipReason::RecipientRedacted,
        SkipReason::MentionsUnread,
        SkipReason::OwnAction,
        SkipReason::NotAFix,
        SkipReason::NoWords,
        SkipReason::Unreachable,
    ];
    let all = SkipReason::ALL
        .iter()
        .filter(|reason| !tested_elsewhere.contains(reason));
    let all: BTreeSet<_> = all.map(|reason| reason.label()).collect();
    assert_eq!(reasons, all);
}

#[test]
fn an_event_with_a_confidential_hook_header_is_skipped() {
    for (name, payload) in fixtures() {
        let body = payload.to_string();
        for hook in ["Confidential Issue Hook", "Confidential Note Hook"] {
            let (kind, rendered) =
                render(Some(hook.as_bytes()), body.as_bytes()).expect("is an event");
            if matches!(
                kind,
                Kind::Issue | Kind::WorkItem | Kind::Note | Kind::Emoji
            ) {
                assert_eq!(rendered.err(), Some(SkipReason::Confidential), "{name}");
            }
        }
    }
}

#[test]
fn an_unknown_action_is_skipped_with_a_reason() {
    let fields = [
        "/action",
        "/object_attributes/action",
        "/object_attributes/status",
        "/status",
        "/build_status",
        "/object_attributes/state",
    ];
    for (name, payload) in fixtures() {
        for field in fields {
            let mut payload = payload.clone();
            let Some(action) = payload.pointer_mut(field) else {
                continue;
            };
            *action = json!("defenestrated");
            match compose(&payload).expect("is an event") {
                (_, Ok(message)) => {
                    assert!(field.ends_with("state"), "{name} {field}: {}", message.text);
                }
                (_, Err(reason)) => {
                    assert_ne!(reason, SkipReason::UnhandledKind, "{name} {field}");
                }
            }
        }
    }
}

/// Other versions of GitLab and custom webhook templates omit fields: the rest must give a complete message,
/// a skip reason or an error.
#[test]
fn a_null_or_empty_field_leaves_a_complete_message() {
    for (name, payload) in examples() {
        for pointer in pointers(&payload, "") {
            let mut without = payload.clone();
            for value in [Value::Null, json!("")] {
                *without.pointer_mut(&pointer).expect("is there") = value;
                if let Ok((_, Ok(message))) = compose(&without) {
                    assert_complete(&format!("{name} without {pointer}"), &message.text);
                    assert_harmless(&message.text);
                }
            }
        }
    }
}

/// The JSON pointer of every value below the root.
pub(crate) fn pointers(value: &Value, prefix: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, child) in children {
        let pointer = format!("{prefix}/{name}");
        found.extend(pointers(child, &pointer));
        found.push(pointer);
    }
    found
}

#[test]
fn different_events_have_different_content_keys() {
    let mut keys = BTreeMap::new();
    // Examples show events that fixtures show too.
    let fixtures = fixtures().into_iter();
    for (name, payload) in fixtures.filter(|(name, _)| !name.starts_with("example_of_")) {
        let (kind, Ok(message)) = compose(&payload).expect("is an event") else {
            continue;
        };
        // Several fixtures show a push of the same commit.
        if matches!(kind, Kind::Push | Kind::TagPush) {
            continue;
        }
        let key = message.content_key;
        let again = compose(&payload)
            .expect("is an event")
            .1
            .expect("has a message");
        assert_eq!(again.content_key, key, "{name}");
        if let Some(other) = keys.insert(key, name.clone()) {
            assert!(
                SAME_EVENT.contains(&(other.as_str(), name.as_str())),
                "{other} and {name}"
            );
        }
    }
}

/// Fixtures that show one event twice.
const SAME_EVENT: &[(&str, &str)] = &[("merge_request_of_a_system_hook", "merge_request_opened")];
