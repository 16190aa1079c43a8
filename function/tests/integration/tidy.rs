//! Checks the sources against the structure that the crate's documentation describes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Files that may be async: the shell around the pure core.
const SHELL: &[&str] = &[
    "cli/check.rs",
    "cli/check/account.rs",
    "cli/check/broker.rs",
    "cli/check/recipients.rs",
    "cli/check/sending.rs",
    "cli/check/webhooks.rs",
    "cli/dead_letters.rs",
    "cli/hooks.rs",
    "cli/hooks/status.rs",
    "cli/reconcile.rs",
    "cli/setup.rs",
    "cli/setup/chat.rs",
    "cli/setup/chat/messages.rs",
    "cli/setup/driver.rs",
    "cli/setup/gitlab.rs",
    "gitlab_api/client.rs",
    "gitlab_api/connection.rs",
    "hand_off.rs",
    "hand_off/sink.rs",
    "hook_changes.rs",
    "hook_lookup.rs",
    "http/body_limit.rs",
    "http/dead_letters.rs",
    "http/health.rs",
    "http/listener.rs",
    "http/listener/lingering_close.rs",
    "http/listener/watched_stream.rs",
    "http/redelivery.rs",
    "http/router.rs",
    "http/telemetry_layer.rs",
    "http/webhook.rs",
    "lambda.rs",
    "recipient_check.rs",
    "reconcile/backfilling.rs",
    "reconcile/clock.rs",
    "reconcile/details.rs",
    "reconcile/dropped.rs",
    "reconcile/post.rs",
    "reconcile/reading.rs",
    "reconcile/runner.rs",
    "reconcile/steps.rs",
    "rocketchat/client.rs",
    "rocketchat/client/administration.rs",
    "rocketchat/connecting.rs",
    "rocketchat/exchange.rs",
    "rocketchat/tunnel.rs",
    "send/calls.rs",
    "send/creations.rs",
    "send/permits.rs",
    "send/sender.rs",
    "send/sign_in.rs",
    "server.rs",
    "sign_in_check.rs",
    "telemetry/otlp.rs",
];

