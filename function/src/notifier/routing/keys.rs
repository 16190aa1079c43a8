//! The keys of a file of rules. Owns which keys exist, and which one is suggested for people's words.
//! What a key means is decided in [`mod@super::parse`].

use crate::notifier::words::Words;

/// Keys of the file.
pub(super) const TOP_KEYS: Words<'static> = Words {
    known: &["users", "others", "rules"],
    synonyms: &[
        ("routes", "rules"),
        ("user_map", "users"),
        ("mapping", "users"),
    ],
};

/// Keys of a rule.
pub(super) const RULE_KEYS: Words<'static> = Words {
    known: &[
        "name",
        "event",
        "project",
        "ref",
        "action",
        "status",
        "protected",
        "allowed_failure",
        "source",
        "labels",
        "draft",
        "paths",
        "actor",
        "author",
        "not",
        "confidential",
        "to",
        "except_actor",
        "continue",
    ],
    synonyms: KEY_SYNONYMS,
};

/// Keys under `not`.
pub(super) const CONDITION_KEYS: Words<'static> = Words {
    known: &[
        "event",
        "project",
        "ref",
        "action",
        "status",
        "protected",
        "allowed_failure",
        "source",
        "labels",
        "draft",
        "paths",
        "actor",
        "author",
    ],
    synonyms: KEY_SYNONYMS,
};

/// Words that are suggested a key for; a key has one spelling.
const KEY_SYNONYMS: &[(&str, &str)] = &[
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
