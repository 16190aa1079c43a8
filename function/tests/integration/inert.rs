//! Which outside texts are plain: the rule of the program and the reference in `tests/markup/inert.mjs` agree on
//! generated and hostile texts, and Rocket.Chat's parser makes nothing of those that are.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use webhook_app::rocketchat::markup::{Inert, VisibleText};

use crate::markup::{HAZARDS, check_with_parser};

/// One of each kind of character that the rule or the parser tells apart.
const KINDS: &str = "aDBXPyé中81 '\",?!&()/-:;.…，_@#*";

/// Parts of words that are harmless alone or become an emoticon, an address, an emoji or a mention together.
const PARTS: &[&str] = &[
    "8",
    "B",
    "D",
    "X",
    "P",
    "y",
    "O",
    "a",
    "1",
    "0",
    "tel",
    "localhost",
    "http",
    "example",
    "com",
    "Fix",
    "the",
    "login",
    "v1.2.3",
    "1.0",
    "é",
    "Zoë",
    "中文",
    "नमस्ते",
    "ไทย",
    "Ж",
    "𠮷",
    "יוסף",
    " ",
    " ",
    " ",
    " ",
    " ",
    ".",
    ". ",
    ",",
    ", ",
    ": ",
    "-",
    " - ",
    "/",
    "'",
    "\"",
    "(",
    ")",
    " (",
    ") ",
    "?",
    "!: ",
    "& ",
    "…",
    "，",
    "「",
    "」",
    "’",
    "–",
    ":",
    ";",
    "_",
    "*",
    "#",
    "@",
    "=",
    "+",
    "[",
    "~",
    "<",
    "🎉",
    "\u{301}",
    "\u{200d}",
];

const GENERATED: usize = 18_500;

/// All texts of one and two characters, the hazards alone and after a word, and random texts, the same each time.
fn texts() -> Vec<String> {
    let kinds = || KINDS.chars();
    let mut texts: Vec<_> = kinds().map(String::from).collect();
    texts.extend(kinds().flat_map(|first| kinds().map(move |second| format!("{first}{second}"))));
    texts.extend(
        HAZARDS
            .iter()
            .flat_map(|hazard| [(*hazard).to_owned(), format!("a {hazard}")]),
    );
    let any = prop::collection::vec(prop::sample::select(PARTS), 1..9);
    let runner = &mut TestRunner::deterministic();
    texts.extend((0..GENERATED).map(|_| {
        any.new_tree(runner)
            .expect("is generated")
            .current()
            .concat()
    }));
    texts
}

fn verdict(text: &str) -> Option<Value> {
    let text = VisibleText::new(text, usize::MAX)?;
    let shown = text.as_str().to_owned();
    Some(json!({ "text": shown, "inert": Inert::try_from(text).is_ok() }))
}

#[test]
fn the_rule_for_plain_text_agrees_with_its_reference_and_the_parser_finds_only_text() {
    let verdicts: Vec<_> = texts().iter().filter_map(|text| verdict(text)).collect();
    assert!(verdicts.len() > 19_000, "{}", verdicts.len());
    check_with_parser(&["inert.mjs", "verdicts"], verdicts);
}
