//! Ingress and egress: the NetworkPolicies and the public route. The end-to-end tests check that they are enforced;
//! here is only checked that they refer to existing objects, and what they allow.

use serde_json::{Value, json};
use webhook_app::limits::LIMITS;

use crate::agreement::is_part_of;
use crate::lifetime::GITLAB_SECONDS;
use crate::rendered::{Rendered, all, at, file, keys, list, named, rendered, template, text};

/// A policy of a Component for pods that the operator adds.
const DEAD_LETTERS: &str = "webhook-app-dead-letters";

/// A namespace in which every pod is known, so that a policy may select all.
const DEDICATED: &str = "k8s-base/gitlab";

/// Several pods that connect to each other: `gitlab::connections` and `rocketchat::connections` check their policies.
const SEVERAL_PODS: &[&str] = &[
    DEDICATED,
    "k8s-base/rocketchat",
    "function/tests/manifests/overlays/rocketchat-",
];

/// What Knative names the ports of its pods.
const KNATIVE_PORTS: &[&str] = &["user-port"];

#[test]
fn every_policy_selects_existing_pods_and_ports() {
    let has_one = |folder: &String| !SEVERAL_PODS.iter().any(|other| folder.starts_with(other));
    for folder in all().into_iter().filter(has_one) {
        let rendered = rendered!(&folder);
        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        let workloads = rendered.workloads();
        if workloads.is_empty() || policies.is_empty() {
            continue;
        }
        // Each instance has its own.
        let denying = policies.iter().filter(|policy| denies_everything(policy));
        assert_eq!(denying.count(), workloads.len(), "{folder}");
        let ours = |policy: &&&Value| !text(policy, "/metadata/name").starts_with(DEAD_LETTERS);
        for policy in policies.iter().filter(ours) {
            let selector = at(policy, "/spec/podSelector/matchLabels");
            let selects = |workload: &&&Value| {
                is_part_of(selector, at(template(workload), "/metadata/labels"))
            };
            let selected = workloads.iter().filter(selects).count();
            assert_eq!(selected, 1, "{folder}: {policy:#}");
            let selected = workloads.iter().find(selects).expect("a workload");
            let declared = list(template(selected), "/spec/containers/0/ports");
            let named = list(policy, "/spec/ingress/0/ports");
            let mut named = named.iter().filter_map(|port| port["port"].as_str());
            // A policy for both packagings names the ports of both, and one of them exists.
            let exists = |name: &str| {
                KNATIVE_PORTS.contains(&name) || declared.iter().any(|port| port["name"] == name)
            };
            let is_knative = workloads[0]["kind"] == "Service";
            assert!(
                is_knative || named.clone().count() == 0 || named.any(exists),
                "{folder}: {policy:#}"
            );
        }
    }
}

/// cert-manager creates the pod of its solver in the namespace of the certificate, and Istio the proxy in that of the Gateway.
/// What they connect to is not known here, so they are left alone.
#[test]
fn no_policy_selects_the_pods_of_other_programs() {
    let others = [
        json!({"acme.cert-manager.io/http01-solver": "true"}),
        json!({"gateway.networking.k8s.io/gateway-name": "webhook-app"}),
        json!({}),
    ];
    let mut count = 0;
    for folder in all().into_iter().filter(|folder| folder != DEDICATED) {
        for policy in rendered!(&folder).every("networking.k8s.io/NetworkPolicy") {
            // A selector without expressions selects what has all of its labels.
            assert_eq!(keys(policy, "/spec/podSelector"), ["matchLabels"]);
            let selector = at(policy, "/spec/podSelector/matchLabels");
            for labels in &others {
                assert!(!is_part_of(selector, labels), "{folder}: {policy:#}");
            }
            count += 1;
        }
    }
    assert!(count > 100, "{count} policies");
}

/// A pod that no policy selects for a direction has no restriction in that direction.
#[test]
fn everything_that_is_not_allowed_is_blocked_in_both_directions() {
    for folder in ["k8s-base", "knative"] {
        let rendered = rendered!(folder);
        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        let denying = policies.iter().find(|policy| denies_everything(policy));

        let denying = denying.expect("a policy without rules");

        assert_eq!(text(denying, "/metadata/name"), "webhook-app-default-deny");
        let directions = json!(["Ingress", "Egress"]);
        assert_eq!(*at(denying, "/spec/policyTypes"), directions, "{folder}");
    }
}

