//! What is said of a deployment. Owns the words; what they are made of is read in
//! [`gitlab::deployment`](crate::gitlab::deployment).

use super::Ignored;
use super::phrase::{
    MAX_NAME, MAX_PATH, at, by, lines, numbered, page, phrase, place, quote, quoted, title,
};
use crate::gitlab::deployment::Deployment;
use crate::gitlab::status::Status;

pub(super) fn words(deployment: &Deployment) -> Result<String, Ignored> {
    let verb = match deployment.status {
        Status::Success => "succeeded",
        Status::Failed => "failed",
        Status::Canceled => "was canceled",
        Status::Skipped => "was skipped",
        Status::Unfinished => "is under way",
        Status::Unknown => return Err(Ignored::UnknownAction),
    };
    let label = numbered("Deployment", deployment.id);
    let scene = &deployment.scene;
    let headline = format!(
        "{} to {} {verb}{}{}{}",
        page(deployment.page.as_deref(), &label),
        quote(&deployment.environment, MAX_NAME),
        place(scene),
        at(scene, deployment.sha.as_ref()),
        by(scene.actor.as_deref())
    );
    Ok(lines(headline, details(deployment)))
}

fn details(deployment: &Deployment) -> Option<String> {
    let title = title(deployment.title.as_deref());
    let from = quoted(deployment.reference.as_deref(), MAX_PATH);
    match title {
        Some(title) => Some(format!("{title}{}", phrase(" from ", from))),
        None => from.map(|from| format!("from {from}")),
    }
}
