//! What the deploy script does after it has applied an overlay: it waits for the newest revision, restores the one before it
//! if the rollout fails, and says why.

use std::fmt::Display;

use serde_json::json;

use super::answers::{Answer, PACKAGINGS, State, always, deploy_with, once, workload};
use super::{SECRET, assert_ready_after, sandbox};
use crate::rendered::{file, rendered};

/// The answers up to the point where a rollout has failed.
fn failing(resource: &str, former: impl Display) -> Vec<Answer> {
    let get = format!("get {resource} webhook-app ");
    let failed = workload(resource, "failed", State::Failed);
    let pod = json!({"items": [{
        "metadata": {"name": "pod-of-the-new-revision", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]},
    }]});
    vec![
        once(&format!("{get}--ignore-not-found"), 0, former),
        once(&get, 0, &failed),
        once("get pods ", 0, pod),
        once(
            "describe pod pod-of-the-new-revision ",
            0,
            "Containers:\n  webhook-app:\n    State: Waiting\n      Message: the setting and its value\n    Restart Count: 1\nConditions:",
        ),
        once(&get, 0, &failed),
    ]
}

#[test]
fn a_failed_rollout_is_explained_and_undone() {
    let Some(sandbox) = sandbox("deploy-undo") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let mut answers = failing(resource, workload(resource, "former", State::Complete));
        let get = format!("get {resource} webhook-app ");
        answers.push(always(
            &get,
            0,
            workload(resource, "former", State::Complete),
        ));

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(10), "{base}: {}", run.output);
        for text in [
            "the setting and its value",
            "returns to the revision before",
            "rolled back",
        ] {
            assert!(
                run.output.contains(text),
                "{base}: {text} in {}",
                run.output
            );
        }
        let undo = run.calls.iter().find(|call| call.is("patch"));
        let undo = format!("{:?}", undo.expect("restores the revision before"));
        for text in [
            "/spec/template",
            "\"former\"",
            "last-applied-configuration",
            "\"hooks\"",
        ] {
            assert!(undo.contains(text), "{base}: {text} in {undo}");
        }
        assert_eq!(undo.contains("/spec/traffic"), *base == "knative", "{undo}");
        assert!(!run.calls.iter().any(|call| call.is("delete")), "{base}");
    }
}

#[test]
fn requests_that_fail_once_do_not_prevent_the_rollback() {
    let Some(sandbox) = sandbox("deploy-undo-repeats") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let former = workload(resource, "former", State::Complete);
        let get = format!("get {resource} webhook-app ");
        let mut answers = failing(resource, &former);
        answers.insert(4, once(&get, 1, "unexpected EOF"));
        answers.push(always(&get, 0, &former));
        answers.push(once("patch ", 1, "unexpected EOF"));

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(10), "{base}: {}", run.output);
        let patches = run.calls.iter().filter(|call| call.is("patch")).count();
        assert_eq!(patches, 2, "{base}");
    }
}

#[test]
fn a_job_has_time_for_the_rollout_and_the_rollback() {
    let number_after = |path: &str, start: &str| -> u64 {
        let content = file(path);
        let (_, rest) = content.split_once(start).expect("is set");
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    let rollout = number_after("function/ci/rollout", "ROLLOUT_SECONDS:-");
    let secret = number_after("function/ci/deploy", "SECRET_SECONDS:-");
    let job = 60 * number_after("function/ci/deploy.yml", "timeout: ");

    // What prepares the job, and requests that take long.
    let others = 600;

    assert!(
        job > secret + 2 * rollout + others,
        "{job} {secret} {rollout}"
    );
    for (base, resource) in [
        ("k8s-base", "apps/Deployment"),
        ("knative", "serving.knative.dev/Service"),
    ] {
        let rendered = rendered!(base);
        let deadline = match rendered
            .one(resource)
            .pointer("/spec/progressDeadlineSeconds")
        {
            Some(seconds) => seconds.as_u64().expect("a number"),
            // Knative's default.
            None => 600,
        };
        assert!(rollout > deadline, "{base}: {rollout} {deadline}");
    }
}

#[test]
fn a_failed_rollback_is_told_apart() {
    let Some(sandbox) = sandbox("deploy-undo-fails") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let former = workload(resource, "former", State::Complete);
        let mut not_ready = failing(resource, &former);
        let get = format!("get {resource} webhook-app ");
        not_ready.push(always(&get, 0, workload(resource, "former", State::Failed)));
        let mut forbidden = failing(resource, &former);
        forbidden.push(always("patch ", 1, "Error from server (Forbidden): patch"));

        for answers in [not_ready, forbidden] {
            let run = deploy_with(&sandbox, base, SECRET, &answers);

            assert_eq!(run.code, Some(11), "{base}: {}", run.output);
            assert!(run.output.contains("failed too"), "{base}: {}", run.output);
        }
    }
}

