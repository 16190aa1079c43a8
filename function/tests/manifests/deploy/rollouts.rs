//! What the deploy script does after it has applied an overlay: it waits for the newest revision, restores the one before it
//! if the rollout fails, says why, and removes ConfigMaps that no revision uses.

use std::fmt::Display;
use std::fs;

use serde_json::{Value, json};

use super::{CONFIG, SECRET, deploy, overlay, sandbox};
use crate::rendered::kustomize;
use crate::sandbox::{Run, Sandbox};

/// Base and resource of both packagings.
const PACKAGINGS: &[(&str, &str)] = &[
    ("k8s-base", "deployment.apps"),
    ("knative", "services.serving.knative.dev"),
];

const RECORD: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A pattern of a call, the exit status and the output. One that is not kept answers a single call.
pub(super) struct Answer {
    pattern: String,
    status: u8,
    output: String,
    is_kept: bool,
}

pub(super) fn once(pattern: &str, status: u8, output: impl Display) -> Answer {
    Answer {
        pattern: pattern.to_owned(),
        status,
        output: output.to_string(),
        is_kept: false,
    }
}

pub(super) fn always(pattern: &str, status: u8, output: impl Display) -> Answer {
    Answer {
        is_kept: true,
        ..once(pattern, status, output)
    }
}

/// Deploys the valid overlay of a packaging on a cluster that answers like this.
pub(super) fn deploy_with(
    sandbox: &Sandbox,
    base: &str,
    secret: &[(&str, &str)],
    answers: &[Answer],
) -> Run {
    let overlay = overlay(sandbox, base, CONFIG, secret);
    deploy_overlay(sandbox, &overlay, answers)
}

/// Deploys an overlay on a cluster that answers like this.
pub(super) fn deploy_overlay(sandbox: &Sandbox, overlay: &str, answers: &[Answer]) -> Run {
    let folder = sandbox.folder("answers");
    fs::remove_dir_all(&folder).expect("can be removed");
    fs::create_dir_all(&folder).expect("can be made");
    for (index, answer) in answers.iter().enumerate() {
        let kept = if answer.is_kept { "+" } else { "" };
        let text = format!("{}\n{}\n{}\n", answer.pattern, answer.status, answer.output);
        fs::write(folder.join(format!("{index:03}{kept}")), text).expect("can be written");
    }
    let folder = folder.to_str().expect("is UTF-8").to_owned();
    let variables = [
        ("ANSWERS", &*folder),
        ("ROLLOUT_SECONDS", "3"),
        ("SECRET_SECONDS", "1"),
    ];
    deploy(sandbox, overlay, &variables)
}

#[derive(Clone, Copy)]
enum State {
    Complete,
    /// The newest revision is not ready, and the cluster has not given up yet.
    Incomplete,
    Failed,
}

/// The Deployment or the Knative Service with these pods, as the cluster returns it.
fn workload(resource: &str, template: &str, state: State) -> Value {
    let is_complete = matches!(state, State::Complete);
    let ready = if is_complete { "new" } else { "old" };
    let reason = match state {
        State::Complete => "NewReplicaSetAvailable",
        State::Incomplete => "ReplicaSetUpdated",
        State::Failed => "ProgressDeadlineExceeded",
    };
    let is_deployment = resource == "deployment.apps";
    let configurations = if matches!(state, State::Failed) {
        "False"
    } else {
        "True"
    };
    json!({
        "kind": if is_deployment { "Deployment" } else { "Service" },
        "metadata": {"name": "webhook-app", "generation": 2, "annotations": {RECORD: template}},
        "spec": {"replicas": 2, "progressDeadlineSeconds": 600, "template": {"metadata": {"labels": {"pods": template}}}, "traffic": []},
        "status": {
            "observedGeneration": 2, "replicas": 2, "availableReplicas": 2,
            "updatedReplicas": if is_complete { 2 } else { 1 },
            "latestCreatedRevisionName": "new", "latestReadyRevisionName": ready,
            "conditions": [
                {"type": "Progressing", "status": "True", "reason": reason},
                {"type": "ConfigurationsReady", "status": configurations, "message": "the container exited"},
                {"type": "Ready", "status": "True"},
            ],
        },
    })
}

/// The answers up to the point where a rollout has failed.
fn failing(resource: &str, former: impl Display) -> Vec<Answer> {
    let get = format!("get {resource} webhook-app ");
    let failed = workload(resource, "failed", State::Failed);
    let pod = json!({"items": [{
        "metadata": {"name": "pod-of-the-new-revision", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]},
    }]});
    vec![
        once(&format!("{get}--ignore-not-found"), 0, former),
        once(&get, 0, &failed),
        once("get pods ", 0, pod),
        once(
            "describe pod pod-of-the-new-revision ",
            0,
            "Containers:\n  webhook-app:\n    State: Waiting\n      Message: the setting and its value\n    Restart Count: 1\nConditions:",
        ),
        once(&get, 0, &failed),
    ]
}

