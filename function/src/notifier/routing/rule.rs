//! One routing rule: which events it matches and who receives them. Owns the conditions and their
//! order; an explanation names the first one that does not match.

use super::NotifyReason;
use super::glob::Glob;
use super::vocabulary::{FAILED, SUCCESS};
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::participants::Person;
use crate::rocketchat::{RoomId, Username};

/// The name of the rule for the only recipient, which is the setting.
pub(super) const RECIPIENT_SETTING: &str = "ROCKETCHAT_RECIPIENT";

/// One rule of a file. An empty condition matches every event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Rule {
    /// The name in explanations.
    pub(super) name: String,
    pub(super) events: Vec<Kind>,
    pub(super) projects: Vec<Glob>,
    pub(super) refs: Vec<Glob>,
    pub(super) actions: Vec<String>,
    pub(super) statuses: Vec<String>,
    /// Line of `fixed` in `status`, if the rule matches fixes.
    pub(super) fixes: Option<usize>,
    pub(super) protected: Option<bool>,
    pub(super) actors: Vec<Glob>,
    pub(super) authors: Vec<Glob>,
    /// Whether it also matches confidential events.
    pub(super) confidential: bool,
    pub(super) to: Vec<RecipientSpec>,
    /// Whether the user who triggered the event is left out.
    pub(super) except_actor: bool,
    /// Whether the rules after it are evaluated too.
    pub(super) continue_: bool,
}

/// A recipient as a rule names it, not yet resolved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum RecipientSpec {
    /// A user by username.
    User(Username),
    /// A room by its id.
    Room(RoomId),
    /// The users who have this role in the event.
    Role(Role),
}

/// A role that users have in an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Actor,
    Author,
    Committer,
    Assignees,
    Reviewers,
    Pusher,
    Starter,
}

impl Role {
    /// Every role with its name in rules.
    pub(super) const ALL: &[(&str, Self)] = &[
        ("actor", Self::Actor),
        ("author", Self::Author),
        ("committer", Self::Committer),
        ("assignees", Self::Assignees),
        ("reviewers", Self::Reviewers),
        ("pusher", Self::Pusher),
        ("pipeline starter", Self::Starter),
    ];

    /// The name in rules.
    pub(super) fn label(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, role)| *role == self);
        named.map_or("", |(name, _)| name)
    }

    /// The users who have this role in the event.
    pub(super) fn people(self, event: &Event) -> Vec<&Person> {
        let people = &event.attributes.participants;
        let of_kind = |kinds: &[Kind]| {
            people
                .actor
                .iter()
                .filter(|_| kinds.contains(&event.kind()))
                .collect()
        };
        match self {
            Self::Actor => people.actor.iter().collect(),
            Self::Author => people.author.iter().collect(),
            Self::Committer => people.committer.iter().collect(),
            Self::Assignees => people.assignees.iter().collect(),
            Self::Reviewers => people.reviewers.iter().collect(),
            Self::Pusher => of_kind(&[Kind::Push, Kind::TagPush, Kind::RepositoryUpdate]),
            Self::Starter => of_kind(&[Kind::Pipeline, Kind::Job, Kind::Deployment]),
        }
    }
}

/// The first condition that does not match.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mismatch {
    Event,
    Project,
    Ref,
    Action,
    Status,
    Protected,
    Actor,
    Author,
    /// Everything else matches, but the event is confidential and the rule does not allow that.
    Confidential,
    /// Everything else matches, but the event is in progress and the rule names no status.
    InProgress,
}

impl Mismatch {
    /// The text after the name of the rule in an explanation.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Event => "matches other events only",
            Self::Project => "matches other projects only",
            Self::Ref => "matches other refs only",
            Self::Action => "matches other actions only",
            Self::Status => "matches other statuses only",
            Self::Protected => "does not match the protection of the ref",
            Self::Actor => "matches other actors only",
            Self::Author => "matches other authors only",
            Self::Confidential => {
                "does not match confidential events; add confidential: true to include them"
            }
            Self::InProgress => {
                "matches finished pipelines, jobs and deployments only; add status: to match others"
            }
        }
    }
}

