//! Public test data: payloads of other projects and published signature vectors. A subset is in
//! `fixtures/public` and always tested; the full sets are an additional check where `../shared/data` exists
//! beside the checkout, and are skipped elsewhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use serde_json::Value;
use webhook_app::gitlab::commit::CommitSha;
use webhook_app::gitlab::signature::SigningKey;
use webhook_app::gitlab::verification::Verifier;

use crate::harness::{Harness, assert_delivered, assert_problem, push, recorded};
use crate::markup::assert_harmless;
use crate::messages::assert_complete;
use crate::messages::render;
use crate::skipped::report_without_data;

/// The licences under which files may be in `fixtures/public`.
const LICENCES: [&str; 2] = ["Apache-2.0", "MIT"];

/// The body of a webhook from another project.
struct Payload {
    file: String,
    /// The header `X-Gitlab-Event`.
    event: String,
    body: String,
}

impl Payload {
    fn read(folder: &Path, file: &str, event: &str) -> Self {
        Self {
            file: file.to_owned(),
            event: event.to_owned(),
            body: fs::read_to_string(folder.join(file)).expect("can be read"),
        }
    }
}

fn public() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/fixtures/public")
}

/// The rows of the table in `SOURCES.md`: file, event, project, path, licence.
fn sources() -> Vec<Vec<String>> {
    let page = fs::read_to_string(public().join("SOURCES.md")).expect("can be read");
    let rows = page.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |row: &str| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    rows.map(cells).collect()
}

/// The payloads in the repository.
fn payloads() -> Vec<Payload> {
    let rows = sources().into_iter();
    rows.map(|row| Payload::read(&public(), &row[0], &row[1]))
        .collect()
}

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
    report_without_data(&format!("../shared/data/{name} does not exist"));
    None
}

#[test]
fn every_public_payload_has_a_source_and_a_licence() {
    let sources = sources();
    let named: BTreeSet<_> = sources.iter().map(|row| row[0].clone()).collect();
    let files = fs::read_dir(public()).expect("can be read");
    let files = files.map(|file| file.expect("can be read").file_name());
    let files = files.map(|name| name.to_string_lossy().into_owned());
    let payloads = files.filter(|name| name.contains("__"));
    assert_eq!(payloads.collect::<BTreeSet<_>>(), named);
    for row in &sources {
        assert!(LICENCES.contains(&row[4].as_str()), "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn published_signature_vectors_have_the_published_result() {
    let vectors = fs::read(public().join("standard-webhooks-vectors.json")).expect("can be read");
    let vectors: Value = serde_json::from_slice(&vectors).expect("is JSON");
    let vectors = vectors["vectors"].as_array().expect("is a list");
    assert!(vectors.len() > 40);
    for vector in vectors {
        let name = vector["name"].as_str().expect("has a name");
        match (vector["expect"].as_str().expect("is text"), verify(vector)) {
            ("accept", result) => assert_eq!(result, Ok(true), "{name}"),
            ("reject", result) => assert_eq!(result, Ok(false), "{name}"),
            ("refuse-to-start", result) => assert_eq!(result, Err(()), "{name}"),
            ("reject-or-accept-never-panic", _) => {}
            (other, _) => panic!("{name}: unknown expectation {other}"),
        }
    }
}

/// Whether a vector is accepted; an error if its keys are not valid.
fn verify(vector: &Value) -> Result<bool, ()> {
    let keys = vector["secrets"].as_array().ok_or(())?.iter();
    let keys: Result<Vec<_>, _> = keys
        .map(|key| SigningKey::parse(key.as_str().unwrap_or_default()))
        .collect();
    let verifier = Verifier::Signature(keys.map_err(|_| ())?);
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
    Ok(verifier
        .verify_headers(&headers, now)
        .and_then(|unverified| unverified.verify_body(body))
        .is_ok())
}

/// Posts every payload; returns how many became messages.
async fn post_all(payloads: &[Payload]) -> usize {
    let harness = Harness::start().await;
    let mut delivered = 0;
    for Payload { file, event, body } in payloads {
        let answer = harness.post(&recorded(event, body)).await;
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
                expected_sha(body),
                "{file}"
            );
            let message = harness.chat.take_message();
            assert_eq!(message.mentions, [""; 0], "{file}");
            assert_harmless(&message.text);
            assert_complete(file, &message.text);
        }
    }
    harness.finish();
    delivered
}

#[tokio::test]
async fn public_payloads_are_accepted_and_report_the_right_commit() {
    let delivered = post_all(&payloads()).await;
    assert!(delivered >= 20, "{delivered}");
}

#[tokio::test]
async fn the_full_set_of_public_payloads_is_accepted() {
    let Some(folder) = data("gitlab-payloads") else {
        return;
    };
    let index = fs::read_to_string(folder.join("INDEX.tsv")).expect("can be read");
    let rows = index.lines().skip(1);
    let rows = rows.map(|line| line.split('\t').collect::<Vec<_>>());
    let payloads: Vec<_> = rows
        .map(|row| Payload::read(&folder, row[0], row[4]))
        .collect();
    let delivered = post_all(&payloads).await;
    println!("{delivered} payloads became messages");
    assert!(delivered >= 70, "{delivered}");
}

/// For review: every message in one place, so that a change of wording shows in real payloads.
#[test]
fn messages_of_public_payloads() {
    let mut table = String::new();
    for Payload { file, event, body } in payloads() {
        let text = match render(Some(event.as_bytes()), body.as_bytes()) {
            Ok((_, Ok(message))) => message.text,
            Ok((_, Err(reason))) => format!("nothing is sent: {}", reason.description()),
            Err(error) => format!("rejected: {error}"),
        };
        let _ = writeln!(table, "{file}\n{text}\n");
    }
    insta::assert_snapshot!("messages_of_public_payloads", table);
}

/// GitLab's documented rule, implemented a second time: the fields that may contain the commit of an event, in
/// order of precedence.
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
async fn the_json_test_suite_is_answered_and_invalid_json_is_rejected() {
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