/// Istio, NGINX Gateway Fabric, and Envoy Gateway in one of its modes create the proxy beside the Gateway.
#[test]
fn a_proxy_in_the_namespace_of_the_gateway_is_admitted() {
    let rendered = rendered!("k8s-base");
    let sources = list(
        policy(&rendered, "webhook-app-webhooks"),
        "/spec/ingress/0/from",
    );

    let by_label = json!([{"key": "gateway.networking.k8s.io/gateway-name", "operator": "Exists"}]);
    let proxies = json!({"podSelector": {"matchExpressions": by_label}});

    assert!(sources.contains(&&proxies), "{sources:#?}");
}

/// Clusters have their DNS server in kube-system, in other namespaces, and on the node.
#[test]
fn dns_is_allowed_wherever_the_server_is() {
    for folder in ["k8s-base", "knative"] {
        let rendered = rendered!(folder);
        let policy = policy(&rendered, "webhook-app-dns");

        let rules = list(policy, "/spec/egress");

        let numbers = json!([
            {"port": 53, "protocol": "UDP"},
            {"port": 53},
            {"port": 5353, "protocol": "UDP"},
            {"port": 5353},
        ]);
        assert_eq!(*rules[0], json!({"ports": numbers}), "{folder}");
        // A name is resolved in the pods that `to` selects.
        let names = json!({
            "to": [{"namespaceSelector": {}}],
            "ports": [{"port": "dns", "protocol": "UDP"}, {"port": "dns-tcp"}],
        });
        assert_eq!(*rules[1], names, "{folder}");
        assert_eq!(rules.len(), 2);
    }
}

#[test]
fn by_default_the_chat_server_is_outside_of_the_cluster() {
    for folder in ["k8s-base", "knative"] {
        let rendered = rendered!(folder);
        let rules = list(policy(&rendered, "webhook-app-egress"), "/spec/egress");

        assert_eq!(rules.len(), 1);
        assert_eq!(*at(rules[0], "/ports"), json!([{"port": 443}]));
        let metadata_service = at(rules[0], "/to/0/ipBlock/except/0");
        assert_eq!(*metadata_service, "169.254.0.0/16");
    }
}

/// An operator admits a namespace with a label, without a patch.
#[test]
fn namespaces_can_be_admitted_by_documented_labels() {
    let cases = [
        ("k8s-base", "webhook-app-webhooks", "sends-webhooks"),
        ("k8s-base", "webhook-app-scrape", "scrapes"),
        ("knative", "webhook-app-requests", "sends-webhooks"),
        ("knative", "webhook-app-scrape", "scrapes"),
    ];
    for (folder, name, label) in cases {
        let rendered = rendered!(folder);
        let sources = list(policy(&rendered, name), "/spec/ingress/0/from");
        let pointer = format!("/namespaceSelector/matchLabels/webhook-app~1{label}");
        let admitted = sources.iter().filter_map(|source| source.pointer(&pointer));
        assert_eq!(
            admitted.collect::<Vec<_>>(),
            [&json!("true")],
            "{folder}: {name}"
        );
    }
    let documentation = file("k8s-base/README.md");
    for folder in all() {
        for object in &rendered!(&folder).0 {
            for label in labels_of_ours(object) {
                let shown = format!("`{label}=true`");
                assert!(
                    documentation.contains(&shown),
                    "{shown} in k8s-base/README.md"
                );
            }
        }
    }
}

#[test]
fn the_public_route_leads_to_the_webhook_only_and_has_the_functions_limits() {
    let rendered = rendered!("k8s-base/gateway");
    let route = rendered.one("gateway.networking.k8s.io/HTTPRoute");
    let policy = rendered.one("gateway.envoyproxy.io/BackendTrafficPolicy");

    let rules = list(route, "/spec/rules");
    assert_eq!(rules.len(), 1);
    // Which paths the function has is in `exposition`.
    for each in list(rules[0], "/matches") {
        assert_eq!(text(each, "/path/type"), "Exact");
        assert_eq!(text(each, "/method"), "POST");
    }
    let seconds: u64 = text(rules[0], "/timeouts/request")
        .trim_end_matches('s')
        .parse()
        .expect("s");
    assert!(seconds < GITLAB_SECONDS);
    let mebibytes = format!("{}Mi", LIMITS.bodies.max_bytes / 1024 / 1024);
    assert_eq!(text(policy, "/spec/requestBuffer/limit"), mebibytes);
    let base = rendered!("k8s-base");
    let service = base.one("/Service");
    assert_eq!(
        at(rules[0], "/backendRefs/0/name"),
        at(service, "/metadata/name")
    );
    assert_eq!(
        at(rules[0], "/backendRefs/0/port"),
        at(named(&list(service, "/spec/ports"), "http"), "/port")
    );
}

