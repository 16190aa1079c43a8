//! What the deploy script makes of an overlay that also reconciles: a loop is a workload of its own, and its settings are
//! checked.

use super::answers::deploy_overlay;
use super::{IMAGE, SECRET, assert_rejected, edited_overlay, sandbox};

const SETTINGS: &str = "  - name: webhook-app-reconcile
    behavior: merge
    literals: ['GITLAB_URL=https://gitlab.acme.test', 'HOOKS=[{membership: true}]']
";

/// An overlay of the Deployment packaging with one of the ways to reconcile.
fn overlay(sandbox: &crate::sandbox::Sandbox, way: &str, settings: &str) -> String {
    edited_overlay(sandbox, SECRET, |text| {
        let resources = format!("repository/k8s-base, ../repository/k8s-base/reconcile/{way}]");
        let text = text.replace("repository/k8s-base]", &resources);
        let generator = format!("configMapGenerator:\n{settings}");
        text.replace("configMapGenerator:\n", &generator)
    })
}

#[test]
fn both_ways_are_applied_with_the_image_and_a_loop_is_awaited() {
    let Some(sandbox) = sandbox("deploy-reconcile") else {
        return;
    };
    for (way, is_awaited) in [("cronjob", false), ("deployment", true)] {
        let overlay = overlay(&sandbox, way, SETTINGS);

        let run = deploy_overlay(&sandbox, &overlay, &[]);

        assert_eq!(run.code, Some(0), "{way}: {}", run.output);
        let applied = format!("{:?}", run.changes()[0]);
        assert_eq!(applied.matches(IMAGE).count(), 2, "{way}: {applied}");
        let waiting = "get deployment.apps webhook-app-reconcile";
        let waits = run.calls.iter().any(|call| call.is(waiting));
        assert_eq!(waits, is_awaited, "{way}: {:?}", run.calls);
    }
}

#[test]
fn examples_and_missing_settings_are_rejected() {
    let Some(sandbox) = sandbox("deploy-reconcile-rejected") else {
        return;
    };
    let examples = [
        "data.GITLAB_URL: https://gitlab.example.com is an example",
        "data.HOOKS: example-group",
    ];
    for way in ["cronjob", "deployment"] {
        let run = deploy_overlay(&sandbox, &overlay(&sandbox, way, ""), &[]);

        assert_rejected(&run, way, &examples);
    }
    let empty = "  - name: webhook-app-reconcile
    behavior: merge
    literals: [GITLAB_URL=, HOOKS=]
";
    let run = deploy_overlay(&sandbox, &overlay(&sandbox, "deployment", empty), &[]);
    let says = [
        "Deployment webhook-app-reconcile: expected a value for GITLAB_URL, found none",
        "Deployment webhook-app-reconcile: expected a value for HOOKS, found none",
        "2 problem(s)",
    ];
    assert_rejected(&run, "empty", &says);
}
