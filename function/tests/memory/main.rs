//! The memory that hostile input needs, measured as the peak of this process. Owns the bars; a separate
//! binary, because tests of the same process share its peak. The release build is measured with bodies
//! of 20 MiB by the system test `memory`.

#![expect(
    clippy::expect_used,
    reason = "a panic fails the test, with the expectation as the text"
)]
#![expect(clippy::cast_precision_loss, reason = "ratios of sizes")]

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fakes::gitlab::Oversized;
use serde_json::{Value, json};
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::kind::Kind;
use webhook_app::gitlab::verification::Verified;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};
use webhook_app::notifier::routing::NotifyReason;
use webhook_app::notifier::templates::{Applied, Templates, example};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The tests measure the same process, so they take turns.
static TURN: Mutex<()> = Mutex::new(());

/// The memory that `work` needs on top of what the process has, in bytes.
fn peak_of(work: impl FnOnce()) -> usize {
    std::fs::write("/proc/self/clear_refs", "5").expect("the kernel resets the peak");
    let before = status("VmHWM:");
    work();
    status("VmHWM:").saturating_sub(before)
}

fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.expect("is listed") * KIB
}

fn parse(body: &[u8]) -> Option<Event> {
    let hook = body
        .windows(6)
        .any(|part| part == b"before")
        .then_some(&b"Push Hook"[..]);
    Event::parse(hook, Verified::by_operator(body)).ok()
}

fn document(kind: Kind) -> Value {
    let text = example(kind).expect("has an example");
    serde_json::from_str(text).expect("is JSON")
}

#[test]
fn no_body_needs_more_than_twice_its_length_to_be_parsed() {
    const LENGTH: usize = MIB;
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let kinds = [
        (Kind::Push, "/commits"),
        (Kind::Push, "/user_id"),
        (Kind::Push, "/after"),
        (Kind::Push, "/ref"),
        (Kind::Push, "/project"),
        (Kind::Push, "/commits/0/title"),
        (Kind::Pipeline, "/builds"),
        (Kind::Pipeline, "/object_attributes/id"),
        (Kind::MergeRequest, "/assignees"),
        (Kind::MergeRequest, "/reviewers"),
        (Kind::MergeRequest, "/object_attributes"),
        (Kind::RepositoryUpdate, "/changes"),
    ];
    for (kind, field) in kinds {
        let all = Oversized::all(&[document(kind)]);
        let bodies: Vec<_> = all.iter().filter(|body| body.field == field).collect();
        assert!(!bodies.is_empty(), "{field} is not in the example");
        for body in bodies {
            // The pages of the code count too when they are first used.
            drop(parse(&body.body(KIB)));
            let bytes = body.body(LENGTH);
            let peak = peak_of(|| drop(parse(&bytes)));
            let ratio = peak as f64 / bytes.len() as f64;
            assert!(
                ratio <= 2.1,
                "{kind:?} {field} as {}: {ratio:.1} × the body",
                body.value
            );
        }
    }
}

/// An event whose texts and lists are all as long as they can be.
fn largest_event(kind: Kind) -> Event {
    let mut body = document(kind);
    lengthen(&mut body);
    for list in ["assignees", "reviewers", "builds"] {
        if let Some(first) = body[list].get(0).cloned() {
            body[list] = json!(vec![first; 150]);
        }
    }
    parse(body.to_string().as_bytes()).expect("is an event")
}

