//! Any settings, rules and templates: a configuration or a list of errors, no secret in either, and no message over
//! the limit.

#![no_main]

use std::collections::BTreeMap;
use std::io;

use libfuzzer_sys::fuzz_target;
use webhook_app::config::Config;
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::kind::Kind;
use webhook_app::gitlab::verification::Verified;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::routing;
use webhook_app::notifier::templates;

const SECRET: &str = "zq7-this-is-the-canary";

fuzz_target!(|text: &str| {
    configure(text);
    route(text);
    render(text);
});

/// `NAME=value`, separated by a character that no setting contains.
fn configure(text: &str) {
    let pairs = text.split('\u{1}').filter_map(|pair| pair.split_once('='));
    let mut variables: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    variables.insert("ROCKETCHAT_AUTH_TOKEN".to_owned(), SECRET.to_owned());
    let shown = match Config::load(&variables, &|_| Err(io::ErrorKind::NotFound.into())) {
        Ok((config, warnings)) => format!("{config:?} {warnings:?}"),
        Err(errors) => errors.to_string(),
    };
    assert!(!shown.contains(SECRET));
}

fn route(text: &str) {
    let rules = match routing::parse(text) {
        Ok(rules) => rules,
        Err(errors) => return assert!(!errors.is_empty()),
    };
    for kind in [Kind::Push, Kind::MergeRequest, Kind::Pipeline] {
        let body = templates::example(kind).expect("has an example").as_bytes();
        let event = Event::parse(None, Verified::by_operator(body)).expect("is an event");
        let decision = rules.explain(&event);
        if let Ok(recipients) = &decision.recipients {
            assert!((1..=LIMITS.routing.max_recipients).contains(&recipients.list.len()));
        }
        assert_eq!(rules.evaluate(&event), decision.recipients);
    }
}

fn render(text: &str) {
    let parsed = match templates::parse(text) {
        Ok(parsed) => parsed,
        Err(errors) => return assert!(!errors.is_empty()),
    };
    for kind in Kind::ALL {
        if let Some((applied, _)) = parsed.apply_to_example(*kind) {
            let text = applied.text().unwrap_or_default();
            assert!(text.encode_utf16().count() <= LIMITS.texts.message);
        }
    }
}
