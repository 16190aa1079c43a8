//! One routing rule: which events it matches and who receives them. Owns how its conditions are combined;
//! what each condition means is in `conditions`.

use std::borrow::Cow;
use std::fmt;

use super::NotifyReason;
use super::condition::Condition;
use super::conditions::{Answer, Conditions};
use super::path_search::PathSearch;
use super::terms::{FAILED, SUCCESS};
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::participants::Person;
use crate::rocketchat::{RoomId, Username};

/// The name of the rule for the only recipient, which is the setting.
pub(super) const RECIPIENT_SETTING: &str = "ROCKETCHAT_RECIPIENT";

/// One rule of a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Rule {
    /// The name in explanations.
    pub(super) name: String,
    /// All of these must match.
    pub(super) conditions: Conditions,
    /// None of these may match.
    pub(super) not: Conditions,
    /// Line of `fixed` in `status`, if the rule matches fixes.
    pub(super) fixes: Option<usize>,
    /// What it does with confidential events.
    pub(super) confidential: ConfidentialEvents,
    pub(super) to: Vec<RecipientSpec>,
    /// Whether the user who triggered the event is left out.
    pub(super) except_actor: bool,
    /// Whether the rules after it are evaluated too.
    pub(super) continue_: bool,
}

/// What a rule does with confidential events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum ConfidentialEvents {
    /// They do not match.
    #[default]
    Exclude,
    /// They match, and no broker may store messages about them.
    Match,
    /// They match, and a broker may store messages about them.
    MatchAndHandOff,
}

impl ConfidentialEvents {
    /// Whether they match.
    pub(super) fn match_rule(self) -> bool {
        self != Self::Exclude
    }
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

impl RecipientSpec {
    /// The role, if it names one.
    pub(super) fn role(&self) -> Option<Role> {
        match self {
            Self::Role(role) => Some(*role),
            Self::User(_) | Self::Room(_) => None,
        }
    }
}

/// A role that users have in an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Actor,
    Author,
    Committer,
    Assignees,
    Reviewers,
    NewAssignees,
    NewReviewers,
    Mentioned,
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
        ("new_assignees", Self::NewAssignees),
        ("new_reviewers", Self::NewReviewers),
        ("mentioned", Self::Mentioned),
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
            Self::NewAssignees => people.new_assignees.iter().collect(),
            Self::NewReviewers => people.new_reviewers.iter().collect(),
            Self::Mentioned => people.mentioned_by_another().collect(),
            Self::Pusher => of_kind(&[Kind::Push, Kind::TagPush, Kind::RepositoryUpdate]),
            Self::Starter => of_kind(&[Kind::Pipeline, Kind::Job, Kind::Deployment]),
        }
    }
}

/// Why a rule does not match: the first condition that does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mismatch {
    /// The event has another value.
    Other(Condition),
    /// GitLab does not say what the condition asks for.
    Missing(Condition),
    /// GitLab sends only the number of the user, and the condition names others.
    OnlyNumber(Condition, u64),
    /// GitLab has redacted the address of the user whom the condition is about.
    Redacted(Condition),
    /// A condition under `not` matches.
    Excluded(Condition),
    /// Everything else matches, but the event is confidential and the rule does not allow that.
    Confidential,
    /// Everything else matches, but the event is in progress and the rule names no status.
    InProgress,
    /// Everything else matches, but the event is a minor update and the rule names no action.
    MinorUpdate,
}

/// The text after the name of the rule in an explanation.
impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(condition) => formatter.write_str(condition.other()),
            Self::Missing(condition) => write!(
                formatter,
                "does not match: GitLab does not say {}",
                condition.missing()
            ),
            Self::OnlyNumber(condition, id) => {
                write!(formatter, "does not match: {}", only_number(*condition, *id))
            }
            Self::Redacted(condition) => {
                write!(formatter, "does not match: {}", redacted(*condition))
            }
            Self::Excluded(condition) => write!(
                formatter,
                "does not match, because `{}` under not: matches",
                condition.key()
            ),
            Self::Confidential => formatter.write_str(
                "does not match confidential events; add confidential: true to include them",
            ),
            Self::InProgress => formatter.write_str(
                "matches finished pipelines, jobs and deployments only; add status: to match others",
            ),
            Self::MinorUpdate => formatter.write_str(
                "does not match minor updates; a rule in ROUTES with action: update, or with the name of the change, such as action: review_requested, matches them",
            ),
        }
    }
}

/// Why a condition on a user does not match, and what to write.
fn only_number(condition: Condition, id: u64) -> String {
    let key = condition.key();
    format!("GitLab sends only the number {id} of the {key}; write {key}: \"{id}\" for this user")
}

/// Why a condition on a user of a resent webhook does not match.
fn redacted(condition: Condition) -> String {
    format!("GitLab has redacted the address of the {}", condition.key())
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

    /// Whether the rule matches this event, and a remark about it for the explanation. With `live`,
    /// pipelines in progress match too.
    pub(super) fn check(
        &self,
        event: &Event,
        live: bool,
        paths: &mut PathSearch,
    ) -> Result<Option<Cow<'static, str>>, Mismatch> {
        let Self {
            conditions, not, ..
        } = self;
        let mut remark = None;
        for &condition in Condition::ALL {
            if conditions.has(condition) {
                match conditions.answer(condition, event, paths) {
                    Answer::Yes => {}
                    Answer::Unlisted => remark = Some(paths.remark().into()),
                    Answer::OnlyNumber(id) => return Err(Mismatch::OnlyNumber(condition, id)),
                    Answer::Redacted => return Err(Mismatch::Redacted(condition)),
                    Answer::No => return Err(Mismatch::Other(condition)),
                    Answer::Missing => return Err(Mismatch::Missing(condition)),
                }
            }
            if not.has(condition) {
                match not.answer(condition, event, paths) {
                    Answer::Yes => return Err(Mismatch::Excluded(condition)),
                    Answer::Unlisted => remark = Some(paths.remark().into()),
                    Answer::OnlyNumber(id) => {
                        let why = only_number(condition, id);
                        remark = Some(format!("is not excluded by not: {why}").into());
                    }
                    Answer::Redacted => {
                        let why = redacted(condition);
                        remark = Some(format!("is not excluded by not: {why}").into());
                    }
                    Answer::No | Answer::Missing => {}
                }
            }
        }
        if event.meta.confidential && !self.confidential.match_rule() {
            return Err(Mismatch::Confidential);
        }
        // A rule for nobody mutes minor updates too.
        let names_action = !conditions.actions.is_empty() || self.to.is_empty();
        if event.attributes.minor_update && !names_action {
            return Err(Mismatch::MinorUpdate);
        }
        let is_live_pipeline = live && event.kind() == Kind::Pipeline;
        if !event.attributes.in_progress || is_live_pipeline || !conditions.statuses.is_empty() {
            Ok(remark)
        } else {
            Err(Mismatch::InProgress)
        }
    }

    /// Whether a broker may store messages about an event that it matches.
    pub(super) fn may_hand_off(&self, event: &Event) -> bool {
        !event.meta.confidential || self.confidential == ConfidentialEvents::MatchAndHandOff
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
