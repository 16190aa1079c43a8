//! Checks that the Role of the deployer covers the kinds that the packagings, their Components and the examples contain, and
//! nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rendered::{Rendered, all, list, rendered, text};

/// What only an administrator applies, and what is for GitOps controllers.
const LEFT_OUT: &[&str] = &[
    "k8s-base/edge",
    "k8s-base/gitlab",
    "k8s-base/rocketchat",
    "k8s-base/setup",
    "monitoring/logs",
    "monitoring/monitors",
    "monitoring/probes",
    "monitoring/standalone",
    "monitoring/traces",
    "function/tests/manifests/overlays/edge-hosts",
    "function/tests/manifests/overlays/logs-loki",
    "function/tests/manifests/overlays/rocketchat-three-members",
    "k8s-base/examples/argocd",
    "k8s-base/examples/flux",
    "k8s-base/examples/signed-images",
];

/// Kinds that an administrator applies before: a Secret, see secret.example.yaml, and where an operator reads it.
const BY_ADMINISTRATOR: &[(&str, &str)] =
    &[("", "secrets"), ("external-secrets.io", "secretstores")];

/// Group and resource.
type Resource = (String, String);

#[test]
fn the_role_covers_exactly_the_kinds_that_are_deployed() {
    let mut kinds = BTreeSet::new();
    for folder in all() {
        if LEFT_OUT.iter().any(|other| folder.starts_with(other)) {
            continue;
        }
        kinds.extend(rendered!(folder).0.iter().map(resource));
    }
    for (group, name) in BY_ADMINISTRATOR {
        let resource = ((*group).to_owned(), (*name).to_owned());
        assert!(kinds.remove(&resource), "{name} is in no rendering");
    }
    let deployer = rendered!("k8s-base/setup/deployer");

    for verb in ["get", "create", "patch"] {
        let mut allowed = allowed(&deployer, verb);
        // A part of a Route, whose host needs it.
        allowed.remove(&custom_host());
        if verb == "get" {
            for read_only in ["namespaces", "secrets", "pods", "events"] {
                allowed.remove(&(String::new(), read_only.to_owned()));
            }
        }
        assert_eq!(allowed, kinds, "{verb}");
    }
}

#[test]
fn the_role_allows_nothing_else() {
    let deployer = rendered!("k8s-base/setup/deployer");
    let core = |name: &str| (String::new(), name.to_owned());
    let of = |group: &str, name: &str| (group.to_owned(), name.to_owned());

    let verbs: BTreeSet<_> = rules(&deployer)
        .into_iter()
        .flat_map(|rule| list(rule, "/verbs"))
        .filter_map(Value::as_str)
        .collect();

    assert_eq!(
        Vec::from_iter(verbs),
        ["create", "delete", "get", "list", "patch", "update"]
    );
    assert_eq!(
        Vec::from_iter(allowed(&deployer, "update")),
        [custom_host()]
    );
    assert!(allowed(&deployer, "create").contains(&custom_host()));
    assert_eq!(
        Vec::from_iter(allowed(&deployer, "delete")),
        [core("configmaps")]
    );
    let listed = [
        core("configmaps"),
        core("events"),
        core("pods"),
        of("apps", "deployments"),
        of("apps", "replicasets"),
        of("serving.knative.dev", "revisions"),
    ];
    assert_eq!(Vec::from_iter(allowed(&deployer, "list")), listed);
    for rule in rules(&deployer) {
        let is_about_secrets = list(rule, "/resources")
            .iter()
            .any(|name| *name == "secrets");
        assert_eq!(
            is_about_secrets,
            !list(rule, "/resourceNames").is_empty(),
            "{rule:#}"
        );
        assert!(!rule.to_string().contains('*'), "{rule:#}");
    }
    let kinds: Vec<_> = deployer
        .0
        .iter()
        .map(|object| text(object, "/kind"))
        .collect();
    assert_eq!(kinds, ["ServiceAccount", "Role", "RoleBinding"]);
}

/// OpenShift asks for this to set or change the host of a Route.
fn custom_host() -> Resource {
    (
        "route.openshift.io".to_owned(),
        "routes/custom-host".to_owned(),
    )
}

fn rules(deployer: &Rendered) -> Vec<&Value> {
    list(deployer.one("rbac.authorization.k8s.io/Role"), "/rules")
}

fn allowed(deployer: &Rendered, verb: &str) -> BTreeSet<Resource> {
    let mut found = BTreeSet::new();
    for rule in rules(deployer) {
        if list(rule, "/verbs").iter().any(|allowed| *allowed == verb) {
            for group in list(rule, "/apiGroups") {
                for name in list(rule, "/resources") {
                    let text = |value: &Value| value.as_str().expect("a text").to_owned();
                    found.insert((text(group), text(name)));
                }
            }
        }
    }
    found
}

/// The resource of an object's kind, as in a rule.
fn resource(object: &Value) -> Resource {
    let (version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let singular = kind.to_lowercase();
    let plural = match singular.strip_suffix("cy") {
        Some(stem) => format!("{stem}cies"),
        None if singular.ends_with('s') => format!("{singular}es"),
        None => format!("{singular}s"),
    };
    (group.to_owned(), plural)
}
