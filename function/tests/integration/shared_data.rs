//! Public data sets as extra input, where they lie beside the checkout. Without them these tests
//! say so and prove nothing; the project's own cases are in the other modules.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use serde_json::Value;
use webhook_app::gitlab::commit::CommitSha;
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::signature::SigningKey;
use webhook_app::gitlab::verification::Verifier;
use webhook_app::notifier::message;

use crate::harness::{Harness, assert_delivered, assert_problem, push, recorded};
use crate::markup::assert_harmless;
use crate::messages::assert_complete;

/// The folder `shared/data` beside the checkout.
fn data(name: &str) -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("is in a workspace");
    let path = checkout
        .parent()
        .expect("has a parent")
        .join("shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: there is no ../shared/data/{name}");
    None
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("can be read")).expect("is JSON")
}

#[test]
fn published_signature_vectors_are_judged_as_they_say() {
    let Some(path) = data("standard-webhooks-vectors.json") else {
        return;
    };
    let vectors = read_json(&path);
    let vectors = vectors["vectors"].as_array().expect("is a list");
    assert!(vectors.len() > 40);
    for vector in vectors {
        let name = vector["name"].as_str().expect("has a name");
        match (vector["expect"].as_str().expect("is text"), judge(vector)) {
            ("accept", verdict) => assert_eq!(verdict, Ok(true), "{name}"),
            ("reject", verdict) => assert_eq!(verdict, Ok(false), "{name}"),
            ("refuse-to-start", verdict) => assert_eq!(verdict, Err(()), "{name}"),
            ("reject-or-accept-never-panic", _) => {}
            (other, _) => panic!("{name}: unknown expectation {other}"),
        }
    }
}

/// Whether a vector is let in; an error if its keys are none.
fn judge(vector: &Value) -> Result<bool, ()> {
    let keys = vector["secrets"].as_array().ok_or(())?.iter();
    let keys: Result<Vec<_>, _> = keys
        .map(|key| SigningKey::parse(key.as_str().unwrap_or_default()))
        .collect();
    let guard = Verifier::Signature(keys.map_err(|_| ())?);
    let mut headers = HeaderMap::new();
    for (name, value) in vector["headers"].as_object().ok_or(())? {
        let value =
            http::HeaderValue::from_bytes(value.as_str().ok_or(())?.as_bytes()).map_err(|_| ())?;
        headers.append(
            http::HeaderName::from_bytes(name.as_bytes()).map_err(|_| ())?,
            value,
        );
    }
    let now = vector["now"].as_u64().ok_or(())?;
    let body = vector["body"].as_str().ok_or(())?.as_bytes();
    Ok(guard
        .verify_headers(&headers, now)
        .and_then(|claim| claim.verify_body(body))
        .is_ok())
}

#[tokio::test]
async fn public_payloads_are_taken_and_name_the_right_commit() {
    let Some(path) = data("gitlab-payloads") else {
        return;
    };
    let harness = Harness::start().await;
    let index = fs::read_to_string(path.join("INDEX.tsv")).expect("can be read");
    let mut delivered = 0;
    for line in index.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let (file, hook) = (columns[0], columns[4]);
        let body = fs::read_to_string(path.join(file)).expect("can be read");
        let answer = harness.post(&recorded(hook, &body)).await;
        assert!(
            matches!(answer.status, 200 | 204),
            "{file}: {} {}",
            answer.status,
            answer.text()
        );
        if answer.status == 200 {
            delivered += 1;
            assert_eq!(
                answer.json()["sha"].as_str().map(str::to_owned),
                expected_sha(&body),
                "{file}"
            );
            let message = harness.chat.take_message();
            assert_eq!(message.mentions, [""; 0], "{file}");
            assert_harmless(&message.text);
            assert_complete(file, &message.text);
        }
    }
    println!("{delivered} payloads became messages");
    assert!(delivered >= 70, "{delivered}");
    harness.finish();
}

/// For review: every message in one place, so that a change of words is seen in what people post.
#[test]
fn what_is_said_of_public_payloads_is_in_the_snapshot() {
    let Some(path) = data("gitlab-payloads") else {
        return;
    };
    let index = fs::read_to_string(path.join("INDEX.tsv")).expect("can be read");
    let mut said = String::new();
    for line in index.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let (file, hook) = (columns[0], columns[4]);
        let body = fs::read(path.join(file)).expect("can be read");
        let event = Event::parse(Some(hook.as_bytes()), &body);
        let text = match event.map(|event| message::build(&event)) {
            Ok(Ok(notice)) => notice.text,
            Ok(Err(ignored)) => format!("nothing is sent: {}", ignored.words()),
            Err(error) => format!("refused: {error}"),
        };
        let _ = writeln!(said, "{file}\n{text}\n");
    }
    insta::assert_snapshot!("messages_of_public_payloads", said);
}

/// The rule of GitLab's documentation, told a second time: where the commit of an event stands, the
/// first place that holds one.
fn expected_sha(body: &str) -> Option<String> {
    let payload: Value = serde_json::from_str(body).expect("is JSON");
    let places = [
        "/checkout_sha",
        "/after",
        "/before",
        "/object_attributes/last_commit/id",
        "/object_attributes/sha",
        "/sha",
        "/commit/id",
        "/merge_request/last_commit/id",
        "/changes/0/after",
        "/commit_url",
    ];
    let mut texts = places
        .iter()
        .filter_map(|place| payload.pointer(place)?.as_str());
    texts.find_map(|text| {
        let tail = text.rsplit('/').next().unwrap_or_default();
        CommitSha::parse(tail).map(|sha| sha.as_str().to_owned())
    })
}

#[tokio::test]
async fn the_json_test_suite_is_survived_and_its_errors_are_refused() {
    let Some(path) = data("json-test-suite/test_parsing") else {
        return;
    };
    let harness = Harness::start().await;
    let mut files: Vec<_> = fs::read_dir(path)
        .expect("can be read")
        .filter_map(Result::ok)
        .collect();
    files.sort_by_key(fs::DirEntry::file_name);
    assert!(files.len() > 300, "{}", files.len());
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        let body = fs::read(file.path()).expect("can be read");
        let answer = harness.post(&push().with_body(body)).await;
        match name.get(..2) {
            Some("n_") => assert_problem(&answer, 400, "not_json"),
            Some("y_") => assert_eq!(answer.status, 204, "{name}: {}", answer.text()),
            _ => assert!(
                matches!(answer.status, 204 | 400),
                "{name}: {}",
                answer.text()
            ),
        }
    }
    assert_delivered(&harness.post(&push()).await);
    harness.chat.take_message();
    harness.finish();
}
