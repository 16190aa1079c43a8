//! Signed deliveries of several kinds, for checks that need more than a push. Owns the bodies, which are
//! the examples of the program with a few changes.

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use serde_json::{Value, json};

const PIPELINE: &str = include_str!("../../../src/notifier/templates/examples/pipeline.json");
const MERGE_REQUEST: &str =
    include_str!("../../../src/notifier/templates/examples/merge_request.json");

/// The scheme, host and port of the GitLab instance in all bodies.
pub(crate) const INSTANCE: &str = "https://gitlab.example.org";
/// The project in all bodies.
pub(crate) const PROJECT: &str = "42";
/// The branch of all pipelines.
pub(crate) const BRANCH: &str = "main";

/// The commit SHA that consists of one hex digit.
pub(crate) fn commit(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// A finished pipeline of the commit `sha` after the commit `before`.
pub(crate) fn pipeline(status: &str, sha: char, before: char) -> Delivery {
    let mut body = parsed(PIPELINE);
    let pipeline = &mut body["object_attributes"];
    pipeline["status"] = status.into();
    pipeline["ref"] = BRANCH.into();
    pipeline["sha"] = commit(sha).into();
    pipeline["before_sha"] = commit(before).into();
    signed("Pipeline Hook", &body)
}

/// A pipeline with this ID, in progress or passed.
pub(crate) fn pipeline_in(id: u64, status: &str) -> Delivery {
    let mut body = parsed(PIPELINE);
    let pipeline = &mut body["object_attributes"];
    pipeline["id"] = id.into();
    pipeline["status"] = status.into();
    if status != "success" {
        pipeline["finished_at"] = Value::Null;
    }
    signed("Pipeline Hook", &body)
}

/// A merge request with these assignees and reviewers.
pub(crate) fn merge_request(assignees: &[&str], reviewers: &[&str]) -> Delivery {
    let mut body = parsed(MERGE_REQUEST);
    let people = |names: &[&str]| {
        let people = names.iter().enumerate();
        let people = people.map(|(index, name)| json!({ "id": index + 100, "username": name, "name": name, "email": "[REDACTED]" }));
        Value::Array(people.collect())
    };
    body["assignees"] = people(assignees);
    body["reviewers"] = people(reviewers);
    signed("Merge Request Hook", &body)
}

fn parsed(example: &str) -> Value {
    serde_json::from_str(example).expect("an example is JSON")
}

fn signed(event: &str, body: &Value) -> Delivery {
    Delivery::new(event, body.to_string()).signed_with(SAMPLE_KEY)
}
