//! What is said of a repository that changed. Owns the render; what they are made of is read in
//! [`gitlab::repository_update`](crate::gitlab::repository_update).

use super::fragments::{MAX_PATH, by, commit, fragments, lines, quote, quoted};
use crate::gitlab::repository_update::RepositoryUpdate;

pub(super) fn render(update: &RepositoryUpdate) -> String {
    let project = update.meta.project.as_ref();
    let path = project.map(|project| project.path.as_str());
    let headline = format!(
        "Repository{} updated{}",
        fragments(" of ", quoted(path, MAX_PATH)),
        by(update.meta.actor.as_deref())
    );
    let reference = quote(&update.reference, MAX_PATH);
    let change = match &update.sha {
        Some(sha) => format!("{reference} now at {}", commit(project, sha)),
        None => format!("{reference} deleted"),
    };
    let others = match update.others {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    lines(headline, Some(format!("{change}{others}")))
}
