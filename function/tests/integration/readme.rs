//! The README's tables against the code they tell of.

use std::fmt::Write as _;

use serde_json::{Value, json};
use webhook_app::config::catalogue::SETTINGS;
use webhook_app::gitlab::kind::Kind;
use webhook_app::notifier::SkipReason;
use webhook_app::notifier::routing;

use crate::messages::{compose, fixtures};
use crate::routing::{changed, sample, targets};

const README: &str = include_str!("../../../README.md");

/// The text between two markers.
fn section(name: &str) -> &'static str {
    let start = README
        .split(&format!("<!-- {name}: begin -->\n"))
        .nth(1)
        .expect("has a beginning");
    start
        .split(&format!("<!-- {name}: end -->"))
        .next()
        .expect("has an end")
}

#[test]
fn the_table_of_settings_is_the_one_of_the_program() {
    let mut table = "| setting | meaning | default |\n|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let _ = writeln!(
            table,
            "| `{}` | {} | {} |",
            setting.name, setting.meaning, setting.default
        );
    }
    assert_eq!(
        section("settings"),
        table,
        "copy the right side into the README:\n{table}"
    );
}

#[test]
fn the_rules_of_the_readme_do_what_their_comments_say() {
    let rules = section("routes")
        .strip_prefix("```yaml\n")
        .and_then(|rules| rules.strip_suffix("```\n"));
    let routes = routing::parse(rules.expect("is YAML")).expect("has no mistakes");
    let project = |path: &str| json!({ "project": { "path_with_namespace": path } });
    let ended =
        |status: &str| json!({ "object_attributes": { "status": status, "ref": "release-2" } });
    let issue = |change: Value| json!({ "object_attributes": change });
    let job = |change: Value| changed("job", &change);
    let by_8 = json!({ "user": { "id": 8, "username": null }, "assignees": null });
    for (case, body, expected) in [
        (
            "two stars go past slashes",
            changed("push", &project("play/x/y")),
            "nobody",
        ),
        (
            "another folder of nearly that name",
            changed("push", &project("player/x")),
            "@team",
        ),
        (
            "a failed job of a protected branch",
            job(json!({ "ref_protected": true })),
            "@kim",
        ),
        (
            "a failed job of another branch",
            job(json!({ "ref_protected": false, "ref": "x" })),
            "no_rule",
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
            "a canceled pipeline, left to the last rule",
            changed("pipeline", &ended("canceled")),
            "@team @kim",
        ),
        (
            "a merge request that its reviewer opened",
            sample("merge_request"),
            "@kim",
        ),
        (
            "one that somebody opened who is known by a number",
            changed("merge_request", &by_8),
            "@robin.rocket",
        ),
        (
            "a closed one, left to the last rule",
            changed("merge_request", &issue(json!({ "action": "close" }))),
            "@team @kim",
        ),
        (
            "a confidential issue",
            changed("issue", &issue(json!({ "confidential": true }))),
            "@security",
        ),
        ("a push to main", sample("push"), "@team"),
        (
            "a push to a release",
            changed("push", &json!({ "ref": "refs/heads/release-2" })),
            "@team",
        ),
        (
            "a push to a branch below",
            changed("push", &json!({ "ref": "refs/heads/release-2/x" })),
            "no_rule",
        ),
        (
            "a push by somebody else",
            changed("push", &json!({ "user_username": "robot" })),
            "no_rule",
        ),
    ] {
        assert_eq!(targets(&routes, &body), expected, "{case}");
    }
}

#[test]
fn the_names_for_templates_are_those_of_the_program() {
    let names: Vec<_> = webhook_app::notifier::templates::VARIABLES
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    assert_eq!(section("variables"), format!("{}.\n", names.join(", ")));
}

