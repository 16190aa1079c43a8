//! Checks the Markdown files against the code and against each other. Owns the blocks between markers: how
//! they are found, compared and, for `make tables`, rewritten. Generated blocks are in [`tables`]; the form of
//! the files is in [`form`].

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use webhook_app::notifier::routing::{self, RoutingRules};
use webhook_app::outcome::Failure;

use crate::routing::{changed, example, recipients_of};

mod form;
mod template_page;
mod tables;
mod troubleshooting;

/// Tests run in parallel, and two blocks may be in one file.
static FILES: Mutex<()> = Mutex::new(());

/// Compares the text between `<!-- name: begin -->` and `<!-- name: end -->` in `file`, a path from the root of
/// the repository, with `expected`; or replaces it for `make tables`.
#[track_caller]
pub(crate) fn block(file: &str, name: &str, expected: &str) {
    let _lock = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let page = read(file);
    let place = place(&page, name).unwrap_or_else(|| panic!("{file} has no block {name}"));
    if &page[place.clone()] == expected {
        return;
    }
    assert!(
        is_updating(),
        "the block {name} of {file} is out of date; run make tables"
    );
    let updated = [&page[..place.start], expected, &page[place.end..]].concat();
    fs::write(root().join(file), updated).expect("can be written");
}

/// Whether blocks that differ are rewritten instead of reported: set by `make tables`.
#[expect(
    clippy::disallowed_methods,
    reason = "the variable is read by the tests and is not a setting of the program"
)]
fn is_updating() -> bool {
    std::env::var_os("UPDATE_TABLES").is_some()
}

/// Where the content of a block begins and ends.
fn place(page: &str, name: &str) -> Option<Range<usize>> {
    let marker = format!("<!-- {name}: begin -->\n");
    let start = page.find(&marker)? + marker.len();
    let length = page[start..].find(&format!("<!-- {name}: end -->"))?;
    Some(start..start + length)
}

/// The text between the markers of a block.
fn content<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    place(page, name).map(|place| &page[place])
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

const README: &str = "README.md";
const ROUTING: &str = "function/docs/routing.md";
const PIPELINE: &str = "function/docs/pipeline.md";
const ANSWERS: &str = "function/docs/answers.md";

/// The routing rules that a page shows.
fn rules_of(file: &str) -> RoutingRules {
    let page = read(file);
    let rules = content(&page, "routes");
    let rules = rules
        .and_then(|rules| rules.strip_prefix("```yaml\n"))
        .and_then(|rules| rules.strip_suffix("```\n"));
    routing::parse(rules.expect("is YAML")).expect("has no errors")
}

#[test]
fn the_rules_of_the_readme_do_what_their_comments_say() {
    let rules = rules_of(README);
    let pipeline = |status: &str| {
        let change = json!({ "object_attributes": { "status": status, "ref": "main" } });
        recipients_of(&rules, &changed("pipeline", &change))
    };
    assert_eq!(pipeline("failed"), "@lead room:GENERAL");
    assert_eq!(
        pipeline("success"),
        "@lead if notified of the failure that this fixes room:GENERAL if notified of the failure that this fixes"
    );
    // The reviewer of the example opened it.
    assert_eq!(
        recipients_of(&rules, &example("merge_request")),
        "own_action"
    );
    let by_another = changed(
        "merge_request",
        &json!({ "user": { "id": 8, "username": "kim" } }),
    );
    assert_eq!(recipients_of(&rules, &by_another), "@robin");
    assert_eq!(recipients_of(&rules, &example("push")), "@alice");
    assert_eq!(recipients_of(&rules, &example("issue")), "no_rule");
}

