//! What is said of a deployment. Owns the render; what they are made of is read in
//! [`gitlab::deployment`](crate::gitlab::deployment).

use super::SkipReason;
use super::fragments::{
    MAX_NAME, MAX_PATH, at, by, fragments, lines, numbered, page, place, quote, quoted, title,
};
use crate::gitlab::deployment::Deployment;
use crate::gitlab::status::Status;

pub(super) fn render(deployment: &Deployment) -> Result<String, SkipReason> {
    let verb = match deployment.status {
        Status::Success => "succeeded",
        Status::Failed => "failed",
        Status::Canceled => "was canceled",
        Status::Skipped => "was skipped",
        Status::Unfinished => "is under way",
        Status::Unknown => return Err(SkipReason::UnknownAction),
    };
    let label = numbered("Deployment", deployment.id);
    let meta = &deployment.meta;
    let headline = format!(
        "{} to {} {verb}{}{}{}",
        page(deployment.page.as_deref(), &label),
        quote(&deployment.environment, MAX_NAME),
        place(meta),
        at(meta, deployment.sha.as_ref()),
        by(meta.actor.as_deref())
    );
    Ok(lines(headline, details(deployment)))
}

fn details(deployment: &Deployment) -> Option<String> {
    let title = title(deployment.title.as_deref());
    let from = quoted(deployment.reference.as_deref(), MAX_PATH);
    match title {
        Some(title) => Some(format!("{title}{}", fragments(" from ", from))),
        None => from.map(|from| format!("from {from}")),
    }
}
