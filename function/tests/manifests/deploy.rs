//! What the deploy script rejects: manifests with example settings, without required settings, or with a key that
//! this repository publishes. It then applies nothing; a valid overlay is applied as checked. `kubectl` is the
//! recording fake of `sandbox`. `refusals` is about what the cluster lacks, `rollouts` and `pruning` about what follows.

mod answers;
mod arguments;
mod canceled;
mod dead_letters;
mod deployer;
mod instances;
mod pruning;
mod reconcile;
mod refusals;
mod rejected;
mod rollouts;
mod states;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use self::rejected::{PUBLIC_KEY, PUBLIC_TOKEN, REJECTED, Rejected};
use crate::rendered::{file, repository};
use crate::sandbox::{EMPTY, Run, Sandbox, shell};
use crate::skipped::report_skipped;

const IMAGE: &str = "registry.acme.test/webhook-app@sha256:5555555555555555555555555555555555555555555555555555555555555555";

/// Settings with which the function starts.
const CONFIG: &[(&str, &str)] = &[
    ("ROCKETCHAT_URL", "https://chat.acme.test"),
    ("ROCKETCHAT_RECIPIENT", "alice"),
];

/// A Secret with an unpublished key.
const SECRET: &[(&str, &str)] = &[
    (
        "GITLAB_SIGNING_KEYS",
        "whsec_b25seSBmb3IgdGhlIHRlc3Qgb2YgdGhlIGRlcGxveSBqb2I=",
    ),
    ("ROCKETCHAT_USER_ID", "rbAXPnMktTFbNpwtJ"),
    (
        "ROCKETCHAT_AUTH_TOKEN",
        "a-token-of-the-bot-that-is-long-enough-for-lines",
    ),
];

#[test]
fn a_valid_overlay_is_applied_and_its_rollout_awaited() {
    let Some(sandbox) = sandbox("deploy-proper") else {
        return;
    };
    let cases = [
        ("k8s-base", "get deployment.apps webhook-app"),
        ("knative", "get services.serving.knative.dev webhook-app"),
    ];
    for (base, waiting) in cases {
        for secret in [SECRET, &[]] {
            let run = deploy(&sandbox, &overlay(&sandbox, base, CONFIG, secret), &[]);

            assert_eq!(run.code, Some(0), "{base}: {}", run.output);
            assert_eq!(run.changes().len(), 1, "{base}: {:?}", run.calls);
            let applied = &run.changes()[0];
            assert!(applied.is("apply"), "{base}: {applied:?}");
            assert_eq!(run.programs, Vec::<String>::new(), "{base}");
            assert!(
                format!("{applied:?}").contains(IMAGE),
                "{base}: {applied:?}"
            );
            let wait_call = run.calls.iter().rev().find(|call| call.is(waiting));
            let wait_call = format!("{:?}", wait_call.expect("awaits the rollout"));
            assert!(wait_call.contains("\"hooks\""), "{wait_call}");
            assert!(run.output.contains("ready"), "{base}: {}", run.output);
        }
    }
}

#[test]
fn a_relative_folder_and_the_context_of_an_agent_are_accepted() {
    let Some(sandbox) = sandbox("deploy-relative") else {
        return;
    };
    let folder = overlay(&sandbox, "k8s-base", CONFIG, SECRET);
    let relative = format!(
        "../{}",
        Path::new(&folder).file_name().expect("a name").display()
    );

    let run = deploy(
        &sandbox,
        &relative,
        &[("KUBE_CONTEXT", "acme/agent:production")],
    );

    assert_eq!(run.code, Some(0), "{}", run.output);
    assert!(run.calls.len() > 5, "{:?}", run.calls);
    for call in &run.calls {
        assert_eq!(call.context, "acme/agent:production");
        // One that hangs would outlast the time for the rollout.
        assert!(
            format!("{call:?}").contains("--request-timeout"),
            "{call:?}"
        );
    }
}

#[test]
fn invalid_or_published_settings_are_rejected_with_every_problem() {
    let Some(sandbox) = sandbox("deploy-rejected") else {
        return;
    };
    for Rejected {
        case,
        config,
        secret,
        says,
    } in REJECTED
    {
        let folder = overlay(
            &sandbox,
            "k8s-base",
            &changed(CONFIG, config),
            &changed(SECRET, secret),
        );

        let run = deploy(&sandbox, &folder, &[]);

        assert_rejected(&run, case, says);
        assert_not_shown(&run, case, &[PUBLIC_KEY, PUBLIC_TOKEN, SECRET[0].1]);
    }
}

#[test]
fn routes_replace_the_recipient_and_names_like_example_are_accepted() {
    let Some(sandbox) = sandbox("deploy-rules") else {
        return;
    };
    let config = [
        ("ROCKETCHAT_URL", "https://chat.my-example.com"),
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", "- to: an-example-user"),
        ("PROXY", "http://example-company.com"),
        ("NO_PROXY", "10.192.0.2"),
    ];

    let run = deploy(
        &sandbox,
        &overlay(&sandbox, "k8s-base", &config, SECRET),
        &[],
    );

    assert_eq!(run.code, Some(0), "{}", run.output);
}

#[test]
fn the_folders_of_the_repository_are_rejected_without_an_overlay() {
    let Some(sandbox) = sandbox("deploy-folders") else {
        return;
    };
    for folder in [
        "k8s-base",
        "knative",
        "function/tests/e2e/overlays/deployment",
        "no/such/folder",
    ] {
        for dry_run in [&[][..], &[("DRY_RUN", "1")]] {
            let run = deploy(&sandbox, folder, dry_run);

            assert_rejected(&run, folder, &[]);
            let is_shown = run.output.contains("kind: NetworkPolicy");
            assert_eq!(
                is_shown,
                !dry_run.is_empty() && folder != "no/such/folder",
                "{folder}"
            );
        }
    }
}

