//! The message about a repository update. Owns its wording; the event is parsed in
//! [`gitlab::repository_update`](crate::gitlab::repository_update).

use super::fragments::{actor, by, code, commit, lines, optional_code, prefixed};
use super::{MAX_PATH, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::repository_update::RepositoryUpdate;

#[expect(
    clippy::unnecessary_wraps,
    reason = "the renderers of all kinds have the same signature"
)]
pub(super) fn render(event: &Event, update: &RepositoryUpdate) -> Result<String, SkipReason> {
    let headline = format!(
        "Repository{} updated{}",
        prefixed(" of ", optional_code(event.meta.project_label(), MAX_PATH)),
        by(actor(event))
    );
    let reference = code(&update.reference, MAX_PATH);
    let change = match &event.attributes.sha {
        Some(sha) => format!("{reference} now at {}", commit(event, sha)),
        None => format!("{reference} deleted"),
    };
    let others = match update.others {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    Ok(lines(headline, Some(format!("{change}{others}"))))
}
