//! Checks the examples: each has a row in the README beside it, and a copy is rejected before it is applied until everything
//! that this row names is changed.

use std::process::Command;

use serde_json::Value;
use webhook_app::config::catalogue::SETTINGS;

use crate::rendered::{Rendered, file, list, rendered, repository, text};
use crate::restricted::pods;
use crate::sandbox::{fed, shell};
use crate::skipped::report_skipped;

/// Folders of examples, each with a README.
const FOLDERS: &[&str] = &["k8s-base/examples", "knative/examples"];

#[test]
fn an_example_is_rejected_while_one_thing_that_its_readme_names_is_left() {
    if lacks_tools() {
        return;
    }
    for example in examples() {
        let rendered = rendered!(&example);
        if rendered.workloads().is_empty() {
            continue;
        }
        let to_change = to_change(&example);
        assert!(to_change.len() > 1, "{example}");
        for left in &to_change {
            let others = to_change.iter().filter(|name| *name != left);

            let problems = problems(&changed(&rendered, others));

            assert!(
                problems.iter().any(|problem| problem.contains(left)),
                "expected that {example} is rejected with {left}, found {problems:?}"
            );
        }

        let problems = problems(&changed(&rendered, &to_change));

        assert_eq!(
            problems,
            Vec::<String>::new(),
            "{example}: what its README does not name"
        );
    }
}

/// `make deploy` takes only what has a workload. Argo CD and Flux deploy a copy of another example, and an administrator
/// applies the policy for signed images.
#[test]
fn the_readme_names_the_examples_that_make_deploy_does_not_take() {
    if lacks_tools() {
        return;
    }
    let mut others = Vec::new();
    for example in examples() {
        let rendered = rendered!(&example);
        if !rendered.workloads().is_empty() {
            continue;
        }
        let to_change = to_change(&example);
        for problem in problems(&rendered) {
            let is_taken = !problem.starts_with("expected a Deployment or a Knative Service")
                && !problem.contains("expected a namespace");
            let is_named = to_change.iter().any(|name| problem.contains(name));
            assert!(!is_taken || is_named, "{example}: {problem}");
        }
        let (_, name) = example.rsplit_once('/').expect("a folder of examples");
        others.push(format!("`{name}`"));
    }
    let (last, first) = others.split_last().expect("there are some");
    let sentence = format!("It deploys none of {} and {last}", first.join(", "));
    let readme = file("k8s-base/examples/README.md");
    assert!(readme.contains(&sentence), "{sentence}");
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

fn lacks_tools() -> bool {
    let lacks = !shell("command -v jq && kubectl version --client").contains("Client Version");
    if lacks {
        report_skipped("kubectl or jq is not installed; the examples need them");
    }
    lacks
}

/// What the last column of the example's row names, in backquotes, without the files in which it is.
fn to_change(example: &str) -> Vec<String> {
    let (folder, name) = example.rsplit_once('/').expect("a folder of examples");
    let readme = file(&format!("{folder}/README.md"));
    let start = format!("| [`{name}`](");
    let row = readme.lines().find(|line| line.starts_with(&start));
    let row = row.unwrap_or_else(|| panic!("expected a row for {name} in {folder}/README.md"));
    let column = row.trim_end_matches(" |").rsplit(" | ").next();
    let names = column.expect("a column").split('`').skip(1).step_by(2);
    let names = names.filter(|name| !["routes.yaml", "secret.env"].contains(name));
    names.map(str::to_owned).collect()
}

/// The objects of a copy in which a user has changed these things: settings, and parts of texts.
fn changed<'a>(rendered: &Rendered, names: impl IntoIterator<Item = &'a String>) -> Rendered {
    let mut objects = Value::Array(rendered.0.clone());
    for name in names {
        if SETTINGS.iter().any(|setting| setting.name == name) {
            set_setting(&mut objects, name);
        } else {
            let other = name.replace("example", "acme").replace("192.0.2", "10.0.2");
            let text = objects.to_string().replace(name, &other);
            objects = serde_json::from_str(&text).expect("is JSON");
        }
    }
    match objects {
        Value::Array(objects) => Rendered(objects),
        _ => unreachable!("it was made from a list"),
    }
}

/// Sets it in each ConfigMap or Secret that has it.
fn set_setting(objects: &mut Value, name: &str) {
    let value = match name {
        "ROCKETCHAT_URL" => "https://chat.acme.org",
        _ => "acme",
    };
    for object in objects.as_array_mut().expect("a list") {
        let is_secret = object["kind"] == "Secret";
        let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) else {
            continue;
        };
        if data.contains_key(name) {
            data.insert(name.to_owned(), value.into());
        }
        if is_secret && data.remove(name).is_some() {
            object["stringData"][name] = value.into();
        }
    }
}

/// The problems that `make deploy` would find in these objects before it applies anything.
fn problems(rendered: &Rendered) -> Vec<String> {
    let pods = pods(rendered);
    let image = pods
        .first()
        .map(|(_, pod)| text(pod, "/containers/0/image"));
    let mut check = Command::new(repository().join("function/ci/check-rendering"));
    check.args([image.unwrap_or_default(), "/dev/null"]);
    let objects: Vec<_> = rendered.0.iter().map(Value::to_string).collect();
    let output = fed(&mut check, objects.join("\n").as_bytes());
    assert!(output.status.success(), "{:?}", output.status);
    let found: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let problems = list(&found, "/problems").into_iter();
    problems
        .map(|problem| problem.as_str().expect("a text").to_owned())
        .collect()
}
