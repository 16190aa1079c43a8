//! The conditions of a rule: which values of an event each one accepts. Owns what a condition means for
//! an event, including that GitLab may not say what it asks for. Which hooks say what is in
//! `hook_fields`.

use super::glob::Glob;
use super::path_search::PathSearch;
use super::vocabulary::{FIXED, SUCCESS};
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

/// A condition by its key in a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Condition {
    Event,
    Project,
    Ref,
    Action,
    Status,
    Protected,
    AllowedFailure,
    Source,
    Labels,
    Draft,
    Actor,
    Author,
    Paths,
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
}

impl Condition {
    /// Every condition, in the order in which they are evaluated: an explanation names the first one
    /// that does not match, and paths are the most expensive.
    pub(super) const ALL: &[Self] = &[
        Self::Event,
        Self::Project,
        Self::Ref,
        Self::Action,
        Self::Status,
        Self::Protected,
        Self::AllowedFailure,
        Self::Source,
        Self::Labels,
        Self::Draft,
        Self::Actor,
        Self::Author,
        Self::Paths,
    ];

    /// The key in a rule; what is said if the event has another value; and what GitLab does not say if
    /// the event has none.
    fn texts(self) -> [&'static str; 3] {
        match self {
            Self::Event => ["event", "matches other events only", "what happened"],
            Self::Project => [
                "project",
                "matches other projects only",
                "which project it is",
            ],
            Self::Ref => [
                "ref",
                "matches other refs only",
                "which branch or tag it is",
            ],
            Self::Action => ["action", "matches other actions only", "which action it is"],
            Self::Status => [
                "status",
                "matches other statuses only",
                "which status it has",
            ],
            Self::Protected => [
                "protected",
                "does not match the protection of the ref",
                "whether the ref is protected",
            ],
            Self::AllowedFailure => [
                "allowed_failure",
                "matches other jobs only, by whether they are allowed to fail",
                "whether it is allowed to fail",
            ],
            Self::Source => [
                "source",
                "matches pipelines with other sources only",
                "what started it",
            ],
            Self::Labels => ["labels", "matches other labels only", "which labels it has"],
            Self::Draft => [
                "draft",
                "does not match, by whether it is a draft",
                "whether it is a draft",
            ],
            Self::Actor => ["actor", "matches other actors only", "who triggered it"],
            Self::Author => ["author", "matches other authors only", "who the author is"],
            Self::Paths => ["paths", "matches other paths only", "which files changed"],
        }
    }

    /// The key in a rule.
    pub(super) fn key(self) -> &'static str {
        self.texts()[0]
    }

    /// What an explanation says if the event has another value.
    pub(super) fn other(self) -> &'static str {
        self.texts()[1]
    }

    /// What GitLab does not say if the event has no value.
    pub(super) fn missing(self) -> &'static str {
        self.texts()[2]
    }
}

impl Conditions {
    /// Whether the condition is part of the rule.
    pub(super) fn has(&self, condition: Condition) -> bool {
        match condition {
            Condition::Event => !self.events.is_empty(),
            Condition::Project => !self.projects.is_empty(),
            Condition::Ref => !self.refs.is_empty(),
            Condition::Action => !self.actions.is_empty(),
            Condition::Status => !self.statuses.is_empty(),
            Condition::Protected => self.protected.is_some(),
            Condition::AllowedFailure => self.allowed_failure.is_some(),
            Condition::Source => !self.sources.is_empty(),
            Condition::Labels => !self.labels.is_empty(),
            Condition::Draft => self.draft.is_some(),
            Condition::Actor => !self.actors.is_empty(),
            Condition::Author => !self.authors.is_empty(),
            Condition::Paths => !self.paths.is_empty(),
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

/// Matches the username or, because authors of commits may have no username, the email address.
fn person(globs: &[Glob], person: Option<&Person>) -> Answer {
    let names = person
        .into_iter()
        .flat_map(|person| [&person.username, &person.email]);
    let mut names = names.flatten().peekable();
    if names.peek().is_none() {
        return Answer::Missing;
    }
    yes(names.any(|name| any(globs, name)))
}
