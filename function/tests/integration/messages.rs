//! What is said of every kind of event: each fixture becomes a message or a reason, and all of them
//! stand in one reviewed snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use webhook_app::gitlab::commit::CommitSha;
use webhook_app::gitlab::event::{Event, ParseError};
use webhook_app::gitlab::kind::Kind;
use webhook_app::gitlab::verification::Verified;
use webhook_app::notifier::message::{self, Visibility};
use webhook_app::notifier::{SkipReason, templates};

use crate::markup::assert_harmless;

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

/// What one event would be sent as.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) sha: Option<CommitSha>,
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
    let text = message::render(&event, Visibility::default());
    let rendered = text.map(|text| Rendered {
        text,
        sha: event.attributes.sha.clone(),
        content_key: event.meta.content_key.as_str().to_owned(),
    });
    Ok((event.kind(), rendered))
}

/// The same for a payload without a header.
pub(crate) fn compose(payload: &Value) -> Result<(Kind, Result<Rendered, SkipReason>), ParseError> {
    render(None, payload.to_string().as_bytes())
}

/// The payload with the longest message of each kind.
pub(crate) fn examples() -> BTreeMap<&'static str, Value> {
    let mut examples = BTreeMap::new();
    for payload in fixtures().into_values() {
        if let (kind, Ok(notice)) = compose(&payload).expect("is an event") {
            let longest = examples.entry(kind.label()).or_insert((0, Value::Null));
            if notice.text.len() > longest.0 {
                *longest = (notice.text.len(), payload);
            }
        }
    }
    examples
        .into_iter()
        .map(|(kind, (_, payload))| (kind, payload))
        .collect()
}

/// No blank, no leftover of a value that was not there, no half sentence.
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

#[test]
fn messages_of_all_fixtures() {
    let mut table = String::new();
    for (name, payload) in fixtures() {
        let (kind, composed) = compose(&payload).expect("is an event");
        let _ = writeln!(table, "## {name} ({})", kind.label());
        match composed {
            Ok(notice) => {
                assert_harmless(&notice.text);
                assert_complete(&name, &notice.text);
                let sha = notice.sha.as_ref().map_or("no commit", CommitSha::as_str);
                let _ = writeln!(table, "{}\n> {sha}\n", notice.text);
            }
            Err(ignored) => {
                let _ = writeln!(table, "nothing is sent: {}\n", ignored.description());
            }
        }
    }
    insta::assert_snapshot!("messages_of_all_fixtures", table);
}

#[test]
fn every_kind_has_a_message_and_every_reason_has_a_case() {
    let mut told = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    for payload in fixtures().values() {
        match compose(payload).expect("is an event") {
            (kind, Ok(_)) => told.insert(kind.label()),
            (_, Err(ignored)) => reasons.insert(ignored.label()),
        };
    }
    let missing: Vec<_> = Kind::known()
        .map(Kind::label)
        .filter(|kind| !told.contains(kind))
        .collect();
    assert_eq!(missing, [""; 0], "kinds without a message");
    // What rules, templates and the chat server decide is told beside them.
    let decided = [
        SkipReason::NoRule,
        SkipReason::Nobody,
        SkipReason::Unmapped,
        SkipReason::OwnAction,
        SkipReason::NotAFix,
        SkipReason::NoWords,
    ];
    let all = SkipReason::ALL
        .iter()
        .filter(|reason| !decided.contains(reason));
    let all: BTreeSet<_> = all.map(|ignored| ignored.label()).collect();
    assert_eq!(reasons, all);
}

#[test]
fn a_confidential_event_stays_inside_wherever_gitlab_says_that_it_is_one() {
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
fn an_action_that_nobody_knows_is_a_reason_and_no_half_message() {
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
                (_, Ok(notice)) => {
                    assert!(field.ends_with("state"), "{name} {field}: {}", notice.text);
                }
                (_, Err(ignored)) => {
                    assert_ne!(ignored, SkipReason::UnhandledKind, "{name} {field}");
                }
            }
        }
    }
}

/// Whatever a GitLab of another version, or a custom template, leaves out: the rest is a complete
/// message, or the field is named.
#[test]
fn a_field_that_is_null_or_missing_leaves_no_gap() {
    for (name, payload) in examples() {
        for pointer in pointers(&payload, "") {
            let mut without = payload.clone();
            for value in [Value::Null, json!("")] {
                *without.pointer_mut(&pointer).expect("is there") = value;
                if let Ok((_, Ok(notice))) = compose(&without) {
                    assert_complete(&format!("{name} without {pointer}"), &notice.text);
                    assert_harmless(&notice.text);
                }
            }
        }
    }
}

/// The place of every value in a payload but the whole.
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
fn two_different_events_have_two_names_without_an_idempotency_key() {
    let mut names = BTreeMap::new();
    // Examples show events that fixtures show too.
    let fixtures = fixtures().into_iter();
    for (name, payload) in fixtures.filter(|(name, _)| !name.starts_with("example_of_")) {
        let (kind, Ok(notice)) = compose(&payload).expect("is an event") else {
            continue;
        };
        // Pushes of one commit differ in more than one fixture needs to.
        if matches!(kind, Kind::Push | Kind::TagPush) {
            continue;
        }
        let id = notice.content_key;
        let again = compose(&payload)
            .expect("is an event")
            .1
            .expect("has a message");
        assert_eq!(again.content_key, id, "{name}");
        if let Some(other) = names.insert(id, name.clone()) {
            assert!(
                SAME_EVENT.contains(&(other.as_str(), name.as_str())),
                "{other} and {name}"
            );
        }
    }
}

/// Fixtures that show one event twice.
const SAME_EVENT: &[(&str, &str)] = &[("merge_request_of_a_system_hook", "merge_request_opened")];
