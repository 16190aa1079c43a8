//! The structure that the crate's documentation promises, read off the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Files that may wait: the shell around the pure core.
const SHELL: &[&str] = &[
    "cli/check.rs",
    "http/body_limit.rs",
    "http/health.rs",
    "http/listener.rs",
    "http/listener/lingering_close.rs",
    "http/router.rs",
    "http/telemetry_layer.rs",
    "http/webhook.rs",
    "lambda.rs",
    "rocketchat/client.rs",
    "send/sender.rs",
    "server.rs",
    "telemetry/otlp.rs",
];

/// Every module and the modules that it names. A module names only those above it, so that there is no
/// circle, and every one that it may name it does name.
const MODULES: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("digest", &[]),
    ("exit", &[]),
    ("file_descriptors", &[]),
    ("tls", &[]),
    ("yaml", &["limits"]),
    ("gitlab", &["digest", "limits"]),
    ("rocketchat", &["digest", "gitlab", "limits", "tls"]),
    ("notifier", &["gitlab", "limits", "rocketchat", "yaml"]),
    ("send", &["gitlab", "limits", "notifier", "rocketchat"]),
    (
        "outcome",
        &["gitlab", "limits", "notifier", "rocketchat", "send"],
    ),
    (
        "telemetry",
        &[
            "file_descriptors",
            "gitlab",
            "limits",
            "notifier",
            "outcome",
            "rocketchat",
            "send",
            "tls",
        ],
    ),
    (
        "http",
        &[
            "file_descriptors",
            "gitlab",
            "limits",
            "notifier",
            "outcome",
            "send",
            "telemetry",
        ],
    ),
    (
        "config",
        &["gitlab", "limits", "notifier", "rocketchat", "telemetry"],
    ),
    (
        "bootstrap",
        &[
            "config",
            "gitlab",
            "http",
            "rocketchat",
            "send",
            "telemetry",
        ],
    ),
    (
        "server",
        &[
            "bootstrap",
            "config",
            "exit",
            "http",
            "limits",
            "rocketchat",
            "telemetry",
        ],
    ),
    (
        "lambda",
        &[
            "bootstrap",
            "config",
            "exit",
            "http",
            "rocketchat",
            "telemetry",
        ],
    ),
    (
        "cli",
        &[
            "config",
            "exit",
            "gitlab",
            "limits",
            "notifier",
            "rocketchat",
            "send",
            "server",
        ],
    ),
    ("lib", &[]),
    ("main", &[]),
    ("bin", &[]),
];

/// Files of the shell in folders of the core; no pure file names them.
const SHELL_IN_CORE: &[&str] = &["rocketchat::client", "send::sender", "sender::Sender"];

/// Libraries of the shell, and the only places that may name them.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("axum", &["http", "lambda.rs"]),
    ("hyper", &["http/listener.rs"]),
    ("minijinja", &["notifier/templates"]),
    ("opentelemetry", &["config/telemetry.rs", "telemetry"]),
    ("percent_encoding", &["config/telemetry.rs"]),
    ("prometheus", &["telemetry"]),
    ("saphyr_parser", &["yaml.rs"]),
    ("reqwest", &["rocketchat/client.rs", "telemetry/otlp.rs"]),
    ("tokio", SHELL),
    ("tracing_subscriber", &["telemetry"]),
];

struct Source {
    path: String,
    code: String,
    docs: String,
}

impl Source {
    /// `rocketchat` of `rocketchat/reply.rs`.
    fn part(&self) -> &str {
        self.path
            .split(['/', '.'])
            .next()
            .expect("has a first part")
    }

    /// Names that follow `prefix` in the code.
    fn named_after<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let end = |char: char| !(char.is_alphanumeric() || char == '_');
        self.code
            .split(prefix)
            .skip(1)
            .map(move |rest| rest.split(end).next().unwrap_or_default())
    }
}