#[test]
fn a_failed_rollout_is_explained_and_undone() {
    let Some(sandbox) = sandbox("deploy-undo") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let mut answers = failing(resource, workload(resource, "former", State::Complete));
        let get = format!("get {resource} webhook-app ");
        answers.push(always(
            &get,
            0,
            workload(resource, "former", State::Complete),
        ));

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(10), "{base}: {}", run.output);
        for text in [
            "the setting and its value",
            "restoring the revision before",
            "rolled back",
        ] {
            assert!(
                run.output.contains(text),
                "{base}: {text} in {}",
                run.output
            );
        }
        let undo = run.calls.iter().find(|call| call.is("patch"));
        let undo = format!("{:?}", undo.expect("restores the revision before"));
        for text in [
            "/spec/template",
            "\"former\"",
            "last-applied-configuration",
            "\"hooks\"",
        ] {
            assert!(undo.contains(text), "{base}: {text} in {undo}");
        }
        assert!(!run.calls.iter().any(|call| call.is("delete")), "{base}");
    }
}

#[test]
fn a_failed_rollback_is_told_apart() {
    let Some(sandbox) = sandbox("deploy-undo-fails") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let former = workload(resource, "former", State::Complete);
        let mut not_ready = failing(resource, &former);
        let get = format!("get {resource} webhook-app ");
        not_ready.push(always(&get, 0, workload(resource, "former", State::Failed)));
        let mut forbidden = failing(resource, &former);
        forbidden.push(once("patch ", 1, "Error from server (Forbidden): patch"));

        for answers in [not_ready, forbidden] {
            let run = deploy_with(&sandbox, base, SECRET, &answers);

            assert_eq!(run.code, Some(11), "{base}: {}", run.output);
            assert!(run.output.contains("failed too"), "{base}: {}", run.output);
        }
    }
}

#[test]
fn without_a_good_revision_before_nothing_is_restored() {
    let Some(sandbox) = sandbox("deploy-first") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let cases = [
            (String::new(), "did not exist before"),
            (
                workload(resource, "former", State::Incomplete).to_string(),
                "was never ready",
            ),
            (
                workload(resource, "failed", State::Complete).to_string(),
                "are the same as before",
            ),
        ];
        for (former, says) in cases {
            let run = deploy_with(&sandbox, base, SECRET, &failing(resource, former));

            assert_eq!(run.code, Some(12), "{base}: {}", run.output);
            assert!(
                run.output.contains(says),
                "{base}: {says} in {}",
                run.output
            );
            assert!(!run.calls.iter().any(|call| call.is("patch")), "{base}");
        }
    }
}

#[test]
fn an_old_revision_that_is_ready_does_not_end_the_wait() {
    let Some(sandbox) = sandbox("deploy-old-revision") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let get = format!("get {resource} webhook-app ");
        let answers = [
            once(&format!("{get}--ignore-not-found"), 0, ""),
            once(&get, 0, workload(resource, "new", State::Incomplete)),
            always(&get, 0, workload(resource, "new", State::Complete)),
        ];

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(0), "{base}: {}", run.output);
        let waiting = run.output.find("\nwaiting").expect("waits first");
        assert!(
            run.output.find("\nready") > Some(waiting),
            "{base}: {}",
            run.output
        );
    }
}

#[test]
fn a_rollout_without_an_end_times_out() {
    let Some(sandbox) = sandbox("deploy-timeout") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let get = format!("get {resource} webhook-app ");
        let incomplete = workload(resource, "new", State::Incomplete);
        let answers = [
            once(&format!("{get}--ignore-not-found"), 0, ""),
            always(&get, 0, incomplete),
        ];

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(12), "{base}: {}", run.output);
        assert!(
            run.output.contains("not within 3 s"),
            "{base}: {}",
            run.output
        );
    }
}

#[test]
fn settings_that_the_program_rejects_end_the_wait_at_once() {
    let Some(sandbox) = sandbox("deploy-rejecting") else {
        return;
    };
    let rejecting = json!({"items": [{
        "metadata": {"name": "pod", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"containerStatuses": [{"ready": false, "state": {}, "lastState": {"terminated": {"exitCode": 64}}}]},
    }]});
    for (base, resource) in PACKAGINGS {
        let get = format!("get {resource} webhook-app ");
        let answers = [
            once(&format!("{get}--ignore-not-found"), 0, ""),
            always(&get, 0, workload(resource, "new", State::Incomplete)),
            always("get pods ", 0, &rejecting),
        ];

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(12), "{base}: {}", run.output);
        let says = "failed: the program rejects its settings";
        assert!(run.output.contains(says), "{base}: {}", run.output);
    }
}

#[test]
fn a_changed_secret_of_the_cluster_changes_the_pods() {
    let Some(sandbox) = sandbox("deploy-checksum") else {
        return;
    };
    let secret = |token: &str| {
        json!({"kind": "Secret", "metadata": {"name": "webhook-app", "namespace": "hooks", "resourceVersion": token}, "data": {
            "GITLAB_SIGNING_KEYS": "a2V5", "ROCKETCHAT_USER_ID": "aWQ=", "ROCKETCHAT_AUTH_TOKEN": token,
        }})
    };
    for (base, _) in PACKAGINGS {
        let checksum = |token: &str| {
            let answers = [always("get Secret webhook-app ", 0, secret(token))];
            let run = deploy_with(&sandbox, base, &[], &answers);
            assert_eq!(run.code, Some(0), "{base}: {}", run.output);
            let applied = format!("{:?}", run.changes()[0]);
            let (_, rest) = applied.split_once("checksum/settings").expect("is there");
            rest.chars().take(72).collect::<String>()
        };

        let (first, again, changed) = (checksum("b25l"), checksum("b25l"), checksum("dHdv"));

        assert_eq!(first, again, "{base}");
        assert_ne!(first, changed, "{base}");
    }
}

