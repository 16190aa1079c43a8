//! The message about a release. Owns its wording; the event is parsed in
//! [`gitlab::release`](crate::gitlab::release).

use super::fragments::{at, code, in_project, lines, page, title};
use super::{MAX_PATH, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::release::{Action, Release};

pub(super) fn render(event: &Event, release: &Release) -> Result<String, SkipReason> {
    let verb = match release.action {
        Some(Action::Created) => "published",
        Some(Action::Updated) => "edited",
        Some(Action::Deleted) => "deleted",
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => "is published",
    };
    // A deleted release has no page.
    let address = event.attributes.page.as_deref();
    let address = address.filter(|_| release.action != Some(Action::Deleted));
    let headline = format!(
        "{} {} {verb}{}{}",
        page(address, "Release"),
        code(&release.tag, MAX_PATH),
        in_project(event),
        at(event)
    );
    let name = event.attributes.title.as_deref();
    let name = name.filter(|name| *name != release.tag);
    Ok(lines(headline, title(name)))
}
