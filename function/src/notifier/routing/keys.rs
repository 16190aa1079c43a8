//! The keys of a file of rules. Owns which keys exist, and which one is suggested for people's words.
//! What a key means is decided in [`mod@super::parse`].

use super::condition::Condition;
use crate::notifier::words::{Synonyms, Words};

/// Keys of the file.
pub(super) const TOP_KEYS: Words<'static> = Words {
    known: &["users", "others", "rules"],
    synonyms: &[
        ("routes", "rules"),
        ("user_map", "users"),
        ("mapping", "users"),
    ],
    advice: &[],
};

/// Keys under `not`.
pub(super) const CONDITION_KEYS: Words<'static> = Words {
    known: CONDITIONS,
    synonyms: KEY_SYNONYMS,
    advice: &[
        (
            "confidential",
            "leave it out: without confidential: true, a rule matches no confidential events",
        ),
        ("name", OF_THE_RULE),
        ("to", OF_THE_RULE),
        ("except_actor", OF_THE_RULE),
        ("continue", OF_THE_RULE),
        (
            "not",
            "it already excludes; write the conditions without it",
        ),
    ],
};

const OF_THE_RULE: &str = "it is a key of the rule and no condition; write it beside not:";

/// Keys of a rule, the conditions among them.
pub(super) fn rule_keys() -> Vec<&'static str> {
    let others: &[&str] = &[
        "not",
        "confidential",
        "hand_off",
        "to",
        "except_actor",
        "continue",
    ];
    [&["name"], CONDITIONS, others].concat()
}

const CONDITIONS: &[&str] = &{
    let mut keys = [""; Condition::ALL.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = Condition::ALL[at].key();
        at += 1;
    }
    keys
};

/// Words that are suggested a key for; a key has one spelling.
pub(super) const KEY_SYNONYMS: Synonyms = &[
    ("kind", "event"),
    ("type", "event"),
    ("object_kind", "event"),
    ("branch", "ref"),
    ("tag", "ref"),
    ("label", "labels"),
    ("path", "paths"),
    ("file", "paths"),
    ("user", "actor"),
    ("state", "status"),
    ("allow_failure", "allowed_failure"),
    ("exclude", "not"),
    ("except", "not"),
    ("recipient", "to"),
    ("notify", "to"),
    ("send_to", "to"),
];
