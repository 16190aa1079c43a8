//! The runner: `config.toml` agrees with the objects that it names, and only the protected runner reaches the API server.

use serde_json::{Value, json};

use super::{FOLDER, configuration, pod_named, port_of};
use crate::rendered::{Rendered, at, list, named, number, rendered, text};

/// The resources and verbs in the documentation of the Kubernetes executor, in its order, without `namespaces`, which only
/// `namespace_per_job` needs.
const DOCUMENTED: &[(&str, &[&str])] = &[
    ("events", &["list", "watch"]),
    ("pods", &["create", "delete", "get", "list", "watch"]),
    ("pods/attach", &["create", "delete", "get", "patch"]),
    ("pods/exec", &["create", "delete", "get", "patch"]),
    ("pods/log", &["get", "list"]),
    ("secrets", &["create", "delete", "get", "update"]),
    ("serviceaccounts", &["get"]),
    ("services", &["create", "get"]),
];

/// Settings of the executor with which a job would reach more than its pod.
const FORBIDDEN: &[&str] = &[
    "bearer_token",
    "host",
    "node_selector",
    "runtime_class_name",
    "volumes",
    "pod_spec",
    "namespace_per_job",
];

#[test]
fn the_role_in_each_namespace_of_jobs_is_the_documented_one() {
    let rendered = rendered!(FOLDER);
    let Some(configuration) = configuration() else {
        return;
    };
    for runner in list(&configuration, "/runners") {
        let namespace = text(runner, "/kubernetes/namespace");
        let role = in_namespace(
            &rendered,
            "rbac.authorization.k8s.io/Role",
            namespace,
            "gitlab-runner",
        );
        let mut rules: Vec<_> = list(role, "/rules")
            .into_iter()
            .map(|rule| {
                assert_eq!(at(rule, "/apiGroups"), &json!([""]));
                (text(rule, "/resources/0"), at(rule, "/verbs").clone())
            })
            .collect();
        rules.sort_by_key(|rule| rule.0);
        let documented = DOCUMENTED.iter().map(|(name, verbs)| (*name, json!(verbs)));
        assert_eq!(rules, documented.collect::<Vec<_>>(), "{namespace}");

        let binding = in_namespace(
            &rendered,
            "rbac.authorization.k8s.io/RoleBinding",
            namespace,
            "gitlab-runner",
        );
        assert_eq!(*at(binding, "/roleRef/name"), "gitlab-runner");
        let account = text(
            pod_named(&rendered, "gitlab-runner"),
            "/spec/serviceAccountName",
        );
        assert_eq!(
            *at(binding, "/subjects"),
            json!([{"kind": "ServiceAccount", "name": account, "namespace": "gitlab"}])
        );
    }
    assert!(
        rendered
            .every("rbac.authorization.k8s.io/ClusterRole")
            .is_empty()
    );
    assert!(
        rendered
            .every("rbac.authorization.k8s.io/ClusterRoleBinding")
            .is_empty()
    );
}

#[test]
fn each_runner_names_a_namespace_an_account_and_labels_that_exist() {
    let rendered = rendered!(FOLDER);
    let Some(configuration) = configuration() else {
        return;
    };
    for runner in list(&configuration, "/runners") {
        let kubernetes = at(runner, "/kubernetes");
        let namespace = text(kubernetes, "/namespace");
        assert!(rendered.has("/Namespace", namespace), "{namespace}");
        let account = text(kubernetes, "/service_account");
        in_namespace(&rendered, "/ServiceAccount", namespace, account);
        let policies = rendered
            .every("networking.k8s.io/NetworkPolicy")
            .into_iter();
        let mut selectors = policies
            .filter(|policy| policy["metadata"]["namespace"] == namespace)
            .map(|policy| at(policy, "/spec/podSelector"));
        let own = json!({"matchLabels": kubernetes["pod_labels"]});
        assert!(
            selectors.any(|selector| *selector == own),
            "no policy selects {own}"
        );
        assert_eq!(text(runner, "/executor"), "kubernetes");
    }
}

#[test]
fn no_job_can_change_its_pod_or_reach_the_node() {
    let Some(configuration) = configuration() else {
        return;
    };
    for runner in list(&configuration, "/runners") {
        let kubernetes = at(runner, "/kubernetes").as_object().expect("a table");
        for key in kubernetes.keys() {
            assert!(!key.contains("_overwrite_"), "{key}");
            assert!(!FORBIDDEN.contains(&key.as_str()), "{key}");
        }
        assert!(kubernetes.get("privileged").is_none_or(|it| it == false));
        assert_eq!(*at(runner, "/kubernetes/pull_policy"), json!(["always"]));
        assert_eq!(
            *at(runner, "/kubernetes/allowed_pull_policies"),
            json!(["always"])
        );
    }
}

