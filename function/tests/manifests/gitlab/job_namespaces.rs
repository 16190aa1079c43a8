//! The namespaces of the jobs: their Pod Security Standard is the lowest that admits the pods of `config.toml`, and their quotas
//! have room for them.

use serde_json::{Value, json};

use super::{FOLDER, configuration};
use crate::rendered::{Rendered, at, list, named, rendered, text};

/// What the runner puts into the pod of a job; services come on top.
const CONTAINERS: &[&str] = &["init_permissions", "build", "helper", "service"];

/// The capabilities that the profile `baseline` allows to add.
const BASELINE: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The strictest Pod Security Standard that admits the pods of a runner.
fn profile(kubernetes: &Value) -> &'static str {
    let of = |name: &str| kubernetes.get(format!("{name}_container_security_context"));
    let added = CONTAINERS
        .iter()
        .filter_map(|name| of(name))
        .flat_map(|it| list(it, "/capabilities/add"));
    let is_unconfined = |context: &Value| {
        ["seccomp_profile", "app_armor_profile"]
            .iter()
            .any(|profile| context[*profile]["type"] == "Unconfined")
    };
    let contexts = || {
        CONTAINERS
            .iter()
            .filter_map(|name| of(name))
            .chain(kubernetes.get("pod_security_context"))
    };
    if kubernetes["privileged"] == true
        || contexts().any(is_unconfined)
        || added
            .clone()
            .any(|it| !it.as_str().is_some_and(|it| BASELINE.contains(&it)))
    {
        return "privileged";
    }
    let drops_all =
        |name: &&str| of(name).is_some_and(|it| it["capabilities"]["drop"] == json!(["ALL"]));
    let pod = &kubernetes["pod_security_context"];
    let is_restricted = CONTAINERS.iter().all(drops_all)
        && added.clone().all(|it| it == "NET_BIND_SERVICE")
        && kubernetes["allow_privilege_escalation"] == false
        && pod["run_as_non_root"] == true
        && pod["run_as_user"].as_u64().is_some_and(|user| user > 0)
        && pod["seccomp_profile"]["type"] == "RuntimeDefault";
    if is_restricted {
        "restricted"
    } else {
        "baseline"
    }
}

