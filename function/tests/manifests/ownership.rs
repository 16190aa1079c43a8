//! Checks that the end-to-end tests and the demo change only objects that they created: for every target of the
//! Makefile and every path of the scripts, enumerated from the files. What a call may do is in `calls`, how it
//! is recorded in `sandbox`.

use serde_json::{Value, json};

use crate::calls::{Call, LABEL, PREFIX, is_own};
use crate::rendered::{Rendered, file, rendered, repository};
use crate::sandbox::{EMPTY, Run, Sandbox, USERS_CONTEXT};

const LOCAL: &str = "function/tests/e2e/local";
const RUN: &str = "function/tests/e2e/run";

/// Images that need not be built.
const IMAGES: &[(&str, &str)] = &[
    (
        "IMAGE",
        "registry.invalid/webhook-app@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "FAKES_IMAGE",
        "registry.invalid/fakes@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ),
    ("IMAGE_REGISTRY", "registry.invalid"),
];

/// The sandbox; returns from the test if `kubectl` is not installed.
macro_rules! sandbox {
    ($name:expr) => {
        match Sandbox::new($name) {
            Some(sandbox) => sandbox,
            None => return,
        }
    };
}

#[test]
fn every_overlay_has_only_objects_that_belong_to_the_tests() {
    for overlay in names_in("function/tests/e2e/overlays") {
        let folder = format!("function/tests/e2e/overlays/{overlay}");
        if file(&format!("{folder}/kustomization.yaml")).contains("kind: Component") {
            continue;
        }
        let Rendered(objects) = rendered!(&folder);
        for object in &objects {
            assert!(is_own(object), "{overlay}: {object:#}");
        }
    }
}

#[test]
fn no_overlay_refers_to_a_namespace_of_a_real_installation() {
    let real = ["webhook-app", "rocketchat", "gitlab", "monitoring"];
    for overlay in [
        "deployment",
        "knative",
        "monitoring",
        "monitors",
        "fixtures",
        "gateway",
    ] {
        let Rendered(objects) = rendered!(&format!("function/tests/e2e/overlays/{overlay}"));
        for object in &objects {
            for text in texts(object) {
                let host = real
                    .iter()
                    .find(|name| text.contains(&format!(".{name}.svc")));
                assert_eq!(host, None, "{overlay}: {text} in {object:#}");
            }
            for subject in object["subjects"].as_array().into_iter().flatten() {
                assert!(
                    !real.iter().any(|name| subject["namespace"] == *name),
                    "{object:#}"
                );
            }
        }
    }
}

#[test]
fn every_target_of_the_makefile_changes_only_what_belongs_to_the_tests() {
    let sandbox = sandbox!("targets");
    let makefile = file("Makefile");
    let targets: Vec<_> = makefile.lines().filter_map(target).collect();
    assert!(targets.len() > 20, "{targets:?}");
    for target in targets {
        let run = with(
            &sandbox,
            &format!("make {target}"),
            // The other steps have a test of their own.
            &[("CLUSTER", "existing"), ("STEPS", "deliveries")],
            EMPTY,
        );

        assert_eq!(
            objections(&run),
            Vec::<String>::new(),
            "make {target}\n{}",
            run.output
        );
        // Other targets may fail because the sandbox lacks a program.
        let recipe = makefile
            .split(&format!("\n{target}:"))
            .nth(1)
            .unwrap_or_default();
        let recipe = recipe.split("\n\n").next().unwrap_or_default();
        if recipe.contains("function/tests/e2e/") {
            assert_eq!(run.code, Some(0), "make {target}\n{}", run.output);
        }
    }
}

#[test]
fn every_command_of_the_local_script_changes_only_what_belongs_to_the_tests() {
    let sandbox = sandbox!("local");
    let script = file(LOCAL);
    let commands = labels(&script, "case ${1:-} in");
    let clusters = labels(&script, "case ${CLUSTER:=kind} in");
    for cluster in &clusters {
        for command in &commands {
            let case = format!("CLUSTER={cluster} local {command}");

            let run = with(
                &sandbox,
                &format!("{LOCAL} {command}"),
                &[("CLUSTER", cluster)],
                EMPTY,
            );

            assert_eq!(run.code, Some(0), "{case}\n{}", run.output);
            assert_eq!(objections(&run), Vec::<String>::new(), "{case}");
            let users = run
                .changes()
                .iter()
                .any(|call| call.context == USERS_CONTEXT);
            assert!(
                cluster == "existing" || !users,
                "{case} changes the user's cluster"
            );
            for program in run.programs.iter().filter(|line| removes_or_creates(line)) {
                assert!(program.contains(PREFIX), "{case}: {program}");
            }
        }
    }
    let applying = |run: Run| run.calls.iter().filter(|call| call.is("apply")).count();
    let demo = with(
        &sandbox,
        &format!("{LOCAL} demo"),
        &[("CLUSTER", "existing")],
        EMPTY,
    );
    assert!(
        applying(demo) >= 2,
        "the recording contains what is applied"
    );
}

#[test]
fn every_step_of_the_end_to_end_tests_changes_only_what_belongs_to_them() {
    let sandbox = sandbox!("steps");
    let steps: Vec<_> = names_in("function/tests/e2e/steps")
        .iter()
        .map(|name| name.trim_end_matches(".sh").to_owned())
        .collect();
    for step in &steps {
        let run = with(&sandbox, RUN, &[("STEPS", step)], EMPTY);

        assert_eq!(run.code, Some(0), "{step}\n{}", run.output);
        assert!(
            !run.output.contains("SKIPPED"),
            "{step} was skipped:\n{}",
            run.output
        );
        assert_eq!(objections(&run), Vec::<String>::new(), "{step}");
        assert!(
            run.calls.iter().any(|call| call.is("delete")),
            "{step} does not remove what it created"
        );
    }
    let default_steps = file(RUN);
    let default_steps = default_steps
        .split("${STEPS:-")
        .nth(1)
        .and_then(|rest| rest.split('}').next());
    let mut default_steps: Vec<_> = default_steps.expect("has a default").split(' ').collect();
    default_steps.sort_unstable();
    assert_eq!(default_steps, steps);
}

#[test]
fn existing_namespaces_without_the_label_are_rejected_before_any_change() {
    let sandbox = sandbox!("foreign");
    let namespace = |name: &str| json!({"kind": "Namespace", "metadata": {"name": name}});
    let other_label =
        json!({"kind": "Namespace", "metadata": {"name": PREFIX, "labels": {LABEL.0: "Helm"}}});
    for existing in [
        namespace(PREFIX),
        namespace("webhook-app-e2e-gitlab"),
        other_label,
    ] {
        let existing_name = existing["metadata"]["name"]
            .as_str()
            .expect("has a name")
            .to_owned();
        let existing = json!({"items": [existing]}).to_string();
        for command in [
            RUN,
            &format!("{LOCAL} up"),
            &format!("{LOCAL} demo"),
            &format!("{LOCAL} load"),
        ] {
            let run = with(&sandbox, command, &[("CLUSTER", "existing")], &existing);

            assert_ne!(run.code, Some(0), "{command} beside {existing}");
            assert!(
                run.output.contains(&existing_name),
                "{command}: {}",
                run.output
            );
            assert!(
                run.output.contains("were not created by the tests"),
                "{command}: {}",
                run.output
            );
            assert_eq!(
                run.changes().len(),
                0,
                "{command} beside {existing}: {:?}",
                run.changes()
            );
        }
    }
}

#[test]
fn a_cluster_role_without_the_label_is_not_changed() {
    let sandbox = sandbox!("role");
    let name = "webhook-app-e2e-prometheus-adapter";
    let role = json!({"kind": "ClusterRole", "metadata": {"name": name}});
    let existing = json!({ "items": [role] }).to_string();
    for (command, steps) in [(&*format!("{LOCAL} load"), ""), (RUN, "autoscaling")] {
        let variables = [("CLUSTER", "existing"), ("STEPS", steps)];

        let run = with(&sandbox, command, &variables, &existing);

        assert_ne!(run.code, Some(0), "{command}");
        let refusal = format!("ClusterRole {name}");
        assert!(run.output.contains(&refusal), "{command}: {}", run.output);
        let applied = run
            .calls
            .iter()
            .any(|call| call.is("apply") && call.names_a("ClusterRole"));
        assert!(!applied, "{command}");
    }
}

#[test]
fn an_existing_adapter_is_used_and_not_replaced() {
    let sandbox = sandbox!("adapter");
    let adapter =
        json!({"kind": "APIService", "metadata": {"name": "v1beta1.custom.metrics.k8s.io"}});
    let existing = json!({ "items": [adapter] }).to_string();

    let run = with(
        &sandbox,
        &format!("{LOCAL} load"),
        &[("CLUSTER", "existing")],
        &existing,
    );

    assert_eq!(run.code, Some(0), "{}", run.output);
    let replaced = run
        .calls
        .iter()
        .any(|call| call.is("apply") && call.names_a("APIService"));
    assert!(!replaced, "{}", run.output);
    assert!(
        run.output.contains("using the adapter of the cluster"),
        "{}",
        run.output
    );
}

#[test]
fn objects_of_others_do_not_prevent_a_run() {
    let sandbox = sandbox!("beside");
    let names = [
        "webhook-app",
        "rocketchat",
        "gitlab",
        "monitoring",
        "webhook-app-e2etest",
    ];
    let others = names.map(|name| json!({"kind": "Namespace", "metadata": {"name": name}}));
    let own =
        json!({"kind": "Namespace", "metadata": {"name": PREFIX, "labels": {LABEL.0: LABEL.1}}});
    let beside = |items: &[Value]| json!({ "items": items }).to_string();

    let demo = with(
        &sandbox,
        &format!("{LOCAL} demo"),
        &[("CLUSTER", "existing")],
        &beside(&[&others[..], std::slice::from_ref(&own)].concat()),
    );
    let run = with(&sandbox, RUN, &[("STEPS", "deliveries")], &beside(&others));
    let again = with(&sandbox, RUN, &[("STEPS", "deliveries")], &beside(&[own]));

    assert_eq!(demo.code, Some(0), "{}", demo.output);
    assert_eq!(run.code, Some(0), "{}", run.output);
    assert_ne!(
        again.code,
        Some(0),
        "cleaning up would also delete the demo"
    );
    assert!(
        again.output.contains("make down CLUSTER=existing"),
        "{}",
        again.output
    );
    assert_eq!(again.changes().len(), 0);
}

fn with(sandbox: &Sandbox, command: &str, variables: &[(&str, &str)], existing: &str) -> Run {
    sandbox.run(command, &[IMAGES, variables].concat(), existing)
}

/// Calls that would change objects that do not belong to the tests.
fn objections(run: &Run) -> Vec<String> {
    run.calls.iter().filter_map(Call::objection).collect()
}

/// The name of the target that a line of the Makefile defines.
fn target(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(':')?;
    let is_name = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    (!name.is_empty() && name.chars().all(is_name) && !rest.starts_with('=')).then_some(name)
}

/// The labels of a `case` of a shell script, without the default.
fn labels(script: &str, head: &str) -> Vec<String> {
    let body = script
        .split(head)
        .nth(1)
        .unwrap_or_else(|| panic!("{head} is missing"));
    let body = body.split("esac").next().unwrap_or_default();
    let heads = body
        .lines()
        .filter_map(|line| line.trim().split_once(") ").map(|(head, _)| head));
    let labels = heads
        .flat_map(|head| head.split(" | "))
        .filter(|label| *label != "*");
    let labels: Vec<_> = labels.map(str::to_owned).collect();
    assert!(labels.len() >= 3, "{head}: {labels:?}");
    labels
}

/// The names in a folder, sorted.
fn names_in(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(repository().join(folder)).expect("can be read");
    let names = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn removes_or_creates(line: &str) -> bool {
    let mut words = line.split(' ').skip(1);
    words.any(|word| ["create", "delete", "rm", "run", "start", "stop", "connect"].contains(&word))
        && !line.contains("--config")
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
