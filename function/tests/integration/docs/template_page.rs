//! The page about templates: its tables contain every variable, and its samples give good messages for every kind
//! of event.

use std::fmt::Write as _;

use webhook_app::gitlab::kind::Kind;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};
use webhook_app::notifier::routing::NotifyReason;
use webhook_app::notifier::templates::{self, Templates};

use super::{content, read};
use crate::messages::{fixtures, parse};

const PAGE: &str = "function/docs/templates.md";

const SAMPLES: [&str; 3] = ["one-line", "detailed", "german"];

#[test]
fn every_variable_of_templates_is_in_one_of_the_tables() {
    let page = read(PAGE);
    let tables = ["variables", "parts"].map(|name| content(&page, name).expect("has the table"));
    let rows = tables.iter().flat_map(|table| table.lines().skip(2));
    let mut names: Vec<_> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    names.sort_unstable();
    assert_eq!(names, templates::VARIABLES);
}

#[test]
fn the_documented_filters_are_those_that_exist() {
    let error = templates::parse("{{ title | nothing }}").expect_err("is no filter");
    let (_, exist) = error[0].split_once("use one of ").expect("lists them");
    let page = read(PAGE);
    let (_, listed) = page
        .split_once("can use these filters: ")
        .expect("is there");
    let (listed, _) = listed.split_once(".\n").expect("ends");
    let listed: Vec<_> = listed.split('`').skip(1).step_by(2).collect();
    assert_eq!(listed.join(", "), exist);
}

fn sample(name: &str) -> Templates {
    let page = read(PAGE);
    let text = content(&page, &format!("sample-{name}")).expect("is on the page");
    let text = text
        .strip_prefix("```yaml\n")
        .and_then(|text| text.strip_suffix("```\n"));
    templates::parse(text.expect("is YAML")).expect("has no errors")
}

/// Asserts that a message has no empty or repeated line and no stray space.
#[track_caller]
fn assert_tidy(name: &str, text: &str) {
    let lines: Vec<_> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        assert!(!line.is_empty() && line.trim() == *line, "{name}: {text}");
        assert!(!lines[..at].contains(line), "{name}: {text}");
    }
    for bad in ["  ", " ,", " .", "None", "null", ", ,"] {
        assert!(!text.contains(bad), "{name}: {bad:?} in {text}");
    }
}

#[test]
fn the_samples_of_templates_give_these_messages_of_the_examples() {
    for name in SAMPLES {
        let templates = sample(name);
        let mut table = String::new();
        for kind in Kind::known() {
            let (applied, _) = templates.apply_to_example(kind).expect("has an example");
            let text = applied.text().expect("has a text");
            let _ = writeln!(table, "## {}\n{text}\n", kind.label());
        }
        insta::assert_snapshot!(format!("template_sample_{name}"), table);
    }
}

#[test]
fn the_samples_of_templates_give_complete_messages_of_all_fixtures() {
    for name in SAMPLES {
        let templates = sample(name);
        for (fixture, body) in fixtures() {
            let event = parse(None, body.to_string().as_bytes()).expect("is an event");
            let builtin = message::render(&event, Visibility::default(), MessageStyle::Signs);
            let Ok(builtin) = builtin else { continue };
            // The samples have no words for an event without a project.
            if event.attributes.project_path.is_empty() {
                continue;
            }
            for reason in [NotifyReason::Event, NotifyReason::Fix] {
                let applied = templates.apply(reason, &event, &builtin);
                let text = applied.text().expect("has a text");
                assert_tidy(&format!("{name}, {fixture}"), text);
            }
        }
    }
}
