//! An emoji reaction. Owns what is read of it; what it is a reaction to is read as for comments, see
//! [`note`]. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::commit::{CommitPayload, MaybeCommit};
use super::event::{ParseError, Parsed};
use super::lenient::{Lenient, LenientObject};
use super::meta::{EventHints, digits};
use super::note::{self, Issuable, Noteable, Noteables, Snippet};
use super::participants::User;
use super::project::{ProjectPayload, path_of};
use super::text::Line;

/// Somebody added or removed an emoji reaction. The page of what it is on is the attribute `page`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Emoji {
    /// What happened; `None` in a test delivery.
    pub(crate) action: Option<Action>,
    /// Its name, such as `thumbsup`.
    pub(crate) name: String,
    /// What it is on, or what the comment that it is on is about.
    pub(crate) noteable: Noteable,
    /// Whether it is on the object itself or on a comment.
    pub(crate) target: Target,
}

/// What can happen to a reaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// It was added.
    Awarded,
    /// It was removed.
    Revoked,
    /// A word that this program does not know.
    Unknown,
}

/// Where a reaction is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// On the object itself.
    Noteable,
    /// On a comment about it.
    Note,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: User,
    project: Option<ProjectPayload>,
    object_attributes: Option<Attributes>,
    note: Option<note::Attributes>,
    commit: Option<CommitPayload>,
    merge_request: Option<Issuable>,
    issue: Option<Issuable>,
    snippet: LenientObject<Snippet>,
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
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Emoji>, ParseError> {
        let emoji = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let identity = [
            &digits(emoji.id),
            emoji.action.as_str(),
            emoji.updated_at.as_str(),
        ];
        let noteables = Noteables {
            commit: self.commit,
            merge_request: self.merge_request,
            issue: self.issue,
            snippet: self.snippet.0,
        };
        let internal = self
            .note
            .as_ref()
            .is_some_and(note::Attributes::is_internal);
        let project = self.project.and_then(ProjectPayload::read);
        let project_path = path_of(project.as_ref());
        let mut meta = hints.meta(project, emoji.awarded_on_url.0.as_deref(), &identity);
        meta.confidential = hints.confidential || internal || noteables.is_confidential();
        let about = noteables.attributes(self.user, &Lenient::Missing);
        let (target, noteable) = match (emoji.awardable_type.as_str(), self.note) {
            ("Note", Some(note)) => (Target::Note, note.read_noteable(noteables)),
            ("Note", None) => (Target::Note, Noteable::Other),
            (kind, _) => (
                Target::Noteable,
                noteables.read(kind, MaybeCommit::default()),
            ),
        };
        let name = emoji.name.0;
        let name = name.ok_or(ParseError::Missing("object_attributes.name"))?;
        Ok(Parsed {
            meta,
            attributes: EventAttributes {
                project_path,
                sha: noteable.sha().cloned(),
                text: Some(name.clone()),
                page: emoji.awarded_on_url.0,
                action: emoji.action.0.clone(),
                ..about
            },
            kind: Emoji {
                action: emoji.action.0.as_deref().map(Action::parse),
                name,
                noteable,
                target,
            },
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
