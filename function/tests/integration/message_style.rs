//! `MESSAGE_STYLE`: messages begin with a sign or with words, and differ in nothing else.

use std::collections::BTreeMap;

use webhook_app::notifier::message::{self, MessageStyle, Visibility};

use crate::harness::program;
use crate::messages::{fixtures, parse};

#[test]
fn the_plain_style_leaves_out_only_the_sign() {
    let everything = Visibility {
        confidential: true,
        in_progress: true,
        minor_updates: true,
    };
    let mut messages = 0;
    for (name, body) in fixtures() {
        let event = parse(None, body.to_string().as_bytes()).expect("is an event");
        let text = |style| {
            let message = message::render(&event, everything, style);
            message.ok().map(|message| message.text())
        };
        let (Some(signs), Some(plain)) = (text(MessageStyle::Signs), text(MessageStyle::Plain))
        else {
            continue;
        };
        let (sign, words) = signs.split_once(' ').expect("has a sign");
        assert_eq!(sign.chars().count(), 1, "{name}: {signs}");
        assert!(!sign.is_ascii(), "{name}: {signs}");
        // A line that is shortened has room for two more characters.
        let (first, rest) = words.split_once('\n').unwrap_or((words, ""));
        let (plain_first, plain_rest) = plain.split_once('\n').unwrap_or((&plain, ""));
        assert_eq!(rest, plain_rest, "{name}");
        match first.split_once('…') {
            Some((start, _)) => assert!(plain_first.starts_with(start), "{name}: {plain}"),
            None => assert_eq!(first, plain_first, "{name}"),
        }
        messages += 1;
    }
    assert!(messages > 80, "{messages}");
}

#[test]
fn a_preview_has_the_style_that_is_set() {
    let preview = |settings: &[(&str, &str)]| {
        let settings = settings.iter();
        let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let output = program(&settings.collect::<BTreeMap<_, _>>())
            .args(["render", "--kind", "group"])
            .output()
            .expect("runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let signs = preview(&[]);
    let (sign, words) = signs.split_once(' ').expect("has a sign");
    assert_eq!(sign, "👥");
    let plain = ("MESSAGE_STYLE", "plain");
    assert_eq!(preview(&[("MESSAGE_STYLE", "signs")]), signs);
    assert_eq!(preview(&[plain]), words);
    for (template, expected) in [
        ("{{ headline }}", words),
        ("{{ sign }} {{ headline }}", words),
        (
            "{% if sign %}x{% else %}{{ default_message }}{% endif %}",
            words,
        ),
    ] {
        assert_eq!(
            preview(&[plain, ("MESSAGES", template)]),
            expected,
            "{template}"
        );
    }
}
