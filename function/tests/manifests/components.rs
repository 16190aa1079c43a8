//! Checks the effect of each Component, rendered by the overlay of the same name. Those that scale are in `scaling`, those
//! of Knative alone in `knative`; that every variant keeps the restricted profile is in `restricted`.

use serde_json::{Value, json};
use webhook_app::config::catalogue::SETTINGS;

use crate::network_policies::policy;
use crate::rendered::{
    at, file, files_below, keys, kustomize, list, named, overlay, rendered, text,
};
use crate::restricted::pods;
use crate::settings::config;

#[test]
fn every_component_has_an_overlay_and_a_line_in_the_readme() {
    for (folder, readme) in [
        ("k8s-base/components", "k8s-base/README.md"),
        ("knative/components", "knative/README.md"),
        ("knative/eventing", "knative/eventing/README.md"),
    ] {
        let kustomizations = files_below(folder);
        let kustomizations = kustomizations
            .iter()
            .filter_map(|path| path.strip_suffix("/kustomization.yaml"));
        for component in kustomizations {
            let name = component
                .strip_prefix(folder)
                .expect("below")
                .trim_start_matches('/');
            // Parts of other Components.
            if matches!(name, "openshift/pod" | "common") {
                continue;
            }
            let used = files_below("function/tests/manifests/overlays");
            let line = format!("/{component}\n");
            assert!(
                used.iter().any(|path| file(path).contains(&line)),
                "an overlay with {component}"
            );
            assert!(
                file(readme).contains(&format!("| `{name}`")),
                "{name} in {readme}"
            );
        }
    }
}

#[test]
fn a_chat_server_in_the_cluster_is_the_only_one() {
    for name in ["chat-in-cluster", "knative-chat-in-cluster"] {
        let rendered = rendered!(overlay(name));

        let rules = list(policy(&rendered, "webhook-app-egress"), "/spec/egress");

        assert_eq!(rules.len(), 1, "{name}");
        assert_eq!(
            *rules[0],
            json!({
                "to": [
                    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "rocketchat"}}},
                    {"namespaceSelector": {"matchLabels": {"webhook-app/chat": "true"}}},
                ],
                "ports": [{"port": 3000}],
            }),
            "{name}"
        );
    }
}

#[test]
fn a_chat_server_behind_an_ingress_is_reached_on_the_ports_of_its_pods() {
    for name in ["chat-via-ingress", "knative-chat-via-ingress"] {
        let rendered = rendered!(overlay(name));
        let rules = list(
            policy(&rendered, "webhook-app-chat-via-ingress"),
            "/spec/egress",
        );

        assert_eq!(
            *at(rules[0], "/ports"),
            json!([{"port": 443}, {"port": 8443}, {"port": 10443}])
        );
        let namespaces = at(
            rules[0],
            "/to/0/namespaceSelector/matchExpressions/0/values",
        );
        assert!(
            namespaces
                .as_array()
                .expect("a list")
                .contains(&json!("envoy-gateway-system"))
        );
        // The address of a load balancer is not translated in every cluster.
        policy(&rendered, "webhook-app-egress");
    }
}

#[test]
fn tracing_exports_to_an_address_that_its_policy_allows() {
    for name in ["tracing", "knative-tracing"] {
        let rendered = rendered!(overlay(name));
        let settings = rendered.one("/ConfigMap");
        let address = text(settings, "/data/OTEL_EXPORTER_OTLP_ENDPOINT");
        let rule = at(policy(&rendered, "webhook-app-tracing"), "/spec/egress/0");

        let namespace = text(
            rule,
            "/to/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name",
        );
        let port = at(rule, "/ports/0/port");

        assert!(
            address.ends_with(&format!(".{namespace}.svc:{port}")),
            "{address}"
        );
        assert!(config(&rendered).telemetry.traces.is_some(), "{name}");
    }
}

