//! What the deploy script finds out from the cluster before it applies anything: missing namespaces and Secrets, invalid
//! Secrets, and what a dry run on the server rejects.

use serde_json::json;

use super::answers::{
    Answer, PACKAGINGS, State, always, deploy_overlay, deploy_with, once, workload,
};
use super::rejected::{PUBLIC_KEY, PUBLIC_TOKEN};
use super::{
    CONFIG, IMAGE, SECRET, assert_not_shown, assert_rejected, deploy, edited_overlay, overlay,
    sandbox,
};
use crate::rendered::yaml_documents;

const NOT_FOUND: &str = "Error from server (NotFound): not found";

#[test]
fn everything_that_the_cluster_lacks_is_listed_at_once() {
    let Some(sandbox) = sandbox("deploy-lacking") else {
        return;
    };
    for base in ["k8s-base", "knative"] {
        let answers = [
            once("get namespace hooks ", 1, NOT_FOUND),
            once("get Secret webhook-app ", 1, NOT_FOUND),
        ];

        let run = deploy_with(&sandbox, base, &[], &answers);

        let says = [
            "2 problem(s)",
            "the namespace hooks does not exist; an administrator creates it, as in k8s-base/setup",
            "Secret webhook-app does not exist in the namespace hooks; create it",
        ];
        assert_rejected(&run, base, &says);
    }
}

#[test]
fn a_secret_that_an_operator_creates_is_awaited_before_there_are_pods() {
    let Some(sandbox) = sandbox("deploy-operator") else {
        return;
    };
    let get = "get Secret webhook-app ";
    for component in ["external-secret", "sealed-secret"] {
        // First a dry run of everything, then what creates the Secret, then everything: whether each has the pods.
        let cases: [(Answer, i32, &str, &[bool]); 2] = [
            (
                once(get, 1, NOT_FOUND),
                0,
                "creates Secret webhook-app",
                &[true, false, true],
            ),
            (
                always(get, 1, NOT_FOUND),
                12,
                "Secret webhook-app does not exist 1 s after",
                &[true, false],
            ),
        ];
        for (missing, code, says, expected) in cases {
            let folder = edited_overlay(&sandbox, &[], |text| {
                format!("{text}components: [../repository/k8s-base/components/{component}]\n")
            });

            let run = deploy_overlay(&sandbox, &folder, &[missing]);

            assert_eq!(run.code, Some(code), "{component}: {}", run.output);
            assert!(run.output.contains(says), "{component}: {}", run.output);
            let applied = run.calls.iter().filter(|call| call.is("apply"));
            let applied: Vec<_> = applied.map(|call| call.names_a("Deployment")).collect();
            assert_eq!(applied, expected, "{component}: {says}");
        }
    }
}

#[test]
fn what_the_server_rejects_is_not_applied() {
    let Some(sandbox) = sandbox("deploy-forbidden") else {
        return;
    };
    let cases: [(Answer, &str); 3] = [
        (
            once(
                "apply --dry-run=server ",
                1,
                "Error from server (Forbidden): networkpolicies",
            ),
            "networkpolicies",
        ),
        (
            once(
                "get Secret webhook-app ",
                1,
                "Error from server (Forbidden): secrets",
            ),
            "could not read Secret webhook-app",
        ),
        (
            once(
                "get namespace hooks ",
                1,
                "The connection to the server was refused",
            ),
            "was refused",
        ),
    ];
    for (answer, says) in cases {
        let run = deploy_with(&sandbox, "k8s-base", &[], &[answer]);

        assert_rejected(&run, says, &[says]);
    }
}

#[test]
fn a_secret_of_the_cluster_is_checked_and_not_shown() {
    let Some(sandbox) = sandbox("deploy-secret") else {
        return;
    };
    // The published key and token in base64.
    let key = "d2hzZWNfQUFFQ0F3UUZCZ2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOD0=";
    let token = "Y2FuYXJ5LVRxN3ZYdzJMcjlOczRLZDhIYjNaYzZZcDFNZjVKZzBBZS1uZXZlci1zaG93bg==";
    let cases = [
        (
            json!({"ROCKETCHAT_USER_ID": "aWQ=", "ROCKETCHAT_AUTH_TOKEN": "dG9rZW4="}),
            "GITLAB_SIGNING_KEYS or GITLAB_WEBHOOK_TOKENS",
        ),
        (
            json!({"GITLAB_SIGNING_KEYS": key, "ROCKETCHAT_USER_ID": "aWQ=", "ROCKETCHAT_AUTH_TOKEN": "dG9rZW4="}),
            "published in this repository",
        ),
        (
            json!({"GITLAB_SIGNING_KEYS": "a2V5", "ROCKETCHAT_USER_ID": "aWQ=", "ROCKETCHAT_AUTH_TOKEN": token}),
            "data.ROCKETCHAT_AUTH_TOKEN",
        ),
    ];
    for (data, says) in cases {
        let secret = json!({"kind": "Secret", "metadata": {"name": "webhook-app", "namespace": "hooks"}, "data": data});

        let answers = [always("get Secret webhook-app ", 0, secret)];
        let run = deploy_with(&sandbox, "k8s-base", &[], &answers);

        assert_rejected(&run, says, &[says]);
        assert_not_shown(&run, says, &[PUBLIC_KEY, PUBLIC_TOKEN, key, token]);
    }
}

