//! Ingress: the NetworkPolicies and the public route. The end-to-end tests check that they are enforced; here is
//! only checked that they refer to existing objects.

use serde_json::{Value, json};
use webhook_app::limits::LIMITS;

use crate::product::{GITLAB_SECONDS, WEBHOOK};
use crate::rendered::{at, list, named, rendered, text};
use crate::restricted::pods;

#[test]
fn every_policy_selects_existing_pods_and_ports() {
    for folder in ["k8s-base", "knative"] {
        let rendered = rendered!(folder);
        let kind =
            ["apps/Deployment", "serving.knative.dev/Service"][usize::from(folder == "knative")];
        let labels = at(rendered.one(kind), "/spec/template/metadata/labels");
        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        let denies = |policy: &&&Value| *at(policy, "/spec/podSelector") == json!({});
        assert_eq!(policies.iter().filter(denies).count(), 1, "{folder}");
        for policy in policies.iter().filter(|policy| !denies(policy)) {
            assert_eq!(
                at(policy, "/spec/podSelector/matchLabels"),
                labels,
                "{policy:#}"
            );
            for port in list(policy, "/spec/ingress/0/ports") {
                let name = port["port"].as_str().filter(|_| folder == "k8s-base");
                let ports = list(pods(&rendered)[0].1, "/containers/0/ports");
                assert!(name.is_none_or(|name| text(named(&ports, name), "/name") == name));
            }
        }
    }
}

#[test]
fn the_public_route_leads_to_the_webhook_only_and_has_the_functions_limits() {
    let rendered = rendered!("k8s-base/gateway");
    let route = rendered.one("gateway.networking.k8s.io/HTTPRoute");
    let buffer = rendered.one("gateway.envoyproxy.io/BackendTrafficPolicy");

    let rules = list(route, "/spec/rules");
    assert_eq!(rules.len(), 1);
    let matches = list(rules[0], "/matches");
    let paths: Vec<_> = matches
        .iter()
        .map(|each| text(each, "/path/value"))
        .collect();
    assert_eq!(paths, [WEBHOOK, &format!("{WEBHOOK}/")]);
    for each in matches {
        assert_eq!(text(each, "/path/type"), "Exact");
        assert_eq!(text(each, "/method"), "POST");
    }
    let seconds: u64 = text(rules[0], "/timeouts/request")
        .trim_end_matches('s')
        .parse()
        .expect("s");
    assert!(seconds < GITLAB_SECONDS);
    let mebibytes = format!("{}Mi", LIMITS.bodies.max_bytes / 1024 / 1024);
    assert_eq!(text(buffer, "/spec/requestBuffer/limit"), mebibytes);
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