#[test]
fn the_variables_of_the_pipeline_are_those_its_jobs_ask_for() {
    let pipeline = include_str!("../../../.gitlab-ci.yml");
    let rows = section("pipeline").lines().skip(2);
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let mut told: Vec<_> = cells
        .flat_map(|name| name.split('`').skip(1).step_by(2))
        .collect();
    let conditions = pipeline.lines().filter(|line| line.contains("- if: "));
    let asked = conditions
        .flat_map(|line| line.split('$').skip(1))
        .map(|rest| {
            let end = rest.find(|char: char| !char.is_ascii_uppercase() && char != '_');
            &rest[..end.unwrap_or(rest.len())]
        });
    // GitLab sets these itself.
    let mut asked: Vec<_> = asked.filter(|name| !name.starts_with("CI_")).collect();
    asked.sort_unstable();
    asked.dedup();
    told.sort_unstable();
    assert_eq!(told, asked);
}

#[test]
fn the_figures_of_the_readme_are_those_that_were_measured_last() {
    for (name, table) in [
        ("benchmark", include_str!("../../benches/results/table.md")),
        ("profile", include_str!("../../benches/results/profile.md")),
    ] {
        assert_eq!(
            section(name),
            table,
            "copy the right side into the README:\n{table}"
        );
    }
}

#[test]
fn the_message_of_the_readme_is_the_one_that_is_sent() {
    let sample = fakes::gitlab::Delivery::push_sample();
    let event = webhook_app::gitlab::event::Event::parse(None, sample.body()).expect("is an event");
    let notice = webhook_app::notifier::message::build(&event).expect("has a message");
    assert_eq!(
        section("message"),
        format!("```text\n{}\n```\n", notice.text)
    );
}

#[test]
fn every_status_of_the_readme_can_be_given_and_every_one_given_is_there() {
    let rows = section("answers")
        .lines()
        .skip(2)
        .filter_map(|row| row.split('|').nth(1));
    let told: Vec<u16> = rows
        .map(|status| status.trim().parse().expect("is a status"))
        .collect();
    let source = include_str!("../../src/outcome.rs");
    let (_, statuses) = source
        .split_once("pub fn status(&self) -> u16")
        .expect("has statuses");
    let statuses = statuses
        .split("pub fn label")
        .next()
        .expect("has an end")
        .to_owned()
        + source
            .split("pub fn status(&self) -> u16")
            .nth(2)
            .expect("has those of failures")
            .split("pub fn reason")
            .next()
            .expect("has an end");
    let mut given: Vec<u16> = statuses
        .split("=> ")
        .filter_map(|arm| arm.get(..3)?.parse().ok())
        .collect();
    given.sort_unstable();
    assert_eq!(told, given);
}

/// The kinds of event in the order of the README, each shown by a fixture.
const EXAMPLES: &[&str] = &[
    "push_of_a_new_branch",
    "tag_push_of_an_annotated_tag",
    "merge_request_opened",
    "note_on_a_commit",
    "issue_opened",
    "work_item_epic_opened",
    "pipeline_failed",
    "job_failed",
    "deployment_succeeded",
    "release_published",
    "wiki_page_created",
    "feature_flag_on",
    "emoji_on_a_merge_request",
    "milestone_created",
    "access_token_of_a_project_expires",
    "deploy_token_of_a_project_expires",
    "vulnerability_found",
    "member_joins_a_group",
    "subgroup_created",
    "project_created",
    "repository_update",
    "user_renamed",
    "group_renamed",
    "key_added",
];

#[test]
fn the_table_of_events_shows_every_kind_as_it_is_told() {
    let fixtures = fixtures();
    let mut table = "| kind | message |\n|---|---|\n".to_owned();
    let mut shown = Vec::new();
    for name in EXAMPLES {
        let (kind, notice) = compose(&fixtures[*name]).expect("is an event");
        let text = notice.expect("has a message").text.replace('\n', "<br>");
        let _ = writeln!(table, "| {} | {text} |", kind.label());
        shown.push(kind);
    }
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Other) {
        assert!(shown.contains(kind), "{} is not shown", kind.label());
    }
    assert_eq!(
        section("events"),
        table,
        "copy the right side into the README:\n{table}"
    );
}

#[test]
fn the_table_of_reasons_has_every_reason_for_silence() {
    let mut table = "| reason | nothing is sent, since |\n|---|---|\n".to_owned();
    for ignored in SkipReason::ALL {
        let _ = writeln!(table, "| `{}` | {} |", ignored.label(), ignored.words());
    }
    assert_eq!(
        section("reasons"),
        table,
        "copy the right side into the README:\n{table}"
    );
}