#[test]
fn every_signing_key_in_the_repository_is_listed_as_published() {
    let list = file("function/ci/public-keys");
    let known: BTreeSet<_> = list.lines().collect();
    let mut found = BTreeSet::new();
    for folder in ["function", "k8s-base", "knative", "monitoring"] {
        keys_below(&repository().join(folder), &mut found);
    }
    found.extend(keys_in(&file("README.md")));
    // The key of this file is unpublished, because the tests deploy with it.
    found.remove(SECRET[0].1);
    assert!(found.len() > 5, "{found:?}");
    for key in found {
        assert!(
            known.contains(key.as_str()),
            "add {key} to function/ci/public-keys"
        );
    }
}

/// `None` without jq, or where `kubectl` is a substitute that only renders.
fn sandbox(name: &str) -> Option<Sandbox> {
    let found = shell("command -v jq && kubectl version --client");
    if found.contains("Client Version") {
        return Sandbox::new(name);
    }
    report_skipped(&format!(
        "kubectl or jq is not installed; {name} needs them"
    ));
    None
}

fn deploy(sandbox: &Sandbox, folder: &str, variables: &[(&str, &str)]) -> Run {
    let command = format!("function/ci/deploy {IMAGE} {folder}");
    sandbox.run(&command, variables, EMPTY)
}

/// Writes an operator's overlay beside the repository, in another namespace; without a Secret if `secret` is
/// empty, as if it was created by hand.
fn overlay(
    sandbox: &Sandbox,
    base: &str,
    config: &[(&str, &str)],
    secret: &[(&str, &str)],
) -> String {
    let folder = sandbox.folder("overlay");
    let lines = |settings: &[(&str, &str)]| {
        let line = |(name, value): &(&str, &str)| format!("      - '{name}={value}'\n");
        settings.iter().map(line).collect::<Vec<_>>().concat()
    };
    let mut kustomization = format!(
        "resources: [../repository/{base}]\nnamespace: hooks\nconfigMapGenerator:\n  - name: webhook-app\n    \
         behavior: merge\n    literals:\n{}",
        lines(config)
    );
    if !secret.is_empty() {
        kustomization += "secretGenerator:\n  - name: webhook-app\n    literals:\n";
        kustomization += &lines(secret);
    }
    fs::write(folder.join("kustomization.yaml"), kustomization).expect("can be written");
    folder.to_str().expect("is UTF-8").to_owned()
}

/// The valid overlay of the Deployment packaging, with a change of its kustomization.
fn edited_overlay(
    sandbox: &Sandbox,
    secret: &[(&str, &str)],
    edit: impl FnOnce(String) -> String,
) -> String {
    let folder = overlay(sandbox, "k8s-base", CONFIG, secret);
    let path = Path::new(&folder).join("kustomization.yaml");
    let text = fs::read_to_string(&path).expect("was written");
    fs::write(&path, edit(text)).expect("can be written");
    folder
}

/// The script has found something wrong and applied nothing.
#[track_caller]
fn assert_rejected(run: &Run, case: &str, says: &[&str]) {
    assert_eq!(run.code, Some(64), "{case}: {}", run.output);
    assert_eq!(run.changes().len(), 0, "{case}: {:?}", run.calls);
    for text in says {
        assert!(
            run.output.contains(text),
            "{case}: {text} is missing in {}",
            run.output
        );
    }
}

/// The script has succeeded, and has waited for the reason `text` before.
#[track_caller]
fn assert_ready_after(run: &Run, case: &str, text: &str) {
    assert_eq!(run.code, Some(0), "{case}: {}", run.output);
    let waits = run.output.find(text);
    assert!(waits.is_some(), "{case}: does not wait: {}", run.output);
    assert!(run.output.find("\nready") > waits, "{case}: {}", run.output);
}

#[track_caller]
fn assert_not_shown(run: &Run, case: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(
            !run.output.contains(secret),
            "{case}: a secret is shown: {}",
            run.output
        );
    }
}

/// The settings, with those of the same name replaced.
fn changed<'a>(
    settings: &[(&'a str, &'a str)],
    by: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let is_kept = |(name, _): &&(&str, &str)| by.iter().all(|(other, _)| other != name);
    settings.iter().filter(is_kept).chain(by).copied().collect()
}

fn keys_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder)
        .expect("can be read")
        .filter_map(Result::ok)
    {
        let path = entry.path();
        if !path.is_dir() {
            let bytes = fs::read(&path).expect("can be read");
            found.extend(keys_in(&String::from_utf8_lossy(&bytes)));
        } else if !path.ends_with("node_modules") && !path.join("CACHEDIR.TAG").exists() {
            keys_below(&path, found);
        }
    }
}

/// Complete keys; shorter ones are prefixes and invalid examples.
fn keys_in(text: &str) -> BTreeSet<String> {
    let is_base64 = |char: char| char.is_ascii_alphanumeric() || "+/=".contains(char);
    text.split("whsec_")
        .skip(1)
        .map(|rest| {
            rest.split(|char| !is_base64(char))
                .next()
                .unwrap_or_default()
        })
        .filter(|key| key.len() >= 24)
        .map(|key| format!("whsec_{key}"))
        .collect()
}
