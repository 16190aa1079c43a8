//! Who may connect to whom around Rocket.Chat: the policies are evaluated as Kubernetes does for every pair of pods, and the
//! pairs that are allowed are compared with a list.

use serde_json::{Value, json};

use super::{HERE, RESTORE, workloads};
use crate::agreement::is_part_of;
use crate::rendered::{Rendered, at, list, overlay, rendered, template, text};

/// A pod: its namespace, its labels, and its ports by name and number.
struct Pod {
    name: &'static str,
    namespace: Value,
    labels: Value,
    ports: Vec<(String, u64)>,
}

/// The pods of others, by name, namespace, labels of the namespace, and labels.
fn others() -> Vec<Pod> {
    let other = |name, namespace: &str, more: &str, labels| {
        let mut of_namespace = json!({"kubernetes.io/metadata.name": namespace});
        if !more.is_empty() {
            of_namespace[more] = json!("true");
        }
        Pod {
            name,
            namespace: of_namespace,
            labels,
            ports: Vec::new(),
        }
    };
    let gateway = json!({"gateway.networking.k8s.io/gateway-name": "edge"});
    vec![
        other("prometheus", "monitoring", "", json!({})),
        other("scraper", "metrics", "webhook-app/scrapes", json!({})),
        other("envoy-gateway", "envoy-gateway-system", "", json!({})),
        other("envoy", "edge", "", json!({})),
        other("caller", "elsewhere", "webhook-app/calls-chat", json!({})),
        other("gateway", "rocketchat", "", gateway),
        other(
            "stranger",
            "default",
            "",
            json!({"app.kubernetes.io/name": "rocketchat"}),
        ),
        other(
            "neighbour",
            "rocketchat",
            "",
            json!({"app.kubernetes.io/name": "nginx"}),
        ),
    ]
}

/// The pod of a workload.
fn pod(rendered: &Rendered, name: &'static str) -> Pod {
    let found = workloads(rendered)
        .into_iter()
        .find(|it| text(it, "/metadata/name") == name);
    let workload = found.unwrap_or_else(|| panic!("no workload {name}"));
    let containers = list(template(workload), "/spec/containers");
    let ports = containers.iter().flat_map(|each| list(each, "/ports"));
    let port = |port: &Value| {
        let number = at(port, "/containerPort").as_u64().expect("a number");
        (text(port, "/name").to_owned(), number)
    };
    Pod {
        name,
        namespace: json!({"kubernetes.io/metadata.name": at(workload, "/metadata/namespace")}),
        labels: at(template(workload), "/metadata/labels").clone(),
        ports: ports.map(port).collect(),
    }
}

/// Whether a selector of labels matches, with the operators that the policies use.
fn selects(selector: &Value, labels: &Value) -> bool {
    let matches = selector.get("matchLabels");
    let by_label = matches.is_none_or(|pairs| is_part_of(pairs, labels));
    let by_expression = |expression: &&Value| {
        let label = labels.get(text(expression, "/key"));
        match text(expression, "/operator") {
            "Exists" => label.is_some(),
            "In" => label.is_some_and(|value| list(expression, "/values").contains(&value)),
            other => panic!("the operator {other} is not known here"),
        }
    };
    let expressions = list(selector, "/matchExpressions");
    by_label && expressions.iter().all(by_expression)
}

/// Whether a peer of a rule of this policy is the pod.
fn is_peer(policy: &Value, peer: &Value, pod: &Pod) -> bool {
    let own = json!({"kubernetes.io/metadata.name": at(policy, "/metadata/namespace")});
    let in_namespace = match peer.get("namespaceSelector") {
        Some(selector) => selects(selector, &pod.namespace),
        None => peer.get("ipBlock").is_none() && is_part_of(&own, &pod.namespace),
    };
    let selector = peer.get("podSelector");
    in_namespace && selector.is_none_or(|selector| selects(selector, &pod.labels))
}

/// Whether the policies of one direction allow a connection between the pod that they select and its peer.
fn allows(
    policies: &[&Value],
    direction: &str,
    pod: &Pod,
    peer: &Pod,
    port: &(String, u64),
) -> bool {
    let (list_of, side) = match direction {
        "Ingress" => ("/spec/ingress", "/from"),
        _ => ("/spec/egress", "/to"),
    };
    let for_pod = |policy: &&&Value| {
        let own = json!({"kubernetes.io/metadata.name": at(policy, "/metadata/namespace")});
        is_part_of(&own, &pod.namespace)
            && selects(at(policy, "/spec/podSelector"), &pod.labels)
            && list(policy, "/spec/policyTypes").contains(&&json!(direction))
    };
    let selected: Vec<_> = policies.iter().filter(for_pod).collect();
    let is_allowed = |policy: &&&&Value| {
        list(policy, list_of).iter().any(|rule| {
            let (peers, ports) = (list(rule, side), list(rule, "/ports"));
            let is_port = |each: &&Value| {
                let is_tcp = each.get("protocol").is_none_or(|name| name == "TCP");
                is_tcp && (each["port"] == port.0 || each["port"] == port.1)
            };
            (peers.is_empty() || peers.iter().any(|each| is_peer(policy, each, peer)))
                && (ports.is_empty() || ports.iter().any(is_port))
        })
    };
    selected.is_empty() || selected.iter().any(|policy| is_allowed(&policy))
}

#[test]
fn only_these_connections_are_allowed() {
    let (house, restore) = (rendered!(HERE), rendered!(RESTORE));
    let function = rendered!(overlay("chat-in-cluster"));
    let mut pods = vec![
        pod(&house, "mongodb"),
        pod(&house, "mongodb-replica-set"),
        pod(&house, "rocketchat"),
        pod(&house, "mongodb-backup"),
        pod(&restore, "mongodb-restore"),
        pod(&function, "webhook-app"),
    ];
    pods.extend(others());
    let renderings = [&house, &restore, &function];
    let policies: Vec<_> = renderings
        .iter()
        .flat_map(|it| it.every("networking.k8s.io/NetworkPolicy"))
        .collect();

    let mut allowed = Vec::new();
    for from in &pods {
        for to in pods.iter().filter(|pod| pod.name != "webhook-app") {
            for port in &to.ports {
                if allows(&policies, "Egress", from, to, port)
                    && allows(&policies, "Ingress", to, from, port)
                {
                    allowed.push(format!("{} → {} {}", from.name, to.name, port.1));
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
    let other = |namespace: &str, labels| Pod {
        name: "another",
        namespace: json!({"kubernetes.io/metadata.name": namespace}),
        labels,
        ports: Vec::new(),
    };
    let mongodb = json!({"app.kubernetes.io/name": "mongodb"});
    let peers = [
        (other("the internet", json!({})), false),
        (other("rocketchat", json!({})), false),
        (other("elsewhere", mongodb.clone()), false),
        (other("rocketchat", mongodb), true),
    ];
    for folder in [HERE, RESTORE] {
        let rendered = rendered!(folder);
        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        for workload in workloads(&rendered) {
            let name = text(workload, "/metadata/name").to_owned();
            let pod = pod(&rendered, Box::leak(name.into_boxed_str()));
            for (peer, is_mongodb) in &peers {
                for number in [22, 53, 80, 443, 27017] {
                    let port = (String::new(), number);

                    let found = allows(&policies, "Egress", &pod, peer, &port);

                    let expected = number == 53 || (*is_mongodb && number == 27017);
                    assert_eq!(found, expected, "{} to port {number}", pod.name);
                }
            }
        }
    }
}