/// The policies of Amazon's VPC CNI do not match a connection through a Service whose port differs from that of the pods.
#[test]
fn on_eks_the_service_has_the_ports_of_its_pods() {
    let rendered = rendered!("k8s-base/examples/eks");
    let ports = list(
        rendered.one("apps/Deployment"),
        "/spec/template/spec/containers/0/ports",
    );

    let service = list(rendered.one("/Service"), "/spec/ports");

    assert_eq!(service.len(), 2);
    for port in service {
        let of_pod = named(&ports, text(port, "/targetPort"));
        assert_eq!(at(port, "/port"), at(of_pod, "/containerPort"));
    }
}

/// Istio gives the proxies the labels of the Gateway, unless it names others.
#[test]
fn the_proxies_of_the_gateway_do_not_get_the_labels_of_the_function() {
    let base = rendered!("k8s-base");
    let service = base.one("/Service");
    for folder in ["k8s-base/gateway", "k8s-base/examples/two-instances"] {
        let rendered = rendered!(folder);
        let gateway = rendered.one("gateway.networking.k8s.io/Gateway");

        let named = gateway.pointer("/spec/infrastructure/labels");
        let copied = named.or_else(|| gateway.pointer("/metadata/labels"));

        if let Some(labels) = copied {
            assert_ne!(*labels, json!({}), "{folder}: an empty map names none");
            assert!(!is_part_of(at(service, "/spec/selector"), labels));
        }
    }
}

/// The host name of the listener applies, so that it is written once.
#[test]
fn the_public_route_belongs_to_the_https_listener() {
    let rendered = rendered!("k8s-base/gateway");
    let route = rendered.one("gateway.networking.k8s.io/HTTPRoute");
    let gateway = rendered.one("gateway.networking.k8s.io/Gateway");

    let section = text(route, "/spec/parentRefs/0/sectionName");

    let listeners = list(gateway, "/spec/listeners");
    assert_eq!(text(named(&listeners, section), "/protocol"), "HTTPS");
    assert!(route.pointer("/spec/hostnames").is_none());
}

/// GitLab counts a 429 as a failure and does not repeat the webhook.
#[test]
fn the_rate_limit_is_per_client_and_far_above_the_capacity_of_all_pods() {
    let rendered = rendered!("k8s-base/gateway");
    let policy = rendered.one("gateway.envoyproxy.io/BackendTrafficPolicy");
    let base = rendered!("k8s-base");
    let hpa = base.one("autoscaling/HorizontalPodAutoscaler");
    let per_pod: u64 = text(hpa, "/spec/metrics/0/pods/target/averageValue")
        .parse()
        .expect("a number");
    let per_minute = per_pod * at(hpa, "/spec/maxReplicas").as_u64().expect("a number");

    let rules = list(policy, "/spec/rateLimit/local/rules");

    assert_eq!(rules.len(), 2, "for IPv4 and IPv6");
    for rule in rules {
        assert_eq!(*at(rule, "/clientSelectors/0/sourceCIDR/type"), "Distinct");
        assert_eq!(*at(rule, "/limit/unit"), "Second");
        let per_second = at(rule, "/limit/requests").as_u64().expect("a number");
        assert!(
            per_second * 60 >= 100 * per_minute,
            "{per_second} per second"
        );
    }
}

fn denies_everything(policy: &Value) -> bool {
    let is_empty = |rules| list(policy, rules).is_empty();
    is_empty("/spec/ingress") && is_empty("/spec/egress")
}

pub(crate) fn policy<'a>(rendered: &'a Rendered, name: &str) -> &'a Value {
    let policies = rendered.every("networking.k8s.io/NetworkPolicy");
    let found = policies
        .iter()
        .find(|policy| text(policy, "/metadata/name") == name);
    found.unwrap_or_else(|| panic!("no policy {name}"))
}

/// The labels of namespaces that the project defines, anywhere in an object.
fn labels_of_ours(object: &Value) -> Vec<String> {
    match object {
        Value::Object(map) => {
            let labels = keys(object, "/namespaceSelector/matchLabels");
            let ours = labels
                .into_iter()
                .filter(|label| label.starts_with("webhook-app/"));
            let below = map.values().flat_map(labels_of_ours);
            ours.map(str::to_owned).chain(below).collect()
        }
        Value::Array(values) => values.iter().flat_map(labels_of_ours).collect(),
        _ => Vec::new(),
    }
}
