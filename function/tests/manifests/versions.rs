//! Checks that every pinned version of the repository is in a place that a manager of `.gitlab/renovate.json` reads,
//! and in the table of `function/docs/versions.md`. Owns the patterns that find versions; Renovate itself is not run.

use std::collections::BTreeSet;
use std::ops::Range;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::rendered::{at, file, list, repository, text};
use crate::sandbox::shell;
use crate::skipped::report_skipped;

const TABLE: &str = "function/docs/versions.md";

/// An image of a public registry, with a tag and perhaps a digest.
static IMAGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern_of(
        r"(?:docker\.io|quay\.io|registry\.k8s\.io|ghcr\.io|registry\.gitlab\.com)/[\w./-]+:\w[\w.-]*(?:@sha256:[0-9a-f]{64})?",
    )
});

/// An image in a field or a command whose registry is the default one.
static SHORT_IMAGE: LazyLock<Regex> =
    LazyLock::new(|| pattern_of(r"(?:\bimage: |--image |\bFROM )[\w./-]+:\d[\w.-]*"));

/// The version of a profile, which has two numbers.
static PROFILE: LazyLock<Regex> = LazyLock::new(|| pattern_of(r"enforce-version: v\d+\.\d+"));

/// Anything else with three numbers, which four numbers are not: an address.
static THREE_NUMBERS: LazyLock<Regex> =
    LazyLock::new(|| pattern_of(r"[\w.+-]*\d+\.\d+\.\d+[\w.+-]*"));

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern_of(r"^\d+(\.\d+){3}"));

/// What a package manager installs. In documentation and in Rust code, most other numbers are not versions.
static INSTALLED: LazyLock<Regex> =
    LazyLock::new(|| pattern_of(r"--version \d+\.\d+\.\d+|[\w/-]@v?\d+\.\d+\.\d+"));

/// Files whose numbers are recorded data, samples, or the result of a manager.
const UNREAD: &[&str] = &[
    "function/CHANGELOG.md",
    "function/benches/results/",
    "function/fuzz/corpus/",
    "function/tests/integration/",
    "function/tests/manifests/versions.rs",
    "function/tests/release/",
    "function/packaging/release-version",
    "function/testing/fakes/src/",
];

/// Versions that nothing publishes: a path, the version, and what it is.
const NOT_PUBLISHED: &[(&str, &str, &str)] = &[
    ("", env!("CARGO_PKG_VERSION"), "the version of this project"),
    (
        "",
        concat!("v", env!("CARGO_PKG_VERSION")),
        "a tag of this project",
    ),
    ("", "0.0.0", "no version, where one is required"),
    (
        "function/tests/manifests/recording/",
        "",
        "the answers of commands that record their calls",
    ),
];

