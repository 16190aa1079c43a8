//! Templates of an operator's own: what a template can do, what it cannot, and what the operator is told
//! at start.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use webhook_app::gitlab::kind::Kind;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::message::{self, Visibility};
use webhook_app::notifier::routing::NotifyReason;
use webhook_app::notifier::templates::{self, Templates};

use crate::harness::program;
use crate::markup::assert_harmless;
use crate::messages::parse;
use crate::routing::sample;

/// The message of the sample of a merge request with `title` from outside.
fn told(template: &str, title: &str) -> String {
    let template = (Kind::MergeRequest, template, "test".to_owned());
    let words = Templates::with([template]).expect("is a template");
    let mut body = sample("merge_request");
    body["object_attributes"]["title"] = json!(title);
    said(&words, &body)
}

fn said(words: &Templates, body: &Value) -> String {
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    let builtin = message::render(&event, Visibility::default()).expect("has a message");
    let applied = words.apply(NotifyReason::Event, &event, builtin);
    applied.text().unwrap_or_default().to_owned()
}

fn refused(text: &str) -> String {
    templates::parse(text).expect_err("is refused").join("\n")
}

#[test]
fn a_template_formats_with_its_own_text_and_shows_values_in_code_spans() {
    insta::assert_snapshot!(
        told("*{{ action }}* by {{ actor }}, see {{ page }} {{ title | upper }}", "a @all `b`"),
        @"*open* by `Robin Example`, see [merge request 12](https://gitlab.example.org/acme/rocket/-/merge_requests/12) `A ＠ALL 'B'`"
    );
}

#[test]
fn the_default_message_can_be_built_upon() {
    assert!(told("Look\n{{ default_message }}", "x").starts_with("Look\n[Merge request 12]("));
}

#[test]
fn one_template_can_serve_all_kinds() {
    let words = templates::parse("{{ kind }} in {{ project }}").expect("has no mistakes");
    for kind in ["push", "merge_request"] {
        let expected = format!("{} in `acme/rocket`", kind.replace('_', " "));
        assert_eq!(said(&words, &sample(kind)), expected);
    }
}

#[test]
fn a_map_can_name_some_kinds_and_all_the_others() {
    let words = templates::parse("push: a push\nothers: '{{ kind }}'").expect("has no mistakes");
    assert_eq!(said(&words, &sample("push")), "a push");
    assert_eq!(said(&words, &sample("job")), "job");
}

#[test]
fn a_message_that_would_be_too_long_is_cut_outside_of_code_spans() {
    let long = "{% for x in range(1000) %}{{ title }} {% endfor %}";
    let text = told(long, &"x".repeat(150));
    assert!(text.encode_utf16().count() <= LIMITS.texts.message);
    assert!(text.ends_with("`…"), "{text}");
    assert_harmless(text.trim_end_matches('…'));
}

#[test]
fn an_endless_template_gives_way_to_our_words() {
    // The sample has one reviewer, this event has thousands.
    let template = "{% for a in reviewers %}{% for b in reviewers %}{% for c in reviewers %}x{% endfor %}{% endfor %}{% endfor %}";
    let template = (Kind::MergeRequest, template, "test".to_owned());
    let words = Templates::with([template]).expect("is a template");
    let mut body = sample("merge_request");
    let person = body["reviewers"][0].clone();
    body["reviewers"] = json!(vec![person; 1000]);
    assert!(said(&words, &body).starts_with("[Merge request 12]("));
}

#[test]
fn a_template_that_says_nothing_sends_nothing() {
    assert_eq!(
        told("{% if action == \"close\" %}{{ title }}{% endif %}", "x"),
        ""
    );
}

#[test]
fn all_mistakes_are_told_at_once_with_what_exists() {
    insta::assert_snapshot!(
        "mistakes_of_a_file_of_messages",
        refused(
            "pipeline: '{{ pipelin }} {{ status }}'\npush: '{{ commit'\npusch: x\nissue: [a]\nrelease: 'a `{{ ref }}`'\njob: '{% for x in range(9999) %}{% for y in range(9999) %}{{ job }}{% endfor %}{% endfor %}'\n"
        )
    );
}

/// What a template may try with a value from outside.
const TRICKS: &[&str] = &[
    "{{ title }}",
    "{{ title | safe }}",
    "{{ title | escape }}",
    "{{ title | e | safe }}",
    "{{ title ~ title }}",
    "{{ [title, title] | join(' ') }}",
    "{{ [title, commit] | join(' ') }}",
    "{{ title | replace(' ', ' ') | safe }}",
    "{{ title | split(' ') }}",
    "{{ title | list }}",
    "{{ title | reverse }}",
    "{{ title | title }}",
    "{{ title[1:] }}",
    "{{ {'a': title} }}",
    "{{ [title] }}",
    "{{ [[title]] }}",
    "{% set x = title %}{{ x }}",
    "{% set x %}{{ title }}{% endset %}{{ x }}",
    "{% set x %}{{ title }}{% endset %}{{ x | safe }}",
    "{% set x %}{{ title }}{% endset %}{{ x | split(' ') | join(' ') | safe }}",
    "{% autoescape 'html' %}{% set x %}{{ title }}{% endset %}{{ x }}{{ x[1:] }}{% endautoescape %}",
    "{% autoescape false %}{{ title }}{% endautoescape %}",
    "{% autoescape true %}{{ title | safe }}{% endautoescape %}",
    "{% filter upper %}{{ title }}{% endfilter %}",
    "{% filter safe %}{{ title }}{% endfilter %}",
    "{% for c in title %}{{ c }} {% endfor %}",
    "{{ '%s' | format(title) }}",
    "{{ ('%s' | safe) | format(title) }}",
    "{{ commit | string | replace('[', title) }}",
    "{{ default_message | string }}",
    "{{ default_message | split(' ') }}",
    "{{ (action ~ title) | safe }}",
    "{{ 'x' if title else title }}",
    "{{ title if title else 'x' }}",
    "{{ title | default('x') }}",
    "{{ title | indent(2) }}",
    "{{ title | lines }}",
    "{{ action | replace('open', title) }}",
    "{{ title | int(default=title) }}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_template_takes_the_protection_off(text in prop_oneof![
        any::<String>(),
        Just("@all `x` **b** [l](https://evil.example) #general\n\n> $$x$$ \\`".to_owned()),
        Just("*a* _b_ https://evil.example ~c~".to_owned()),
        Just("a".to_owned()),
        Just("open by evil".to_owned()),
    ]) {
        for trick in TRICKS {
            // A trick that the language refuses is no trick; the others must do no harm.
            let words = Templates::with([(Kind::MergeRequest, *trick, "test".to_owned())]);
            if words.is_ok() {
                assert_harmless(&told(trick, &text));
            }
        }
    }
}

#[test]
fn render_previews_a_sample_with_the_words_of_the_settings() {
    let mut settings = BTreeMap::new();
    settings.insert(
        "MESSAGES".to_owned(),
        "pipeline: Pipeline {{ status }}".to_owned(),
    );
    let output = program(&settings)
        .args(["render", "--kind", "pipeline"])
        .output()
        .expect("runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "Pipeline success\n"
    );
    settings.insert(
        "MESSAGES".to_owned(),
        "pipeline: '{{ nothing }}'".to_owned(),
    );
    let output = program(&settings)
        .args(["render", "--kind", "pipeline"])
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("MESSAGES: line 1: pipeline: there is no nothing; there are action,"),
        "{said}"
    );
}
