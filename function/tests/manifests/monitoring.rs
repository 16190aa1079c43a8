//! `make monitoring`, `monitoring-check` and `monitoring-down` on the recording `kubectl`. Owns what a cluster with the Prometheus
//! operator answers; `up`, `check` and `down` are about what each command makes of it.

mod check;
mod down;
mod up;

use serde_json::{Value, json};

use crate::answers::{self, Answer, always};
use crate::calls::Call;
use crate::sandbox::{EMPTY, Run, Sandbox, shell};
use crate::skipped::report_skipped;

/// The label of what `make monitoring` has created.
const LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "webhook-app-monitoring");

const CRDS: &[&str] = &[
    "alertmanagers",
    "podmonitors",
    "probes",
    "prometheuses",
    "prometheusrules",
    "servicemonitors",
    "alertmanagerconfigs",
];

/// `None` without Python, or where `kubectl` is a substitute that only renders.
fn sandbox(name: &str) -> Option<Sandbox> {
    let found = shell("command -v python3 && kubectl version --client");
    if found.contains("Client Version") {
        return Sandbox::new(name);
    }
    report_skipped(&format!(
        "kubectl or python3 is not installed; {name} needs them"
    ));
    None
}

/// The definitions of an operator of this version.
fn crds(version: &str) -> Answer {
    let named = CRDS.iter().map(|name| {
        json!({"kind": "CustomResourceDefinition", "metadata": {
            "name": format!("{name}.monitoring.coreos.com"),
            "annotations": {"operator.prometheus.io/version": version},
        }})
    });
    always("get crd ", 0, json!({"items": named.collect::<Vec<_>>()}))
}

/// An object of a namespace, as the cluster returns it.
fn object(kind: &str, namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": {}})
}

fn found(objects: &[Value]) -> Value {
    json!({ "items": objects })
}

/// The Prometheus of `monitoring/standalone`.
fn prometheus_of_standalone() -> Answer {
    always(
        "get prometheuses.monitoring.coreos.com webhook-app ",
        0,
        object("Prometheus", "monitoring", "webhook-app"),
    )
}

/// The Alertmanager of `monitoring/standalone`.
fn alertmanager_of_standalone() -> Answer {
    always(
        "get alertmanagers.monitoring.coreos.com --all-namespaces ",
        0,
        found(&[object("Alertmanager", "monitoring", "webhook-app")]),
    )
}

/// A cluster with the operator, the namespace of the function and these answers, which come first.
fn run(
    sandbox: &Sandbox,
    command: &str,
    variables: &[(&str, &str)],
    special: impl IntoIterator<Item = Answer>,
) -> Run {
    let answers: Vec<_> = special
        .into_iter()
        .chain([
            crds("0.95.2"),
            always(
                "get namespace *",
                0,
                json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "hooks"}}),
            ),
        ])
        .collect();
    let folder = answers::store(sandbox, &answers);
    let always = [
        ("ANSWERS", &*folder),
        ("CHECK_SECONDS", "0"),
        ("ROLLOUT_SECONDS", "1"),
    ];
    let line = format!("function/ci/monitoring/{command}");
    sandbox.run(&line, &[&always, variables].concat(), EMPTY)
}

/// All objects that were applied.
fn applied(run: &Run) -> Vec<&Value> {
    let calls = run.calls.iter().filter(|call| call.is("apply"));
    calls.flat_map(Call::objects).collect()
}

/// The objects of a kind, by name.
fn of_kind<'a>(objects: &[&'a Value], kind: &str) -> Vec<&'a Value> {
    let is_it = |object: &&&Value| object["kind"] == kind;
    objects.iter().filter(is_it).copied().collect()
}

#[track_caller]
fn assert_says(run: &Run, code: i32, case: &str, says: &[&str]) {
    assert_eq!(run.code, Some(code), "{case}: {}", run.output);
    for text in says {
        assert!(
            run.output.contains(text),
            "{case}: {text} is missing in {}",
            run.output
        );
    }
}
