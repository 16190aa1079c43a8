//! Which generated objects the deploy script removes after a rollout: those that nothing uses any more.

use serde_json::json;

use super::answers::{PACKAGINGS, always, deploy_overlay, deploy_with, once};
use super::{SECRET, edited_overlay, sandbox};
use crate::rendered::kustomize;

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

/// A generated Secret of an earlier deployment.
const SECRET_NAME: &str = "webhook-app-7777777777";

#[test]
fn what_was_just_applied_is_not_removed() {
    let Some(sandbox) = sandbox("deploy-prune-applied") else {
        return;
    };
    // No pod uses it: a sidecar finds it by its label.
    let generator = "configMapGenerator:\n  - name: dashboards\n    literals: [a=b]\n";
    let folder = edited_overlay(&sandbox, SECRET, |text| {
        text.replace("configMapGenerator:\n", generator)
    });
    let Some(rendering) = kustomize(&folder) else {
        return;
    };
    let rendering = rendering.expect("the overlay builds");
    let mut words = rendering.split_whitespace();
    let applied = words.find(|word| word.starts_with("dashboards-"));
    let names = [applied.expect("has a hash"), "dashboards-2222222222"];
    let candidates = names.map(|name| json!({"metadata": {"name": name}}));
    let secrets = [SECRET_NAME, "webhook-app-tls"].map(|name| json!({"metadata": {"name": name}}));
    let answers = [
        always("get configmaps ", 0, json!({ "items": candidates })),
        always("get secrets ", 0, json!({ "items": secrets })),
    ];

    let run = deploy_overlay(&sandbox, &folder, &answers);

    assert_eq!(run.code, Some(0), "{}", run.output);
    let deleted: Vec<_> = run.calls.iter().filter(|call| call.is("delete")).collect();
    assert_eq!(deleted.len(), 2, "{deleted:?}");
    for old in [
        "delete configmaps dashboards-2222222222".to_owned(),
        format!("delete secrets {SECRET_NAME}"),
    ] {
        assert!(
            deleted.iter().any(|call| call.is(&old)),
            "{old} in {deleted:?}"
        );
    }
    assert!(
        !format!("{deleted:?}").contains("webhook-app-tls"),
        "{deleted:?}"
    );
    assert!(!format!("{deleted:?}").contains(names[0]), "{deleted:?}");
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
