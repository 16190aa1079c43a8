//! The README's tables against the code they tell of.

use std::fmt::Write as _;

use webhook_app::config::names::SETTINGS;

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
fn the_message_of_the_readme_is_the_one_that_is_sent() {
    let sample = standins::gitlab::Delivery::push_sample();
    let event = webhook_app::gitlab::event::Event::parse(None, sample.body()).expect("is an event");
    let notice = webhook_app::notice::compose(&event).expect("has a message");
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
