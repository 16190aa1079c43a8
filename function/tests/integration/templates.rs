//! Message templates: what they can do, what they cannot do, and which errors are reported at startup.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::kind::Kind;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::message::{self, Message, MessageStyle, Visibility};
use webhook_app::notifier::routing::NotifyReason;
use webhook_app::notifier::templates::{self, Applied, Templates};

use crate::harness::program;
use crate::markup::assert_harmless;
use crate::messages::parse;
use crate::routing::example;

/// Renders the example of a merge request with an untrusted `title`.
fn render_title(template: &str, title: &str) -> String {
    let mut body = example("merge_request");
    body["object_attributes"]["title"] = json!(title);
    rendered(template, &body)
}

fn rendered(template: &str, merge_request: &Value) -> String {
    let template = (vec![Kind::MergeRequest], template, String::new());
    let templates = Templates::with([template]).expect("is a template");
    output_of(&templates, merge_request)
}

fn example_message(event: &Event) -> Message {
    let message = message::render(event, Visibility::default(), MessageStyle::Signs);
    message.expect("has a message")
}

fn output_of(templates: &Templates, body: &Value) -> String {
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    let builtin = example_message(&event);
    let applied = templates.apply(NotifyReason::Event, &event, &builtin);
    applied.text().unwrap_or_default().to_owned()
}

fn errors_of(text: &str) -> String {
    templates::parse(text).expect_err("is rejected").join("\n")
}

#[test]
fn a_template_may_use_markup_and_shows_values_in_code_spans() {
    insta::assert_snapshot!(
        render_title("*{{ action }}* by {{ actor }}, see {{ page }} {{ title | upper }}", "a @all `b`"),
        @"*open* by `Robin Example`, see [merge request 12](https://gitlab.example.org/acme/rocket/-/merge_requests/12) `A ＠ALL 'B'`"
    );
}

#[test]
fn a_template_can_shorten_texts_lists_and_the_commit() {
    let cut = |template: &str| render_title(template, "Turn the winch and grease it");
    for (template, expected) in [
        ("{{ sha }}", "`3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b`"),
        ("{{ sha[:8] }}", "`3f2c9d7b`"),
        ("{{ title[:8] }}", "`Turn the`"),
        ("{{ title[-2:] }}", "`it`"),
        ("{{ reviewers[:1] }}", "`Robin Example`"),
        ("{{ title | truncate(12) }}", "`Turn the…`"),
        ("{{ title | truncate(12, true) }}", "`Turn the wi…`"),
        (
            "{{ title | truncate(length=12, killwords=true, end='') }}",
            "`Turn the win`",
        ),
        (
            "{{ title | truncate(28) }}",
            "`Turn the winch and grease it`",
        ),
        ("{{ title | truncate(0) }}", "`…`"),
        ("{{ [action, kind] | join(d='/') }}", "`open/merge request`"),
        ("{{ [number, 7] | sort(reverse=true) }}", "`12`, `7`"),
        ("{{ title | truncate }}", "`Turn the winch and grease it`"),
    ] {
        assert_eq!(cut(template), expected, "{template}");
    }
    let wrong = errors_of("push: '{{ title | truncate(size=3) }}'");
    assert!(wrong.contains("size"), "{wrong}");
}

#[test]
fn a_value_that_gitlab_does_not_send_is_empty_in_every_filter() {
    let mut body = example("merge_request");
    body["object_attributes"]["description"] = json!(null);
    body["assignees"] = json!([]);
    let filters = [
        "upper",
        "lower",
        "capitalize",
        "trim",
        "title",
        "string",
        "escape",
        "safe",
        "truncate(9)",
        "replace('a', 'b')",
        "split('/')",
        "lines",
        "int",
        "reverse",
        "first",
        "last",
    ];
    for filter in filters {
        let template = format!("<{{{{ text | {filter} }}}}>");
        assert_eq!(rendered(&template, &body), "<>", "{filter}");
    }
    for (template, expected) in [
        ("{{ text | default('-') }}", "`-`"),
        ("{{ text | d('-') | upper }}", "`-`"),
        ("{{ title | default('-') | length }}", "20"),
        ("{{ text | length }}", "0"),
        ("<{{ assignees | first }}>", "<>"),
        ("<{{ assignees | first | upper }}>", "<>"),
        ("{{ [text, project] | join('/') }}", "`acme/rocket`"),
    ] {
        assert_eq!(rendered(template, &body), expected, "{template}");
    }
}

#[test]
fn the_title_of_a_push_is_that_of_its_head_commit() {
    let templates = templates::parse("push: '{{ title }}'").expect("has no errors");
    let text = output_of(&templates, &example("push"));
    assert_eq!(text, "`Light the engines in order`");
}

