//! GitLab, its registry and its runner in `k8s-base/gitlab`. Owns how their files are read: the rendered objects, the lines of
//! `gitlab.rb`, and the runner's `config.toml` as JSON. None of these servers runs in the tests.

mod connections;
mod job_namespaces;
mod pod;
mod runner;
mod scripts;
mod server;

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::rendered::{Rendered, file, list, repository, template, text};
use crate::skipped::report_skipped;

const FOLDER: &str = "k8s-base/gitlab";

/// The assignments in `gitlab.rb`: the setting and its value in Ruby. Fails for any line that is neither one nor a comment, so that
/// the file stays so simple that it can be checked without Ruby.
fn omnibus() -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for line in file(&format!("{FOLDER}/server/gitlab.rb")).lines() {
        if line.is_empty() || line.starts_with("# ") {
            continue;
        }
        let parts = line.split_once(" = ").or_else(|| line.split_once(' '));
        let (key, value) = parts.unwrap_or_else(|| panic!("no assignment: {line}"));
        let is_call = key.ends_with("external_url");
        let is_key = key.split_once("['").is_some_and(|(service, rest)| {
            is_name(service)
                && rest
                    .strip_suffix("']")
                    .is_some_and(|rest| rest.split("']['").all(is_name))
        });
        assert!(is_call || is_key, "no setting: {line}");
        let before = settings.insert(key.to_owned(), value.to_owned());
        assert_eq!(before, None, "{key} is set twice");
    }
    settings
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
}

/// The value of a setting without the quotes of Ruby.
fn omnibus_value(key: &str) -> String {
    let settings = omnibus();
    let value = settings
        .get(key)
        .unwrap_or_else(|| panic!("{key} is not set"));
    value.trim_matches(['\'', '"']).to_owned()
}

/// The pod template with this label, whatever creates the pod.
fn pod_named<'a>(rendered: &'a Rendered, name: &str) -> &'a Value {
    let kinds = ["apps/StatefulSet", "apps/Deployment", "batch/CronJob"];
    let mut templates = kinds
        .iter()
        .flat_map(|kind| rendered.every(kind))
        .map(template);
    let label = "/metadata/labels/app.kubernetes.io~1name";
    let found = templates.find(|template| text(template, label) == name);
    found.unwrap_or_else(|| panic!("no pod {name}"))
}

/// The number of a named port of a container in a pod template.
fn port_of(template: &Value, name: &str) -> u64 {
    let containers = list(template, "/spec/containers").into_iter();
    let mut ports = containers.flat_map(|container| list(container, "/ports"));
    let found = ports.find(|port| port["name"] == name);
    found.unwrap_or_else(|| panic!("no port {name}"))["containerPort"]
        .as_u64()
        .expect("a number")
}

/// A file of TOML as JSON, parsed by Python; `None` without it.
fn toml(text: &str) -> Option<Value> {
    let program = "import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.argv[1])))";
    let output = Command::new("python3").args(["-c", program, text]).output();
    let Ok(output) = output else {
        report_skipped("python3 is not installed; it parses config.toml");
        return None;
    };
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    Some(serde_json::from_slice(&output.stdout).expect("is JSON"))
}

/// The runners of `config.toml`, and the whole of it.
fn configuration() -> Option<Value> {
    toml(&file(&format!("{FOLDER}/runner/config.toml")))
}

/// What the README says about a setting in one of its tables.
fn rows_of_readme() -> BTreeMap<String, String> {
    let readme =
        std::fs::read_to_string(repository().join(FOLDER).join("README.md")).expect("is there");
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(key, rest)| (key.to_owned(), rest.to_owned()))
        .collect()
}
