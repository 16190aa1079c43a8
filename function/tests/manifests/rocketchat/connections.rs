//! Who may connect to whom around Rocket.Chat: every pair of pods, compared with a list. `crate::connections` evaluates the policies.

use serde_json::{Value, json};

use super::{HERE, RESTORE, workloads};
use crate::connections::{Pod, may_connect, may_leave, selects};
use crate::rendered::{Rendered, at, list, overlay, rendered, template, text};

/// The pods of others, by name.
fn others() -> Vec<(&'static str, Pod)> {
    let other = |namespace: &str| Pod::new(namespace, json!({}));
    let gateway = json!({"gateway.networking.k8s.io/gateway-name": "edge"});
    let named = |name: &str| json!({"app.kubernetes.io/name": name});
    vec![
        ("prometheus", other("monitoring")),
        (
            "scraper",
            other("metrics").in_namespace_with("webhook-app/scrapes"),
        ),
        ("envoy-gateway", other("envoy-gateway-system")),
        ("envoy", other("edge")),
        (
            "caller",
            other("elsewhere").in_namespace_with("webhook-app/calls-chat"),
        ),
        ("gateway", Pod::new("rocketchat", gateway)),
        ("stranger", Pod::new("default", named("rocketchat"))),
        ("neighbour", Pod::new("rocketchat", named("nginx"))),
    ]
}

/// The pod of a workload.
fn pod(rendered: &Rendered, name: &str) -> Pod {
    let found = workloads(rendered)
        .into_iter()
        .find(|it| text(it, "/metadata/name") == name);
    let workload = found.unwrap_or_else(|| panic!("no workload {name}"));
    Pod::of(text(workload, "/metadata/namespace"), template(workload))
}

#[test]
fn only_these_connections_are_allowed() {
    let (house, restore) = (rendered!(HERE), rendered!(RESTORE));
    let function = rendered!(overlay("chat-in-cluster"));
    let mut pods = vec![
        ("mongodb", pod(&house, "mongodb")),
        ("mongodb-replica-set", pod(&house, "mongodb-replica-set")),
        ("rocketchat", pod(&house, "rocketchat")),
        ("mongodb-backup", pod(&house, "mongodb-backup")),
        ("mongodb-restore", pod(&restore, "mongodb-restore")),
        ("webhook-app", pod(&function, "webhook-app")),
    ];
    pods.extend(others());
    let renderings = [&house, &restore, &function];
    let policies: Vec<_> = renderings
        .iter()
        .flat_map(|it| it.every("networking.k8s.io/NetworkPolicy"))
        .collect();

    let mut allowed = Vec::new();
    for (from, source) in &pods {
        for (to, target) in pods.iter().filter(|(name, _)| *name != "webhook-app") {
            for (_, port) in &target.ports {
                if may_connect(&policies, source, target, *port) {
                    allowed.push(format!("{from} → {to} {port}"));
                }
            }
        }
    }
    allowed.sort_unstable();

    assert_eq!(
        allowed,
        [
            "caller → rocketchat 3000",
            "envoy → rocketchat 3000",
            "envoy-gateway → rocketchat 3000",
            "gateway → rocketchat 3000",
            "mongodb → mongodb 27017",
            "mongodb-backup → mongodb 27017",
            "mongodb-replica-set → mongodb 27017",
            "mongodb-restore → mongodb 27017",
            "prometheus → mongodb 9216",
            "prometheus → rocketchat 9458",
            "rocketchat → mongodb 27017",
            "scraper → mongodb 9216",
            "scraper → rocketchat 9458",
            "webhook-app → rocketchat 3000",
        ]
    );
}

/// So that what the other policies do not name is blocked, also for a pod that nobody connects to today.
#[test]
fn every_pod_has_a_policy_that_denies_everything() {
    for folder in [HERE, RESTORE] {
        let rendered = rendered!(folder);
        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        for workload in workloads(&rendered) {
            let labels = at(template(workload), "/metadata/labels");
            let denies = |policy: &&&Value| {
                let rules = ["/spec/ingress", "/spec/egress"];
                rules.iter().all(|rules| list(policy, rules).is_empty())
                    && *at(policy, "/spec/policyTypes") == json!(["Ingress", "Egress"])
                    && selects(at(policy, "/spec/podSelector"), labels)
            };
            let name = text(workload, "/metadata/name");
            assert_eq!(policies.iter().filter(denies).count(), 1, "{name}");
        }
    }
}

/// What the pods may connect to does not depend on what the other side allows.
#[test]
fn no_pod_may_connect_to_anything_but_mongodb_and_dns() {
    let mongodb = json!({"app.kubernetes.io/name": "mongodb"});
    let peers = [
        (Pod::new("the internet", json!({})), false),
        (Pod::new("rocketchat", json!({})), false),
        (Pod::new("elsewhere", mongodb.clone()), false),
        (Pod::new("rocketchat", mongodb), true),
    ];
    for folder in [HERE, RESTORE] {
        let rendered = rendered!(folder);
        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        for workload in workloads(&rendered) {
            let name = text(workload, "/metadata/name");
            let pod = pod(&rendered, name);
            for (peer, is_mongodb) in &peers {
                for number in [22, 53, 80, 443, 27017] {
                    let found = may_leave(&policies, &pod, peer, number);

                    let expected = number == 53 || (*is_mongodb && number == 27017);
                    assert_eq!(found, expected, "{name} to port {number}");
                }
            }
        }
    }
}
