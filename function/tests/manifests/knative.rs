//! That Knative lets every variant of its Service in, and that each does what it is for. The rules of
//! admission are in `admission`.

use serde_json::{Value, json};

use crate::product::GITLAB_SECONDS;
use crate::rendered::{Rendered, at, list, number, rendered, set, text};

mod admission;

use admission::refusals;

const VARIANTS: &[&str] = &[
    "knative",
    "function/tests/manifests/overlays/canary",
    "function/tests/manifests/overlays/cluster-local",
    "function/tests/manifests/overlays/hpa-class",
    "function/tests/manifests/overlays/own-settings",
];

#[test]
fn knative_admits_every_variant() {
    for folder in VARIANTS {
        let rendered = rendered!(folder);
        assert_eq!(
            refusals(service(&rendered)),
            Vec::<String>::new(),
            "{folder}"
        );
    }
}

#[test]
fn what_knative_refuses_is_found() {
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
        ("a pod's security", "/securityContext", json!({})),
        (
            "a grace period",
            "/terminationGracePeriodSeconds",
            json!(30),
        ),
        ("a token", "/automountServiceAccountToken", json!(true)),
        ("an idle volume", "/containers/0/volumeMounts", json!([])),
        (
            "a host's folder",
            "/volumes/0",
            json!({"name": "tmp", "hostPath": {}}),
        ),
        ("too long", "/timeoutSeconds", json!(601)),
        ("cut off while draining", "/timeoutSeconds", json!(30)),
    ];
    for (case, pointer, value) in cases {
        let mut service = service(&rendered).clone();
        set(&mut service, &format!("{pod}{pointer}"), value);

        assert_eq!(
            refusals(&service).len(),
            1,
            "{case}: {:?}",
            refusals(&service)
        );
    }
}

#[test]
fn scaling_is_said_on_the_template_and_not_on_the_service() {
    let rendered = rendered!("knative");
    let mut service = service(&rendered).clone();
    set(
        &mut service,
        "/metadata/annotations",
        json!({"autoscaling.knative.dev/target": "10"}),
    );

    assert_eq!(refusals(&service).len(), 1);
}

#[test]
fn an_answer_from_zero_comes_before_gitlab_gives_up() {
    let rendered = rendered!("knative");
    let spec = at(service(&rendered), "/spec/template/spec");

    let first_byte = number(spec, "/responseStartTimeoutSeconds");

    assert!(first_byte < GITLAB_SECONDS);
}

#[test]
fn the_canary_shares_out_all_of_the_traffic() {
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
