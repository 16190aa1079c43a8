//! A cluster that answers as a test says, on which the deploy script runs. Owns the answers and how workloads look in them;
//! what the script makes of them is tested in `refusals`, `rollouts` and `pruning`.

use std::fs;

use serde_json::{Value, json};

use super::{CONFIG, deploy, overlay};
use crate::answers;
pub(super) use crate::answers::{Answer, always, once};
use crate::sandbox::{Run, Sandbox};

/// Base and resource of both packagings.
pub(super) const PACKAGINGS: &[(&str, &str)] = &[
    ("k8s-base", "deployment.apps"),
    ("knative", "services.serving.knative.dev"),
];

const RECORD: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The number of a ReplicaSet, and of the newest one of a Deployment.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

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
    let folder = answers::store(sandbox, answers);
    let variables = [
        ("ANSWERS", &*folder),
        ("ROLLOUT_SECONDS", "3"),
        ("SECRET_SECONDS", "1"),
    ];
    deploy(sandbox, overlay, &variables)
}

/// Writes an overlay of two kustomizations, as the instances `webhook-app-a` and `webhook-app-b`, with these settings.
pub(super) fn two_instances(sandbox: &Sandbox, settings: [&str; 2]) -> String {
    let folder = sandbox.folder("two-instances");
    for (name, settings) in ["a", "b"].into_iter().zip(settings) {
        let instance = folder.join(name);
        fs::create_dir_all(&instance).expect("can be made");
        let kustomization = format!(
            "resources: [../../repository/k8s-base]\nlabels:\n  - pairs: {{app.kubernetes.io/instance: {name}}}\n    \
             includeSelectors: true\n{settings}\n"
        );
        fs::write(instance.join("kustomization.yaml"), kustomization).expect("can be written");
    }
    let both = "resources: [a, b]\n";
    fs::write(folder.join("kustomization.yaml"), both).expect("can be written");
    folder.to_str().expect("is UTF-8").to_owned()
}

#[derive(Clone, Copy)]
pub(super) enum State {
    Complete,
    /// The newest revision is not ready, and the cluster has not given up yet.
    Incomplete,
    Failed,
}

/// The Deployment or the Knative Service with these pods, as the cluster returns it.
pub(super) fn workload(resource: &str, template: &str, state: State) -> Value {
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
        "metadata": {"name": "webhook-app", "uid": "own", "generation": 2, "annotations": {RECORD: template, REVISION: "2"}},
        "spec": {"replicas": 2, "progressDeadlineSeconds": 600, "template": {"metadata": {"labels": {"pods": template}}}, "traffic": [{"revisionName": "former"}]},
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
