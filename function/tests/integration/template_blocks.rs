//! The parts of the built-in message in templates: which events have them, and what a template can do with them.

use serde_json::{Value, json};
use webhook_app::gitlab::kind::Kind;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};
use webhook_app::notifier::routing::NotifyReason;
use webhook_app::notifier::templates::{self, Templates};

use crate::markup::seen;
use crate::messages::{fixtures, parse};
use crate::routing::{changed, example};

/// The text of a template for this event; `None` if the event has no built-in message.
fn rendered(template: &str, body: &Value) -> Option<String> {
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    let builtin = message::render(&event, Visibility::default(), MessageStyle::Signs).ok()?;
    let templates = Templates::with([(vec![event.kind()], template, String::new())]);
    let templates = templates.expect("is a template");
    let applied = templates.apply(NotifyReason::Event, &event, &builtin);
    Some(applied.text().unwrap_or_default().to_owned())
}

fn errors_of(template: &str) -> String {
    templates::parse(&format!("push: {}", json!(template)))
        .expect_err(template)
        .join("\n")
}

#[test]
fn the_first_line_and_the_others_are_the_built_in_message() {
    for (name, body) in fixtures() {
        let Some(whole) = rendered("{{ default_message }}", &body) else {
            continue;
        };
        let parts = rendered("{{ headline }}\n{{ details }}", &body);
        assert_eq!(parts.as_deref(), Some(whole.as_str()), "{name}");
        let first = rendered("{{ headline }}", &body).expect("has a message");
        assert!(
            !first.contains('\n') && seen(&first).chars().count() <= 90,
            "{first}"
        );
        let sign = rendered("{{ sign }}", &body).expect("has a message");
        assert!(first.starts_with(&format!("{sign} ")), "{first}");
        assert_eq!(sign.chars().count(), 1, "{sign}");
    }
}

#[test]
fn a_part_that_an_event_does_not_have_is_false() {
    let has = |body: &Value| {
        let parts = [
            "branches",
            "changes",
            "commit_line",
            "commits",
            "compare",
            "details",
            "headline",
            "jobs",
            "more",
            "reason",
            "sign",
            "started",
            "took",
        ];
        let parts = parts.into_iter().filter(|part| {
            let template = format!("{{% if {part} %}}yes{{% endif %}}");
            let shown = rendered(&format!("{{{{ {part} }}}}"), body).expect("has a message");
            let is_true = rendered(&template, body).expect("has a message") == "yes";
            assert_eq!(is_true, !shown.is_empty(), "{part}: {shown}");
            is_true
        });
        parts.collect::<Vec<_>>().join(" ")
    };
    let mut wrong = Vec::new();
    for (kind, expected) in [
        ("issue", "changes details headline sign"),
        ("push", "commit_line commits compare details headline sign"),
        (
            "merge_request",
            "branches changes commit_line details headline sign",
        ),
        ("pipeline", "commit_line details headline sign started took"),
        ("job", "commit_line details headline reason sign took"),
        ("group", "headline sign"),
    ] {
        let found = has(&example(kind));
        if found != expected {
            wrong.push(format!("{kind}: {found}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_commits_of_a_push_are_a_list_of_lines() {
    let fixture = fixtures().remove("push_whose_head_is_not_listed_last");
    let body = fixture.expect("is a fixture");
    let show = |template: &str| rendered(template, &body).expect("has a message");
    let lines = show("{{ commits }}");
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert!(lines.lines().all(|line| line.starts_with('[')), "{lines}");
    let first = lines.lines().next().expect("is there");
    for (template, expected) in [
        ("{{ commits[:1] }}", first),
        ("{{ commits[0] }}", first),
        ("{{ commits | first }}", first),
        ("{{ commits | length }}", "3"),
        (
            "{% for line in commits %}\n{{ line }}\n{% endfor %}",
            &lines,
        ),
        ("{{ commits | list }}", &lines),
        ("{{ commits | unique }}", &lines),
        ("{{ commits | default('-') }}", &lines),
    ] {
        assert_eq!(show(template), expected, "{template}");
    }
}

#[test]
fn a_filter_makes_text_of_a_part_which_is_in_a_code_span() {
    for filter in [
        "upper",
        "lower",
        "capitalize",
        "title",
        "trim",
        "string",
        "reverse",
        "truncate(30)",
        "escape",
        "safe",
        "replace('[', '<')",
        "split(' ')",
        "lines",
        "list",
        "join(', ')",
    ] {
        let template = format!("{{{{ headline | {filter} }}}}");
        let Ok(templates) = templates::parse(&format!("push: {}", json!(template))) else {
            let expected = "is for texts, found a part of the built-in message";
            assert!(errors_of(&template).contains(expected), "{template}");
            continue;
        };
        let (applied, _) = templates.apply_to_example(Kind::Push).expect("exists");
        let text = applied.text().expect("has a text");
        let outside: String = text.split('`').step_by(2).collect();
        assert!(
            outside.chars().all(|char| ", ".contains(char)),
            "{template}: {text}"
        );
    }
}

#[test]
fn a_part_that_is_used_like_a_text_is_an_error() {
    for (template, expected) in [
        (
            "{% if headline == 'x' %}{% endif %}",
            "line 1: push: headline is markup, which equals no text; compare another variable, such as status, or write if headline",
        ),
        (
            "{% if 'x' in details %}{% endif %}",
            "details is markup, which equals no text; compare another variable, such as status, or write if details",
        ),
        (
            "{{ headline[:20] }}",
            "headline cannot be cut, because a part of it could be half a link; cut another variable, such as title",
        ),
        (
            "{{ headline | truncate(20) }}",
            "the filter truncate is for texts, found a part of the built-in message; use another variable, such as title",
        ),
        (
            "{{ headline.text }}",
            "there is no headline.text: headline is a single value without attributes; write headline, or the variable text",
        ),
        (
            "{{ commits.title }}",
            "there is no commits.title: commits is a list without attributes; write commits, or the variable title",
        ),
        (
            "{{ headlin }}",
            "there is no headlin; did you mean headline?",
        ),
        ("{{ comits }}", "there is no comits; did you mean commits?"),
        ("{{ detail }}", "there is no detail; did you mean details?"),
        ("{{ job }}", "there is no job; did you mean jobs?"),
        ("{{ diff }}", "there is no diff; did you mean compare?"),
        ("{{ emoji }}", "there is no emoji; did you mean sign?"),
        (
            "a\u{1}",
            "found a control character, expected only visible characters; leave it out",
        ),
    ] {
        let error = errors_of(template);
        assert!(error.contains(expected), "{template}: {error}");
    }
}

#[test]
fn values_and_words_stay_apart() {
    let title = "x](https://evil.example)";
    let body = changed(
        "merge_request",
        &json!({ "object_attributes": { "title": title } }),
    );
    let show = |template: &str| rendered(template, &body).expect("has a message");
    for (template, expected) in [
        (
            "[{{ kind }}] {{ title }}",
            format!("［merge request］ `{title}`"),
        ),
        (
            "({{ kind }}) {{ title }}",
            format!("(merge request) `{title}`"),
        ),
        (
            "https://docs.example/{{ title }}",
            format!("https://docs.example/ `{title}`"),
        ),
        (
            "[docs](https://docs.example) {{ title }}",
            format!("[docs](https://docs.example) `{title}`"),
        ),
    ] {
        assert_eq!(show(template), expected, "{template}");
    }
    let body = changed(
        "merge_request",
        &json!({ "object_attributes": { "title": "all" } }),
    );
    let message = rendered("@{{ details }}", &body).expect("has a message");
    assert!(message.starts_with("@ all\n"), "{message}");
}
