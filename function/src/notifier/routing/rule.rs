//! One rule: which events it is for and who hears of them. Owns the conditions and in which order
//! they are asked, which is also the order in which an explanation names them.

use super::NotifyReason;
use super::glob::Glob;
use super::vocabulary::{FAILED, SUCCESS};
use crate::gitlab::attributes::EventAttributes;
use crate::gitlab::kind::Kind;
use crate::gitlab::participants::Person;
use crate::rocketchat::{RoomId, Username};

/// One rule of a file. A condition that is empty is met by everything.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Rule {
    /// What an explanation calls it.
    pub(super) name: String,
    pub(super) events: Vec<Kind>,
    pub(super) projects: Vec<Glob>,
    pub(super) refs: Vec<Glob>,
    pub(super) actions: Vec<String>,
    pub(super) statuses: Vec<String>,
    /// The line that asks for fixes beside failures.
    pub(super) fixes: Option<usize>,
    pub(super) protected: Option<bool>,
    pub(super) actors: Vec<Glob>,
    pub(super) authors: Vec<Glob>,
    /// Whether it is also for confidential events.
    pub(super) confidential: bool,
    pub(super) to: Vec<RecipientSpec>,
    /// Leaves out whoever did it.
    pub(super) except_actor: bool,
    /// Whether the rules after it are asked too.
    pub(super) continue_: bool,
}

/// Who hears of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum RecipientSpec {
    /// Always the same user.
    User(Username),
    /// A room by its id.
    Room(RoomId),
    /// Whoever has this part in the event.
    Role(Role),
}

/// A part that people have in an event.
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
    /// Every role under the name it has in a file.
    pub(super) const ALL: &[(&str, Self)] = &[
        ("actor", Self::Actor),
        ("author", Self::Author),
        ("committer", Self::Committer),
        ("assignees", Self::Assignees),
        ("reviewers", Self::Reviewers),
        ("pusher", Self::Pusher),
        ("pipeline starter", Self::Starter),
    ];

    /// The name it has in a file.
    pub(super) fn label(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, role)| *role == self);
        named.map_or("", |(name, _)| name)
    }

    /// Everybody who has this part in what happened.
    pub(super) fn people(self, attributes: &EventAttributes) -> Vec<&Person> {
        let people = &attributes.people;
        let of_kind = |kinds: &[Kind]| {
            people
                .actor
                .iter()
                .filter(|_| kinds.contains(&attributes.kind))
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

/// The first condition that is not met.
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
    /// All of its conditions are met, but it is not for confidential events.
    Confidential,
    /// All of its conditions are met, but the end is yet to come and the rule asks for no status.
    InProgress,
}

impl Mismatch {
    /// What an explanation says, to follow the name of the rule.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Event => "is for other events",
            Self::Project => "is for other projects",
            Self::Ref => "is for other refs",
            Self::Action => "is for other actions",
            Self::Status => "is for another status",
            Self::Protected => "asks for another protection of the ref",
            Self::Actor => "is for what others did",
            Self::Author => "is for what others wrote",
            Self::Confidential => {
                "is not for confidential events; confidential: true would make it so"
            }
            Self::InProgress => "is for ends alone; status: would make it for others",
        }
    }
}

impl Rule {
    /// Everything goes to `to`.
    pub(super) fn everything_to(to: RecipientSpec) -> Self {
        Self {
            name: "ROCKETCHAT_RECIPIENT".to_owned(),
            to: vec![to],
            ..Self::default()
        }
    }

    /// Whether it asks what only the body can answer.
    pub(super) fn asks(&self) -> bool {
        let is_fixed =
            |to: &RecipientSpec| matches!(to, RecipientSpec::User(_) | RecipientSpec::Room(_));
        let conditions = [
            self.projects.is_empty(),
            self.refs.is_empty(),
            self.actions.is_empty(),
            self.statuses.is_empty(),
            self.protected.is_none(),
            self.actors.is_empty(),
            self.authors.is_empty(),
            !self.except_actor,
            self.to.iter().all(is_fixed),
        ];
        conditions.contains(&false)
    }

    /// Whether it is for this event. `live` lets pipelines through that are under way.
    pub(super) fn check(&self, attributes: &EventAttributes, live: bool) -> Result<(), Mismatch> {
        let conditions = [
            (
                one_of(&self.events, |kind| *kind == attributes.kind),
                Mismatch::Event,
            ),
            (
                named(&self.projects, Some(&attributes.place)),
                Mismatch::Project,
            ),
            (
                named(&self.refs, attributes.reference.as_deref()),
                Mismatch::Ref,
            ),
            (
                is_word(&self.actions, attributes.action.as_deref()),
                Mismatch::Action,
            ),
            (
                self.is_for_status(attributes.status.as_deref()),
                Mismatch::Status,
            ),
            (
                self.protected
                    .is_none_or(|own| attributes.protected == Some(own)),
                Mismatch::Protected,
            ),
            (
                is_somebody(&self.actors, attributes.people.actor.as_ref()),
                Mismatch::Actor,
            ),
            (
                is_somebody(&self.authors, attributes.people.author.as_ref()),
                Mismatch::Author,
            ),
            (
                self.confidential || !attributes.confidential,
                Mismatch::Confidential,
            ),
        ];
        if let Some((_, mismatch)) = conditions.into_iter().find(|(met, _)| !met) {
            return Err(mismatch);
        }
        let shown_live = live && attributes.kind == Kind::Pipeline;
        if !attributes.in_progress || shown_live || !self.statuses.is_empty() {
            Ok(())
        } else {
            Err(Mismatch::InProgress)
        }
    }
}

impl Rule {
    /// A fix is a success, and whether a success is a fix only the chat server knows.
    fn is_for_status(&self, status: Option<&str>) -> bool {
        let may_be_fix = self.fixes.is_some() && status == Some(SUCCESS);
        may_be_fix || is_word(&self.statuses, status)
    }

    /// What those it names want to know of an event that fits.
    pub(super) fn reason(&self, attributes: &EventAttributes) -> NotifyReason {
        match attributes.status.as_deref() {
            Some(FAILED) if self.fixes.is_some() => NotifyReason::Failure,
            Some(SUCCESS) if self.fixes.is_some() => NotifyReason::Fix,
            _ => NotifyReason::Event,
        }
    }
}

fn is_word(allowed: &[String], word: Option<&str>) -> bool {
    one_of(allowed, |own| Some(own.as_str()) == word)
}

fn one_of<T>(allowed: &[T], is: impl Fn(&T) -> bool) -> bool {
    allowed.is_empty() || allowed.iter().any(is)
}

fn named(globs: &[Glob], name: Option<&str>) -> bool {
    one_of(globs, |glob| name.is_some_and(|name| glob.matches(name)))
}

/// A person goes by the name of the account or, as the authors of commits do, by an address.
fn is_somebody(globs: &[Glob], person: Option<&Person>) -> bool {
    one_of(globs, |glob| {
        let names = person
            .into_iter()
            .flat_map(|person| [&person.username, &person.email]);
        names.flatten().any(|name| glob.matches(name))
    })
}