#[test]
fn without_a_good_revision_before_nothing_is_restored() {
    let Some(sandbox) = sandbox("deploy-first") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let cases = [
            (String::new(), "did not exist before"),
            (
                workload(resource, "former", State::Incomplete).to_string(),
                "was not ready before",
            ),
            (
                workload(resource, "failed", State::Complete).to_string(),
                "has the same pods as before",
            ),
        ];
        for (former, says) in cases {
            let run = deploy_with(&sandbox, base, SECRET, &failing(resource, former));

            assert_eq!(run.code, Some(12), "{base}: {}", run.output);
            assert!(
                run.output.contains(says),
                "{base}: {says} in {}",
                run.output
            );
            assert!(!run.calls.iter().any(|call| call.is("patch")), "{base}");
        }
    }
}

#[test]
fn an_old_revision_that_is_ready_does_not_end_the_wait() {
    let Some(sandbox) = sandbox("deploy-old-revision") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let get = format!("get {resource} webhook-app ");
        let answers = [
            once(&format!("{get}--ignore-not-found"), 0, ""),
            once(&get, 0, workload(resource, "new", State::Incomplete)),
            always(&get, 0, workload(resource, "new", State::Complete)),
        ];

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_ready_after(&run, base, "\nwaiting");
    }
}

#[test]
fn a_rollout_without_an_end_times_out() {
    let Some(sandbox) = sandbox("deploy-timeout") else {
        return;
    };
    for (base, resource) in PACKAGINGS {
        let get = format!("get {resource} webhook-app ");
        let incomplete = workload(resource, "new", State::Incomplete);
        let answers = [
            once(&format!("{get}--ignore-not-found"), 0, ""),
            always(&get, 0, incomplete),
        ];

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(12), "{base}: {}", run.output);
        assert!(
            run.output.contains("not within 3 s"),
            "{base}: {}",
            run.output
        );
    }
}

#[test]
fn settings_that_the_program_rejects_end_the_wait_at_once() {
    let Some(sandbox) = sandbox("deploy-rejecting") else {
        return;
    };
    let rejecting = json!({"items": [{
        "metadata": {"name": "pod", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"containerStatuses": [{"ready": false, "state": {}, "lastState": {"terminated": {"exitCode": 64}}}]},
    }]});
    for (base, resource) in PACKAGINGS {
        let get = format!("get {resource} webhook-app ");
        let answers = [
            once(&format!("{get}--ignore-not-found"), 0, ""),
            always(&get, 0, workload(resource, "new", State::Incomplete)),
            always("get pods ", 0, &rejecting),
        ];

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(12), "{base}: {}", run.output);
        let says = "failed: the program rejects its settings";
        assert!(run.output.contains(says), "{base}: {}", run.output);
    }
}

#[test]
fn a_changed_secret_of_the_cluster_changes_the_pods() {
    let Some(sandbox) = sandbox("deploy-checksum") else {
        return;
    };
    let secret = |token: &str| {
        json!({"kind": "Secret", "metadata": {"name": "webhook-app", "namespace": "hooks", "resourceVersion": token}, "data": {
            "GITLAB_SIGNING_KEYS": "a2V5", "ROCKETCHAT_USER_ID": "aWQ=", "ROCKETCHAT_AUTH_TOKEN": token,
        }})
    };
    for (base, _) in PACKAGINGS {
        let checksum = |token: &str| {
            let answers = [always("get Secret webhook-app ", 0, secret(token))];
            let run = deploy_with(&sandbox, base, &[], &answers);
            assert_eq!(run.code, Some(0), "{base}: {}", run.output);
            let applied = format!("{:?}", run.changes()[0]);
            let (_, rest) = applied.split_once("checksum/settings").expect("is there");
            rest.chars().take(72).collect::<String>()
        };

        let (first, again, changed) = (checksum("b25l"), checksum("b25l"), checksum("dHdv"));

        assert_eq!(first, again, "{base}");
        assert_ne!(first, changed, "{base}");
    }
}

#[test]
fn a_complete_rollout_is_ready_if_its_pods_cannot_be_read() {
    let Some(sandbox) = sandbox("deploy-unreadable-pods") else {
        return;
    };
    let forbidden = "Error from server (Forbidden): pods is forbidden";
    for (base, _) in PACKAGINGS {
        let answers = [always("get pods ", 1, forbidden)];

        let run = deploy_with(&sandbox, base, SECRET, &answers);

        assert_eq!(run.code, Some(0), "{base}: {}", run.output);
    }
}
