//! Checks that the scripts for local clusters and for building images run on macOS as on Linux: with a POSIX
//! shell, and with the programs of the base system that BSD has.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::rendered::{file, repository};
use crate::sandbox::{EMPTY, Run, Sandbox, shell};

/// Programs of the base system that differ between GNU and BSD.
const BASE_SYSTEM: &[&str] = &[
    "base64",
    "chmod",
    "cp",
    "cut",
    "date",
    "df",
    "dirname",
    "du",
    "env",
    "find",
    "getopt",
    "grep",
    "head",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "mv",
    "nproc",
    "paste",
    "readlink",
    "realpath",
    "rm",
    "sed",
    "sha256sum",
    "sort",
    "stat",
    "tac",
    "tail",
    "tee",
    "touch",
    "tr",
    "uniq",
    "wc",
    "xargs",
];

/// What the scripts call or read, beside those that begin with `local`.
const OTHER_SCRIPTS: &[&str] = &[
    "function/packaging/archive",
    "function/packaging/build",
    "function/packaging/engine",
    "function/packaging/extract",
    "function/packaging/machine",
    "function/packaging/push",
    "function/packaging/registry",
    "function/packaging/sbom",
    "function/tests/e2e/assert.sh",
    "function/tests/e2e/cluster.sh",
    "function/tests/e2e/images.sh",
    "function/tests/e2e/metrics.sh",
    "function/tests/e2e/steps/autoscaling.sh",
];

/// `make shellcheck` checks a script for the shell that its first line names.
#[test]
fn every_script_for_local_clusters_is_checked_as_posix_shell() {
    let entries = fs::read_dir(repository().join("function/tests/e2e")).expect("can be read");
    let names = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name());
    let local = names
        .map(|name| format!("function/tests/e2e/{}", name.to_string_lossy()))
        .filter(|path| path.contains("/local") && !path.contains(".yaml"));
    let scripts: Vec<_> = local
        .chain(OTHER_SCRIPTS.iter().copied().map(str::to_owned))
        .collect();
    assert!(scripts.len() > OTHER_SCRIPTS.len() + 1, "{scripts:?}");
    for script in scripts {
        let content = file(&script);
        let first = content.lines().next().unwrap_or_default();
        assert!(
            ["#!/bin/sh", "# shellcheck shell=sh"].contains(&first),
            "{script} begins with {first}"
        );
    }
}

#[test]
fn local_clusters_need_only_a_posix_shell_and_the_base_system_of_bsd() {
    let Some(sandbox) = Sandbox::new("portable") else {
        return;
    };
    for cluster in ["kind", "k3d"] {
        for command in ["up", "demo", "load", "dry-run", "down"] {
            let line = format!("function/tests/e2e/local {command}");

            let run = on_bsd(&sandbox, &line, cluster);

            assert_eq!(run.code, Some(0), "{cluster} {command}\n{}", run.output);
        }
    }
}

#[test]
fn the_image_and_the_archive_are_built_on_bsd() {
    let Some(sandbox) = Sandbox::new("portable-images") else {
        return;
    };
    let zip = "#!/bin/sh\ncat bootstrap > \"$4\"\n";
    executable(&sandbox.folder("programs").join("zip"), zip);
    for line in [
        "function/packaging/build server example.invalid/webhook-app:dev",
        "function/packaging/build lambda example.invalid/lambda:dev",
        "function/packaging/archive example.invalid/lambda:dev out/lambda.zip",
    ] {
        let run = on_bsd(&sandbox, line, "kind");

        assert_eq!(run.code, Some(0), "{line}\n{}", run.output);
    }
    assert!(sandbox.folder("repository").join("out/lambda.zip").exists());
}

#[test]
fn the_programs_of_bsd_reject_what_only_gnu_has() {
    let Some(sandbox) = Sandbox::new("portable-itself") else {
        return;
    };
    for line in [
        "realpath -m target",
        "date --utc",
        "date -d @0",
        "stat --format %s Makefile",
        "stat -c %s Makefile",
        "cp --preserve=timestamps Makefile copy",
        "sed s/a\\+/b/ Makefile",
        "sed -i s/a/b/ Makefile",
        "find -name Makefile",
        "find . -printf %p",
        "head -n -1 Makefile",
        "paste -sd,",
    ] {
        let run = on_bsd(&sandbox, line, "kind");

        assert_eq!(run.code, Some(64), "{line}\n{}", run.output);
    }
}

/// Runs a command with the programs of BSD before all others, and with dash where it is installed; `/bin/sh` may
/// be another shell with more features.
fn on_bsd(sandbox: &Sandbox, line: &str, cluster: &str) -> Run {
    let bsd = sandbox.folder("bsd");
    let program = file("function/tests/manifests/recording/bsd");
    for name in BASE_SYSTEM {
        executable(&bsd.join(name), &program);
    }
    let own = shell("echo \"$PATH\"");
    let path = format!(
        "{}:{}:{own}",
        bsd.display(),
        sandbox.folder("programs").display()
    );

    let run = sandbox.run_again(
        line,
        &[("PATH", &path), ("CLUSTER", cluster), ("ENGINE", "docker")],
        EMPTY,
    );

    let log = sandbox.folder("state").join("not-portable");
    let not_portable = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(log);
    assert!(
        run.code != Some(0) || not_portable.is_empty(),
        "{line}: not in BSD: {not_portable}"
    );
    run
}

fn executable(path: &Path, content: &str) {
    fs::write(path, content).expect("can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("can be set");
}