impl Rule {
    /// A rule that sends every event to `to`.
    pub(super) fn everything_to(to: RecipientSpec) -> Self {
        Self {
            name: RECIPIENT_SETTING.to_owned(),
            to: vec![to],
            ..Self::default()
        }
    }

    /// Whether the rule matches this event. With `live`, pipelines in progress match too.
    pub(super) fn check(&self, event: &Event, live: bool) -> Result<(), Mismatch> {
        let require = |met: bool, mismatch| if met { Ok(()) } else { Err(mismatch) };
        let attributes = &event.attributes;
        let participants = &attributes.participants;
        require(
            one_of(&self.events, |kind| *kind == event.kind()),
            Mismatch::Event,
        )?;
        require(
            matches_name(&self.projects, Some(&attributes.project_path)),
            Mismatch::Project,
        )?;
        require(
            matches_name(&self.refs, attributes.reference.as_deref()),
            Mismatch::Ref,
        )?;
        require(self.matches_action(event), Mismatch::Action)?;
        require(
            self.matches_status(attributes.status.as_deref()),
            Mismatch::Status,
        )?;
        require(
            self.protected
                .is_none_or(|expected| attributes.protected == Some(expected)),
            Mismatch::Protected,
        )?;
        require(
            matches_person(&self.actors, participants.actor.as_ref()),
            Mismatch::Actor,
        )?;
        require(
            matches_person(&self.authors, participants.author.as_ref()),
            Mismatch::Author,
        )?;
        require(
            self.confidential || !event.meta.confidential,
            Mismatch::Confidential,
        )?;
        let is_live_pipeline = live && event.kind() == Kind::Pipeline;
        if !event.attributes.in_progress || is_live_pipeline || !self.statuses.is_empty() {
            Ok(())
        } else {
            Err(Mismatch::InProgress)
        }
    }
}

impl Rule {
    /// Matches GitLab's own term too where the attribute is more specific.
    fn matches_action(&self, event: &Event) -> bool {
        let attributes = &event.attributes;
        matches_word(&self.actions, attributes.action.as_deref())
            || matches_word(&self.actions, attributes.generic_action)
    }

    /// A rule for fixes matches every success, because only a look-up on the chat server shows
    /// whether it is a fix.
    fn matches_status(&self, status: Option<&str>) -> bool {
        let may_be_fix = self.fixes.is_some() && status == Some(SUCCESS);
        may_be_fix || matches_word(&self.statuses, status)
    }

    /// Why its recipients are notified of an event that it matches.
    pub(super) fn reason(&self, event: &Event) -> NotifyReason {
        match event.attributes.status.as_deref() {
            Some(FAILED) if self.fixes.is_some() => NotifyReason::Failure,
            Some(SUCCESS) if self.fixes.is_some() => NotifyReason::Fix,
            _ => NotifyReason::Event,
        }
    }
}

fn matches_word(allowed: &[String], word: Option<&str>) -> bool {
    one_of(allowed, |name| Some(name.as_str()) == word)
}

fn one_of<T>(allowed: &[T], matches: impl Fn(&T) -> bool) -> bool {
    allowed.is_empty() || allowed.iter().any(matches)
}

fn matches_name(globs: &[Glob], name: Option<&str>) -> bool {
    one_of(globs, |glob| name.is_some_and(|name| glob.matches(name)))
}

/// Matches the username or, because authors of commits may have no username, the email address.
fn matches_person(globs: &[Glob], person: Option<&Person>) -> bool {
    one_of(globs, |glob| {
        let names = person
            .into_iter()
            .flat_map(|person| [&person.username, &person.email]);
        names.flatten().any(|name| glob.matches(name))
    })
}