/// Every source file: its code without comments and tests, and its opening documentation.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)
            .expect("can be read")
            .filter_map(Result::ok)
        {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            if entry.path().extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            let text = fs::read_to_string(entry.path()).expect("can be read");
            let product = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code: Vec<_> = product
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            let docs: Vec<_> = text
                .lines()
                .take_while(|line| line.starts_with("//!"))
                .collect();
            let path = entry
                .path()
                .strip_prefix(&root)
                .expect("is below")
                .to_string_lossy()
                .into_owned();
            found.push(Source {
                path,
                code: code.join("\n"),
                docs: docs.join("\n"),
            });
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

#[test]
fn every_module_names_the_modules_of_its_row_and_no_others() {
    let sources = sources();
    for source in &sources {
        let part = source.part();
        let is_listed = MODULES.iter().any(|(module, _)| *module == part);
        assert!(is_listed, "{} has no row", source.path);
    }
    for (row, (module, allowed)) in MODULES.iter().enumerate() {
        let of_module = sources.iter().filter(|source| source.part() == *module);
        let mut named = BTreeSet::new();
        for source in of_module {
            named.extend(source.named_after("crate::").filter(|name| name != module));
        }
        let allowed: BTreeSet<_> = allowed.iter().copied().collect();
        assert_eq!(named, allowed, "{module}");
        let above: Vec<_> = MODULES[..row].iter().map(|(module, _)| *module).collect();
        let below = allowed.iter().find(|name| !above.contains(name));
        assert_eq!(below, None, "{module} closes a circle");
    }
}

#[test]
fn pure_files_name_no_file_of_the_shell() {
    let core = ["gitlab", "rocketchat", "notifier", "send", "outcome"];
    for source in sources() {
        let is_pure = core.contains(&source.part()) && !SHELL.contains(&source.path.as_str());
        for file in SHELL_IN_CORE {
            let names = source.path != "send.rs" && source.code.contains(file);
            assert!(!(is_pure && names), "{} names {file}", source.path);
        }
    }
}

#[test]
fn nothing_but_the_edge_meets_both_sides() {
    for source in sources().iter().filter(|source| source.part() == "gitlab") {
        assert!(
            !source.code.contains("rocketchat"),
            "{} knows the chat server",
            source.path
        );
    }
}

#[test]
fn only_the_shell_waits() {
    for source in sources()
        .iter()
        .filter(|source| !SHELL.contains(&source.path.as_str()))
    {
        let waits = source
            .code
            .split(|char: char| !char.is_alphanumeric())
            .any(|word| word == "async" || word == "await");
        assert!(!waits, "{} is not in the shell and waits", source.path);
    }
}

#[test]
fn only_the_configuration_reads_the_environment() {
    for source in sources().iter().filter(|source| source.path != "config.rs") {
        let reads = ["var(", "vars(", "var_os(", "vars_os("]
            .iter()
            .any(|call| source.code.contains(&format!("env::{call}")));
        assert!(!reads, "{} reads the environment", source.path);
    }
}

/// A constant that is named like a limit or is a length of time.
#[test]
fn limits_are_in_one_file() {
    let exceptions = ["MAX_SECRETS", "MAX_DISTANCE", "MAX_LENGTH"];
    for source in sources().iter().filter(|source| source.path != "limits.rs") {
        for line in source.code.lines() {
            let Some((_, constant)) = line.split_once("const ") else {
                continue;
            };
            let Some((name, value)) = constant.split_once(": ") else {
                continue;
            };
            let limits = value.starts_with("Duration") || name.starts_with("MAX_");
            assert!(
                !limits || value.contains("LIMITS.") || exceptions.contains(&name),
                "{}: {name} is a limit",
                source.path
            );
        }
    }
}

#[test]
fn libraries_stay_where_they_belong() {
    for source in &sources() {
        for (library, places) in LIBRARIES {
            let names = source.code.contains(&format!("{library}::"))
                || source.code.contains(&format!("{library}_"));
            let allowed = places.iter().any(|place| source.path.starts_with(place));
            assert!(
                !names || allowed,
                "{} names {library}; allowed in {places:?}",
                source.path
            );
        }
    }
}

#[test]
fn every_file_says_what_it_owns() {
    for source in &sources() {
        assert!(
            source.docs.len() > 60,
            "{} does not say what it owns",
            source.path
        );
    }
}

#[test]
fn no_file_outgrows_its_reader() {
    for source in &sources() {
        let lines = source
            .code
            .lines()
            .filter(|line| !line.trim().is_empty())
            .count();
        assert!(
            lines <= 250,
            "{}: {lines} lines of code; does it own one thing?",
            source.path
        );
    }
}

/// Cargo wants to see the manifests of all members, whichever of them is built.
#[test]
fn both_images_are_given_every_member_of_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("is there");
    let workspace = read("Cargo.toml");
    let members = workspace
        .lines()
        .find_map(|line| line.strip_prefix("members = [")?.strip_suffix(']'));
    let members: Vec<_> = members.expect("on one line").split(", ").collect();
    assert!(members.len() > 1, "{members:?}");
    for ignore in [
        ".containerignore",
        "function/testing/fakes/Containerfile.dockerignore",
    ] {
        let seen = read(ignore);
        for member in &members {
            let manifest = format!("{}/Cargo.toml", member.trim_matches('"'));
            let is_seen = |line: &str| {
                let path = line.strip_prefix('!');
                path.is_some_and(|path| Path::new(&manifest).starts_with(path))
            };
            assert!(seen.lines().any(is_seen), "{ignore} hides {manifest}");
        }
    }
}
