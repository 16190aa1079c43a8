//! The values of one condition of a rule, whatever their type. Owns when one set of values accepts
//! everything that another one accepts; what a value means for an event is in
//! [`conditions`](super::conditions).

use super::glob::Glob;
use crate::gitlab::kind::Kind;

/// The values of a condition. Without a value, the condition asks for nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values<'a> {
    Kinds(&'a [Kind]),
    Words(&'a [&'static str]),
    Patterns(&'a [Glob]),
    Flag(Option<bool>),
}

impl<'a> Values<'a> {
    /// Whether the condition has a value.
    pub(super) fn is_given(self) -> bool {
        match self {
            Self::Kinds(kinds) => !kinds.is_empty(),
            Self::Words(words) => !words.is_empty(),
            Self::Patterns(globs) => !globs.is_empty(),
            Self::Flag(flag) => flag.is_some(),
        }
    }

    /// Whether everything that `others` accept is accepted; false if either has no value.
    pub(super) fn accept(self, others: Self) -> bool {
        let accepts = match (self, others) {
            (Self::Kinds(wide), Self::Kinds(narrow)) => narrow.iter().all(|it| wide.contains(it)),
            (Self::Words(wide), Self::Words(narrow)) => narrow.iter().all(|it| wide.contains(it)),
            (Self::Patterns(wide), Self::Patterns(narrow)) => narrow
                .iter()
                .all(|narrow| wide.iter().any(|wide| wide.covers(narrow))),
            (Self::Flag(wide), Self::Flag(narrow)) => wide == narrow,
            _ => false,
        };
        accepts && self.is_given() && others.is_given()
    }

    /// The patterns; none if the values are of another type.
    pub(super) fn patterns(self) -> &'a [Glob] {
        match self {
            Self::Patterns(globs) => globs,
            Self::Kinds(_) | Self::Words(_) | Self::Flag(_) => &[],
        }
    }
}
