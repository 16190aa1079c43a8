//! What the deploy job refuses: manifests with example settings, without required
//! settings, or with a key that this repository publishes. Nothing is applied then; a proper overlay
//! is applied as it was checked. `kubectl` is the recording one of `sandbox`.

mod refused;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Write as _, stderr};
use std::path::Path;

use self::refused::{PUBLIC_KEY, PUBLIC_TOKEN, REFUSED, Refused};
use crate::rendered::{file, repository};
use crate::sandbox::{Run, Sandbox, shell};

const IMAGE: &str = "registry.acme.test/webhook-app@sha256:5555555555555555555555555555555555555555555555555555555555555555";

/// Settings with which the function starts.
const CONFIG: &[(&str, &str)] = &[
    ("ROCKETCHAT_URL", "https://chat.acme.test"),
    ("ROCKETCHAT_RECIPIENT", "alice"),
];

/// A Secret that nobody else has.
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
fn a_proper_overlay_is_applied_and_waited_for() {
    let Some(sandbox) = sandbox("deploy-proper") else {
        return;
    };
    let cases = [
        ("k8s-base", "rollout status", "deployment/webhook-app"),
        ("knative", "wait", "ksvc/webhook-app"),
    ];
    for (base, waiting, workload) in cases {
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
            let waits = run.calls.iter().find(|call| call.is(waiting));
            let waits = format!("{:?}", waits.expect("waits"));
            assert!(
                waits.contains(workload) && waits.contains("\"hooks\""),
                "{waits}"
            );
        }
    }
}

#[test]
fn a_relative_folder_and_the_context_of_an_agent_are_taken() {
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
    assert_eq!(run.calls.len(), 2);
    for call in &run.calls {
        assert_eq!(call.context, "acme/agent:production");
    }
}

#[test]
fn what_cannot_work_or_is_not_secret_is_refused_with_every_problem() {
    let Some(sandbox) = sandbox("deploy-refused") else {
        return;
    };
    for Refused {
        case,
        config,
        secret,
        says,
    } in REFUSED
    {
        let folder = overlay(
            &sandbox,
            "k8s-base",
            &changed(CONFIG, config),
            &changed(SECRET, secret),
        );

        let run = deploy(&sandbox, &folder, &[]);

        assert_eq!(run.code, Some(64), "{case}: {}", run.output);
        assert_eq!(run.changes().len(), 0, "{case}: {:?}", run.calls);
        for text in *says {
            assert!(
                run.output.contains(text),
                "{case}: {text} is missing in {}",
                run.output
            );
        }
        for text in [PUBLIC_KEY, PUBLIC_TOKEN, SECRET[0].1] {
            assert!(
                !run.output.contains(text),
                "{case}: a secret is shown: {}",
                run.output
            );
        }
    }
}

#[test]
fn rules_stand_in_for_the_recipient_and_similar_names_are_no_examples() {
    let Some(sandbox) = sandbox("deploy-rules") else {
        return;
    };
    let config = [
        ("ROCKETCHAT_URL", "https://chat.my-example.com"),
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", "- to: alice"),
    ];

    let run = deploy(
        &sandbox,
        &overlay(&sandbox, "k8s-base", &config, SECRET),
        &[],
    );

    assert_eq!(run.code, Some(0), "{}", run.output);
}

#[test]
fn the_folders_of_the_repository_are_refused_by_themselves() {
    let Some(sandbox) = sandbox("deploy-folders") else {
        return;
    };
    for folder in [
        "k8s-base",
        "knative",
        "function/tests/e2e/overlays/plain",
        "no/such/folder",
    ] {
        for dry_run in [&[][..], &[("DRY_RUN", "1")]] {
            let run = deploy(&sandbox, folder, dry_run);

            assert_eq!(run.code, Some(64), "{folder}: {}", run.output);
            assert_eq!(run.changes().len(), 0, "{folder}: {:?}", run.calls);
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
fn every_signing_key_in_the_repository_is_known_as_published() {
    let list = file("function/ci/public-keys");
    let known: BTreeSet<_> = list.lines().collect();
    let mut found = BTreeSet::new();
    for folder in ["function", "k8s-base", "knative", "monitoring"] {
        keys_below(&repository().join(folder), &mut found);
    }
    found.extend(keys_in(&file("README.md")));
    // This file's own is not to be refused.
    found.remove(SECRET[0].1);
    assert!(found.len() > 5, "{found:?}");
    for key in found {
        assert!(
            known.contains(key.as_str()),
            "add {key} to function/ci/public-keys"
        );
    }
}

/// Nothing where there is no jq, or something else in kubectl's place that only renders.
fn sandbox(name: &str) -> Option<Sandbox> {
    let found = shell("command -v jq && kubectl version --client");
    if found.contains("Client Version") {
        return Sandbox::new(name);
    }
    let _ = writeln!(stderr(), "skipped: {name} needs kubectl and jq");
    None
}

fn deploy(sandbox: &Sandbox, folder: &str, variables: &[(&str, &str)]) -> Run {
    let command = format!("function/ci/deploy {IMAGE} {folder}");
    sandbox.run(&command, variables, r#"{"items": []}"#)
}

/// An operator's overlay beside the repository, in another namespace; without a Secret where there
/// are no secrets, as when it was made by hand.
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

/// The settings with others in the place of those that have the same name.
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

/// Whole keys; shorter ones are prefixes and examples of mistakes.
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
