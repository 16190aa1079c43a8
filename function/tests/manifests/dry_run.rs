//! Checks that `make dry-run` prints only YAML that can be piped to `kubectl apply -f -`, for both packagings.

use std::process::Command;

use serde_json::Value;

use crate::rendered::{Rendered, rendered, repository};
use crate::sandbox::fed;

const ADAPTER: &str = "APIService v1beta1.custom.metrics.k8s.io";

type Variables = &'static [(&'static str, &'static str)];

/// The standard output alone; what kubectl reads.
fn dry_run(variables: Variables) -> String {
    let output = Command::new("make")
        .args(["--no-print-directory", "dry-run"])
        .current_dir(repository())
        .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
        .env("KUBECONFIG", "/dev/null")
        .envs(variables.iter().copied())
        .output()
        .expect("make starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is UTF-8");
    let (printed, errors) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{errors}");
    printed
}

/// kubectl reads the objects as `apply -f -` does, but needs no cluster.
fn read_by_kubectl(yaml: &str) -> Vec<Value> {
    let mut kubectl = Command::new("kubectl");
    kubectl
        .args(["patch", "--local", "-f", "-", "--type", "merge", "-p", "{}"])
        .args(["-o", "json"])
        .env("KUBECONFIG", "/dev/null");
    let output = fed(&mut kubectl, yaml.as_bytes());
    assert!(output.status.success(), "kubectl rejects\n{yaml}");
    let json = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    json.map(|object| object.expect("is JSON")).collect()
}

/// Kind and name.
fn name(object: &Value) -> String {
    format!("{} {}", object["kind"], object["metadata"]["name"]).replace('"', "")
}

#[test]
fn dry_run_prints_what_kubectl_applies() {
    let Rendered(fixtures) = rendered!("function/tests/e2e/overlays/fixtures");
    let cases: &[(Variables, &[&str], &[&str])] = &[
        (
            &[],
            &[
                "Deployment webhook-app",
                "Deployment rocketchat",
                "Namespace webhook-app-e2e",
            ],
            &["Prometheus webhook-app-e2e-webhook-app"],
        ),
        (
            &[("PACKAGING", "knative")],
            &["Service webhook-app", "Deployment rocketchat"],
            &["Deployment webhook-app"],
        ),
        (
            &[("MONITORING", "1")],
            &[
                "Deployment webhook-app",
                "Prometheus webhook-app-e2e-webhook-app",
                "ServiceMonitor webhook-app",
            ],
            // They would replace the adapter of the cluster.
            &[ADAPTER, "Deployment webhook-app-e2e-prometheus-adapter"],
        ),
        (
            &[("MONITORING", "adapter")],
            &["Prometheus webhook-app-e2e-webhook-app", ADAPTER],
            &[],
        ),
    ];
    for (variables, present, absent) in cases {
        let yaml = dry_run(variables);

        let objects = read_by_kubectl(&yaml);
        let names: Vec<_> = objects.iter().map(name).collect();
        // A heading that is no comment would become part of a document, or end the stream.
        let documents: Vec<Value> = serde_saphyr::from_multiple(&yaml).expect("is YAML");
        assert_eq!(documents.len(), objects.len(), "{variables:?}");
        for fixture in fixtures.iter().map(name) {
            assert!(names.contains(&fixture), "{variables:?}: {fixture}");
        }
        for name in *present {
            assert!(
                names.contains(&(*name).to_owned()),
                "{variables:?}: {name} in {names:?}"
            );
        }
        for name in *absent {
            assert!(
                !names.contains(&(*name).to_owned()),
                "{variables:?}: {name} in {names:?}"
            );
        }
        // An object cannot be applied before its namespace.
        for (index, object) in objects.iter().enumerate() {
            let Some(namespace) = object["metadata"]["namespace"].as_str() else {
                continue;
            };
            let created = names[..index].contains(&format!("Namespace {namespace}"));
            let is_asked_for = variables.contains(&("MONITORING", "adapter"));
            assert!(
                created || (is_asked_for && namespace == "kube-system"),
                "{} is before {namespace}",
                names[index]
            );
        }
    }
}
