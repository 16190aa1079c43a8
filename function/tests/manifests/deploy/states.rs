//! What the deploy script takes for the state of a rollout: which pods belong to the newest revision, and what the conditions of a
//! workload mean.

use serde_json::{Value, json};

use super::answers::{Answer, PACKAGINGS, REVISION, State, always, deploy_with, once, workload};
use super::{SECRET, assert_ready_after, sandbox};

/// What the cluster says of a workload that is new.
fn first_deployment(resource: &str, states: &[&Value]) -> Vec<Answer> {
    let get = format!("get {resource} webhook-app ");
    let mut answers = vec![once(&format!("{get}--ignore-not-found"), 0, "")];
    let (last, earlier) = states.split_last().expect("a state");
    answers.extend(earlier.iter().map(|state| once(&get, 0, state)));
    answers.push(always(&get, 0, last));
    answers
}

/// ReplicaSets of the Deployment and of another one.
fn replica_sets() -> Value {
    let set = |owner: &str, revision: &str, hash: &str| json!({"metadata": {"ownerReferences": [{"uid": owner}], "annotations": {REVISION: revision}, "labels": {"pod-template-hash": hash}}});
    json!({"items": [set("own", "1", "old"), set("other", "2", "other"), set("own", "2", "new"), json!({"metadata": {}})]})
}

#[test]
fn only_pods_of_the_newest_revision_count() {
    let Some(sandbox) = sandbox("deploy-newest") else {
        return;
    };
    let rejecting = json!({"items": [{
        "metadata": {"name": "pod", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"containerStatuses": [{"ready": false, "state": {}, "lastState": {"terminated": {"exitCode": 64}}}]},
    }]});
    let none = json!({"items": []});
    let selectors = ["pod-template-hash=new", "serving.knative.dev/revision=new"];
    for ((base, resource), selector) in PACKAGINGS.iter().zip(selectors) {
        for (own, others, code) in [(&none, &rejecting, 0), (&rejecting, &none, 12)] {
            let waiting = workload(resource, "new", State::Incomplete);
            let complete = workload(resource, "new", State::Complete);
            let mut answers = first_deployment(resource, &[&waiting, &complete]);
            answers.push(always("get replicasets.apps ", 0, replica_sets()));
            answers.push(always(&format!("get pods --selector {selector} "), 0, own));
            answers.push(always("get pods ", 0, others));

            let run = deploy_with(&sandbox, base, SECRET, &answers);

            assert_eq!(run.code, Some(code), "{base}: {}", run.output);
        }
    }
}

#[test]
fn a_change_that_the_cluster_has_not_seen_is_awaited() {
    let Some(sandbox) = sandbox("deploy-unseen") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let complete = workload(resource, "new", State::Complete);
        let mut unseen = complete.clone();
        unseen["status"]["observedGeneration"] = json!(1);
        let mut states = vec![unseen];
        if *base == "knative" {
            // The Service has seen it, and its Configuration has not.
            let mut out_of_date = complete.clone();
            out_of_date["status"]["conditions"] = json!([
                {"type": "ConfigurationsReady", "status": "Unknown", "reason": "OutOfDate"}, {"type": "Ready", "status": "True"},
            ]);
            states.push(out_of_date);
        }
        for state in states {
            let answers = first_deployment(resource, &[&state, &complete]);

            let run = deploy_with(&sandbox, base, SECRET, &answers);

            assert_ready_after(&run, base, "waiting until the cluster has seen");
        }
    }
}

#[test]
fn the_states_of_a_knative_service_are_told_apart() {
    let Some(sandbox) = sandbox("deploy-knative-states") else {
        return;
    };
    let (base, resource) = PACKAGINGS[1];
    let mut shared = workload(resource, "new", State::Complete);
    shared["status"]["traffic"] =
        json!([{"revisionName": "new", "percent": 40}, {"revisionName": "old", "percent": 60}]);
    let mut failed = workload(resource, "new", State::Incomplete);
    failed["status"]["conditions"] = json!([
        {"type": "ConfigurationsReady", "status": "True"}, {"type": "Ready", "status": "False", "message": "no route"},
    ]);
    let cases = [
        (shared, 0, "ready: new receives 40 % of the webhooks"),
        (failed, 12, "failed: no route"),
    ];
    for (state, code, says) in cases {
        let run = deploy_with(
            &sandbox,
            base,
            SECRET,
            &first_deployment(resource, &[&state]),
        );

        assert_eq!(run.code, Some(code), "{}", run.output);
        assert!(run.output.contains(says), "{says} in {}", run.output);
    }
}

#[test]
fn a_deployment_that_is_scaled_to_0_is_not_ready() {
    let Some(sandbox) = sandbox("deploy-scaled") else {
        return;
    };
    let (base, resource) = PACKAGINGS[0];
    let mut scaled = workload(resource, "new", State::Complete);
    scaled["spec"]["replicas"] = json!(0);
    scaled["status"] = json!({"observedGeneration": 2});

    let run = deploy_with(
        &sandbox,
        base,
        SECRET,
        &first_deployment(resource, &[&scaled]),
    );

    assert_eq!(run.code, Some(12), "{}", run.output);
    assert!(run.output.contains("failed: 0 replicas"), "{}", run.output);
}
