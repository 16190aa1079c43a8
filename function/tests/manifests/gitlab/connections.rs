//! Who may connect to whom around GitLab: the pods of `k8s-base/gitlab`, the function and others. `crate::connections` evaluates the
//! policies.

use serde_json::json;

use super::{FOLDER, pod_named};
use crate::connections::{Pod, may_connect};
use crate::rendered::{Rendered, at, rendered};

fn pod(namespace: &str, name: &str) -> Pod {
    Pod::new(namespace, json!({"app.kubernetes.io/name": name}))
}

/// A pod of the renderings, with the labels and ports that it has there.
fn of(rendered: &Rendered, namespace: &str, name: &str) -> Pod {
    Pod::of(namespace, pod_named(rendered, name))
}

/// Also for pods that nobody thought of.
#[test]
fn each_namespace_blocks_what_no_policy_allows() {
    let rendered = rendered!(FOLDER);
    let namespaces = rendered.every("/Namespace");
    assert_eq!(namespaces.len(), 3);
    for namespace in namespaces {
        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        let mut own = policies
            .iter()
            .filter(|policy| policy["metadata"]["namespace"] == namespace["metadata"]["name"]);
        let denying = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]});
        assert!(own.any(|policy| policy["spec"] == denying), "{namespace:#}");
    }
}

#[test]
fn only_these_connections_are_allowed() {
    let gitlab = rendered!(FOLDER);
    let base = rendered!("k8s-base");
    let cronjob = rendered!("k8s-base/reconcile/cronjob");
    let reconcile = cronjob.one("batch/CronJob");
    let labels = at(reconcile, "/spec/jobTemplate/spec/template/metadata/labels");
    let reconcile = Pod::new("webhook-app", labels.clone());
    let kind = "networking.k8s.io/NetworkPolicy";
    let policies = [gitlab.every(kind), base.every(kind)].concat();
    let pods = [
        ("gitlab", of(&gitlab, "gitlab", "gitlab")),
        ("runner", of(&gitlab, "gitlab", "gitlab-runner")),
        ("backup", of(&gitlab, "gitlab", "gitlab-backup")),
        ("job", pod("gitlab-jobs", "gitlab-job")),
        ("another job", pod("gitlab-jobs", "no-label")),
        ("deployment", pod("gitlab-deploy", "gitlab-deploy-job")),
        ("function", of(&base, "webhook-app", "webhook-app")),
        ("reconcile", reconcile),
        ("edge", pod("edge", "envoy")),
        ("gateway", pod("envoy-gateway-system", "envoy")),
        ("prometheus", pod("monitoring", "prometheus")),
        ("stranger", pod("default", "stranger")),
        ("API server", Pod::outside("172.18.0.2")),
        ("metadata", Pod::outside("169.254.169.254")),
        ("internet", Pod::outside("203.0.113.5")),
    ];
    let ports = [22, 80, 443, 5000, 5001, 6443, 8080, 8181, 9168, 9252, 10443];

    let mut found = Vec::new();
    for (from, source) in &pods {
        for (to, target) in pods.iter().filter(|(to, _)| to != from) {
            // What the others send to each other is not decided here.
            let ours = |pod: &Pod| pod.is_in("gitlab");
            if !ours(source) && !ours(target) {
                continue;
            }
            let is_allowed = |port: &&u64| may_connect(&policies, source, target, **port);
            let allowed: Vec<_> = ports
                .iter()
                .filter(is_allowed)
                .map(u64::to_string)
                .collect();
            if !allowed.is_empty() {
                found.push(format!("{from} → {to}: {}", allowed.join(" ")));
            }
        }
    }

    // A range of addresses may include those of pods, so the runner, the backup and deployments reach port 443 of any pod whose own
    // policies allow it.
    insta::assert_snapshot!(found.join("\n"), @r"
    gitlab → function: 8080
    runner → reconcile: 443 6443
    runner → edge: 443 6443 10443
    runner → gateway: 443 6443 10443
    runner → prometheus: 443 6443
    runner → stranger: 443 6443
    runner → API server: 443 6443
    runner → internet: 443 6443
    backup → reconcile: 443 6443
    backup → edge: 443 6443
    backup → gateway: 443 6443
    backup → prometheus: 443 6443
    backup → stranger: 443 6443
    backup → API server: 443 6443
    backup → internet: 443 6443
    job → edge: 10443
    job → gateway: 10443
    job → internet: 80 443
    deployment → reconcile: 443 6443
    deployment → edge: 443 6443 10443
    deployment → gateway: 443 6443 10443
    deployment → prometheus: 443 6443
    deployment → stranger: 443 6443
    deployment → API server: 443 6443
    deployment → internet: 443 6443
    reconcile → gitlab: 80
    edge → gitlab: 80 5000
    gateway → gitlab: 80 5000
    prometheus → gitlab: 5001 9168
    prometheus → runner: 9252
    ");
}
