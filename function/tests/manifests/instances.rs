//! Checks that two installations in one namespace do not mix: a second one with another name and another
//! `app.kubernetes.io/instance`, in both packagings.

use serde_json::Value;

use crate::agreement::is_part_of;
use crate::rendered::{Rendered, at, list, overlay, rendered, text};

const INSTANCE: &str = "/metadata/labels/app.kubernetes.io~1instance";

/// Where objects select pods.
const SELECTORS: &[(&str, &str)] = &[
    ("apps/Deployment", "/spec/selector/matchLabels"),
    ("/Service", "/spec/selector"),
    ("policy/PodDisruptionBudget", "/spec/selector/matchLabels"),
    (
        "networking.k8s.io/NetworkPolicy",
        "/spec/podSelector/matchLabels",
    ),
    (
        "cilium.io/CiliumNetworkPolicy",
        "/spec/endpointSelector/matchLabels",
    ),
];

/// Where objects refer to others by name, and the kind of the other.
const REFERENCES: &[(&str, &str, &str)] = &[
    (
        "autoscaling/HorizontalPodAutoscaler",
        "/spec/scaleTargetRef/name",
        "apps/Deployment",
    ),
    (
        "apps/Deployment",
        "/spec/template/spec/serviceAccountName",
        "/ServiceAccount",
    ),
    (
        "serving.knative.dev/Service",
        "/spec/template/spec/serviceAccountName",
        "/ServiceAccount",
    ),
    (
        "gateway.networking.k8s.io/HTTPRoute",
        "/spec/parentRefs/0/name",
        "gateway.networking.k8s.io/Gateway",
    ),
    (
        "gateway.networking.k8s.io/HTTPRoute",
        "/spec/rules/0/backendRefs/0/name",
        "/Service",
    ),
    (
        "gateway.envoyproxy.io/ClientTrafficPolicy",
        "/spec/targetRefs/0/name",
        "gateway.networking.k8s.io/Gateway",
    ),
    (
        "gateway.envoyproxy.io/BackendTrafficPolicy",
        "/spec/targetRefs/0/name",
        "gateway.networking.k8s.io/HTTPRoute",
    ),
    ("route.openshift.io/Route", "/spec/to/name", "/Service"),
];

#[test]
fn each_instance_selects_only_its_own_pods() {
    for (first, second) in packagings() {
        let (first, second) = (rendered!(&first), rendered!(&second));
        for (own, other) in [(&first, &second), (&second, &first)] {
            let mut count = 0;
            for (kind, pointer) in SELECTORS {
                for object in own.every(kind) {
                    let selector = at(object, pointer);
                    assert!(is_part_of(selector, labels(own)), "{object:#}");
                    assert!(!is_part_of(selector, labels(other)), "{object:#}");
                    count += 1;
                }
            }
            assert!(count >= 4, "{count} selectors");
        }
    }
}

#[test]
fn pods_are_spread_among_those_of_their_instance() {
    let rendered = rendered!(overlay("second-instance"));
    let spec = at(rendered.one("apps/Deployment"), "/spec/template/spec");
    for constraint in list(spec, "/topologySpreadConstraints") {
        let selector = at(constraint, "/labelSelector/matchLabels");
        assert_eq!(selector, labels(&rendered));
    }
}

#[test]
fn no_object_belongs_to_two_instances() {
    for (first, second) in packagings() {
        let (first, second) = (rendered!(&first), rendered!(&second));
        for object in &second.0 {
            let identity =
                |object: &Value| (object["kind"].clone(), object["metadata"]["name"].clone());
            let shared = first
                .0
                .iter()
                .find(|other| identity(other) == identity(object));
            assert_eq!(shared, None, "{object:#}");
        }
    }
}

#[test]
fn every_reference_leads_to_an_object_of_the_same_instance() {
    let overlays = [
        overlay("second-instance"),
        overlay("knative-second-instance"),
    ];
    let mut checked = std::collections::BTreeSet::new();
    for folder in overlays {
        let rendered = rendered!(&folder);
        for (kind, pointer, target) in REFERENCES {
            for object in rendered.every(kind) {
                let name = text(object, pointer);
                assert!(rendered.has(target, name), "{name} of {object:#}");
                checked.insert((kind, pointer));
            }
        }
    }
    assert_eq!(checked.len(), REFERENCES.len(), "{checked:#?}");
}

/// `kubectl apply --prune` and `kubectl delete` find what belongs to an instance by it, old ConfigMaps included.
#[test]
fn every_object_has_the_label_of_its_instance() {
    for (first, second) in packagings() {
        for folder in [first, second] {
            let rendered = rendered!(&folder);
            let expected = at(rendered.one("/ServiceAccount"), INSTANCE);
            for object in &rendered.0 {
                assert_eq!(at(object, INSTANCE), expected, "{folder}: {object:#}");
            }
        }
    }
}

/// The first and the second instance, for both packagings.
fn packagings() -> [(String, String); 2] {
    [
        ("k8s-base".to_owned(), overlay("second-instance")),
        ("knative".to_owned(), overlay("knative-second-instance")),
    ]
}

/// The labels of the pods.
fn labels(rendered: &Rendered) -> &Value {
    at(rendered.workloads()[0], "/spec/template/metadata/labels")
}
