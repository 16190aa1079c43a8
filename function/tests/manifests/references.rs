//! Checks that the objects of each example refer to objects of the same example: selectors to pods, routes and an
//! Ingress to a port of a Service, an autoscaler to its Deployment. A schema accepts any name.

use serde_json::Value;

use crate::agreement::is_part_of;
use crate::examples::examples;
use crate::rendered::{Rendered, at, list, rendered, set, text};

#[test]
fn the_objects_of_an_example_refer_to_objects_of_it() {
    for example in examples() {
        let rendering = rendered!(&example);

        assert_eq!(dangling(&rendering), Vec::<String>::new(), "{example}");
    }
}

#[test]
fn every_reference_to_nothing_is_found() {
    let cases = [
        ("k3s", "/Service", "/spec/selector/app.kubernetes.io~1name"),
        (
            "k3s",
            "autoscaling/HorizontalPodAutoscaler",
            "/spec/scaleTargetRef/name",
        ),
        (
            "k3s",
            "networking.k8s.io/Ingress",
            "/spec/rules/0/http/paths/0/backend/service/name",
        ),
        (
            "gke",
            "gateway.networking.k8s.io/HTTPRoute",
            "/spec/rules/0/backendRefs/0/name",
        ),
        (
            "gke",
            "gateway.networking.k8s.io/HTTPRoute",
            "/spec/parentRefs/0/name",
        ),
        (
            "gke",
            "networking.gke.io/HealthCheckPolicy",
            "/spec/targetRef/name",
        ),
        (
            "gke",
            "external-secrets.io/ExternalSecret",
            "/spec/secretStoreRef/name",
        ),
        ("openshift", "route.openshift.io/Route", "/spec/to/name"),
    ];
    for (example, kind, pointer) in cases {
        let mut rendering = rendered!(format!("k8s-base/examples/{example}"));
        let name = text(rendering.one(kind), "/metadata/name").to_owned();
        let is_it = |object: &&mut Value| {
            kind.ends_with(text(object, "/kind")) && text(object, "/metadata/name") == name
        };
        let object = rendering.0.iter_mut().find(is_it).expect("the object");
        set(object, pointer, Value::from("nothing"));

        assert_eq!(dangling(&rendering).len(), 1, "{pointer} of {kind}");
    }
}

/// The references that lead to no object of the rendering.
fn dangling(rendering: &Rendered) -> Vec<String> {
    let mut found = Vec::new();
    for object in &rendering.0 {
        let mut expect = |is_there: bool, what: &str| {
            let name = text(object, "/metadata/name");
            let kind = text(object, "/kind");
            found.extend((!is_there).then(|| format!("{kind} {name}: {what}")));
        };
        let selected = ["/spec/podSelector/matchLabels", "/spec/selector"];
        for pointer in selected {
            let kind = text(object, "/kind");
            if let Some(labels) = object.pointer(pointer)
                && matches!(kind, "Service" | "NetworkPolicy")
            {
                expect(selects_a_pod(rendering, labels), pointer);
            }
        }
        for (pointer, kind) in [
            ("/spec/scaleTargetRef", "apps/Deployment"),
            ("/spec/to", "/Service"),
            ("/spec/targetRef", "/Service"),
            ("/spec/secretStoreRef", "external-secrets.io/SecretStore"),
            ("/spec/ref", "serving.knative.dev/Service"),
        ] {
            // The reference of a GitRepository is a branch.
            if let Some(name) = object.pointer(&format!("{pointer}/name")) {
                let name = name.as_str().expect("a text");
                expect(rendering.has(kind, name), pointer);
            }
        }
        for parent in list(object, "/spec/parentRefs") {
            let kind = "gateway.networking.k8s.io/Gateway";
            expect(rendering.has(kind, text(parent, "/name")), "parentRefs");
        }
        for rule in list(object, "/spec/rules") {
            for backend in list(rule, "/backendRefs") {
                let port = at(backend, "/port");
                let is_there = has_port(rendering, text(backend, "/name"), "port", port);
                expect(is_there, "backendRefs");
            }
            for path in list(rule, "/http/paths") {
                let service = at(path, "/backend/service");
                let port = at(service, "/port/name");
                expect(
                    has_port(rendering, text(service, "/name"), "name", port),
                    "backend",
                );
            }
        }
    }
    found
}

fn selects_a_pod(rendering: &Rendered, labels: &Value) -> bool {
    let mut templates = rendering
        .0
        .iter()
        .filter_map(|object| object.pointer("/spec/template/metadata/labels"));
    templates.any(|found| is_part_of(labels, found))
}

/// Whether a Service has a port with this value in a field.
fn has_port(rendering: &Rendered, service: &str, field: &str, value: &Value) -> bool {
    let services = rendering.every("/Service");
    services
        .iter()
        .filter(|object| text(object, "/metadata/name") == service)
        .any(|object| {
            list(object, "/spec/ports")
                .iter()
                .any(|port| &port[field] == value)
        })
}