#[test]
fn a_template_can_include_the_default_message() {
    assert!(
        render_title("Look\n{{ default_message }}", "x")
            .starts_with("Look\n🔀 [Merge request 12](")
    );
}

#[test]
fn one_template_can_apply_to_all_kinds() {
    let templates = templates::parse("{{ kind }} in {{ project }}").expect("has no errors");
    for kind in ["push", "merge_request"] {
        let expected = format!("{} in `acme/rocket`", kind.replace('_', " "));
        assert_eq!(output_of(&templates, &example(kind)), expected);
    }
}

#[test]
fn a_map_can_list_kinds_and_a_default_for_others() {
    let templates = templates::parse("push: a push\nothers: '{{ kind }}'").expect("has no errors");
    assert_eq!(output_of(&templates, &example("push")), "a push");
    assert_eq!(output_of(&templates, &example("job")), "job");
}

#[test]
fn keys_in_json_or_in_quotes_are_those_of_a_map() {
    for text in [
        r#"{"push": "a push", "others": "{{ kind }}"}"#,
        "{\n  \"push\": \"a push\",\n  \"others\": \"{{ kind }}\"\n}",
        "{push: a push, others: '{{ kind }}'}",
        "\"push\": a push\nothers: '{{ kind }}'",
        "'push': a push\n'others': '{{ kind }}'",
        "? push\n: a push\n? others\n: '{{ kind }}'",
    ] {
        let templates = templates::parse(text).expect(text);
        assert_eq!(output_of(&templates, &example("push")), "a push", "{text}");
        assert_eq!(output_of(&templates, &example("job")), "job", "{text}");
    }
}

