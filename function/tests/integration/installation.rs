//! `cargo install --path function --locked` works on a machine that has only Rust and a C compiler: no crate needs another
//! tool to build, the build script runs no program, and without flags exactly the server is installed.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Crates that need more than Rust and a C compiler: other build tools, libraries of the system, or a Git checkout.
const NEEDY: &[&str] = &[
    "aws-lc-fips-sys",
    "bindgen",
    "built",
    "cmake",
    "git2",
    "gix",
    "libgit2-sys",
    "native-tls",
    "openssl-sys",
    "pkg-config",
    "prost-build",
    "protobuf-codegen",
    "protoc-rust",
    "shadow-rs",
    "tonic-build",
    "vcpkg",
    "vergen",
];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo prints text")
}

#[test]
fn no_crate_needs_another_tool_to_build() {
    let listed = cargo(&[
        "tree",
        "--edges=normal,build",
        "--prefix=none",
        "--format={p}",
    ]);
    let crates: BTreeSet<_> = listed
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(crates.contains("ring"), "{crates:?}");
    let needy: Vec<_> = NEEDY.iter().filter(|name| crates.contains(*name)).collect();
    assert_eq!(
        needy, [&""; 0],
        "these crates need tools that Rust does not bring"
    );
}

#[test]
fn the_build_script_runs_no_program() {
    let script = include_str!("../../build.rs");
    assert!(!script.contains("process"), "a build without Git must work");
}

#[test]
fn the_server_is_the_only_program_without_features() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version=1"]))
            .expect("is JSON");
    let packages = metadata["packages"].as_array().expect("is a list");
    let package = packages
        .iter()
        .find(|package| package["name"] == "webhook-app")
        .expect("is listed");
    let installed: Vec<_> = package["targets"]
        .as_array()
        .expect("is a list")
        .iter()
        .filter(|target| target["kind"][0] == "bin" && target["required-features"].is_null())
        .map(|target| target["name"].as_str().expect("is text"))
        .collect();
    assert_eq!(installed, ["webhook-app"]);
}
