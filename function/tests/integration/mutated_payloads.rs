//! Example payloads with fields removed, retyped, deeply nested or enlarged: with rules, templates and live
//! pipelines, each is sent, skipped or rejected; nothing panics, and no message exceeds the limit.

use std::collections::BTreeMap;
use std::io;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use webhook_app::config::notifications;
use webhook_app::gitlab::kind::Kind;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::Notifier;

use crate::markup::assert_harmless;
use crate::messages::{parse, pointers};
use crate::routing::example;

/// Rules that use every matcher; the last one matches every event.
const ROUTES: &str = "\
users: {robin: robin.rocket, '8': kim, kim@example.org: kim}
others: '@lead'
rules:
- {event: issue, confidential: true, action: [open, update], author: '*', to: [author, assignees], continue: true}
- {event: merge_request, ref: 'm*', actor: [robin, '?*'], to: [reviewers, assignees], except_actor: true, continue: true}
- {event: [job, deployment], status: [running, failed], protected: true, to: [committer, pipeline starter], continue: true}
- {source: [push, web], allowed_failure: false, labels: '*', draft: false, to: actor, continue: true}
- {not: {paths: 'docs/**', labels: wip, source: schedule}, paths: '**', to: pusher, continue: true}
- {action: update, to: [new_reviewers, new_assignees, mentioned], continue: true}
- {project: '**', confidential: true, to: [actor, pusher, mentioned, 'room:GENERAL', '@everybody']}
";

const FIXES: &str = "- {event: pipeline, status: [failed, fixed], to: [committer, '@everybody']}\n";

/// A template that uses every variable.
const MESSAGES: &str = "\
others: |
  {{ default_message }}
  {% if fixed %}fixed{% endif %} {{ kind }} {{ action }} {{ status }} {{ page }} {{ commit }} {{ sha }} {{ number }}
  {{ actor }} {{ author }} {{ committer }} {{ assignees }} {{ reviewers }} {{ confidential }} {{ protected }}
  {{ project }} {{ ref }} {{ source_branch }} {{ target_branch }} {{ environment }} {{ stage }}
  {% for job in failed_jobs %}{{ job | upper }} {% endfor %}{{ duration_seconds }} {{ title }} {{ text }}
";

/// Live pipelines exclude fixes, so each is configured separately.
static NOTIFIERS: LazyLock<[Notifier; 3]> = LazyLock::new(|| {
    let fixes = ROUTES.replace("rules:\n", &format!("rules:\n{FIXES}"));
    [
        load(&[
            ("ROUTES", ROUTES),
            ("MESSAGES", MESSAGES),
            ("LIVE_PIPELINES", "true"),
        ]),
        load(&[("ROUTES", &fixes), ("MESSAGES", MESSAGES)]),
        load(&[("ROUTES", &fixes)]),
    ]
});

fn load(settings: &[(&str, &str)]) -> Notifier {
    let settings = settings.iter().copied();
    let settings: BTreeMap<_, _> = settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let no_file = |_: &str| Err(io::ErrorKind::NotFound.into());
    notifications::load(&settings, &no_file).expect("has no errors")
}

/// Returns how many messages a body sends; asserts that each text is harmless and within the limit.
fn plan(notifier: &Notifier, body: &str) -> usize {
    let Ok(event) = parse(None, body.as_bytes()) else {
        return 0;
    };
    let Ok(plan) = notifier.plan(&event) else {
        return 0;
    };
    for notification in &plan.notifications {
        let text = &notification.text;
        let units = text.encode_utf16().count();
        assert!(
            (1..=LIMITS.texts.message).contains(&units),
            "{units} units: {text}"
        );
        // A truncated message ends with an ellipsis.
        assert_harmless(text.trim_end_matches('…'));
    }
    plan.notifications.len()
}

/// A mutation of one value.
#[derive(Clone, Debug)]
enum Mutation {
    Remove,
    Replace(Value),
    Wrap,
    Nest(usize),
    Repeat(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let hostile = "@all `x` **b** [l](https://evil.example) #general\n\n> $$x$$ \\` \u{202e}";
    let status = prop::sample::select(vec!["failed", "success", "running", "skipped", "manual"]);
    prop_oneof![
        Just(Mutation::Remove),
        prop::sample::select(vec![
            Value::Null,
            json!(true),
            json!(0),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
            json!(0.5),
            json!(""),
            json!([]),
            json!({}),
            json!([[{}]]),
            json!("0".repeat(40)),
            json!("a".repeat(40)),
            json!(hostile),
            json!(hostile.repeat(2000)),
            json!("\u{1f600}".repeat(20_000)),
            json!("https://gitlab.example.org/".to_owned() + &"a/".repeat(5000)),
        ])
        .prop_map(Mutation::Replace),
        status.prop_map(|status| Mutation::Replace(json!(status))),
        any::<String>().prop_map(|text| Mutation::Replace(json!(text))),
        Just(Mutation::Wrap),
        (1_usize..120).prop_map(Mutation::Nest),
        (2_usize..3000).prop_map(Mutation::Repeat),
    ]
}

fn apply(body: &mut Value, pointer: &str, mutation: &Mutation) {
    if let (Mutation::Remove, Some((parent, name))) = (mutation, pointer.rsplit_once('/')) {
        if let Some(fields) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
            fields.remove(name);
        }
        return;
    }
    let Some(value) = body.pointer_mut(pointer) else {
        return;
    };
    let old = value.take();
    *value = match mutation {
        Mutation::Remove => Value::Null,
        Mutation::Replace(new) => new.clone(),
        Mutation::Wrap => json!({ "id": old, "name": [old] }),
        Mutation::Nest(depth) => (0..*depth).fold(old, |inner, _| json!([inner])),
        Mutation::Repeat(times) => match old {
            Value::Array(items) => items
                .iter()
                .cycle()
                .take(items.len().min(3) * times)
                .cloned()
                .collect(),
            other => json!([other]),
        },
    };
}

#[test]
fn every_unchanged_example_sends_a_message() {
    for kind in Kind::known() {
        let body = example(kind.label()).to_string();
        for notifier in NOTIFIERS.iter() {
            assert!(plan(notifier, &body) > 0, "{}", kind.label());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_mutated_example_is_sent_skipped_or_rejected(
        kind in prop::sample::select(Kind::known().collect::<Vec<_>>()),
        mutations in prop::collection::vec((any::<prop::sample::Index>(), mutation()), 1..6),
    ) {
        let mut body = example(kind.label());
        for (index, mutation) in &mutations {
            let candidates = pointers(&body, "");
            if !candidates.is_empty() {
                let pointer = &candidates[index.index(candidates.len())];
                apply(&mut body, pointer, mutation);
            }
        }
        let body = body.to_string();
        for notifier in NOTIFIERS.iter() {
            plan(notifier, &body);
        }
    }
}
