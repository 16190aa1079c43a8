//! Checks that `calls` finds changes to objects that do not belong to the end-to-end tests. Without these tests
//! `ownership` could pass whatever the scripts do.

use serde_json::{Value, json};

use crate::calls::{Call, LABEL};
use crate::sandbox::USERS_CONTEXT;

/// Command, kind, name, namespace and whether the object has the label; whether the call is allowed.
type ObjectCase = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    bool,
    bool,
);

const OBJECTS: &[ObjectCase] = &[
    (
        "apply",
        "Pod",
        "sender",
        Some("webhook-app-e2e-gitlab"),
        true,
        true,
    ),
    (
        "delete",
        "Pod",
        "sender",
        Some("webhook-app-e2e-gitlab"),
        true,
        true,
    ),
    (
        "apply",
        "Pod",
        "sender",
        Some("webhook-app-e2e-gitlab"),
        false,
        false,
    ),
    ("apply", "Pod", "sender", Some("gitlab"), true, false),
    ("apply", "Pod", "sender", None, true, false),
    ("apply", "Namespace", "webhook-app-e2e", None, true, true),
    ("apply", "Namespace", "webhook-app-e2e", None, false, false),
    ("apply", "Namespace", "webhook-app-e2ex", None, true, false),
    ("apply", "Namespace", "webhook-app", None, true, false),
    ("delete", "Namespace", "webhook-app-e2e", None, true, false),
    (
        "apply",
        "ClusterRole",
        "prometheus-adapter",
        None,
        true,
        false,
    ),
    (
        "apply",
        "RoleBinding",
        "webhook-app-e2e-x",
        Some("kube-system"),
        true,
        true,
    ),
    (
        "apply",
        "RoleBinding",
        "x",
        Some("kube-system"),
        true,
        false,
    ),
    (
        "apply",
        "Deployment",
        "rocketchat",
        Some("rocketchat"),
        true,
        false,
    ),
];

#[test]
fn a_file_with_objects_of_others_is_found() {
    for (command, kind, name, namespace, labelled, is_allowed) in OBJECTS {
        let mut object = json!({"kind": kind, "metadata": {"name": name, "namespace": namespace}});
        if *labelled {
            object["metadata"]["labels"] = json!({LABEL.0: LABEL.1});
        }

        let call = call(&format!("{command} -f -"), vec![object]);

        assert_eq!(call.objection().is_none(), *is_allowed, "{call:?}");
    }
}

/// Arguments, and whether the call is allowed.
const CALLS: &[(&str, bool)] = &[
    ("get pods -A", true),
    ("rollout status deployment/x", true),
    ("-n rocketchat logs x", true),
    (
        "delete namespace -l app.kubernetes.io/managed-by=webhook-app-e2e",
        true,
    ),
    (
        "-n kube-system delete rolebinding -l app.kubernetes.io/managed-by=webhook-app-e2e",
        true,
    ),
    ("-n webhook-app-e2e delete pod x --wait=false", true),
    (
        "-n webhook-app-e2e rollout undo deployment/webhook-app",
        true,
    ),
    ("-n webhook-app-e2e exec sender -- kubectl -n gitlab", true),
    (
        "create --raw /api/v1/namespaces/webhook-app-e2e/pods/x/eviction",
        true,
    ),
    ("delete namespace rocketchat", false),
    ("delete namespace webhook-app-e2e", false),
    ("delete namespace -l app=webhook-app", false),
    ("delete namespaces --all", false),
    ("-n webhook-app-e2e delete namespace rocketchat", false),
    ("-n webhook-app-e2e delete ns/rocketchat", false),
    (
        "-n webhook-app-e2e delete pod,clusterroles.rbac.authorization.k8s.io x",
        false,
    ),
    ("-n webhook-app delete pod x", false),
    ("delete pod x", false),
    ("--namespace=gitlab exec sender", false),
    ("-n monitoring label prometheus x a=b", false),
    ("create namespace webhook-app-e2e", false),
    ("-n kube-system patch deployment metrics-server", false),
    (
        "create --raw /api/v1/namespaces/webhook-app/pods/x/eviction",
        false,
    ),
    ("apply -f https://example.com/components.yaml", false),
    ("config use-context kind-webhook-app-e2e", false),
    ("drain node", false),
];

#[test]
fn a_call_that_changes_objects_of_others_is_found() {
    for (line, is_allowed) in CALLS {
        let call = call(line, Vec::new());

        assert_eq!(
            call.objection().is_none(),
            *is_allowed,
            "{line}: {:?}",
            call.objection()
        );
    }
}

#[test]
fn everything_may_be_changed_on_a_cluster_that_the_scripts_created() {
    for (context, is_allowed) in [("kind-webhook-app-e2e", true), ("kind-webhook-app", false)] {
        let delete = ["delete", "namespace", "x"].map(str::to_owned);

        let call = Call::new(context, delete, Vec::new());

        assert_eq!(call.objection().is_none(), is_allowed, "{context}");
    }
}

fn call(line: &str, objects: Vec<Value>) -> Call {
    Call::new(USERS_CONTEXT, line.split(' ').map(str::to_owned), objects)
}