/// Modules in order of dependency, and exactly the modules that each one imports.
const MODULES: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("derived_key", &[]),
    ("digest", &[]),
    ("exit", &[]),
    ("file_descriptors", &[]),
    ("proxy", &[]),
    ("suggestion", &[]),
    ("tls", &[]),
    ("connect_cause", &["tls"]),
    ("http_client", &["proxy", "tls"]),
    ("yaml", &["limits"]),
    ("gitlab", &["digest", "limits"]),
    (
        "rocketchat",
        &[
            "connect_cause",
            "derived_key",
            "digest",
            "gitlab",
            "http_client",
            "limits",
            "proxy",
            "tls",
        ],
    ),
    (
        "notifier",
        &["gitlab", "limits", "rocketchat", "suggestion", "yaml"],
    ),
    (
        "gitlab_api",
        &[
            "connect_cause",
            "gitlab",
            "http_client",
            "limits",
            "proxy",
            "tls",
        ],
    ),
    (
        "hooks",
        &["gitlab", "gitlab_api", "limits", "notifier", "yaml"],
    ),
    ("hook_lookup", &["gitlab_api", "hooks", "limits"]),
    ("hook_changes", &["gitlab_api", "hook_lookup", "hooks"]),
    ("setup", &["gitlab_api", "rocketchat"]),
    ("dead_letters", &["gitlab", "notifier", "rocketchat"]),
    ("send", &["limits", "notifier", "rocketchat"]),
    (
        "hand_off",
        &[
            "derived_key",
            "digest",
            "gitlab",
            "http_client",
            "limits",
            "notifier",
            "proxy",
            "send",
        ],
    ),
    (
        "outcome",
        &[
            "gitlab",
            "hand_off",
            "limits",
            "notifier",
            "rocketchat",
            "send",
        ],
    ),
    (
        "telemetry",
        &[
            "file_descriptors",
            "gitlab",
            "http_client",
            "limits",
            "notifier",
            "outcome",
            "proxy",
            "rocketchat",
            "send",
            "tls",
        ],
    ),
    (
        "http",
        &[
            "dead_letters",
            "file_descriptors",
            "gitlab",
            "hand_off",
            "limits",
            "notifier",
            "outcome",
            "send",
            "telemetry",
        ],
    ),
    (
        "config",
        &[
            "dead_letters",
            "gitlab",
            "gitlab_api",
            "hand_off",
            "hooks",
            "limits",
            "notifier",
            "proxy",
            "rocketchat",
            "suggestion",
            "telemetry",
        ],
    ),
    (
        "reconcile",
        &[
            "config",
            "connect_cause",
            "gitlab",
            "gitlab_api",
            "hook_lookup",
            "hooks",
            "http_client",
            "limits",
        ],
    ),
    (
        "bootstrap",
        &[
            "config",
            "gitlab",
            "hand_off",
            "http",
            "limits",
            "rocketchat",
            "send",
            "telemetry",
        ],
    ),
    (
        "recipient_check",
        &["http", "limits", "rocketchat", "telemetry"],
    ),
    ("sign_in_check", &["http", "limits"]),
    (
        "server",
        &[
            "bootstrap",
            "config",
            "dead_letters",
            "exit",
            "http",
            "limits",
            "recipient_check",
            "rocketchat",
            "sign_in_check",
            "telemetry",
        ],
    ),
    (
        "lambda",
        &["bootstrap", "config", "exit", "gitlab", "http", "telemetry"],
    ),
    (
        "cli",
        &[
            "config",
            "dead_letters",
            "exit",
            "gitlab",
            "gitlab_api",
            "hand_off",
            "hook_changes",
            "hook_lookup",
            "hooks",
            "http",
            "limits",
            "notifier",
            "reconcile",
            "rocketchat",
            "server",
            "setup",
            "suggestion",
            "telemetry",
        ],
    ),
    ("lib", &[]),
    ("main", &[]),
    ("bin", &[]),
];

/// Files of the shell in folders of the core; no file of the core imports them.
const SHELL_IN_CORE: &[&str] = &["rocketchat::client", "send::sender", "sender::Sender"];

/// Libraries of the shell, and the only places that may use them.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("axum", &["http", "lambda"]),
    (
        "hyper",
        &[
            "http/listener.rs",
            "http/listener/request_body.rs",
            "proxy.rs",
            "rocketchat/exchange.rs",
        ],
    ),
    ("minijinja", &["notifier/templates"]),
    ("opentelemetry", &["config/traces.rs", "telemetry"]),
    ("percent_encoding", &["config/collector.rs"]),
    ("prometheus", &["telemetry"]),
    ("saphyr_parser", &["yaml.rs"]),
    (
        "reqwest",
        &[
            "gitlab_api/client.rs",
            "gitlab_api/connection.rs",
            "hand_off/sink.rs",
            "http_client.rs",
            "proxy.rs",
            "reconcile/post.rs",
            "rocketchat/client.rs",
            "rocketchat/exchange.rs",
            "rocketchat/tunnel.rs",
            "telemetry/otlp.rs",
        ],
    ),
    ("tokio", SHELL),
    ("tracing_subscriber", &["telemetry"]),
];

struct Source {
    path: String,
    code: String,
    docs: String,
}

impl Source {
    /// The top-level module, such as `rocketchat` for `rocketchat/response.rs`.
    fn module(&self) -> &str {
        self.path
            .split(['/', '.'])
            .next()
            .expect("has a first component")
    }

