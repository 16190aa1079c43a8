//! Checks the examples: each has a row in the README beside it, and a copy in which nothing was changed is rejected
//! before it is applied, with problems that name only what this row tells to change.

use std::process::Command;

use serde_json::Value;

use crate::rendered::{Rendered, file, list, rendered, repository, text};
use crate::restricted::pods;
use crate::sandbox::{fed, shell};
use crate::skipped::report_skipped;

/// Folders of examples, each with a README.
const FOLDERS: &[&str] = &["k8s-base/examples", "knative/examples"];

#[test]
fn an_example_is_rejected_until_everything_that_its_readme_names_is_changed() {
    if !shell("command -v jq && kubectl version --client").contains("Client Version") {
        report_skipped("kubectl or jq is not installed; the examples need them");
        return;
    }
    for example in examples() {
        let to_change = to_change(&example);
        let rendered = rendered!(&example);

        let problems = problems(&rendered.0, &image(&rendered));

        assert!(!problems.is_empty(), "{example}");
        for problem in problems {
            // The objects of Argo CD and Flux deploy a copy of another example, and an administrator applies the policy.
            let is_elsewhere = image(&rendered).is_empty()
                && (problem.starts_with("expected a Deployment or a Knative Service")
                    || problem.contains("expected a namespace"));
            let is_named = to_change.iter().any(|name| problem.contains(name.as_str()));
            assert!(
                is_named || is_elsewhere,
                "expected that the README of {example} tells to change it, found none of {to_change:?} in: {problem}"
            );
        }
    }
}

#[test]
fn a_problem_that_the_readme_does_not_name_is_found() {
    if shell("command -v jq").is_empty() {
        report_skipped("jq is not installed; the check of a rendering needs it");
        return;
    }
    let example = "k8s-base/examples/kind";
    let mut rendered = rendered!(example);
    let level = rendered
        .0
        .iter_mut()
        .find_map(|object| object.pointer_mut("/data/LOG_LEVEL"));
    *level.expect("the level of the log is set") = "other.example.org".into();

    let problems = problems(&rendered.0, &image(&rendered));

    let is_named = |problem: &String| {
        let names = to_change(example);
        names.iter().any(|name| problem.contains(name.as_str()))
    };
    assert!(!problems.iter().all(is_named), "{problems:?}");
}

#[test]
fn the_examples_use_only_names_that_are_reserved_for_documentation() {
    for example in examples() {
        let rendering = rendered!(&example);
        let hosts = rendering.0.iter().flat_map(|object| {
            let listeners = list(object, "/spec/listeners");
            let rules = list(object, "/spec/rules");
            listeners.into_iter().chain(rules).collect::<Vec<_>>()
        });
        for host in hosts {
            let name = host.get("hostname").or_else(|| host.get("host"));
            let Some(name) = name.and_then(Value::as_str) else {
                continue;
            };
            assert!(name.ends_with(".example.org"), "{name} of {example}");
        }
    }
}

/// The folders below `FOLDERS` that are kustomizations.
pub(crate) fn examples() -> Vec<String> {
    let entries = FOLDERS.iter().flat_map(|folder| {
        let entries = std::fs::read_dir(repository().join(folder)).expect("the folder is there");
        entries.map(move |entry| {
            let name = entry.expect("a readable entry").file_name();
            format!("{folder}/{}", name.to_string_lossy())
        })
    });
    let mut examples: Vec<_> = entries
        .filter(|path| repository().join(path).join("kustomization.yaml").exists())
        .collect();
    examples.sort();
    assert!(examples.len() >= 10, "{examples:?}");
    examples
}

/// What the last column of the example's row names, in backquotes.
fn to_change(example: &str) -> Vec<String> {
    let (folder, name) = example.rsplit_once('/').expect("a folder of examples");
    let readme = file(&format!("{folder}/README.md"));
    let start = format!("| [`{name}`](");
    let row = readme.lines().find(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("expected a row for {name} in {folder}/README.md"));
    let column = row.trim_end_matches(" |").rsplit(" | ").next();
    let names = column.expect("a column").split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

/// The image of the function; empty if there is no workload.
fn image(rendered: &Rendered) -> String {
    let pods = pods(rendered);
    let image = pods
        .first()
        .map(|(_, pod)| text(pod, "/containers/0/image"));
    image.unwrap_or_default().to_owned()
}

/// The problems that `make deploy` would find in these objects before it applies anything.
fn problems(objects: &[Value], image: &str) -> Vec<String> {
    let mut check = Command::new(repository().join("function/ci/check-rendering"));
    check.args([image, "/dev/null"]);
    let objects: Vec<_> = objects.iter().map(Value::to_string).collect();
    let output = fed(&mut check, objects.join("\n").as_bytes());
    assert!(output.status.success(), "{:?}", output.status);
    let found: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let problems = list(&found, "/problems").into_iter();
    problems
        .map(|problem| problem.as_str().expect("a text").to_owned())
        .collect()
}
