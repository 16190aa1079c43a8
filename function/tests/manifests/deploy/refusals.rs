//! What the deploy script finds out from the cluster before it applies anything: missing namespaces and Secrets, invalid
//! Secrets, and what a dry run on the server rejects.

use serde_json::json;

use super::rejected::{PUBLIC_KEY, PUBLIC_TOKEN};
use super::rollouts::{Answer, always, deploy_overlay, deploy_with, once};
use super::{CONFIG, SECRET, deploy, overlay, sandbox};
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

        assert_eq!(run.code, Some(64), "{base}: {}", run.output);
        assert_eq!(run.changes().len(), 0, "{base}: {:?}", run.calls);
        let says = [
            "2 problem(s)",
            "the namespace hooks does not exist; an administrator creates it, as in k8s-base/setup",
            "Secret webhook-app does not exist in the namespace hooks; create it",
        ];
        for text in says {
            assert!(
                run.output.contains(text),
                "{base}: {text} in {}",
                run.output
            );
        }
    }
}

#[test]
fn a_secret_that_an_operator_creates_is_awaited_before_there_are_pods() {
    let Some(sandbox) = sandbox("deploy-operator") else {
        return;
    };
    for component in ["external-secret", "sealed-secret"] {
        for (case, missing) in [
            ("created", once("get Secret webhook-app ", 1, NOT_FOUND)),
            (
                "never created",
                always("get Secret webhook-app ", 1, NOT_FOUND),
            ),
        ] {
            let folder = overlay(&sandbox, "k8s-base", CONFIG, &[]);
            let file = std::path::Path::new(&folder).join("kustomization.yaml");
            let text = std::fs::read_to_string(&file).expect("was written");
            let component = format!("../repository/k8s-base/components/{component}");
            std::fs::write(&file, format!("{text}components: [{component}]\n"))
                .expect("can be written");

            let run = deploy_overlay(&sandbox, &folder, &[missing]);

            let says = if case == "created" {
                assert_eq!(run.code, Some(0), "{component}: {}", run.output);
                "creates Secret webhook-app"
            } else {
                assert_eq!(run.code, Some(12), "{component}: {}", run.output);
                "Secret webhook-app does not exist 1 s after"
            };
            assert!(run.output.contains(says), "{component}: {}", run.output);
            let applied = run.calls.iter().filter(|call| call.is("apply"));
            let applied: Vec<_> = applied.map(|call| call.names_a("Deployment")).collect();
            // First a dry run of everything, then what creates the Secret, then everything.
            let expected: &[bool] = if case == "created" {
                &[true, false, true]
            } else {
                &[true, false]
            };
            assert_eq!(applied, expected, "{component}, {case}");
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

        assert_eq!(run.code, Some(64), "{says}: {}", run.output);
        assert_eq!(run.changes().len(), 0, "{says}: {:?}", run.calls);
        assert!(run.output.contains(says), "{says} in {}", run.output);
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

        assert_eq!(run.code, Some(64), "{says}: {}", run.output);
        assert_eq!(run.changes().len(), 0, "{says}: {:?}", run.calls);
        assert!(run.output.contains(says), "{says} in {}", run.output);
        for text in [PUBLIC_KEY, PUBLIC_TOKEN, key, token] {
            assert!(
                !run.output.contains(text),
                "a secret is shown: {}",
                run.output
            );
        }
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
    let folder = overlay(&sandbox, "k8s-base", CONFIG, SECRET);
    let file = std::path::Path::new(&folder).join("kustomization.yaml");
    let text = std::fs::read_to_string(&file).expect("was written");
    let text = text.replace("resources: [", "resources: [../repository/k8s-base/setup, ");
    std::fs::write(&file, text).expect("can be written");

    let run = deploy(&sandbox, &folder, &[]);

    assert_eq!(run.code, Some(64), "{}", run.output);
    assert_eq!(run.changes().len(), 0, "{:?}", run.calls);
    let says = "Namespace hooks: expected a namespace, found none; an administrator applies";
    assert!(run.output.contains(says), "{}", run.output);
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
