//! Checks that the folders can be rendered from the address of a repository, as in
//! `kubectl apply -k https://…//k8s-base?ref=…`: nothing in them refers to files outside of the clone.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::rendered::{BASES, kustomize, repository};
use crate::sandbox::{copy, shell};
use crate::skipped::report_skipped;

#[test]
fn a_clone_renders_as_the_working_tree_does() {
    if shell("command -v git").is_empty() {
        report_skipped("git is not installed; kubectl clones with it");
        return;
    }
    let folder = std::env::temp_dir().join(format!("webhook-app-remote-{}", std::process::id()));
    // Beside what has been committed, so that the working tree is compared.
    for part in ["k8s-base", "knative", "monitoring"] {
        copy(&repository().join(part), &folder.join(part));
    }
    git(&folder, &["init", "--quiet", "--initial-branch=main"]);
    git(&folder, &["add", "--all"]);
    let author = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    git(
        &folder,
        &[&author[..], &["commit", "--quiet", "--message=all"]].concat(),
    );

    let compared: Vec<_> = BASES
        .iter()
        .filter_map(|base| {
            let address = format!("file://{}//{base}?ref=main", folder.display());
            Some((base, kustomize(&address)?, kustomize(base)?))
        })
        .collect();

    fs::remove_dir_all(&folder).expect("can be removed");
    for (base, remote, local) in compared {
        assert_eq!(remote, local, "{base}");
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .status();
    assert!(
        status.expect("git is installed").success(),
        "git {arguments:?}"
    );
}