#[test]
fn each_ingress_is_admitted_to_the_port_of_the_webhooks() {
    let by_name = |names: &[&str]| json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": names}]});
    let by_pod = |name| json!({"matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": [name]}]});
    let cases = [
        (
            "nginx",
            json!([{"namespaceSelector": by_name(&["ingress-nginx"]), "podSelector": by_pod("ingress-nginx")}]),
        ),
        (
            "traefik",
            json!([{"namespaceSelector": by_name(&["kube-system", "traefik"]), "podSelector": by_pod("traefik")}]),
        ),
        (
            "istio",
            json!([{"namespaceSelector": by_name(&["istio-ingress", "istio-system"])}]),
        ),
        (
            "gke",
            json!([{"ipBlock": {"cidr": "130.211.0.0/22"}}, {"ipBlock": {"cidr": "35.191.0.0/16"}}]),
        ),
    ];
    for (name, sources) in cases {
        let name = format!("ingress-{name}");
        let rendered = rendered!(overlay(&name));

        let rules = list(
            policy(&rendered, &format!("webhook-app-{name}")),
            "/spec/ingress",
        );

        assert_eq!(rules.len(), 1, "{name}");
        assert_eq!(*at(rules[0], "/from"), sources, "{name}");
        assert_eq!(*at(rules[0], "/ports/0/port"), "http", "{name}");
    }
}

#[test]
fn istio_is_admitted_to_knatives_proxy_too() {
    let rendered = rendered!(overlay("knative-ingress-istio"));
    let base = rendered!("knative");

    let admitted = list(
        policy(&rendered, "webhook-app-ingress-istio"),
        "/spec/ingress/0/ports",
    );

    for port in list(
        policy(&base, "webhook-app-requests"),
        "/spec/ingress/0/ports",
    ) {
        assert!(admitted.contains(&port), "{port}");
    }
}

#[test]
fn ciliums_proxy_is_admitted_by_a_policy_of_cilium() {
    let rendered = rendered!(overlay("ingress-cilium"));
    let policy = rendered.one("cilium.io/CiliumNetworkPolicy");
    let template = at(rendered.one("apps/Deployment"), "/spec/template");

    assert_eq!(
        at(policy, "/spec/endpointSelector/matchLabels"),
        at(template, "/metadata/labels")
    );
    assert_eq!(
        *at(policy, "/spec/ingress/0/fromEntities"),
        json!(["ingress"])
    );
    let ports = list(template, "/spec/containers/0/ports");
    let port = at(named(&ports, "http"), "/containerPort").to_string();
    assert_eq!(text(policy, "/spec/ingress/0/toPorts/0/ports/0/port"), port);
}

#[test]
fn openshift_chooses_the_user_and_everything_else_stays() {
    for (name, base) in [("openshift", "k8s-base"), ("knative-openshift", "knative")] {
        let (rendered, base) = (rendered!(overlay(name)), rendered!(base));
        let context =
            |rendered: &_| at(pods(rendered)[0].1, "/containers/0/securityContext").clone();

        let mut expected = context(&base);
        let expected_fields = expected.as_object_mut().expect("a map");
        for field in ["runAsUser", "runAsGroup"] {
            assert!(expected_fields.remove(field).is_some(), "{field}");
        }

        assert_eq!(context(&rendered), expected, "{name}");
        assert_eq!(expected["runAsNonRoot"], true);
        let monitoring = policy(&rendered, "webhook-app-openshift-monitoring");
        let source =
            "/spec/ingress/0/from/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name";
        assert_eq!(
            text(monitoring, source),
            "openshift-user-workload-monitoring"
        );
    }
}

#[test]
fn openshifts_route_leads_to_the_service_and_never_redirects() {
    let rendered = rendered!(overlay("openshift"));
    let route = rendered.one("route.openshift.io/Route");
    let service = rendered.one("/Service");

    assert_eq!(at(route, "/spec/to/name"), at(service, "/metadata/name"));
    named(
        &list(service, "/spec/ports"),
        text(route, "/spec/port/targetPort"),
    );
    assert_eq!(
        text(route, "/spec/tls/insecureEdgeTerminationPolicy"),
        "None"
    );
    let sources = list(
        policy(&rendered, "webhook-app-router"),
        "/spec/ingress/0/from",
    );
    let labels: Vec<_> = sources
        .iter()
        .flat_map(|source| keys(source, "/namespaceSelector/matchLabels"))
        .collect();
    assert_eq!(
        labels,
        [
            "policy-group.network.openshift.io/ingress",
            "policy-group.network.openshift.io/host-network"
        ]
    );
}