#[test]
fn the_example_of_routing_does_what_its_comments_say() {
    let rules = rules_of(ROUTING);
    let project = |path: &str| json!({ "project": { "path_with_namespace": path } });
    let ended =
        |status: &str| json!({ "object_attributes": { "status": status, "ref": "release-2" } });
    let issue = |change: Value| json!({ "object_attributes": change });
    let job = |change: Value| changed("job", &change);
    let by_8 = json!({ "user": { "id": 8, "username": null }, "assignees": null });
    for (case, body, expected) in [
        (
            "two stars match slashes",
            changed("push", &project("play/x/y")),
            "nobody",
        ),
        (
            "a folder with a longer name",
            changed("push", &project("player/x")),
            "@team",
        ),
        ("a failed job", job(json!({ "ref": "x" })), "@kim"),
        (
            "a failed job that may fail",
            job(json!({ "build_allow_failure": true, "ref": "x" })),
            "no_rule",
        ),
        (
            "a request for a review",
            changed(
                "merge_request",
                &json!({
                    "object_attributes": { "action": "update" },
                    "changes": { "reviewers": { "previous": [], "current": [{ "id": 7, "username": "robin" }] } },
                }),
            ),
            "@robin.rocket",
        ),
        (
            "a failed pipeline",
            changed("pipeline", &ended("failed")),
            "@lead room:GENERAL",
        ),
        (
            "a passed pipeline",
            changed("pipeline", &ended("success")),
            "@lead if notified of the failure that this fixes room:GENERAL if notified of the failure that this fixes",
        ),
        (
            "a canceled pipeline, which only the last rule matches",
            changed("pipeline", &ended("canceled")),
            "@team @kim",
        ),
        (
            "a merge request that its reviewer opened",
            example("merge_request"),
            "@kim",
        ),
        (
            "a merge request of a user who is mapped by id",
            changed("merge_request", &by_8),
            "@robin.rocket",
        ),
        (
            "a closed merge request, which only the last rule matches",
            changed("merge_request", &issue(json!({ "action": "close" }))),
            "@team @kim",
        ),
        (
            "a confidential issue",
            changed("issue", &issue(json!({ "confidential": true }))),
            "@security",
        ),
        ("a push to main", example("push"), "@team"),
        (
            "a push to a release",
            changed("push", &json!({ "ref": "refs/heads/release-2" })),
            "@team",
        ),
        (
            "a push to a branch with a slash",
            changed("push", &json!({ "ref": "refs/heads/release-2/x" })),
            "no_rule",
        ),
        (
            "a push by another user",
            changed("push", &json!({ "user_username": "robot" })),
            "no_rule",
        ),
    ] {
        assert_eq!(recipients_of(&rules, &body), expected, "{case}");
    }
}

#[test]
fn the_documented_variables_of_the_pipeline_are_those_its_jobs_use() {
    let pipeline = pipeline();
    let page = read(PIPELINE);
    let rows = content(&page, "pipeline").expect("has the table");
    let rows = rows.lines().skip(2);
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let mut documented: Vec<_> = cells
        .flat_map(|name| name.split('`').skip(1).step_by(2))
        .collect();
    let is_condition = |line: &&str| line.contains("if: ") || line.contains("condition: ");
    let conditions = pipeline.lines().filter(is_condition);
    let used = conditions
        .flat_map(|line| line.split('$').skip(1))
        .map(|rest| {
            let end = rest.find(|char: char| !char.is_ascii_uppercase() && char != '_');
            &rest[..end.unwrap_or(rest.len())]
        });
    // GitLab sets these itself.
    let is_own = |name: &&str| !name.is_empty() && !name.starts_with("CI_");
    let mut used: Vec<_> = used.filter(is_own).collect();
    used.sort_unstable();
    used.dedup();
    documented.sort_unstable();
    assert_eq!(documented, used);
}

/// `.gitlab-ci.yml` and the files it includes.
fn pipeline() -> String {
    let folder = fs::read_dir(root().join("function/ci")).expect("can be read");
    let paths = folder.map(|entry| entry.expect("can be read").path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "yml"));
    let included = files.map(|path| fs::read_to_string(path).expect("is text"));
    let mut all: Vec<_> = included.collect();
    assert!(all.len() > 3, "{}", all.len());
    all.push(read(".gitlab-ci.yml"));
    all.concat()
}

#[test]
fn every_documented_option_of_the_pipeline_is_used() {
    let page = read(PIPELINE);
    let rows = content(&page, "pipeline-options").expect("has the table");
    let sources = [
        "function/ci/review",
        "function/ci/register",
        "function/packaging/registry",
    ];
    let used = pipeline() + &sources.map(read).concat();
    let names: Vec<_> = rows
        .lines()
        .skip(2)
        .filter_map(|row| row.split('`').nth(1))
        .collect();
    assert!(names.len() > 4, "{names:?}");
    for name in names {
        assert!(used.contains(name), "{name} is not used");
    }
}

#[test]
fn every_status_is_documented_and_every_documented_status_exists() {
    let page = read(ANSWERS);
    let rows = content(&page, "statuses").expect("has the table");
    let rows = rows.lines().skip(2).filter_map(|row| row.split('|').nth(1));
    let documented: Vec<u16> = rows
        .map(|status| status.trim().parse().expect("is a status"))
        .collect();
    let failures = Failure::every().into_iter().map(|failure| failure.status());
    // Delivered, handed off and skipped; to a broker, a rate limit is another status.
    let mut statuses: Vec<u16> = [200, 202, 204, 429].into_iter().chain(failures).collect();
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(documented, statuses);
}

#[test]
fn the_changelog_has_a_section_for_this_version() {
    let changelog = read("function/CHANGELOG.md");
    let version = concat!("\n## [", env!("CARGO_PKG_VERSION"), "]");
    assert!(changelog.contains("\n## [Unreleased]\n"));
    assert!(changelog.contains(version), "expected{version}");
}
