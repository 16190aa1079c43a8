//! Outside text does nothing in the message of any template: generated templates put all kinds of words and values
//! beside each other, and Rocket.Chat's parser finds the same in the message of hostile texts as in that of harmless
//! ones.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use webhook_app::gitlab::kind::Kind;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};
use webhook_app::notifier::routing::NotifyReason;
use webhook_app::notifier::templates::Templates;
use webhook_app::rocketchat::markup::{Inert, VisibleText};

use crate::markup::{HAZARDS, check_with_parser};
use crate::messages::parse;
use crate::routing::example;

/// What a template writes beside values: words, and the starts, middles and ends of all markup.
const WORDS: &[&str] = &[
    " ",
    " ",
    " ",
    " ",
    "\n",
    "see",
    "by ",
    ", ",
    ": ",
    ":",
    ".",
    "[",
    "]",
    "(",
    ")",
    "](",
    "](https://docs.example/a)",
    "[docs](https://docs.example/a)",
    "[docs](https://docs.example/",
    "![",
    "<",
    ">",
    "|",
    "<https://docs.example|",
    "<https://docs.example|docs>",
    "<t:",
    ":R>",
    "@",
    "#",
    "/",
    "*",
    "**",
    "_",
    "~",
    "||",
    "- ",
    "- [ ] ",
    "1. ",
    "> ",
    "# ",
    "+",
    "=",
    "-",
    "'",
    "8",
    "B",
    "12",
    "https://",
    "https://docs.example",
    "https://docs.example/",
    "https://docs.example/?q=",
    "docs.example",
    "docs.example/",
    "www.docs",
    "docs@",
    "mailto:docs",
    "tel:",
    "color:",
    ".example",
    "✅",
];

const VALUES: &[&str] = &[
    "{{ actor }}",
    "{{ author }}",
    "{{ branches }}",
    "{{ changes }}",
    "{{ commit }}",
    "{{ commit_line }}",
    "{{ commits }}",
    "{{ commits | first }}",
    "{{ commits | join(', ') }}",
    "{{ compare }}",
    "{{ default_message }}",
    "{{ details }}",
    "{{ failed_jobs }}",
    "{{ headline }}",
    "{{ headline | upper }}",
    "{{ headline | default('-') }}",
    "{% for line in commits %}{{ line }}{% endfor %}",
    "{% if headline %}@{% endif %}{{ details }}",
    "{{ jobs }}",
    "{{ kind }}",
    "{{ more }}",
    "{{ number }}",
    "{{ page }}",
    "{{ project }}",
    "{{ ref }}",
    "{{ reviewers }}",
    "{{ sign }}",
    "{{ status }}",
    "{{ text }}",
    "{{ title }}",
    "{{ title | lower }}",
    "{{ title | safe }}",
    "{{ [title, project] | join('](') }}",
    "{{ '](https://evil.example)' }}",
    "{{ took }}",
];

/// Texts that need a code span, apart from the usual hazards: each ends or continues what a template begins.
const ENDS: &[&str] = &[
    "x](https://evil.example)",
    "](evil.example)",
    "](",
    "a|b>",
    "a> *b*",
    "*a* _b_ ~c~",
    ".evil.example",
    "@evil.example *b*",
    "|| *a*",
    ":R>",
    "x]",
    "[x",
];

/// Texts that are plain, and parts of an address, an emoji or a mention beside the words of a template.
const PLAIN: &[&str] = &[
    "all", "here", "general", "smile", "evil", "de", "com", "12345", "a8", "http", "tel", "mailto",
    "color", "(again)", "what?", "x!: y", "R&D", "v1.2.3", "a/b", "It is.", "ff0000",
];

const GENERATED: usize = 400;

/// The fields with outside text that messages of these kinds show.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "merge_request",
        &[
            "/object_attributes/title",
            "/object_attributes/description",
            "/object_attributes/source_branch",
            "/user/name",
            "/reviewers/0/name",
            "/assignees/0/name",
        ],
    ),
    (
        "push",
        &[
            "/commits/0/title",
            "/commits/0/message",
            "/commits/0/author/name",
            "/commits/1/title",
            "/commits/1/message",
            "/user_name",
        ],
    ),
    (
        "pipeline",
        &[
            "/commit/title",
            "/commit/message",
            "/user/name",
            "/object_attributes/name",
            "/builds/0/name",
        ],
    ),
    (
        "note",
        &[
            "/object_attributes/note",
            "/merge_request/title",
            "/user/name",
        ],
    ),
];

