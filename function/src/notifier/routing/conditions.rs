//! The conditions of a rule: which values of an event each one accepts. Owns what a condition means for
//! an event, including that GitLab may not say what it asks for. Which hooks say what is in
//! `hook_fields`.

use super::condition::Condition;
use super::glob::Glob;
use super::path_search::PathSearch;
use super::terms::{FIXED, SUCCESS};
use super::values::Values;
use crate::gitlab::attributes::EventAttributes;
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::participants::Person;

/// Conditions of a rule, or of its `not`. An empty condition asks for nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Conditions {
    pub(super) events: Vec<Kind>,
    pub(super) projects: Vec<Glob>,
    pub(super) refs: Vec<Glob>,
    pub(super) actions: Vec<&'static str>,
    pub(super) statuses: Vec<&'static str>,
    pub(super) protected: Option<bool>,
    pub(super) allowed_failure: Option<bool>,
    pub(super) sources: Vec<&'static str>,
    pub(super) labels: Vec<Glob>,
    pub(super) draft: Option<bool>,
    pub(super) actors: Vec<Glob>,
    pub(super) authors: Vec<Glob>,
    pub(super) paths: Vec<Glob>,
}

/// What an event says about a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Yes,
    No,
    /// GitLab does not say.
    Missing,
    /// Not among what GitLab lists, but it lists only a part.
    Unlisted,
    /// GitLab sends nothing but the number of the user, which is not among the values.
    OnlyNumber(u64),
    /// GitLab has redacted the address of the user, which may be among the values.
    Redacted,
}

impl Conditions {
    /// Whether the condition is part of the rule.
    pub(super) fn has(&self, condition: Condition) -> bool {
        self.values(condition).is_given()
    }

    /// The values of a condition.
    pub(super) fn values(&self, condition: Condition) -> Values<'_> {
        match condition {
            Condition::Event => Values::Kinds(&self.events),
            Condition::Project => Values::Patterns(&self.projects),
            Condition::Ref => Values::Patterns(&self.refs),
            Condition::Action => Values::Words(&self.actions),
            Condition::Status => Values::Words(&self.statuses),
            Condition::Protected => Values::Flag(self.protected),
            Condition::AllowedFailure => Values::Flag(self.allowed_failure),
            Condition::Source => Values::Words(&self.sources),
            Condition::Labels => Values::Patterns(&self.labels),
            Condition::Draft => Values::Flag(self.draft),
            Condition::Actor => Values::Patterns(&self.actors),
            Condition::Author => Values::Patterns(&self.authors),
            Condition::Paths => Values::Patterns(&self.paths),
        }
    }

    /// What the event says about a condition of the rule.
    pub(super) fn answer(
        &self,
        condition: Condition,
        event: &Event,
        changed: &mut PathSearch,
    ) -> Answer {
        let it = &event.attributes;
        let people = &it.participants;
        match condition {
            Condition::Event => one_of(&self.events, Some(event.kind())),
            Condition::Project => project(&self.projects, &it.project_path),
            Condition::Ref => name(&self.refs, it.reference.as_deref()),
            Condition::Action => self.action(it),
            Condition::Status => self.status(it.status.as_deref()),
            Condition::Protected => flag(self.protected, it.protected),
            Condition::AllowedFailure => flag(self.allowed_failure, it.allowed_failure),
            Condition::Source => one_of(&self.sources, it.source.as_deref()),
            Condition::Labels => match &it.labels {
                Some(labels) => yes(labels.iter().any(|label| any(&self.labels, label))),
                None => Answer::Missing,
            },
            Condition::Draft => flag(self.draft, it.draft),
            Condition::Actor => person(&self.actors, people.actor.as_ref()),
            Condition::Author => person(&self.authors, people.author.as_ref()),
            Condition::Paths if it.changed_paths.is_none() => Answer::Missing,
            Condition::Paths => changed.any(&self.paths).map_or(Answer::Unlisted, yes),
        }
    }

    /// Matches GitLab's own term too where the attribute is more specific, and each change of an
    /// update.
    fn action(&self, it: &EventAttributes) -> Answer {
        let words = it.action.as_deref().into_iter().chain(it.generic_action);
        let changes = it.changes.iter().map(|change| change.label());
        let mut words = words.chain(changes).peekable();
        if words.peek().is_none() {
            return Answer::Missing;
        }
        yes(words.any(|word| self.actions.contains(&word)))
    }

    /// A rule for fixes matches every success, because only a look-up on the chat server shows
    /// whether it is a fix.
    fn status(&self, status: Option<&str>) -> Answer {
        let may_be_fix = status == Some(SUCCESS) && self.statuses.contains(&FIXED);
        if may_be_fix {
            return Answer::Yes;
        }
        one_of(&self.statuses, status)
    }
}

fn yes(is_met: bool) -> Answer {
    if is_met { Answer::Yes } else { Answer::No }
}

fn one_of<T: PartialEq>(allowed: &[T], value: Option<T>) -> Answer {
    value.map_or(Answer::Missing, |value| yes(allowed.contains(&value)))
}

fn flag(expected: Option<bool>, found: Option<bool>) -> Answer {
    found.map_or(Answer::Missing, |_| yes(found == expected))
}

fn any(globs: &[Glob], text: &str) -> bool {
    globs.iter().any(|glob| glob.matches(text))
}

/// An event without a project has an empty path, which `**` matches.
fn project(globs: &[Glob], path: &str) -> Answer {
    match yes(any(globs, path)) {
        Answer::No if path.is_empty() => Answer::Missing,
        answer => answer,
    }
}

fn name(globs: &[Glob], name: Option<&str>) -> Answer {
    name.map_or(Answer::Missing, |name| yes(any(globs, name)))
}

/// Matches the username, the account id or, because authors of commits may have neither, the email
/// address.
fn person(globs: &[Glob], person: Option<&Person>) -> Answer {
    let Some(person) = person else {
        return Answer::Missing;
    };
    let names = [person.username.as_deref(), person.email.address()];
    let mut names = names.into_iter().flatten().peekable();
    let has_name = names.peek().is_some();
    let has_id = |id: u64| {
        // Written as text only for the few patterns that a number can match.
        let may_match = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'*' | b'?');
        let mut globs = globs.iter().filter(|it| it.text().bytes().all(may_match));
        globs.next().is_some_and(|first| {
            first.matches(&id.to_string()) || globs.any(|glob| glob.matches(&id.to_string()))
        })
    };
    if names.any(|name| any(globs, name)) || person.id.is_some_and(has_id) {
        return Answer::Yes;
    }
    let may_be_address = |glob: &Glob| glob.text().contains(['@', '*']);
    match person.id {
        _ if person.is_redacted() && globs.iter().any(may_be_address) => Answer::Redacted,
        _ if has_name => Answer::No,
        Some(id) => Answer::OnlyNumber(id),
        None => Answer::Missing,
    }
}
