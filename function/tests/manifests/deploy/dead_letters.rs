//! The deploy script and the StatefulSet that stores dead letters: the script waits for its rollout and restores it like those of the
//! other kinds.

use serde_json::{Value, json};

use super::answers::{State, always, deploy_overlay, once, workload};
use super::{IMAGE, SECRET, edited_overlay, sandbox};
use crate::calls::Call;
use crate::sandbox::Sandbox;

const GET: &str = "get statefulset.apps webhook-app-dead-letters ";

/// The valid overlay with a Broker and the pod.
fn overlay(sandbox: &Sandbox) -> String {
    edited_overlay(sandbox, SECRET, |text| {
        let eventing = "../repository/knative/eventing";
        format!("{text}components: [{eventing}/deployment, {eventing}/dead-letters]\n")
    })
}

/// The StatefulSet as the cluster returns it, with these pods.
fn stateful_set(template: &str, is_ready: bool) -> Value {
    json!({
        "kind": "StatefulSet",
        "metadata": {"name": "webhook-app-dead-letters", "generation": 2},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": {"pods": template}}}},
        "status": {
            "observedGeneration": 2, "updateRevision": template,
            "currentRevision": if is_ready { template } else { "old" }, "readyReplicas": i32::from(is_ready),
        },
    })
}

#[test]
fn it_is_awaited_as_a_stateful_set() {
    let Some(sandbox) = sandbox("deploy-dead-letters") else {
        return;
    };
    let answers = [
        once(&format!("{GET}--ignore-not-found"), 0, ""),
        once(GET, 0, stateful_set("new", false)),
        always(GET, 0, stateful_set("new", true)),
    ];

    let run = deploy_overlay(&sandbox, &overlay(&sandbox), &answers);

    assert_eq!(run.code, Some(0), "{}", run.output);
    let applied = format!("{:?}", run.changes()[0]);
    assert!(applied.matches(IMAGE).count() >= 2, "{applied}");
    for expected in ["waiting: 0 of 1 pods are ready", "ready: 1 pod(s)"] {
        assert!(run.output.contains(expected), "{}", run.output);
    }
    let is_by_revision = |call: &Call| format!("{call:?}").contains("controller-revision-hash=new");
    assert!(run.calls.iter().any(is_by_revision), "{:?}", run.calls);
    let wrong = "get services.serving.knative.dev";
    assert!(
        !run.calls.iter().any(|call| call.is(wrong)),
        "{:?}",
        run.calls
    );
}

#[test]
fn one_that_does_not_become_ready_is_restored() {
    let Some(sandbox) = sandbox("deploy-dead-letters-restored") else {
        return;
    };
    let rejecting = json!({"items": [{
        "metadata": {"name": "pod", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"containerStatuses": [{"ready": false, "state": {}, "lastState": {"terminated": {"exitCode": 64}}}]},
    }]});
    let deployment = workload("deployment.apps", "former", State::Complete);
    let answers = [
        always("get deployment.apps webhook-app ", 0, deployment),
        once(
            &format!("{GET}--ignore-not-found"),
            0,
            stateful_set("former", true),
        ),
        once(GET, 0, stateful_set("new", false)),
        once(GET, 0, stateful_set("new", false)),
        always(GET, 0, stateful_set("former", true)),
        always(
            "get pods --selector controller-revision-hash=new ",
            0,
            rejecting,
        ),
    ];

    let run = deploy_overlay(&sandbox, &overlay(&sandbox), &answers);

    assert_eq!(run.code, Some(10), "{}", run.output);
    let expected =
        "rolled back: statefulset.apps/webhook-app-dead-letters serves the revision before";
    assert!(run.output.contains(expected), "{}", run.output);
    let changes = run.changes();
    let patch = changes
        .iter()
        .find(|call| call.is("patch statefulset.apps webhook-app-dead-letters"));
    let patch = format!("{:?}", patch.expect("is restored"));
    assert!(
        patch.contains("former") && !patch.contains("traffic"),
        "{patch}"
    );
}
