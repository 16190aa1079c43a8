//! A repository that changed, as system hooks tell it beside the pushes themselves. Owns what is read
//! of it. The words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::{CommitSha, MaybeCommit};
use super::event::ParseError;
use super::meta::{EventHints, EventMeta, Person, digits};
use super::project::ProjectPayload;
use super::text::Line;

/// Branches or tags of a repository changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepositoryUpdate {
    /// Where and by whom.
    pub meta: EventMeta,
    /// The first branch or tag that changed, in full, such as `refs/heads/main`.
    pub reference: String,
    /// The commit it stands on now; none if it is gone.
    pub sha: Option<CommitSha>,
    /// How many others changed with it.
    pub others: usize,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user_name: Line,
    user_id: Option<u64>,
    project: Option<ProjectPayload>,
    changes: Option<Vec<Change>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Change {
    before: MaybeCommit,
    after: MaybeCommit,
    #[serde(rename = "ref")]
    reference: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<RepositoryUpdate, ParseError> {
        let changes = self.changes.unwrap_or_default();
        let others = changes.len().saturating_sub(1);
        let first = changes
            .into_iter()
            .next()
            .ok_or(ParseError::Missing("changes"))?;
        let sha = |maybe: &MaybeCommit| maybe.0.as_ref().map_or("", CommitSha::as_str).to_owned();
        let identity = [
            &digits(self.user_id),
            first.reference.as_str(),
            &sha(&first.before),
            &sha(&first.after),
            &others.to_string(),
        ];
        Ok(RepositoryUpdate {
            meta: hints.meta(self.project, Some(Person::named(self.user_name)), &identity),
            reference: first
                .reference
                .0
                .ok_or(ParseError::Missing("changes[0].ref"))?,
            sha: first.after.0,
            others,
        })
    }
}
