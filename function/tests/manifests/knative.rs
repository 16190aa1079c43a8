//! Checks that Knative accepts every variant of its Service, and that each variant has its effect. The admission
//! rules are in `admission`.

use serde_json::{Value, json};

use crate::lifetime::GITLAB_SECONDS;
use crate::rendered::{Rendered, all, at, list, number, rendered, set, text};

mod admission;

use admission::violations;

#[test]
fn knative_accepts_every_variant() {
    let mut count = 0;
    for folder in all() {
        for service in rendered!(&folder).every("serving.knative.dev/Service") {
            count += 1;
            assert_eq!(violations(service), Vec::<String>::new(), "{folder}");
        }
    }
    assert!(count > 10, "{count} variants");
}

#[test]
fn every_violation_of_knatives_rules_is_found() {
    let rendered = rendered!("knative");
    let pod = "/spec/template/spec";
    let cases = [
        (
            "a second port",
            "/containers/0/ports",
            json!([{"containerPort": 8080}, {"containerPort": 9464}]),
        ),
        (
            "a named port",
            "/containers/0/ports/0/name",
            json!("metrics"),
        ),
        (
            "a reserved port",
            "/containers/0/ports/0/containerPort",
            json!(9090),
        ),
        (
            "a reserved variable",
            "/containers/0/env",
            json!([{"name": "PORT", "value": "8080"}]),
        ),
        ("a hook", "/containers/0/lifecycle", json!({})),
        (
            "a security context on the pod",
            "/securityContext",
            json!({}),
        ),
        (
            "a grace period",
            "/terminationGracePeriodSeconds",
            json!(30),
        ),
        ("a token", "/automountServiceAccountToken", json!(true)),
        (
            "an unmounted volume",
            "/containers/0/volumeMounts",
            json!([]),
        ),
        (
            "a host path",
            "/volumes/0",
            json!({"name": "tmp", "hostPath": {}}),
        ),
        ("a timeout over the maximum", "/timeoutSeconds", json!(601)),
        (
            "a timeout shorter than the drain",
            "/timeoutSeconds",
            json!(30),
        ),
    ];
    for (case, pointer, value) in cases {
        let mut service = service(&rendered).clone();
        set(&mut service, &format!("{pod}{pointer}"), value);

        assert_eq!(
            violations(&service).len(),
            1,
            "{case}: {:?}",
            violations(&service)
        );
    }
}

#[test]
fn autoscaling_annotations_on_the_service_are_a_violation() {
    let rendered = rendered!("knative");
    let mut service = service(&rendered).clone();
    set(
        &mut service,
        "/metadata/annotations",
        json!({"autoscaling.knative.dev/target": "10"}),
    );

    assert_eq!(violations(&service).len(), 1);
}

#[test]
fn a_cold_start_responds_before_gitlabs_timeout() {
    let rendered = rendered!("knative");
    let spec = at(service(&rendered), "/spec/template/spec");

    let first_byte = number(spec, "/responseStartTimeoutSeconds");

    assert!(first_byte < GITLAB_SECONDS);
}

#[test]
fn the_traffic_of_the_canary_adds_up_to_100_percent() {
    let rendered = rendered!("function/tests/manifests/overlays/canary");

    let traffic = list(service(&rendered), "/spec/traffic");

    let total: u64 = traffic
        .iter()
        .map(|target| number(target, "/percent"))
        .sum();
    assert_eq!(total, 100);
    let revision = text(traffic[0], "/revisionName");
    assert!(revision.starts_with("webhook-app-"), "{revision}");
}

#[test]
fn the_cluster_local_variant_has_no_public_address() {
    let rendered = rendered!("function/tests/manifests/overlays/cluster-local");

    let labels = at(service(&rendered), "/metadata/labels");

    assert_eq!(labels["networking.knative.dev/visibility"], "cluster-local");
}

fn service(rendered: &Rendered) -> &Value {
    rendered.one("serving.knative.dev/Service")
}