#[test]
fn openshift_serverless_may_send_webhooks() {
    let rendered = rendered!(overlay("knative-openshift"));

    let sources = at(
        policy(&rendered, "webhook-app-requests"),
        "/spec/ingress/0/from/0/namespaceSelector",
    );

    let namespaces = at(sources, "/matchExpressions/0/values")
        .as_array()
        .expect("a list");
    assert!(namespaces.contains(&json!("knative-serving-ingress")));
}

#[test]
fn external_and_sealed_secrets_have_the_name_and_the_keys_that_the_pod_reads() {
    for prefix in ["", "knative-"] {
        let external = rendered!(overlay(&format!("{prefix}external-secret")));
        let object = external.one("external-secrets.io/ExternalSecret");
        assert_eq!(text(object, "/apiVersion"), "external-secrets.io/v1");
        assert_eq!(
            text(object, "/spec/target/name"),
            secret_of(pods(&external)[0].1)
        );

        let sealed = rendered!(overlay(&format!("{prefix}sealed-secret")));
        let object = sealed.one("bitnami.com/SealedSecret");
        assert_eq!(
            text(object, "/metadata/name"),
            secret_of(pods(&sealed)[0].1)
        );
        for key in keys(object, "/spec/encryptedData") {
            assert!(SETTINGS.iter().any(|setting| setting.name == key), "{key}");
            assert_eq!(
                text(object, &format!("/spec/encryptedData/{key}")),
                "",
                "{key}"
            );
        }
    }
}

#[test]
fn an_own_authority_issues_the_certificate_of_the_gateway() {
    let rendered = rendered!(overlay("tls-own-ca"));
    let authority = rendered.one("cert-manager.io/Certificate");
    let issuers = rendered.every("cert-manager.io/Issuer");
    let issuer = |name: &str| {
        *issuers
            .iter()
            .find(|issuer| text(issuer, "/metadata/name") == name)
            .expect("an issuer")
    };

    let used = issuer(issuer_of_gateway(
        rendered.one("gateway.networking.k8s.io/Gateway"),
    ));

    assert_eq!(
        at(used, "/spec/ca/secretName"),
        at(authority, "/spec/secretName")
    );
    assert_eq!(*at(authority, "/spec/isCA"), true);
    let root = issuer(text(authority, "/spec/issuerRef/name"));
    assert_eq!(*at(root, "/spec/selfSigned"), json!({}));
}

/// On plain HTTP there are only challenges, because GitLab counts a redirect as success.
#[test]
fn acme_answers_challenges_on_a_listener_without_the_webhook() {
    let rendered = rendered!(overlay("tls-acme"));
    let gateway = rendered.one("gateway.networking.k8s.io/Gateway");
    let issuer = rendered.one("cert-manager.io/Issuer");

    assert_eq!(issuer_of_gateway(gateway), text(issuer, "/metadata/name"));
    let parent = at(
        issuer,
        "/spec/acme/solvers/0/http01/gatewayHTTPRoute/parentRefs/0",
    );
    assert_eq!(at(parent, "/name"), at(gateway, "/metadata/name"));
    let listeners = list(gateway, "/spec/listeners");
    let listener = named(&listeners, text(parent, "/sectionName"));
    assert_eq!(
        *listener,
        json!({"name": "http", "protocol": "HTTP", "port": 80})
    );
    let routes = rendered.every("gateway.networking.k8s.io/HTTPRoute");
    for route in routes {
        assert_eq!(text(route, "/spec/parentRefs/0/sectionName"), "https");
    }
}

#[test]
fn certificates_cannot_be_requested_without_the_gateway() {
    for name in ["own-ca", "acme"] {
        let Some(outcome) = kustomize(&format!("k8s-base/components/tls-cert-manager/{name}"))
        else {
            return;
        };

        let error = outcome.expect_err("no Gateway to annotate");

        assert!(error.contains("Gateway"), "{error}");
    }
}

/// The name of the Secret that the container reads.
fn secret_of(pod: &Value) -> &str {
    text(pod, "/containers/0/envFrom/1/secretRef/name")
}

fn issuer_of_gateway(gateway: &Value) -> &str {
    text(gateway, "/metadata/annotations/cert-manager.io~1issuer")
}