#[test]
fn each_namespace_enforces_the_strictest_profile_that_admits_its_pods() {
    let rendered = rendered!(FOLDER);
    let Some(configuration) = configuration() else {
        return;
    };
    let version = "pod-security.kubernetes.io/enforce-version";
    let setup = rendered!("k8s-base/setup");
    for runner in list(&configuration, "/runners") {
        let namespace = rendered.named("/Namespace", text(runner, "/kubernetes/namespace"));
        let labels = at(namespace, "/metadata/labels");
        let enforced = &labels["pod-security.kubernetes.io/enforce"];
        assert_eq!(*enforced, profile(&runner["kubernetes"]), "{namespace:#}");
        assert_eq!(
            labels[version],
            setup.one("/Namespace")["metadata"]["labels"][version]
        );
    }
    let server = rendered.named("/Namespace", "gitlab");
    assert_eq!(
        server["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
        "baseline"
    );
}

#[test]
fn a_profile_that_is_too_strict_or_too_wide_is_found() {
    let Some(configuration) = configuration() else {
        return;
    };
    let runners = list(&configuration, "/runners");
    let deploy = &named(&runners, "deploy")["kubernetes"];
    assert_eq!(profile(deploy), "restricted");
    let cases = [
        ("/allow_privilege_escalation", json!(true), "baseline"),
        ("/pod_security_context/run_as_user", json!(0), "baseline"),
        (
            "/pod_security_context/seccomp_profile/type",
            json!("Localhost"),
            "baseline",
        ),
        (
            "/pod_security_context/seccomp_profile/type",
            json!("Unconfined"),
            "privileged",
        ),
        (
            "/helper_container_security_context/capabilities",
            json!({"drop": ["ALL"], "add": ["CHOWN"]}),
            "baseline",
        ),
        (
            "/build_container_security_context/capabilities",
            json!({"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
            "privileged",
        ),
        (
            "/service_container_security_context/capabilities/drop",
            json!(["MKNOD"]),
            "baseline",
        ),
        ("/privileged", json!(true), "privileged"),
    ];
    for (pointer, value, expected) in cases {
        let mut changed = deploy.clone();
        crate::rendered::set(&mut changed, pointer, value);

        assert_eq!(profile(&changed), expected, "{pointer}");
    }
}

/// Root in the container of a job is an ordinary user of the node.
#[test]
fn a_job_with_capabilities_is_in_a_user_namespace() {
    let Some(configuration) = configuration() else {
        return;
    };
    for runner in list(&configuration, "/runners") {
        let kubernetes = &runner["kubernetes"];
        if profile(kubernetes) == "privileged" {
            assert_eq!(kubernetes["host_users"], false, "{kubernetes:#}");
            let relaxed = |name: &&&str| {
                kubernetes
                    .get(format!("{name}_container_security_context"))
                    .is_some()
            };
            assert_eq!(
                CONTAINERS.iter().filter(relaxed).collect::<Vec<_>>(),
                [&"build"]
            );
        }
    }
}

/// A job that does not fit waits, and fails after a while.
#[test]
fn the_quota_has_room_for_all_jobs_and_one_that_ends() {
    let rendered = rendered!(FOLDER);
    let Some(configuration) = configuration() else {
        return;
    };
    let mut limits = 0;
    for runner in list(&configuration, "/runners") {
        let kubernetes = &runner["kubernetes"];
        let namespace = text(kubernetes, "/namespace");
        let pods = runner["limit"].as_u64().expect("a number") + 1;
        limits += pods - 1;
        let hard = at(quota(&rendered, namespace), "/spec/hard");
        assert!(quantity(&hard["pods"]) >= pods * 1000, "{namespace}: pods");
        for (resource, setting) in [
            ("requests.cpu", "cpu_request"),
            ("requests.memory", "memory_request"),
            ("limits.memory", "memory_limit"),
            ("requests.ephemeral-storage", "ephemeral_storage_request"),
            ("limits.ephemeral-storage", "ephemeral_storage_limit"),
        ] {
            let of = |name: String| quantity(&kubernetes[name.as_str()]);
            let needed = pods * (of(setting.to_owned()) + of(format!("helper_{setting}")));
            assert!(
                quantity(&hard[resource]) >= needed,
                "{namespace}: {resource}"
            );
            // The quota is a limit and not only large.
            assert!(
                quantity(&hard[resource]) < needed * 3 / 2 + needed / 2,
                "{namespace}: {resource}"
            );
        }
    }
    assert_eq!(
        limits,
        configuration["concurrent"].as_u64().expect("a number")
    );
}

/// A quota of memory refuses a container without limits, and the runner adds another one.
#[test]
fn every_container_of_a_job_gets_what_the_quota_asks_for() {
    let rendered = rendered!(FOLDER);
    for range in rendered.every("/LimitRange") {
        let namespace = text(range, "/metadata/namespace");
        let hard = at(quota(&rendered, namespace), "/spec/hard")
            .as_object()
            .expect("a map");
        for (kind, defaults) in [("requests.", "defaultRequest"), ("limits.", "default")] {
            for resource in hard.keys().filter_map(|key| key.strip_prefix(kind)) {
                let given = &range["spec"]["limits"][0][defaults][resource];
                assert!(given.is_string(), "{namespace}: {kind}{resource}");
            }
        }
    }
    assert_eq!(rendered.every("/LimitRange").len(), 2);
}

fn quota<'a>(rendered: &'a Rendered, namespace: &str) -> &'a Value {
    let mut quotas = rendered.every("/ResourceQuota").into_iter();
    let found = quotas.find(|quota| quota["metadata"]["namespace"] == namespace);
    found.unwrap_or_else(|| panic!("no quota in {namespace}"))
}

/// A quantity of Kubernetes in thousandths.
fn quantity(value: &Value) -> u64 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("no quantity: {value}"));
    let digits = text.trim_end_matches(|it: char| !it.is_ascii_digit());
    let number: u64 = digits.parse().expect("a number");
    number
        * match &text[digits.len()..] {
            "m" => 1,
            "" => 1000,
            "Mi" => 1000 << 20,
            "Gi" => 1000 << 30,
            other => panic!("the unit {other} is not known here"),
        }
}