fn lengthen(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                let is_read = ["name", "title", "description", "username", "stage"];
                match value {
                    Value::String(text) if is_read.contains(&name.as_str()) => {
                        *text = "山\u{200b}".repeat(3000);
                    }
                    other => lengthen(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(lengthen),
        _ => {}
    }
}

/// Every filter, test and function of the language, also those that templates cannot use.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];

const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "escaped",
    "even",
    "filter",
    "in",
    "iterable",
    "lower",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

const OPERATORS: &[&str] = &[
    "~", "+", "-", "*", "/", "//", "%", "**", "==", "<", "in", "not in", "and", "or",
];

const OPERANDS: &[&str] = &[
    "default_message",
    "reviewers",
    "failed_jobs",
    "title",
    "1000000000",
    "range(1000)",
    "loop",
    "(default_message | string)",
    "LONG",
];

const ARGUMENTS: &[&str] = &[
    "",
    "(1000000000)",
    "(-1)",
    "('', default_message | string)",
    "('a', LONG)",
    "(LONG)",
    "(reviewers)",
    "(attribute=LONG)",
    "('%1000000000d')",
    "(1000000000, LONG)",
];

fn hostile() -> Vec<String> {
    let mut all: Vec<String> = [
        "{{ '%1000000000d' | format(1) }}",
        "{{ title | indent(1000000000) }}",
        "{% set x = 'a' %}{% set x = x ~ x %}",
        "{% set x %}{% for i in range(1000) %}LONG{% endfor %}{% endset %}",
        "{% filter upper %}LONG{% endfilter %}",
        "{% for i in range(9) recursive %}{{ loop(range(9)) }}{% endfor %}",
        "{% for i in range(1000) %}LONG{% endfor %}",
        "{% for i in range(1000) %}{{ range(1000) }}{{ reviewers }}{% endfor %}",
        "{% for i in range(1000) %}{% for c in LONG %}{% endfor %}{% endfor %}",
        "{% for i in range(900) %}{% if reviewers == failed_jobs %}{% endif %}{% endfor %}",
        "{% set a = reviewers | sort %}{% set b = reviewers | sort %}{% for i in range(900) %}{% if a == b %}{% endif %}{% endfor %}",
        "{% set a = default_message | string %}{% for i in range(1000) %}{{ a[::-1] }}{% endfor %}",
        "{% set a = default_message | string %}{% for i in range(900) %}{% if 'b' in a[1:] %}{% endif %}{% endfor %}",
        "{% set a = [1, 1] %}{% set b = [a, a] %}{{ b }}",
        "{% set a = {'a': 1} %}{{ [a, a] }}",
        "{% set a = (1, 1) %}{{ a }}",
        "{% set a, b = [1, 2] %}{{ a }}",
        "{% with a = [1] %}{{ a }}{% endwith %}",
        "{% for a in [[[1, 1], [1, 1]], [[1, 1], [1, 1]]] %}{{ a }}{% endfor %}",
        "{% for a in [reviewers, reviewers] %}{% for b in [a, a, a] %}{{ b }}{% endfor %}{% endfor %}",
        "{{ namespace(a=1) }}{{ dict(a=1) }}{{ debug() }}",
        "{{ range(1000000000) | join }}{{ range(0, 1000000000, 1000000) }}",
        "{{ range(9223372036854775807) }}{{ range(-9223372036854775807, 9223372036854775807) }}",
        "{{ title * 1000000000 }}{{ 1000000000 * title }}",
        "{{ 2 ** 126 }}{{ -1 // 0 }}",
        "{{ loop.changed(reviewers) }}{{ loop.cycle(1, 2) }}",
    ]
    .map(str::to_owned)
    .into();
    for filter in FILTERS {
        for operand in OPERANDS {
            for argument in ARGUMENTS {
                all.push(format!("{{{{ {operand} | {filter}{argument} }}}}"));
            }
            let chain = format!("| {filter} ").repeat(30);
            all.push(format!("{{% set x = {operand} {chain} %}}{{{{ x }}}}"));
        }
        all.push(repeated(&format!("reviewers | {filter}")));
        all.push(repeated(&format!("x | {filter}")));
        all.push(repeated(&format!("x | {filter}('a', x)")));
    }
    for test in TESTS {
        for operand in OPERANDS {
            all.push(format!(
                "{{{{ {operand} is {test} }}}}{{{{ {operand} is {test}({operand}) }}}}"
            ));
        }
        all.push(repeated(&format!("x is {test}(x)")));
    }
    for operator in OPERATORS {
        for operand in OPERANDS {
            all.push(format!("{{{{ {operand} {operator} {operand} }}}}"));
            all.push(format!("{{{{ {operand} {operator} 1000000000 }}}}"));
        }
        let doubling = format!("{{% set x = x {operator} x %}}").repeat(300);
        all.push(format!("{{% set x = title %}}{doubling}{{{{ x }}}}"));
        all.push(repeated(&format!("x {operator} x")));
    }
    let long = format!("'{}'", "a<".repeat(2000));
    all.iter()
        .map(|template| template.replace("LONG", &long))
        .collect()
}

/// A template that computes this in a loop that is short enough for the example.
fn repeated(expression: &str) -> String {
    format!(
        "{{% set x = default_message | string %}}{{% for i in range(900) %}}{{% if {expression} %}}{{% endif %}}{{% endfor %}}"
    )
}

#[test]
fn a_template_is_rejected_or_rendered_in_bounded_time_and_memory() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let events = [Kind::MergeRequest, Kind::Pipeline].map(|kind| (kind, largest_event(kind)));
    let (mut slowest, mut largest, mut usable) = (Duration::ZERO, 0, 0);
    for template in hostile() {
        for (kind, event) in &events {
            let started = Instant::now();
            let mut is_usable = false;
            let peak = peak_of(|| {
                let compiled = Templates::with([(vec![*kind], template.as_str(), String::new())]);
                let Ok(templates) = compiled else { return };
                is_usable = true;
                let style = MessageStyle::Signs;
                let builtin = message::render(event, Visibility::default(), style);
                let builtin = builtin.expect("has a message");
                match templates.apply(NotifyReason::Event, event, &builtin) {
                    Applied::Text(text) | Applied::Failed(text) => assert!(text.len() <= 64 * KIB),
                    Applied::Nothing => {}
                }
            });
            // Three renderings: the example twice, and the event.
            let took = started.elapsed();
            let shown = &template[..template.floor_char_boundary(200)];
            assert!(took < Duration::from_secs(5), "{took:?} for {shown}");
            assert!(peak <= 16 * MIB, "{} KiB for {shown}", peak / KIB);
            slowest = slowest.max(took);
            largest = largest.max(peak);
            usable += usize::from(is_usable);
        }
    }
    println!(
        "{usable} templates are usable; the slowest took {slowest:?}, the largest {} KiB",
        largest / KIB
    );
    assert!(usable > 100, "{usable} templates are usable");
}
