//! What the deploy script finds wrong with its arguments and with the machine before it reads the overlay.

use std::fs;
use std::os::unix::fs::symlink;

use super::rejected::PUBLIC_KEY;
use super::{CONFIG, IMAGE, SECRET, assert_rejected, changed, deploy, overlay, sandbox};
use crate::rendered::file;
use crate::sandbox::{EMPTY, shell};

#[test]
fn invalid_arguments_are_reported_at_once() {
    let Some(sandbox) = sandbox("deploy-arguments") else {
        return;
    };
    let variables = [
        ("ROLLOUT_SECONDS", "10m"),
        ("SECRET_SECONDS", "08"),
        ("DRY_RUN", "yes"),
        ("ALLOW_TEST_CREDENTIALS", "true"),
    ];

    let run = sandbox.run(
        "function/ci/deploy x@sha256:zz no/folder",
        &variables,
        EMPTY,
    );

    let says = [
        "found x@sha256:zz",
        "found no/folder",
        "ROLLOUT_SECONDS, found 10m",
        "SECRET_SECONDS, found 08",
        "DRY_RUN, or no value, found yes",
        "ALLOW_TEST_CREDENTIALS, or no value, found true",
    ];
    assert_rejected(&run, "all at once", &says);
}

#[test]
fn a_digest_has_64_digits() {
    let Some(sandbox) = sandbox("deploy-digest") else {
        return;
    };
    let folder = overlay(&sandbox, "k8s-base", CONFIG, SECRET);
    let longer = format!("{IMAGE}5");
    let upper = IMAGE.replace('5', "A");
    for image in ["", "x", "x:1", "x@sha256:", &longer, &upper, "@sha256:5"] {
        let run = sandbox.run(&format!("function/ci/deploy {image} {folder}"), &[], EMPTY);

        assert_rejected(&run, image, &["expected an image by digest"]);
    }
}

#[test]
fn only_1_switches_something_on() {
    let Some(sandbox) = sandbox("deploy-switches") else {
        return;
    };
    let zero = [("DRY_RUN", "0"), ("ALLOW_TEST_CREDENTIALS", "0")];

    let run = deploy(
        &sandbox,
        &overlay(&sandbox, "k8s-base", CONFIG, SECRET),
        &zero,
    );

    assert_eq!(run.code, Some(0), "{}", run.output);
    assert_eq!(run.changes().len(), 1, "{:?}", run.calls);

    let published = changed(SECRET, &[("GITLAB_SIGNING_KEYS", PUBLIC_KEY)]);
    let run = deploy(
        &sandbox,
        &overlay(&sandbox, "k8s-base", CONFIG, &published),
        &zero,
    );

    assert_rejected(&run, "a published key", &["data.GITLAB_SIGNING_KEYS"]);
}

#[test]
fn missing_programs_are_listed_at_once() {
    let Some(sandbox) = sandbox("deploy-programs") else {
        return;
    };
    let folder = overlay(&sandbox, "k8s-base", CONFIG, SECRET);
    let programs = sandbox.folder("few-programs");
    for name in ["bash", "dirname", "env", "timeout"] {
        symlink(shell(&format!("command -v {name}")), programs.join(name)).expect("can be made");
    }
    let path = programs.to_str().expect("is UTF-8").to_owned();

    let run = deploy(&sandbox, &folder, &[("PATH", &path)]);

    assert_rejected(
        &run,
        "none",
        &[
            "program kubectl",
            "program jq",
            "program sha256sum or shasum",
        ],
    );
}

#[test]
fn a_folder_may_have_any_name() {
    let Some(sandbox) = sandbox("deploy-quote") else {
        return;
    };
    let folder = overlay(&sandbox, "k8s-base", CONFIG, SECRET);
    let quoted = sandbox.folder("with\"quote");
    fs::remove_dir_all(&quoted).expect("can be removed");
    fs::rename(folder, &quoted).expect("can be renamed");

    let run = deploy(&sandbox, quoted.to_str().expect("is UTF-8"), &[]);

    assert_eq!(run.code, Some(0), "{}", run.output);
}

/// Before bash 4.4, as on macOS, an empty array is unbound for `set -u`.
#[test]
fn no_script_expands_an_array_that_may_be_empty() {
    for script in ["cluster", "deploy", "prune", "render", "review", "rollout"] {
        let content = file(&format!("function/ci/{script}"));
        assert!(!content.contains("[@]}"), "{script}");
    }
}
