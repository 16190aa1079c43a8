//! Samples that lost fields, hold other types, grew deep or huge: with rules, templates and live
//! pipelines on, each is told, ignored or refused, and nothing panics or outgrows a message.

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
use crate::routing::sample;

/// Rules that ask everything that can be asked, and let everybody hear of the rest.
const ROUTES: &str = "\
users: {robin: robin.rocket, '8': kim, kim@example.org: kim}
others: '@lead'
rules:
- {event: issue, confidential: true, action: [open, update], author: '*', to: [author, assignees], continue: true}
- {event: merge_request, ref: 'm*', actor: [robin, '?*'], to: [reviewers, assignees], except_actor: true, continue: true}
- {event: [job, deployment], status: [running, failed], protected: true, to: [committer, pipeline starter], continue: true}
- {project: '**', confidential: true, to: [actor, pusher, 'room:GENERAL', '@everybody']}
";

const FIXES: &str = "- {event: pipeline, status: [failed, fixed], to: [committer, '@everybody']}\n";

/// Shows every variable, whatever it holds.
const MESSAGES: &str = "\
others: |
  {{ default_message }}
  {% if fixed %}fixed{% endif %} {{ kind }} {{ action }} {{ status }} {{ page }} {{ commit }} {{ sha }} {{ number }}
  {{ actor }} {{ author }} {{ committer }} {{ assignees }} {{ reviewers }} {{ confidential }} {{ protected }}
  {{ project }} {{ ref }} {{ source_branch }} {{ target_branch }} {{ environment }} {{ stage }}
  {% for job in failed_jobs %}{{ job | upper }} {% endfor %}{{ duration_seconds }} {{ title }} {{ text }}
";

/// Live pipelines exclude fixes, so each has settings of its own.
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
    notifications::load(&settings, &no_file).expect("has no mistakes")
}

/// How many messages a body causes; every text can be sent and is harmless.
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
        // Of a message that was cut, the rest is harmless.
        assert_harmless(text.trim_end_matches('…'));
    }
    plan.notifications.len()
}

/// What becomes of one value.
#[derive(Clone, Debug)]
enum Change {
    Drop,
    Put(Value),
    Wrap,
    Bury(usize),
    Repeat(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let hostile = "@all `x` **b** [l](https://evil.example) #general\n\n> $$x$$ \\` \u{202e}";
    let status = prop::sample::select(vec!["failed", "success", "running", "skipped", "manual"]);
    prop_oneof![
        Just(Change::Drop),
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
        .prop_map(Change::Put),
        status.prop_map(|status| Change::Put(json!(status))),
        any::<String>().prop_map(|text| Change::Put(json!(text))),
        Just(Change::Wrap),
        (1_usize..120).prop_map(Change::Bury),
        (2_usize..3000).prop_map(Change::Repeat),
    ]
}

fn apply(body: &mut Value, pointer: &str, change: &Change) {
    if let (Change::Drop, Some((parent, name))) = (change, pointer.rsplit_once('/')) {
        if let Some(fields) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
            fields.remove(name);
        }
        return;
    }
    let Some(value) = body.pointer_mut(pointer) else {
        return;
    };
    let old = value.take();
    *value = match change {
        Change::Drop => Value::Null,
        Change::Put(new) => new.clone(),
        Change::Wrap => json!({ "id": old, "name": [old] }),
        Change::Bury(depth) => (0..*depth).fold(old, |inner, _| json!([inner])),
        Change::Repeat(times) => match old {
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
fn every_sample_is_told_before_it_is_changed() {
    for kind in Kind::known() {
        let body = sample(kind.label()).to_string();
        for notifier in NOTIFIERS.iter() {
            assert!(plan(notifier, &body) > 0, "{}", kind.label());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_changed_sample_is_told_ignored_or_refused(
        kind in prop::sample::select(Kind::known().collect::<Vec<_>>()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..6),
    ) {
        let mut body = sample(kind.label());
        for (place, change) in &changes {
            let places = pointers(&body, "");
            if !places.is_empty() {
                let place = &places[place.index(places.len())];
                apply(&mut body, place, change);
            }
        }
        let body = body.to_string();
        for notifier in NOTIFIERS.iter() {
            plan(notifier, &body);
        }
    }
}
