//! Checks that every pod meets the Pod Security Standard `restricted` and two stricter rules: a read-only root file
//! system and a numeric user. Covers Deployments, Knative Services and `CronJobs`.

use serde_json::{Value, json};

use crate::rendered::{Rendered, all, at, list, rendered, set, template, text};

/// A JSON pointer, and the check of its value.
type Rule = (&'static str, fn(&Value) -> bool);

/// Required of each container, because Knative rejects a security context on the pod.
const CONTAINER: &[Rule] = &[
    ("/securityContext/allowPrivilegeEscalation", is_false),
    ("/securityContext/readOnlyRootFilesystem", is_true),
    ("/securityContext/runAsNonRoot", is_true),
    ("/securityContext/capabilities/drop", is_all),
    ("/securityContext/seccompProfile/type", is_runtime_default),
];

/// Required too, except on OpenShift, which assigns the IDs itself and rejects others.
const USER: &[Rule] = &[
    ("/securityContext/runAsUser", is_a_user),
    ("/securityContext/runAsGroup", is_a_user),
];

/// Fields of the pod that the standard forbids or that no pod needs.
const FORBIDDEN: &[&str] = &["hostNetwork", "hostPID", "hostIPC", "hostUsers"];

const VOLUMES: &[&str] = &[
    "configMap",
    "emptyDir",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// Containers that write into their image, which the standard allows. Their manifests say why.
const WRITES_INTO_ITS_IMAGE: &[&str] = &["rocketchat"];

#[test]
fn every_pod_meets_the_restricted_profile() {
    for folder in all() {
        let rendered = rendered!(&folder);
        let on_openshift = is_for_openshift(&rendered);
        for (name, pod) in pods(&rendered) {
            let is_required =
                |rule: &String| !on_openshift || USER.iter().all(|user| user.0 != rule);
            let found: Vec<_> = violations(pod).into_iter().filter(is_required).collect();
            assert_eq!(found, Vec::<String>::new(), "{name} of {folder}");
        }
    }
}

/// Whether the Component openshift is part of it.
fn is_for_openshift(rendered: &Rendered) -> bool {
    let policies = rendered.every("networking.k8s.io/NetworkPolicy");
    let mut names = policies.iter().map(|policy| text(policy, "/metadata/name"));
    names.any(|name| name.starts_with("webhook-app-openshift-monitoring"))
}

#[test]
fn every_violation_of_the_profile_is_found() {
    let rendered = rendered!("k8s-base");
    let (_, pod) = pods(&rendered)[0];
    let cases = [
        (
            "/containers/0/securityContext/allowPrivilegeEscalation",
            json!(true),
        ),
        ("/containers/0/securityContext/runAsUser", json!(0)),
        (
            "/containers/0/securityContext/capabilities/drop",
            json!(["CHOWN"]),
        ),
        ("/containers/0/securityContext/seccompProfile", json!({})),
        (
            "/containers/0/readinessProbe/httpGet/host",
            json!("example.com"),
        ),
        (
            "/volumes/0",
            json!({"name": "tmp", "hostPath": {"path": "/tmp"}}),
        ),
        ("/hostNetwork", json!(true)),
    ];
    for (pointer, value) in cases {
        let mut pod = pod.clone();
        set(&mut pod, pointer, value);

        assert_eq!(violations(&pod).len(), 1, "{pointer}");
    }
}

#[test]
fn the_function_has_no_token_for_the_api_server() {
    for folder in ["k8s-base", "knative"] {
        let rendered = rendered!(folder);

        let account = rendered.one("/ServiceAccount");
        let (_, pod) = pods(&rendered)[0];

        assert!(is_false(at(account, "/automountServiceAccountToken")));
        assert!(is_false(at(pod, "/automountServiceAccountToken")));
        assert_eq!(
            text(pod, "/serviceAccountName"),
            text(account, "/metadata/name")
        );
    }
}

#[test]
fn the_namespace_enforces_the_profile() {
    let rendered = rendered!("k8s-base/setup");

    let namespace = rendered.one("/Namespace");

    let label = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    assert_eq!(text(namespace, label), "restricted");
}

/// So that a deployer needs permissions in one namespace only.
#[test]
fn everything_but_the_setup_is_in_its_namespace() {
    let setup = rendered!("k8s-base/setup");
    let namespace = at(setup.one("/Namespace"), "/metadata/name");
    for folder in ["k8s-base", "k8s-base/gateway", "knative"] {
        for object in &rendered!(folder).0 {
            assert_eq!(at(object, "/metadata/namespace"), namespace, "{object:#}");
        }
    }
}

#[test]
fn every_image_has_a_version() {
    for folder in all() {
        for (name, pod) in pods(&rendered!(&folder)) {
            for container in list(pod, "/containers") {
                let image = text(container, "/image");
                let tag = image.rsplit_once(':').map(|(_, tag)| tag);
                let is_version = |tag: &str| tag.contains(|c: char| c.is_ascii_digit());
                assert!(tag.is_some_and(is_version), "{image} of {name}");
            }
        }
    }
}

/// The pod templates among the objects, with a name for messages.
pub(crate) fn pods(rendered: &Rendered) -> Vec<(String, &Value)> {
    let objects = rendered.workloads().into_iter();
    let named = |object| {
        let pod = at(template(object), "/spec");
        (text(object, "/metadata/name").to_owned(), pod)
    };
    objects.map(named).collect()
}

pub(crate) fn violations(pod: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    let containers = list(pod, "/initContainers").into_iter();
    for container in containers.chain(list(pod, "/containers")) {
        let writes = WRITES_INTO_ITS_IMAGE.contains(&text(container, "/name"));
        let failed = |(pointer, is_met): &&Rule| {
            let is_required = !(writes && pointer.ends_with("readOnlyRootFilesystem"));
            is_required && !container.pointer(pointer).is_some_and(is_met)
        };
        violations.extend(
            CONTAINER
                .iter()
                .chain(USER)
                .filter(failed)
                .map(|(pointer, _)| (*pointer).to_owned()),
        );
        for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
            let host = container.pointer(&format!("/{probe}/httpGet/host"));
            violations.extend(host.map(|_| format!("{probe}: host")));
        }
    }
    for volume in list(pod, "/volumes") {
        let is_allowed = VOLUMES.iter().any(|kind| volume.get(kind).is_some());
        violations.extend((!is_allowed).then(|| format!("volume {volume}")));
    }
    let forbidden = FORBIDDEN.iter().filter(|name| pod.get(name).is_some());
    violations.extend(forbidden.map(|name| (*name).to_owned()));
    violations
}

fn is_true(value: &Value) -> bool {
    value == true
}

fn is_false(value: &Value) -> bool {
    value == false
}

fn is_a_user(value: &Value) -> bool {
    value.as_u64().is_some_and(|id| id > 0)
}

fn is_all(value: &Value) -> bool {
    *value == json!(["ALL"])
}

fn is_runtime_default(value: &Value) -> bool {
    value == "RuntimeDefault"
}
