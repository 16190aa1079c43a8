//! An emoji reaction. Owns what is read of it; what it stands on is read as for comments, see
//! [`note`]. The words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::MaybeCommit;
use super::event::ParseError;
use super::merge_request::LastCommit;
use super::meta::{EventHints, EventMeta, Person, digits};
use super::note::{self, Destination, Noteable, Numbered};
use super::project::ProjectPayload;
use super::text::Line;

/// Somebody reacted with an emoji, or took it back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Emoji {
    /// Where and by whom.
    pub meta: EventMeta,
    /// What happened; none in a test delivery.
    pub action: Option<Action>,
    /// Its name, such as `thumbsup`.
    pub name: String,
    /// What it stands on, or what the comment it stands on is about.
    pub on: Noteable,
    /// Whether it stands on the thing or on a comment.
    pub place: Place,
    /// Only members may see what it stands on.
    pub confidential: bool,
    /// The page of what it stands on, as GitLab sent it; not yet safe to link to.
    pub page: Option<String>,
}

/// What can happen to a reaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It was given.
    Awarded,
    /// It was taken back.
    Revoked,
    /// A word we do not know.
    Unknown,
}

/// Where a reaction stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// On the thing itself.
    Noteable,
    /// On a comment on it.
    Note,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: Option<Person>,
    project: Option<ProjectPayload>,
    object_attributes: Option<Attributes>,
    note: Option<note::Attributes>,
    commit: Option<LastCommit>,
    merge_request: Option<Numbered>,
    issue: Option<Numbered>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<u64>,
    name: Line,
    awardable_type: Line,
    action: Line,
    updated_at: Line,
    awarded_on_url: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Emoji, ParseError> {
        let attributes = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let identity = [
            &digits(attributes.id),
            attributes.action.as_str(),
            attributes.updated_at.as_str(),
        ];
        let target = Destination {
            commit: self.commit,
            merge_request: self.merge_request,
            issue: self.issue,
        };
        let internal = self
            .note
            .as_ref()
            .is_some_and(note::Attributes::is_internal);
        let confidential = hints.confidential || internal || target.is_confidential();
        let (place, on) = match (attributes.awardable_type.as_str(), self.note) {
            ("Note", Some(note)) => (Place::Note, note.read_target(target)),
            ("Note", None) => (Place::Note, Noteable::Other),
            (thing, _) => (Place::Noteable, target.read(thing, MaybeCommit::default())),
        };
        Ok(Emoji {
            meta: hints.meta(self.project, self.user, &identity),
            action: attributes.action.0.as_deref().map(Action::parse),
            name: attributes
                .name
                .0
                .ok_or(ParseError::Missing("object_attributes.name"))?,
            on,
            place,
            confidential,
            page: attributes.awarded_on_url.0,
        })
    }
}

impl Action {
    fn parse(word: &str) -> Self {
        match word {
            "award" => Self::Awarded,
            "revoke" => Self::Revoked,
            _ => Self::Unknown,
        }
    }
}