#[test]
fn a_wrong_first_key_is_no_part_of_a_template() {
    for (text, expected) in [
        (
            "Push: x",
            "line 1: there is no kind `Push`; did you mean `push`?",
        ),
        ("merge-request: x", "did you mean `merge_request`?"),
        ("merge request: x", "did you mean `merge_request`?"),
        (
            "Merge Request: '{{ title }}'",
            "did you mean `merge_request`?",
        ),
        ("\"pusch\": x", "did you mean `push`?"),
        ("'Build': x", "did you mean `job`?"),
        ("{\"Push\": \"x\"}", "did you mean `push`?"),
        ("Push: {{ title }}\njob: x", "write '{{ title }}'"),
        ("- push: x", "found a list; leave out the dashes"),
        ("push:x", "write a space after the colon"),
        ("Others: x", "did you mean `others`?"),
        ("default: x", "did you mean `others`?"),
        (
            "push: x\nother: y",
            "line 2: there is no kind `other`; did you mean `others`?",
        ),
    ] {
        let found = errors_of(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn a_template_that_is_a_comment_in_yaml_is_an_error() {
    for (text, expected) in [
        (
            "push: # {{ title }}",
            "found nothing; a template that begins with # needs quotes",
        ),
        (
            "push:",
            "line 1: expected a template for push, found nothing",
        ),
        ("push: ~", "found nothing"),
        (
            "push: x\nothers: null",
            "line 2: expected a template for others, found nothing",
        ),
        (
            "push: Issue #{{ number }} # {{ title }}",
            "what follows # in the template for push",
        ),
        (
            "push: New #{{ title }}",
            "what follows # in the template for push is a comment",
        ),
        ("{\"push\": null}", "found nothing"),
    ] {
        let found = errors_of(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
    for text in [
        "push: ''",
        "push: 'New #{{ number }}' # {{ title }}",
        "push: x # all",
    ] {
        assert!(templates::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn an_error_names_the_value_and_its_line_in_the_template() {
    for (text, expected) in [
        (
            "push: '{{ author.name }}'",
            "line 1: push: there is no author.name: author is a single value without attributes; write author",
        ),
        (
            "push: '{{ commit.title }}'",
            "line 1: push: there is no commit.title: commit is a single value without attributes; write commit, or the variable title",
        ),
        (
            "merge_request: '{{ reviewers.name }}'",
            "line 1: merge_request: there is no reviewers.name: reviewers is a list without attributes; write reviewers",
        ),
        (
            "merge_request: |\n  new\n  {% for who in reviewers %}{{ loop.index }} {{ who.name }}{% endfor %}",
            "line 1: merge_request: line 2 of the template: there is no who.name: who is a single value without attributes; write who",
        ),
        (
            "merge_request: '{{ reviewers[7] }}'",
            "line 1: merge_request: found a value that does not exist, such as an entry beyond the end of a list; write default(\"-\") after it, or leave it out",
        ),
        (
            "push: |\n  actr\n  {{ actr }}",
            "line 1: push: there is no actr (line 2 of the template); did you mean actor?",
        ),
        (
            "push: |\n  x\n  {{ title ~ ref }}",
            "line 1: push: line 2 of the template: the operator ~ is not available, because its result could have any size; write the values next to each other, or use [a, b] | join",
        ),
        (
            "x\n{{ title",
            "line 2 of the template: syntax error: unexpected end of input, expected end of variable block",
        ),
    ] {
        assert_eq!(errors_of(text), expected, "{text}");
    }
    let guarded = "push: '{{ author.name | default(author) }}'";
    assert!(templates::parse(guarded).is_ok());
}

#[test]
fn a_message_over_the_limit_is_truncated_outside_of_code_spans() {
    let long = "{% for x in range(1000) %}{{ title }} {% endfor %}";
    let text = render_title(long, &"x".repeat(150));
    assert!(text.encode_utf16().count() <= LIMITS.texts.message);
    assert!(text.ends_with("`…"), "{text}");
    assert_harmless(text.trim_end_matches('…'));
}

#[test]
fn a_template_that_exceeds_its_budget_falls_back_to_the_built_in_message() {
    // The example has one reviewer; this event has a thousand.
    let template = "{% for a in reviewers %}{% for b in reviewers %}{% for c in reviewers %}x{% endfor %}{% endfor %}{% endfor %}";
    let template = (vec![Kind::MergeRequest], template, String::new());
    let templates = Templates::with([template]).expect("is a template");
    let mut body = example("merge_request");
    let person = body["reviewers"][0].clone();
    body["reviewers"] = json!(vec![person; 1000]);
    assert!(output_of(&templates, &body).starts_with("🔀 [Merge request 12]("));
}

#[test]
fn a_template_that_renders_nothing_sends_nothing() {
    let templates = templates::parse("{% if action == \"close\" %}{{ title }}{% endif %}");
    let body = example("merge_request").to_string();
    let event = parse(None, body.as_bytes()).expect("is an event");
    let builtin = example_message(&event);
    let applied = templates
        .expect("has no errors")
        .apply(NotifyReason::Event, &event, &builtin);
    assert_eq!(applied, Applied::Nothing);
}

#[test]
fn an_error_of_a_template_for_several_kinds_is_reported_once() {
    let slow = "{% for a in range(1000) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}";
    for (case, text, expected) in [
        (
            "others",
            "push: x\nothers: '{{ pipelin }'".to_owned(),
            "line 2: others: syntax error: unexpected `}`, expected end of variable block",
        ),
        (
            "all kinds",
            "{{ pipelin".to_owned(),
            "syntax error: unexpected end of input, expected end of variable block",
        ),
        (
            "only some of them",
            format!(
                "push: x\nothers: '{{% if kind == \"job\" or kind == \"note\" %}}{slow}{{% endif %}}'"
            ),
            "line 2: others: note, job: engine ran out of fuel",
        ),
    ] {
        assert_eq!(errors_of(&text), expected, "{case}");
    }
}

#[test]
fn all_errors_are_reported_at_once_with_the_valid_names() {
    insta::assert_snapshot!(
        "errors_of_a_messages_file",
        errors_of(
            "pipeline: '{{ pipelin }} {{ status }}'\npush: '{{ commit'\npusch: x\nissue: [a]\nrelease: 'a `{{ ref }}`'\njob: '{% for x in range(9999) %}{% for y in range(9999) %}{{ job }}{% endfor %}{% endfor %}'\n"
        )
    );
}

/// Templates that try to show an untrusted value unescaped.
const BYPASSES: &[&str] = &[
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
    "{{ title | truncate(9) }}",
    "{{ title | truncate(length=2, killwords=true, end='@all') }}",
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
    fn no_template_can_show_a_value_unescaped(text in prop_oneof![
        any::<String>(),
        Just("@all `x` **b** [l](https://evil.example) #general\n\n> $$x$$ \\`".to_owned()),
        Just("*a* _b_ https://evil.example ~c~".to_owned()),
        Just("a".to_owned()),
        Just("open by evil".to_owned()),
    ]) {
        for bypass in BYPASSES {
            // Either the language rejects the template, or its output is harmless.
            let templates = Templates::with([(vec![Kind::MergeRequest], *bypass, String::new())]);
            if templates.is_ok() {
                assert_harmless(&render_title(bypass, &text));
            }
        }
    }
}

#[test]
fn render_previews_an_example_with_the_configured_templates() {
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
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains("MESSAGES: line 1: pipeline: there is no nothing; there are action,"),
        "{stderr}"
    );
}
