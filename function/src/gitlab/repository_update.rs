//! A repository update, which system hooks send in addition to the pushes themselves. Owns how it
//! is parsed. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::{EventAttributes, short_ref};
use super::commit::{CommitSha, MaybeCommit};
use super::event::{ParseError, Parsed};
use super::lenient::Lenient;
use super::list::{First, List};
use super::meta::{EventHints, digits};
use super::participants::{Email, Participants, Person};
use super::project::{ProjectPayload, path_of};
use super::text::Line;

/// Branches or tags of a repository changed. The commit of the first one is the attribute `sha`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RepositoryUpdate {
    /// Full name of the first ref that changed, such as `refs/heads/main`.
    pub(crate) reference: String,
    /// Number of other refs that changed.
    pub(crate) others: usize,
    /// The commit that the first ref pointed to before; `None` if it was created.
    pub(crate) before: Option<CommitSha>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user_name: Line,
    user_id: Option<u64>,
    user_email: Lenient,
    project: Option<ProjectPayload>,
    changes: Option<List<First<Change>>>,
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
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<RepositoryUpdate>, ParseError> {
        let List(changes) = self.changes.unwrap_or_default();
        let others = changes.count.saturating_sub(1);
        let first = changes.entry.ok_or(ParseError::Missing("changes"))?;
        let sha = |maybe: &MaybeCommit| maybe.0.as_ref().map_or("", CommitSha::as_str).to_owned();
        let identity = [
            &digits(self.user_id),
            first.reference.as_str(),
            &sha(&first.before),
            &sha(&first.after),
            &others.to_string(),
        ];
        let actor = Person {
            id: self.user_id,
            name: self.user_name.0,
            email: Email::read(self.user_email),
            ..Person::default()
        };
        let project = self.project.and_then(ProjectPayload::read);
        let project_path = path_of(project.as_ref());
        let meta = hints.meta(project, None, &identity);
        let reference = first.reference.0;
        let reference = reference.ok_or(ParseError::Missing("changes[0].ref"))?;
        Ok(Parsed {
            meta,
            attributes: EventAttributes {
                project_path,
                action: Some(hints.name.to_owned()),
                reference: Some(short_ref(&reference).to_owned()),
                participants: Participants::of_actor(actor.if_known()),
                sha: first.after.0,
                ..EventAttributes::default()
            },
            kind: RepositoryUpdate {
                reference,
                others,
                before: first.before.0,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::EventKind;
    use super::super::fixtures::{body, event};
    use super::*;

    #[test]
    fn the_commit_before_is_that_of_the_first_ref() {
        for (name, expected) in [
            ("repository_update_of_several_refs", "122c5970"),
            ("repository_update_that_deletes_a_branch", "3f2c9d7b"),
        ] {
            let EventKind::RepositoryUpdate(update) = event(&body(name)).kind else {
                panic!("{name} is no repository update");
            };
            let before = update.before.as_ref().map(CommitSha::short);
            assert_eq!(before, Some(expected), "{name}");
        }
    }
}