/// The managers of Renovate without configuration here: their default files, and what they read in them.
const DEFAULTS: &[(&str, &str, &str)] = &[
    (
        "cargo",
        r"(^|/)Cargo\.toml$",
        r#"(?m)^[\w-]+ = (?:"[^"]+"|\{.*\bversion = "[^"]+")"#,
    ),
    ("npm", r"(^|/)package\.json$", r#""[^"]+": "[^"]+""#),
    (
        "pip_requirements",
        r"(^|/)[\w-]*requirements([-._]\w+)?\.(txt|pip)$",
        r"(?m)^[\w-]+==\S+",
    ),
    (
        "dockerfile",
        r"(^|/)([Dd]ocker|[Cc]ontainer)file[^/]*$",
        r"(?m)^(?:ARG \w+=\S+:\S+|FROM \S+:\S+)",
    ),
    (
        "docker-compose",
        r"(^|/)(?:docker-)?compose[^/]*\.ya?ml$",
        r"\bimage: \S+",
    ),
    (
        "kustomize",
        r"(^|/)kustomization\.ya?ml$",
        r"\b(?:newTag|digest): \S+",
    ),
    ("kubernetes", "", r"\bimage: \S+"),
];

/// A version in a file.
#[derive(Debug)]
struct Pin {
    path: String,
    line: usize,
    text: String,
    range: Range<usize>,
}

/// Which files a manager reads, and what in them.
struct Manager {
    files: Vec<Regex>,
    content: Vec<Regex>,
}

impl Manager {
    fn reads(&self, path: &str, content: &str, range: &Range<usize>) -> bool {
        let covers = |found: regex::Match| found.start() <= range.start && found.end() >= range.end;
        self.files.iter().any(|files| files.is_match(path))
            && self
                .content
                .iter()
                .any(|pattern| pattern.find_iter(content).any(covers))
    }
}

#[test]
fn every_pinned_version_matches_a_manager_of_renovate() {
    let managers = managers();
    let Some(files) = tracked_files() else {
        return;
    };
    let pins: Vec<_> = files
        .iter()
        .flat_map(|path| pins(path, &file(path)))
        .collect();

    let unmatched = |pin: &&Pin| !is_managed(&managers, pin, &file(&pin.path));
    let unmatched: Vec<_> = pins.iter().filter(unmatched).map(Pin::to_string).collect();

    // So many that the search cannot have failed.
    assert!(pins.len() > 100, "found {} versions", pins.len());
    assert!(
        unmatched.is_empty(),
        "expected a manager in .gitlab/renovate.json for each version, found none for:\n{}",
        unmatched.join("\n")
    );
}

#[test]
fn a_version_in_a_new_place_is_found_and_matches_no_manager() {
    let managers = managers();
    let cases = [
        ("k8s-base/redis.yaml", "image: docker.io/library/redis:8"),
        ("k8s-base/redis.yaml", "image: redis:8"),
        ("k8s-base/namespaces.yaml", "enforce-version: v1.34"),
        ("function/packaging/run", "TOOL_VERSION=1.2.3"),
        (
            "function/ci/run",
            "curl https://tools.example.com/v4.5.6/tool",
        ),
        ("function/docs/tool.md", "`cargo add tool --version 1.2.3`"),
    ];
    for (path, content) in cases {
        let pins = pins(path, content);

        assert!(!pins.is_empty(), "{content} in {path}");
        let is_managed = pins.iter().all(|pin| is_managed(&managers, pin, content));
        assert!(!is_managed, "{content} in {path}");
    }
}

#[test]
fn numbers_that_are_no_versions_are_not_taken_for_one() {
    for content in [
        "cidr: 169.254.169.254/32",
        "duration: 1.5s",
        "127.0.0.1:8080",
    ] {
        assert!(
            pins("k8s-base/policy.yaml", content).is_empty(),
            "{content}"
        );
    }
}

#[test]
fn the_configuration_ignores_no_place() {
    let configuration = configuration();

    // Of the presets that are extended, this one ignores `tests` and `examples`.
    let ignored = [":ignoreModulesAndTests"];
    assert_eq!(list(&configuration, "/ignorePresets"), ignored);
    assert_eq!(list(&configuration, "/ignorePaths"), ["**/node_modules/**"]);
    assert!(configuration.get("enabledManagers").is_none());
}

#[test]
fn the_table_of_versions_lists_every_place() {
    let table = file(TABLE);
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with('|')).collect();
    let Some(files) = tracked_files() else {
        return;
    };
    let mut missing = BTreeSet::new();
    for path in files {
        let content = file(&path);
        for pin in pins(&path, &content) {
            // The versions of libraries are in these files, which the table names.
            let is_library = ["Cargo.toml", "package.json", "flask/requirements.txt"]
                .iter()
                .any(|name| path.ends_with(name));
            let version = version(&pin.text);
            let is_listed = rows.iter().any(|row| {
                row.contains(&format!("`{path}`")) && (is_library || row.contains(version))
            });
            if !is_listed {
                missing.insert(format!("`{path}`: {version}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "expected rows in {TABLE} with these places and versions, found none: {missing:#?}"
    );
}

#[test]
fn every_row_of_the_table_of_versions_names_a_place_with_this_version() {
    let table = file(TABLE);
    let rows = table.lines().filter_map(|row| {
        let cells: Vec<_> = row.strip_prefix("| ")?.split(" | ").collect();
        let place = cells.get(2)?.strip_prefix('`')?.strip_suffix('`')?;
        Some((cells[1], place))
    });
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 40, "{rows:?}");
    for (version, place) in rows {
        let is_there = repository().join(place).is_file() && file(place).contains(version);
        assert!(
            is_there,
            "expected {version} in {place}, found none; change the row in {TABLE}"
        );
    }
}

#[test]
fn the_profile_is_that_of_the_oldest_kubernetes_with_schemas() {
    let schemas = file("function/tests/manifests/schemas.py");
    let oldest = captured(&schemas, r#"OLDEST = "(\d+\.\d+)\.0""#);
    let newest = captured(&schemas, r#"NEWEST = "(\d+\.\d+\.\d+)""#);

    let namespace = file("k8s-base/setup/namespace.yaml");
    assert_eq!(captured(&namespace, r"enforce-version: v(\S+)"), oldest);
    let requirements = file("function/tests/manifests/requirements.txt");
    let published = captured(&requirements, r"kubernetes-validate==(\S+)");
    assert_eq!(published, newest);
}

impl std::fmt::Display for Pin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "  {}:{}: {}", self.path, self.line, self.text)
    }
}

/// What the versions in a file look like; nothing if it has none.
fn patterns(path: &str) -> Vec<&'static Regex> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, "rs" | "md")) => vec![&INSTALLED],
        Some((_, "yaml" | "yml" | "sh" | "py" | "toml")) => {
            vec![&IMAGE, &SHORT_IMAGE, &PROFILE, &THREE_NUMBERS]
        }
        _ if name == "package.json" || name == "requirements.txt" => vec![&THREE_NUMBERS],
        Some(_) => Vec::new(),
        // Scripts, Containerfiles and the Makefile have no extension.
        None => vec![&IMAGE, &SHORT_IMAGE, &THREE_NUMBERS],
    }
}

/// The versions in a file.
fn pins(path: &str, content: &str) -> Vec<Pin> {
    let found = patterns(path)
        .into_iter()
        .flat_map(|pattern| pattern.find_iter(content))
        .map(|found| found.range());
    let pin = |range: Range<usize>| Pin {
        path: path.to_owned(),
        line: content[..range.start].lines().count().max(1),
        text: content[range.clone()].to_owned(),
        range,
    };
    let is_published = |pin: &Pin| {
        !NOT_PUBLISHED.iter().any(|(folder, number, _)| {
            path.starts_with(folder) && (number.is_empty() || version(&pin.text) == *number)
        })
    };
    found
        .map(pin)
        .filter(|pin| !ADDRESS.is_match(&pin.text) && is_published(pin))
        .collect()
}

/// The version in the text of a pin, without a digest.
fn version(text: &str) -> &str {
    let tagged = text.split("@sha256").next().unwrap_or(text);
    tagged.rsplit([':', '@', ' ', '=']).next().unwrap_or(tagged)
}

fn is_managed(managers: &[Manager], pin: &Pin, content: &str) -> bool {
    managers
        .iter()
        .any(|manager| manager.reads(&pin.path, content, &pin.range))
}

/// The managers that the configuration defines, and those that Renovate has.
fn managers() -> Vec<Manager> {
    let configuration = configuration();
    let patterns = |value: &Value, pointer: &str| -> Vec<Regex> {
        let patterns = list(value, pointer).into_iter().filter_map(Value::as_str);
        patterns
            .map(|pattern| pattern_of(pattern.trim_matches('/')))
            .collect()
    };
    let custom = list(&configuration, "/customManagers")
        .into_iter()
        .map(|manager| {
            assert_eq!(text(manager, "/customType"), "regex");
            // Renovate replaces the first group of these names, so each pattern needs it.
            for pattern in list(manager, "/matchStrings") {
                assert!(
                    pattern
                        .as_str()
                        .is_some_and(|text| text.contains("(?<currentValue>"))
                );
            }
            Manager {
                files: patterns(manager, "/managerFilePatterns"),
                content: patterns(manager, "/matchStrings"),
            }
        });
    let defaults = DEFAULTS.iter().map(|(name, files, content)| {
        let mut files: Vec<_> = [files]
            .into_iter()
            .filter(|files| !files.is_empty())
            .map(|files| pattern_of(files))
            .collect();
        files.extend(patterns(
            &configuration,
            &format!("/{name}/managerFilePatterns"),
        ));
        Manager {
            files,
            content: vec![pattern_of(content)],
        }
    });
    custom.chain(defaults).collect()
}

fn configuration() -> Value {
    let configuration: Value =
        serde_json::from_str(&file(".gitlab/renovate.json")).expect("the configuration is JSON");
    assert!(at(&configuration, "/customManagers").is_array());
    configuration
}

/// The paths of the files that belong to the repository, except those that are not read; `None` without git.
fn tracked_files() -> Option<Vec<String>> {
    if shell("command -v git").is_empty() {
        report_skipped("git is not installed; it lists the files");
        return None;
    }
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(repository())
        .output()
        .expect("git lists the files");
    assert!(output.status.success(), "expected a checkout of git");
    let paths = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let is_read = |path: &&str| {
        !patterns(path).is_empty() && !UNREAD.iter().any(|unread| path.starts_with(unread))
            // A file that was removed but not yet committed.
            && repository().join(path).is_file()
    };
    let paths = paths.split('\0').filter(is_read);
    Some(paths.map(str::to_owned).collect())
}

fn captured<'a>(content: &'a str, pattern: &str) -> &'a str {
    let captures = pattern_of(pattern).captures(content);
    let group = captures.and_then(|captures| captures.get(1));
    group.expect("the file has the version").as_str()
}

fn pattern_of(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a regular expression")
}
