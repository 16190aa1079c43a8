//! Checks what the script for local clusters says about missing programs, and which engine it uses if there are
//! several.

use std::fs;
use std::os::unix::fs::symlink;

use crate::sandbox::{EMPTY, Run, Sandbox, shell};

type Variables = &'static [(&'static str, &'static str)];

/// A `PATH` on which only these programs of the sandbox are, beside those of the base system.
fn path_with(sandbox: &Sandbox, programs: &[&str]) -> String {
    let folder = sandbox.folder("some-programs");
    fs::remove_dir_all(&folder).expect("can be removed");
    let folder = sandbox.folder("some-programs");
    for name in programs.iter().chain(&["interruption.sh"]) {
        let from = sandbox.folder("programs").join(name);
        fs::copy(from, folder.join(name)).expect("copies");
    }
    let base = [
        "awk", "basename", "bash", "cat", "chmod", "cksum", "cp", "cut", "date", "df", "dirname",
        "env", "grep", "head", "make", "mkdir", "mktemp", "rm", "sed", "sh", "sort", "tail",
        "timeout", "touch", "tr", "wc",
    ];
    for name in base {
        let place = shell(&format!("command -v {name}"));
        symlink(place, folder.join(name)).expect("can be made");
    }
    folder.display().to_string()
}

fn run(sandbox: &Sandbox, command: &str, programs: &[&str], variables: &[(&str, &str)]) -> Run {
    let path = path_with(sandbox, programs);
    sandbox.run(
        command,
        &[&[("PATH", path.as_str())], variables].concat(),
        EMPTY,
    )
}

#[test]
fn everything_that_is_missing_is_reported_at_once_before_any_change() {
    let Some(sandbox) = Sandbox::new("prerequisites") else {
        return;
    };
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "kind",
            &[],
            &[
                "docker: not found",
                "kind: not found",
                "kubectl: not found",
                "python3: not found",
            ],
        ),
        (
            "kind",
            &["docker", "kubectl", "python3"],
            &[
                "kind: not found or not running, 0.33 or newer needed; install it: https://kind.sigs.k8s.io",
            ],
        ),
        (
            "k3d",
            &["podman", "kubectl", "python3"],
            &["docker: not found", "k3d: not found"],
        ),
        (
            "existing",
            &["kubectl"],
            &[
                "IMAGE_REGISTRY is not set",
                "podman, buildah or docker: none of them works",
                "python3: not found",
            ],
        ),
    ];
    for (cluster, programs, expected) in cases {
        for command in ["up", "demo", "load"] {
            let line = format!("make {command}");

            let run = run(&sandbox, &line, programs, &[("CLUSTER", cluster)]);

            let case = format!("{cluster} {command} with {programs:?}\n{}", run.output);
            assert_ne!(run.code, Some(0), "{case}");
            for text in *expected {
                // Creating a cluster needs no builder of images.
                if command != "up" || !text.contains("none of them") {
                    assert!(
                        run.output.contains(&format!("MISSING: {text}")),
                        "{text}: {case}"
                    );
                }
            }
            assert!(run.output.contains("nothing was changed"), "{case}");
            assert_eq!(run.changes().len(), 0, "{case}");
            assert!(sandbox.files("state/made").is_empty(), "{case}");
        }
    }
}

#[test]
fn a_program_that_is_too_old_is_reported_with_both_versions() {
    let Some(sandbox) = Sandbox::new("prerequisites-old") else {
        return;
    };
    fs::write(
        sandbox.folder("programs").join("k3d"),
        "#!/bin/sh\necho k3d version v5.5.9\n",
    )
    .expect("can be written");

    let run = run(
        &sandbox,
        "function/tests/e2e/local up",
        &["docker", "k3d", "kubectl", "python3"],
        &[("CLUSTER", "k3d")],
    );

    assert_ne!(run.code, Some(0), "{}", run.output);
    assert!(
        run.output
            .contains("MISSING: k3d: found 5.5.9, 5.6 or newer needed"),
        "{}",
        run.output
    );
    assert!(
        run.output.contains("1 prerequisite(s) missing"),
        "{}",
        run.output
    );
}

#[test]
fn the_engine_that_runs_the_cluster_builds_and_pushes_the_images() {
    let Some(sandbox) = Sandbox::new("engines") else {
        return;
    };
    let all: &[&str] = &[
        "docker", "podman", "buildah", "kind", "k3d", "kubectl", "python3", "sleep",
    ];
    let without_docker = &["podman", "buildah", "kind", "kubectl", "python3", "sleep"];
    let cases: &[(&str, &[&str], Variables)] = &[
        ("docker", all, &[("CLUSTER", "kind")]),
        ("docker", all, &[("CLUSTER", "k3d")]),
        ("podman", without_docker, &[("CLUSTER", "kind")]),
        (
            "podman",
            all,
            &[
                ("CLUSTER", "kind"),
                ("KIND_EXPERIMENTAL_PROVIDER", "podman"),
            ],
        ),
        (
            "buildah",
            all,
            &[("CLUSTER", "kind"), ("ENGINE", "buildah")],
        ),
    ];
    for (engine, programs, variables) in cases {
        let run = run(
            &sandbox,
            "function/tests/e2e/local demo",
            programs,
            variables,
        );

        let case = format!("{variables:?} with {programs:?}\n{}", run.output);
        assert_eq!(run.code, Some(0), "{case}");
        let calls = |word: &str| {
            let found = run
                .programs
                .iter()
                .filter(|line| line.split(' ').nth(1) == Some(word));
            found.cloned().collect::<Vec<_>>()
        };
        let (builds, pushes) = (calls("build"), calls("push"));
        assert_eq!((builds.len(), pushes.len()), (2, 2), "{case}");
        for call in builds.iter().chain(&pushes) {
            assert!(call.starts_with(engine), "{call}: {case}");
        }
        // docker has no such flag, and uses no TLS for a registry on this machine.
        for push in &pushes {
            assert_eq!(
                push.contains("--tls-verify=false"),
                *engine != "docker",
                "{push}"
            );
        }
    }
}

#[test]
fn a_registry_of_the_user_is_used_with_tls() {
    let Some(sandbox) = Sandbox::new("tls") else {
        return;
    };
    for cluster in ["kind", "existing"] {
        let variables = [
            ("CLUSTER", cluster),
            ("ENGINE", "podman"),
            ("IMAGE_REGISTRY", "registry.invalid"),
        ];

        let run = sandbox.run("function/tests/e2e/local demo", &variables, EMPTY);

        assert_eq!(run.code, Some(0), "{}", run.output);
        let pushes: Vec<_> = run
            .programs
            .iter()
            .filter(|line| line.starts_with("podman push"))
            .collect();
        assert_eq!(pushes.len(), 2, "{:?}", run.programs);
        for push in pushes {
            assert!(push.contains("--tls-verify=true"), "{push}");
        }
    }
}