/// The Role of the deployer is bound to the account of the protected runner, and to no account of other jobs.
#[test]
fn only_deployments_have_a_token_and_may_use_it() {
    let rendered = rendered!(FOLDER);
    let Some(configuration) = configuration() else {
        return;
    };
    let runners = list(&configuration, "/runners");
    let [jobs, deploy] = ["jobs", "deploy"].map(|name| at(named(&runners, name), "/kubernetes"));
    assert_eq!(jobs["automount_service_account_token"], false);
    assert_eq!(deploy["automount_service_account_token"], true);
    assert_ne!(jobs["namespace"], deploy["namespace"]);

    let account = |subject: &Value, of: &Value| {
        subject["name"] == of["service_account"] && subject["namespace"] == of["namespace"]
    };
    let bindings = rendered.every("rbac.authorization.k8s.io/RoleBinding");
    let subjects = bindings
        .iter()
        .flat_map(|binding| list(binding, "/subjects"));
    assert!(!subjects.clone().any(|subject| account(subject, jobs)));
    let deployer = rendered!("k8s-base/setup/deployer");
    let role = deployer.one("rbac.authorization.k8s.io/Role");
    let of_deploy: Vec<_> = bindings
        .iter()
        .filter(|binding| {
            list(binding, "/subjects")
                .into_iter()
                .any(|subject| account(subject, deploy))
        })
        .collect();
    assert_eq!(of_deploy.len(), 1);
    assert_eq!(
        at(of_deploy[0], "/roleRef/name"),
        at(role, "/metadata/name")
    );
    assert_eq!(
        at(of_deploy[0], "/metadata/namespace"),
        at(role, "/metadata/namespace")
    );
}

/// The kubeconfig in the repository has no secret: it names the files that Kubernetes mounts.
#[test]
fn the_kubeconfig_of_the_deployments_uses_the_token_in_the_pod() {
    let kubeconfig = crate::rendered::yaml_file(&format!("{FOLDER}/runner/kubeconfig.yaml"));
    let mounted = "/var/run/secrets/kubernetes.io/serviceaccount";

    assert_eq!(
        *at(&kubeconfig, "/users/0/user"),
        json!({"tokenFile": format!("{mounted}/token")})
    );
    let authority = at(&kubeconfig, "/clusters/0/cluster/certificate-authority");
    assert_eq!(*authority, json!(format!("{mounted}/ca.crt")));
    let deployer = rendered!("k8s-base/setup/deployer");
    let namespace = at(
        deployer.one("rbac.authorization.k8s.io/Role"),
        "/metadata/namespace",
    );
    assert_eq!(at(&kubeconfig, "/contexts/0/context/namespace"), namespace);
    assert_eq!(
        kubeconfig["current-context"],
        kubeconfig["contexts"][0]["name"]
    );
}

#[test]
fn the_pod_of_the_runner_fits_its_configuration() {
    let rendered = rendered!(FOLDER);
    let Some(configuration) = configuration() else {
        return;
    };
    let pod = pod_named(&rendered, "gitlab-runner");

    let address = format!(":{}", port_of(pod, "metrics"));
    assert_eq!(text(&configuration, "/listen_address"), address);
    let grace = number(pod, "/spec/terminationGracePeriodSeconds");
    assert!(number(&configuration, "/shutdown_timeout") < grace);
    let mounts = list(pod, "/spec/containers/0/volumeMounts");
    let authority = text(named(&mounts, "ca"), "/mountPath").to_owned() + "/ca.crt";
    for runner in list(&configuration, "/runners") {
        assert_eq!(runner["tls-ca-file"], authority);
        assert_eq!(runner["url"], "https://@GITLAB_HOST@");
    }
    let deployment = rendered.named("apps/Deployment", "gitlab-runner");
    assert_eq!(*at(deployment, "/spec/strategy/type"), "Recreate");
    assert_eq!(number(deployment, "/spec/replicas"), 1);
}

/// The longest job of the pipeline ends before the pod does.
#[test]
fn the_jobs_of_the_pipeline_end_within_the_grace_period() {
    let Some(configuration) = configuration() else {
        return;
    };
    let longest = crate::rendered::file("function/ci/build.yml").contains("timeout: 1 hour");
    assert!(longest, "the longest timeout of a job is another");
    assert!(number(&configuration, "/shutdown_timeout") >= 55 * 60);
}

fn in_namespace<'a>(rendered: &'a Rendered, kind: &str, namespace: &str, name: &str) -> &'a Value {
    let mut found = rendered.every(kind).into_iter();
    let found =
        found.find(|it| it["metadata"]["namespace"] == namespace && it["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {namespace}"))
}
