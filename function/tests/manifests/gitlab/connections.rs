//! Who may connect to whom: the NetworkPolicies of `k8s-base/gitlab` and of the function, evaluated for pairs of pods as Kubernetes
//! does. Only a cluster proves that they are enforced.

use serde_json::{Value, json};

use super::{FOLDER, pod_named};
use crate::agreement::is_part_of;
use crate::rendered::{Rendered, at, list, rendered, text};

/// A pod, as a policy sees it.
struct Pod {
    namespace: &'static str,
    labels: Value,
    /// Names and numbers of its ports.
    ports: Value,
    address: &'static str,
}

fn pod(namespace: &'static str, name: &str) -> Pod {
    let labels = json!({"app.kubernetes.io/name": name});
    Pod {
        namespace,
        labels,
        ports: json!({}),
        address: "10.0.0.9",
    }
}

/// A server outside of the cluster, or the API server, which have no labels.
fn outside(address: &'static str) -> Pod {
    Pod {
        namespace: "",
        labels: json!({}),
        ports: json!({}),
        address,
    }
}

/// A pod of the renderings, with the labels and ports that it has there.
fn of(rendered: &Rendered, namespace: &'static str, name: &str) -> Pod {
    let template = pod_named(rendered, name);
    let ports = list(template, "/spec/containers")
        .into_iter()
        .flat_map(|it| list(it, "/ports"));
    let ports = ports.map(|port| {
        (
            text(port, "/name").to_owned(),
            port["containerPort"].clone(),
        )
    });
    Pod {
        ports: ports.collect(),
        labels: at(template, "/metadata/labels").clone(),
        ..pod(namespace, name)
    }
}

/// Whether a selector with labels or expressions selects these labels.
fn selects(selector: &Value, labels: &Value) -> bool {
    let known = ["matchLabels", "matchExpressions"];
    let fields = selector.as_object().expect("a selector");
    assert!(
        fields.keys().all(|key| known.contains(&key.as_str())),
        "{selector}"
    );
    selector
        .get("matchLabels")
        .is_none_or(|wanted| is_part_of(wanted, labels))
        && list(selector, "/matchExpressions")
            .iter()
            .all(|expression| {
                let value = labels.get(text(expression, "/key"));
                match text(expression, "/operator") {
                    "In" => value.is_some_and(|value| list(expression, "/values").contains(&value)),
                    "Exists" => value.is_some(),
                    other => panic!("the operator {other} is not evaluated here"),
                }
            })
}

/// Whether a peer of a rule is this pod. A peer without a selector of namespaces is in that of the policy.
fn is_peer(peer: &Value, policy: &Value, pod: &Pod) -> bool {
    if let Some(block) = peer.get("ipBlock") {
        let within = |cidr: &Value| contains(cidr.as_str().expect("a text"), pod.address);
        return within(&block["cidr"]) && !list(block, "/except").into_iter().any(within);
    }
    if pod.namespace.is_empty() {
        return false;
    }
    let namespace = json!({"kubernetes.io/metadata.name": pod.namespace});
    let in_namespace = match peer.get("namespaceSelector") {
        Some(selector) => selects(selector, &namespace),
        None => text(policy, "/metadata/namespace") == pod.namespace,
    };
    in_namespace
        && peer
            .get("podSelector")
            .is_none_or(|selector| selects(selector, &pod.labels))
}

fn contains(cidr: &str, address: &str) -> bool {
    let number = |text: &str| {
        text.parse::<std::net::Ipv4Addr>()
            .expect("an address")
            .to_bits()
    };
    let (base, length) = cidr.split_once('/').expect("a range");
    let ignored = 32 - length.parse::<u32>().expect("a length");
    let network = |address: u32| address.checked_shr(ignored).unwrap_or(0);
    network(number(base)) == network(number(address))
}

/// Whether the policies that select `pod` for a direction allow the other one; all do if none selects it.
fn allows(
    policies: &[&Value],
    direction: &str,
    pod: &Pod,
    other: &Pod,
    port: u64,
    named: &Value,
) -> bool {
    let (kind, peers) = if direction == "ingress" {
        ("Ingress", "/from")
    } else {
        ("Egress", "/to")
    };
    let selecting = policies.iter().filter(|policy| {
        policy.pointer("/metadata/namespace") == Some(&json!(pod.namespace))
            && list(policy, "/spec/policyTypes").contains(&&json!(kind))
            && selects(at(policy, "/spec/podSelector"), &pod.labels)
    });
    let selecting: Vec<_> = selecting.collect();
    selecting.is_empty()
        || selecting.iter().any(|policy| {
            list(policy, &format!("/spec/{direction}"))
                .into_iter()
                .any(|rule| {
                    let is_port = |it: &&Value| {
                        let wanted = &it["port"];
                        it.get("protocol").is_none_or(|it| it == "TCP")
                            && (*wanted == port
                                || wanted.as_str().is_some_and(|name| named[name] == port))
                    };
                    let (ports, peers) = (list(rule, "/ports"), list(rule, peers));
                    (ports.is_empty() || ports.iter().any(is_port))
                        && (peers.is_empty()
                            || peers.iter().any(|peer| is_peer(peer, policy, other)))
                })
        })
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
    let reconcile = Pod {
        labels: at(reconcile, "/spec/jobTemplate/spec/template/metadata/labels").clone(),
        ..pod("webhook-app", "")
    };
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
        ("API server", outside("172.18.0.2")),
        ("metadata", outside("169.254.169.254")),
        ("internet", outside("203.0.113.5")),
    ];
    let ports = [22, 80, 443, 5000, 5001, 6443, 8080, 8181, 9168, 9252, 10443];

    let mut found = Vec::new();
    for (from, source) in &pods {
        for (to, target) in pods.iter().filter(|(to, _)| to != from) {
            // What the others send to each other is not decided here.
            let ours = |pod: &Pod| pod.namespace.starts_with("gitlab");
            if !ours(source) && !ours(target) {
                continue;
            }
            let is_allowed = |port: &&u64| {
                allows(&policies, "egress", source, target, **port, &target.ports)
                    && allows(&policies, "ingress", target, source, **port, &target.ports)
            };
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