fn with_texts(kind: &str, fields: &[&str], text: &str) -> Value {
    let mut body = example(kind);
    for field in fields {
        if let Some(field) = body.pointer_mut(field) {
            *field = json!(text);
        }
    }
    body
}

fn output(templates: &Templates, body: &Value) -> String {
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    let builtin = message::render(&event, Visibility::default(), MessageStyle::Signs);
    let builtin = builtin.expect("has a message");
    let applied = templates.apply(NotifyReason::Event, &event, &builtin);
    applied.text().unwrap_or_default().to_owned()
}

/// Hostile texts, and for each a harmless one that is shown in the same form.
fn texts() -> Vec<(&'static str, &'static str)> {
    let is_plain = |text: &str| Inert::new(text, 100).is_some();
    assert!(PLAIN.iter().all(|text| is_plain(text)), "not plain");
    let hostile = HAZARDS.iter().chain(ENDS);
    let hostile = hostile.filter(|text| VisibleText::new(text, 100).is_some() && !is_plain(text));
    let hostile = hostile.map(|text| (*text, "a.b"));
    // The filter `safe` shows only words in lower case as plain text.
    let is_lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let plain = PLAIN
        .iter()
        .map(|text| (*text, if is_lower(text) { "word" } else { "Word" }));
    // As many plain texts as others.
    hostile.chain(plain.cycle().take(100)).collect()
}

/// The messages of a template with two texts; `None` if it is rejected.
fn record(source: &str, kind: &str, fields: &[&str], texts: [&str; 2]) -> Option<Value> {
    let kinds = Kind::with_label(kind).into_iter().collect();
    let templates = Templates::with([(kinds, source, String::new())]).ok()?;
    let [text, twin] = texts.map(|text| output(&templates, &with_texts(kind, fields, text)));
    Some(json!({ "name": format!("{kind} {source:?}"), "text": text, "twin": twin }))
}

/// Words that some versions of the parser pair, or take for one sign with a value beside them.
const FORMS: &[&str] = &[
    "*VALUE*",
    "**VALUE**",
    "_VALUE_",
    "~VALUE~",
    "Alert! *by VALUE*",
    "*New:* VALUE *x*",
    "*New:* VALUE",
    "_aVALUEb_ VALUE",
    "{{ actor }}:VALUE{{ actor }}",
    "Look!VALUE",
    ":-VALUE{{ actor }}",
];

/// Texts for these, which do most without a code span.
const ACTIVE: &[&str] = &[
    "[x](https://evil.example)",
    "#general",
    "8) x",
    "https://evil.example",
    "![x](https://evil.example/x.png)",
    "<https://evil.example|x>",
    "a*b*c",
    "x_y_z ~a~",
    "evil.example",
    ":smile:",
    "||x||",
    "<t:1700000000:R>",
    "+15551234",
];

#[test]
fn every_build_of_rocket_chats_parser_finds_the_same_beside_marks() {
    let mut texts = ACTIVE.iter().cycle();
    let mut records = Vec::new();
    for form in FORMS {
        for value in VALUES.iter().filter(|value| value.starts_with("{{")) {
            let source = form.replace("VALUE", value);
            for (kind, fields) in FIELDS.iter().take(2) {
                let text = texts.next().expect("is endless");
                records.extend(record(&source, kind, fields, [text, "a.b"]));
            }
        }
    }
    assert!(records.len() > 500, "{}", records.len());
    check_with_parser(&["templates.mjs", "all"], records);
}

#[test]
fn rocket_chats_parser_finds_the_same_whatever_outside_text_a_template_shows() {
    let words = prop::sample::select(WORDS).boxed();
    let values = prop::sample::select(VALUES).boxed();
    let parts = prop::collection::vec(prop_oneof![words, values], 2..9);
    let any = (
        parts,
        prop::sample::select(texts()),
        prop::sample::select(FIELDS),
    );
    let runner = &mut TestRunner::deterministic();
    let mut records = Vec::new();
    for _ in 0..GENERATED {
        let (parts, (text, twin), (kind, fields)) =
            any.new_tree(runner).expect("is generated").current();
        records.extend(record(&parts.concat(), kind, fields, [text, twin]));
    }
    assert!(records.len() > GENERATED / 2, "{}", records.len());
    check_with_parser(&["templates.mjs"], records);
}
