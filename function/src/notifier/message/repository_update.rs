//! The message about a repository update. Owns its wording; the event is parsed in
//! [`gitlab::repository_update`](crate::gitlab::repository_update).

use super::fragments::{code, commit, compare, facts};
use super::headline::Headline;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::repository_update::RepositoryUpdate;

#[expect(
    clippy::unnecessary_wraps,
    reason = "the renderers of all kinds have the same signature"
)]
pub(super) fn render(event: &Event, update: &RepositoryUpdate) -> Result<Message, SkipReason> {
    let sign = match &event.attributes.sha {
        Some(_) => Sign::Commits,
        None => Sign::Removed,
    };
    let headline = Headline::new(sign).words("Repository");
    let headline = match event.meta.project_label() {
        Some(label) => headline.place_named(" ", label, event.meta.project_url()),
        None => headline,
    };
    let headline = headline.words(" updated").actor_of(" by ", event);
    let reference = code(&update.reference).unwrap_or_else(|| "`?`".to_owned());
    let change = match &event.attributes.sha {
        Some(sha) => format!("{reference} now at {}", commit(event, sha)),
        None => format!("{reference} deleted"),
    };
    let last = update
        .before
        .as_ref()
        .filter(|_| event.attributes.sha.is_none());
    let last = last.map(|last| format!("last commit {}", commit(event, last)));
    let others = match update.others {
        0 => None,
        1 => Some("and 1 more ref".to_owned()),
        count => Some(format!("and {count} more refs")),
    };
    Ok(Message::new(headline)
        .line(facts([Some(change), comparison(event, update), last]))
        .line(others))
}

/// A link to what the first change brought.
pub(super) fn comparison(event: &Event, update: &RepositoryUpdate) -> Option<String> {
    let (before, now) = (update.before.as_ref()?, event.attributes.sha.as_ref()?);
    compare(event, before, now, "compare")
}
