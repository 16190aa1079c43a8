//! What `make monitoring-down` removes: what `make monitoring` has created, and nothing else.

use serde_json::json;

use super::{LABEL, applied, assert_says, found, object, run, sandbox};
use crate::answers::{Answer, always};
use crate::calls::Call;
use crate::sandbox::Run;

fn created(resource: &str, kind: &str, api: &str, name: &str) -> Answer {
    let mut one = object(kind, "monitoring", name);
    one["apiVersion"] = api.into();
    let call = format!(
        "get {resource} --all-namespaces --selector {}={} ",
        LABEL.0, LABEL.1
    );
    always(&call, 0, found(&[one]))
}

fn deleted(run: &Run) -> Vec<&Call> {
    run.calls.iter().filter(|call| call.is("delete")).collect()
}

fn namespace() -> Answer {
    let call = format!(
        "get namespaces --all-namespaces --selector {}={} ",
        LABEL.0, LABEL.1
    );
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}});
    always(&call, 0, found(&[namespace]))
}

#[test]
fn every_kind_that_is_applied_is_looked_for() {
    let Some(sandbox) = sandbox("monitoring-kinds") else {
        return;
    };
    let up = run(
        &sandbox,
        "up",
        &[("WEBHOOK_URL", "https://hooks.acme.test/webhook")],
        [],
    );
    let kinds: Vec<_> = applied(&up)
        .iter()
        .map(|object| object["kind"].to_string().to_lowercase())
        .collect();
    assert!(kinds.len() > 20, "{kinds:?}");

    let down = run(&sandbox, "down", &[], []);

    assert_says(&down, 0, "down", &["0 objects"]);
    assert!(down.changes().is_empty(), "{:?}", down.changes());
    for kind in kinds {
        let kind = kind.trim_matches('"');
        let looks = |call: &Call| {
            call.is("get")
                && format!("{call:?}").contains(&format!("\"{kind}"))
                && format!("{call:?}").contains(LABEL.1)
        };
        // prometheuses is the plural of prometheus, and so are the others.
        assert!(down.calls.iter().any(looks), "{kind}");
    }
}

#[test]
fn objects_with_the_label_are_removed_and_volumes_kept() {
    let Some(sandbox) = sandbox("monitoring-down") else {
        return;
    };
    let answers = [
        created(
            "prometheuses.monitoring.coreos.com",
            "Prometheus",
            "monitoring.coreos.com/v1",
            "webhook-app",
        ),
        created(
            "deployments.apps",
            "Deployment",
            "apps/v1",
            "prometheus-adapter",
        ),
        namespace(),
        always(
            "get persistentvolumeclaims ",
            0,
            found(&[object("PersistentVolumeClaim", "monitoring", "data-0")]),
        ),
        always(
            "get pods,deployments.apps,",
            0,
            found(&[
                object("ConfigMap", "monitoring", "kube-root-ca.crt"),
                object("PersistentVolumeClaim", "monitoring", "data-0"),
            ]),
        ),
    ];

    let run = run(&sandbox, "down", &[], answers);

    let says = [
        "2 objects",
        "kubectl -n monitoring delete pvc data-0",
        "the namespace monitoring is kept, because it contains PersistentVolumeClaim data-0",
    ];
    assert_says(&run, 0, "down", &says);
    let deleted = deleted(&run);
    assert_eq!(deleted.len(), 2, "{deleted:?}");
    assert!(
        deleted[0].is("delete prometheus.monitoring.coreos.com webhook-app"),
        "{deleted:?}"
    );
    assert!(
        deleted[1].is("delete deployment.apps prometheus-adapter"),
        "{deleted:?}"
    );
    assert!(
        run.calls.iter().any(|call| call.is("wait pods")),
        "waits for the pods of the operator"
    );
}

#[test]
fn the_namespace_is_removed_if_nothing_is_left_in_it() {
    let Some(sandbox) = sandbox("monitoring-empty") else {
        return;
    };
    let answers = [
        namespace(),
        always(
            "get pods,deployments.apps,",
            0,
            found(&[object("ConfigMap", "monitoring", "kube-root-ca.crt")]),
        ),
    ];

    let run = run(&sandbox, "down", &[], answers);

    assert_says(&run, 0, "empty", &["the namespace monitoring is removed"]);
    assert!(
        deleted(&run)[0].is("delete namespace monitoring"),
        "{:?}",
        deleted(&run)
    );
}

#[test]
fn pods_that_do_not_end_and_a_cluster_that_does_not_answer_are_named() {
    let Some(sandbox) = sandbox("monitoring-stuck") else {
        return;
    };
    let cases = [
        (
            always("wait ", 1, "timed out waiting for the condition"),
            "expected the pods of Prometheus monitoring/webhook-app to end",
        ),
        (
            always("version ", 1, "was refused"),
            "expected a cluster, kubectl found none: was refused",
        ),
        (
            always("delete ", 1, "Error from server (Forbidden)"),
            "Forbidden",
        ),
    ];
    for (answer, says) in cases {
        let prometheus = created(
            "prometheuses.monitoring.coreos.com",
            "Prometheus",
            "monitoring.coreos.com/v1",
            "webhook-app",
        );

        let run = run(&sandbox, "down", &[], [answer, prometheus]);

        assert_says(&run, 1, says, &[says]);
    }
}
