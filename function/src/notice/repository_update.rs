//! What is said of a repository that changed. Owns the words; what they are made of is read in
//! [`gitlab::repository_update`](crate::gitlab::repository_update).

use super::phrase::{MAX_PATH, by, commit, lines, phrase, quote, quoted};
use crate::gitlab::repository_update::RepositoryUpdate;

pub(super) fn words(update: &RepositoryUpdate) -> String {
    let project = update.scene.project.as_ref();
    let path = project.map(|project| project.path.as_str());
    let headline = format!(
        "Repository{} updated{}",
        phrase(" of ", quoted(path, MAX_PATH)),
        by(update.scene.actor.as_deref())
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