#[test]
fn a_rejected_patch_is_not_shown() {
    let Some(sandbox) = sandbox("deploy-patch") else {
        return;
    };
    // As kubectl prints it.
    let error = "Error from server (Forbidden): error when applying patch:\n{\"data\":{\"ROCKETCHAT_AUTH_TOKEN\":\"aHVudGVyMg==\"}}\nto:\nResource: secrets";
    let trial = "apply --dry-run=server ";
    let cases = [
        ("the trial", vec![once(trial, 1, error)]),
        (
            "the real one",
            vec![once(trial, 0, ""), once("apply ", 1, error)],
        ),
    ];
    for (call, answers) in cases {
        let run = deploy_with(&sandbox, "k8s-base", SECRET, &answers);

        assert_ne!(run.code, Some(0), "{call}: {}", run.output);
        assert!(run.output.contains("Forbidden"), "{call}: {}", run.output);
        assert!(!run.output.contains("aHVudGVyMg"), "{call}: {}", run.output);
    }
}

#[test]
fn an_object_of_the_whole_cluster_is_left_to_an_administrator() {
    let Some(sandbox) = sandbox("deploy-cluster-scoped") else {
        return;
    };
    let folder = edited_overlay(&sandbox, SECRET, |text| {
        text.replace("resources: [", "resources: [../repository/k8s-base/setup, ")
    });

    let run = deploy(&sandbox, &folder, &[]);

    let says = "Namespace hooks: expected a namespace, found none; an administrator applies";
    assert_rejected(&run, "the setup", &[says]);
}

#[test]
fn a_dry_run_prints_what_kubectl_can_apply_and_needs_no_cluster() {
    let Some(sandbox) = sandbox("deploy-dry-run") else {
        return;
    };
    for (base, kind) in [("k8s-base", "Deployment"), ("knative", "Service")] {
        let folder = overlay(&sandbox, base, CONFIG, SECRET);

        let run = deploy(&sandbox, &folder, &[("DRY_RUN", "1")]);

        assert_eq!(run.code, Some(0), "{base}: {}", run.output);
        assert_eq!(run.calls.len(), 0, "{base}: {:?}", run.calls);
        let objects = yaml_documents(&run.output);
        assert!(
            objects
                .iter()
                .all(|object| object["apiVersion"].is_string()),
            "{base}"
        );
        assert!(
            objects.iter().any(|object| object["kind"] == kind),
            "{base}"
        );
    }
}

#[test]
fn what_kubectl_says_beside_the_tolerated_error_is_told_apart() {
    let Some(sandbox) = sandbox("deploy-trial") else {
        return;
    };
    let trial = "apply --dry-run=server ";
    let tolerated =
        "Error from server: error looking up service account hooks/webhook-app: not found";
    let warned = format!("Warning: would violate PodSecurity\n{tolerated}");
    for (base, _) in PACKAGINGS {
        let run = deploy_with(&sandbox, base, SECRET, &[once(trial, 1, &warned)]);

        assert_eq!(run.code, Some(0), "{base}: {}", run.output);

        let both = format!("The Service is invalid:\n{warned}\n* spec.ports: Required value");
        let rejected: [(u8, &str, &[&str]); 2] = [
            (1, &both, &["The Service is invalid:\n  - * spec.ports"]),
            // Killed.
            (137, "", &["1 problem(s)", "the exit status 137"]),
        ];
        for (status, output, says) in rejected {
            let run = deploy_with(&sandbox, base, SECRET, &[once(trial, status, output)]);

            assert_rejected(&run, base, says);
            assert_not_shown(&run, base, &["would violate", "looking up"]);
        }
    }
}

#[test]
fn only_the_image_of_the_function_is_replaced() {
    let Some(sandbox) = sandbox("deploy-sidecar") else {
        return;
    };
    let sidecar = "patches:
  - target: {kind: Deployment}
    patch: |
      - {op: add, path: /spec/template/spec/containers/-, value: {name: sidecar, image: 'busybox:1'}}
";
    let folder = edited_overlay(&sandbox, SECRET, |text| {
        let note = "    literals:\n      - 'NOTE=  image: rust:1.95'\n";
        text.replace("    literals:\n", note) + sidecar
    });

    let run = deploy(&sandbox, &folder, &[]);

    assert_eq!(run.code, Some(0), "{}", run.output);
    let applied = format!("{:?}", run.changes()[0]);
    for text in [IMAGE, "busybox:1", "image: rust:1.95"] {
        assert!(applied.contains(text), "{text} in {applied}");
    }
}

#[test]
fn zero_replicas_are_rejected_in_the_overlay_and_in_the_cluster() {
    let Some(sandbox) = sandbox("deploy-replicas") else {
        return;
    };
    let mut scaled = workload("deployment.apps", "former", State::Complete);
    scaled["metadata"]["namespace"] = json!("hooks");
    scaled["spec"]["replicas"] = json!(0);
    let get = "get deployment.apps webhook-app --ignore-not-found";
    for (overlay, cluster, is_rejected) in [
        (Some(0), None, true),
        (None, Some(&scaled), true),
        (Some(2), Some(&scaled), false),
    ] {
        let folder = edited_overlay(&sandbox, SECRET, |text| match overlay {
            Some(count) => format!("{text}replicas: [{{name: webhook-app, count: {count}}}]\n"),
            None => text,
        });
        let answers: Vec<_> = cluster
            .map(|object| once(get, 0, object))
            .into_iter()
            .collect();

        let run = deploy_overlay(&sandbox, &folder, &answers);

        if is_rejected {
            assert_rejected(
                &run,
                "0",
                &["Deployment webhook-app: expected at least one replica, found 0"],
            );
        } else {
            assert_eq!(run.code, Some(0), "{}", run.output);
        }
    }
}