#[test]
fn only_config_maps_that_no_revision_uses_are_removed() {
    let Some(sandbox) = sandbox("deploy-prune") else {
        return;
    };
    let names = [
        "webhook-app-2222222222",
        "webhook-app-4444444444",
        "webhook-app-5555555555",
        "webhook-app-settings",
        "other-2222222222",
    ];
    let candidates = names.map(|name| json!({"metadata": {"name": name}}));
    let uses = |name: &str| json!({"items": [{"spec": {"template": {"spec": {"envFrom": [{"configMapRef": {"name": name}}]}}}}]});
    for (base, _) in PACKAGINGS {
        let answers = [
            once("get configmaps ", 0, json!({ "items": candidates })),
            once(
                "get deployments.apps,replicasets.apps ",
                0,
                uses("webhook-app-4444444444"),
            ),
            once(
                "get revisions.serving.knative.dev ",
                0,
                uses("webhook-app-5555555555"),
            ),
        ];

        let run = deploy_with(&sandbox, base, &[], &answers);

        assert_eq!(run.code, Some(0), "{base}: {}", run.output);
        let deleted: Vec<_> = run.calls.iter().filter(|call| call.is("delete")).collect();
        assert_eq!(deleted.len(), 1, "{base}: {deleted:?}");
        assert!(
            deleted[0].is("delete configmaps webhook-app-2222222222"),
            "{base}: {deleted:?}"
        );
        assert!(
            !format!("{deleted:?}").contains("4444444444"),
            "{base}: {deleted:?}"
        );
    }
}

#[test]
fn what_was_just_applied_is_not_removed() {
    let Some(sandbox) = sandbox("deploy-prune-applied") else {
        return;
    };
    let folder = overlay(&sandbox, "k8s-base", CONFIG, SECRET);
    let file = std::path::Path::new(&folder).join("kustomization.yaml");
    let mut text = fs::read_to_string(&file).expect("was written");
    // No pod uses it: a sidecar finds it by its label.
    let generator = "configMapGenerator:\n  - name: dashboards\n    literals: [a=b]\n";
    text = text.replace("configMapGenerator:\n", generator);
    fs::write(&file, text).expect("can be written");
    let Some(rendering) = kustomize(&folder) else {
        return;
    };
    let rendering = rendering.expect("the overlay builds");
    let mut words = rendering.split_whitespace();
    let applied = words.find(|word| word.starts_with("dashboards-"));
    let names = [applied.expect("has a hash"), "dashboards-2222222222"];
    let candidates = names.map(|name| json!({"metadata": {"name": name}}));
    let answers = [always("get configmaps ", 0, json!({ "items": candidates }))];

    let run = deploy_overlay(&sandbox, &folder, &answers);

    assert_eq!(run.code, Some(0), "{}", run.output);
    let deleted: Vec<_> = run.calls.iter().filter(|call| call.is("delete")).collect();
    assert_eq!(deleted.len(), 1, "{deleted:?}");
    assert!(
        deleted[0].is("delete configmaps dashboards-2222222222"),
        "{deleted:?}"
    );
    assert!(!format!("{deleted:?}").contains(names[0]), "{deleted:?}");
}

#[test]
fn a_complete_rollout_is_ready_if_its_pods_cannot_be_read() {
    let Some(sandbox) = sandbox("deploy-unreadable-pods") else {
        return;
    };
    let forbidden = "Error from server (Forbidden): pods is forbidden";
    for (base, _) in PACKAGINGS {
        let answers = [always("get pods ", 1, forbidden)];

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(0), "{base}: {}", run.output);
    }
}

#[test]
fn a_cluster_without_knative_is_pruned_and_an_error_prunes_nothing() {
    let Some(sandbox) = sandbox("deploy-prune-errors") else {
        return;
    };
    let candidates = json!({"items": [{"metadata": {"name": "webhook-app-2222222222"}}]});
    let cases = [
        (
            "error: the server doesn't have a resource type \"revisions\"",
            1,
        ),
        ("Error from server (Forbidden): revisions", 0),
    ];
    for (error, deletions) in cases {
        let answers = [
            once("get configmaps ", 0, &candidates),
            once("get revisions.serving.knative.dev ", 1, error),
        ];

        let run = deploy_with(&sandbox, "k8s-base", &[], &answers);

        assert_eq!(run.code, Some(0), "{error}: {}", run.output);
        let deleted = run.calls.iter().filter(|call| call.is("delete")).count();
        assert_eq!(deleted, deletions, "{error}: {}", run.output);
    }
}
