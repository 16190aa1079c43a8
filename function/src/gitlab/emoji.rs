//! An emoji reaction. Owns how it is parsed; its noteable is parsed as for comments, see [`note`].
//! Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::commit::{CommitPayload, MaybeCommit};
use super::event::{ParseError, Parsed};
use super::lenient::{Lenient, LenientObject};
use super::meta::{EventHints, digits};
use super::note::{self, Issuable, Noteable, Noteables, Snippet};
use super::object::Object;
use super::participants::User;
use super::project::{ProjectPayload, path_of};
use super::text::Line;

/// An emoji reaction was added or removed. The attribute `page` is the page of the noteable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Emoji {
    /// The action; `None` in a test delivery.
    pub(crate) action: Option<Action>,
    /// Name of the emoji, such as `thumbsup`.
    pub(crate) name: String,
    /// The noteable that has the reaction, or the noteable of the comment that has it.
    pub(crate) noteable: Noteable,
    /// Whether the reaction is on the noteable or on a comment about it.
    pub(crate) target: Target,
}

/// Actions on a reaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Added.
    Awarded,
    /// Removed.
    Revoked,
    /// An action that this program does not know.
    Unknown,
}

/// What a reaction is attached to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// The noteable itself.
    Noteable,
    /// A comment on the noteable.
    Note,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: User,
    project: Option<ProjectPayload>,
    object_attributes: Option<Object<Attributes>>,
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
        let Object(emoji) = self
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
