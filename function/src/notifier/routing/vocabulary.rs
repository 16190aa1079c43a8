//! Single values of a routing rule. Owns which values are accepted, and the errors for all others. Which
//! key takes which values is decided in [`mod@super::parse`]; people's words are in
//! [`terms`](super::terms).

use super::condition::Condition;
use super::glob::Glob;
use super::hook_fields::{actions, statuses};
use super::rule::{RecipientSpec, Role};
use super::terms::{
    ACTION_ADVICE, ACTION_SYNONYMS, EVENT_ADVICE, ROLE_SYNONYMS, SOURCES, STATUS_ADVICE,
    STATUS_SYNONYMS,
};
use crate::gitlab::attributes::short_ref;
use crate::gitlab::kind::Kind;
use crate::notifier::words::{self, Synonyms, Words, echo};
use crate::rocketchat::{Destination, RoomId, Username};

#[expect(
    clippy::unnecessary_wraps,
    reason = "has the same signature as the functions for values that can be invalid"
)]
pub(super) fn glob(text: &str) -> Result<Glob, String> {
    Ok(Glob::new(text))
}

/// A pattern for a branch or tag, which events have without `refs/heads/` or `refs/tags/`.
#[expect(
    clippy::unnecessary_wraps,
    reason = "has the same signature as the functions for values that can be invalid"
)]
pub(super) fn reference(text: &str) -> Result<Glob, String> {
    Ok(Glob::new(short_ref(text)).written_as(text))
}

/// A pattern for a user name or an e-mail address, of which GitLab ignores the case.
#[expect(
    clippy::unnecessary_wraps,
    reason = "has the same signature as the functions for values that can be invalid"
)]
pub(super) fn person(text: &str) -> Result<Glob, String> {
    Ok(Glob::ignoring_case(text))
}

pub(super) fn event(text: &str) -> Result<Kind, String> {
    words::kind(text, EVENT_ADVICE)
        .map_err(|suggestion| format!("there is no event {}; {suggestion}", echo(text)))
}

pub(super) fn status(text: &str, kinds: &[Kind]) -> Result<&'static str, String> {
    let synonyms = (STATUS_SYNONYMS, STATUS_ADVICE);
    word(text, Condition::Status, kinds, statuses, synonyms)
}

pub(super) fn action(text: &str, kinds: &[Kind]) -> Result<&'static str, String> {
    let synonyms = (ACTION_SYNONYMS, ACTION_ADVICE);
    word(text, Condition::Action, kinds, actions, synonyms)
}

pub(super) fn source(text: &str) -> Result<&'static str, String> {
    let found = SOURCES.find(text);
    found.map_err(|suggestion| unknown(Condition::Source, text, &suggestion))
}

/// A word that events of one kind at least can have. A word that only other kinds have than those of the
/// rule is no error but a warning; suggestions name words that the events of the rule can have.
fn word(
    text: &str,
    condition: Condition,
    kinds: &[Kind],
    of_kind: fn(Kind) -> Vec<&'static str>,
    (synonyms, advice): (Synonyms, Synonyms),
) -> Result<&'static str, String> {
    let words_of = |kinds: &mut dyn Iterator<Item = Kind>| {
        let mut words = Vec::new();
        for word in kinds.flat_map(of_kind) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    };
    let all = words_of(&mut Kind::known());
    let words = |known| Words {
        known,
        synonyms,
        advice,
    };
    let suggestion = match words(&all).find(text) {
        Ok(word) => return Ok(word),
        Err(suggestion) => suggestion,
    };
    let of_rule = words_of(&mut kinds.iter().copied());
    let suggestion = match (kinds, &of_rule[..]) {
        ([], _) => suggestion,
        (_, []) => format!("{} events have no `{}`", labels(kinds), condition.key()),
        (_, known) => words(known).suggest(text),
    };
    Err(unknown(condition, text, &suggestion))
}

fn unknown(condition: Condition, text: &str, suggestion: &str) -> String {
    format!(
        "there is no {} {}; {suggestion}",
        condition.key(),
        echo(text)
    )
}

/// The labels of kinds, for a sentence.
pub(super) fn labels(kinds: &[Kind]) -> String {
    let labels: Vec<_> = kinds.iter().map(|kind| kind.label()).collect();
    labels.join(", ")
}

/// A recipient; `None` for `nobody`.
pub(super) fn recipient(text: &str) -> Result<Option<RecipientSpec>, String> {
    if text == "nobody" {
        return Ok(None);
    }
    if let Some(id) = text.strip_prefix("room:") {
        let room = RoomId::parse(id).map(RecipientSpec::Room);
        return room.map(Some).ok_or_else(|| {
            let found = echo(text);
            format!("expected an id of visible characters after room:, found {found}")
        });
    }
    if text.starts_with('@') {
        return username(text).map(|user| Some(RecipientSpec::User(user)));
    }
    let names: Vec<_> = Role::ALL.iter().map(|(name, _)| *name).collect();
    let roles = Words {
        known: &names,
        synonyms: ROLE_SYNONYMS,
        advice: &[],
    };
    let found = roles.find(text);
    let role = Role::ALL.iter().find(|(name, _)| found == Ok(*name));
    role.map(|(_, role)| Some(RecipientSpec::Role(*role)))
        .ok_or_else(|| unknown_recipient(text, &names, &found.err().unwrap_or_default()))
}

/// The user or room that a setting names like a recipient in a rule: `@alice` or `room:ID`.
pub(crate) fn destination(text: &str) -> Result<Destination, String> {
    match recipient(text) {
        Ok(Some(RecipientSpec::User(user))) => Ok(Destination::User(user)),
        Ok(Some(RecipientSpec::Room(room))) => Ok(Destination::Room(room)),
        Ok(_) => Err("expected @ and a user name, or room: and an ID".to_owned()),
        Err(problem) => Err(problem),
    }
}

fn unknown_recipient(text: &str, roles: &[&str], suggestion: &str) -> String {
    let hint = match text.strip_prefix('#') {
        Some(_) => "; for a room, write room: and its id".to_owned(),
        None if suggestion.starts_with("did you mean") => format!("; {suggestion}"),
        None if Username::parse(text).is_ok() => format!("; for that user, write \"@{text}\""),
        None => String::new(),
    };
    format!(
        "expected \"@user\", room:id, nobody or one of {}, found {}{hint}",
        roles.join(", "),
        echo(text)
    )
}

/// A user of Rocket.Chat.
pub(super) fn username(text: &str) -> Result<Username, String> {
    Username::parse(text).map_err(|error| format!("{error}; found {}", echo(text)))
}