    /// Whether the code names a library or one with the same prefix.
    fn uses(&self, library: &str) -> bool {
        self.code.contains(&format!("{library}::")) || self.code.contains(&format!("{library}_"))
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

/// A renamed file or module would otherwise no longer be checked.
#[test]
fn every_listed_file_and_module_exists() {
    let sources = sources();
    for path in SHELL {
        assert!(sources.iter().any(|source| source.path == *path), "{path}");
    }
    for (module, _) in MODULES {
        assert!(
            sources.iter().any(|source| source.module() == *module),
            "{module}"
        );
    }
    for (library, places) in LIBRARIES {
        for place in *places {
            let is_used = |source: &Source| source.path.starts_with(place) && source.uses(library);
            assert!(
                *library == "tokio" || sources.iter().any(is_used),
                "{place} does not use {library}"
            );
        }
    }
}

#[test]
fn modules_import_exactly_what_is_listed() {
    let sources = sources();
    for source in &sources {
        let name = source.module();
        let is_listed = MODULES.iter().any(|(module, _)| *module == name);
        assert!(is_listed, "{} is not listed", source.path);
    }
    for (row, (module, allowed)) in MODULES.iter().enumerate() {
        let of_module = sources.iter().filter(|source| source.module() == *module);
        let mut named = BTreeSet::new();
        for source in of_module {
            named.extend(source.named_after("crate::").filter(|name| name != module));
        }
        let allowed: BTreeSet<_> = allowed.iter().copied().collect();
        assert_eq!(named, allowed, "{module}");
        let above: Vec<_> = MODULES[..row].iter().map(|(module, _)| *module).collect();
        let below = allowed.iter().find(|name| !above.contains(name));
        assert_eq!(below, None, "{module} imports a later module");
    }
}

#[test]
fn core_files_import_no_file_of_the_shell() {
    let core = ["gitlab", "rocketchat", "notifier", "send", "outcome"];
    for source in sources() {
        let is_pure = core.contains(&source.module()) && !SHELL.contains(&source.path.as_str());
        for file in SHELL_IN_CORE {
            let names = source.path != "send.rs" && source.code.contains(file);
            assert!(!(is_pure && names), "{} imports {file}", source.path);
        }
    }
}

#[test]
fn gitlab_does_not_know_the_chat_server() {
    for source in sources()
        .iter()
        .filter(|source| source.module() == "gitlab")
    {
        assert!(
            !source.code.contains("rocketchat"),
            "{} knows the chat server",
            source.path
        );
    }
}

#[test]
fn only_the_shell_is_async() {
    for source in sources()
        .iter()
        .filter(|source| !SHELL.contains(&source.path.as_str()))
    {
        let is_async = source
            .code
            .split(|char: char| !char.is_alphanumeric())
            .any(|word| word == "async" || word == "await");
        assert!(!is_async, "{} is async but not in the shell", source.path);
    }
}

#[test]
fn only_config_reads_the_environment() {
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
fn libraries_are_used_only_where_allowed() {
    for source in &sources() {
        for (library, places) in LIBRARIES {
            let allowed = places.iter().any(|place| source.path.starts_with(place));
            assert!(
                !source.uses(library) || allowed,
                "{} uses {library}; allowed in {places:?}",
                source.path
            );
        }
    }
}

#[test]
fn every_file_opens_with_documentation() {
    for source in &sources() {
        assert!(
            source.docs.len() > 60,
            "{} does not open with documentation of what it owns",
            source.path
        );
    }
}

#[test]
fn no_file_has_more_than_250_lines_of_code() {
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

/// Cargo reads the manifests of all members, whichever of them is built.
#[test]
fn both_image_builds_see_every_member_of_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("is there");
    let workspace = read("Cargo.toml");
    let members = workspace
        .lines()
        .find_map(|line| line.strip_prefix("members = [")?.strip_suffix(']'));
    let members: Vec<_> = members.expect("on one line").split(", ").collect();
    assert!(members.len() > 1, "{members:?}");
    // Read before `.dockerignore` by podman and buildah, and not at all by docker: the builds would differ.
    assert!(!root.join(".containerignore").exists());
    for ignore in [
        ".dockerignore",
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
