//! What is said of a release. Owns the render; what they are made of is read in
//! [`gitlab::release`](crate::gitlab::release).

use super::SkipReason;
use super::fragments::{MAX_PATH, at, lines, page, place, quote, title};
use crate::gitlab::release::{Action, Release};

pub(super) fn render(release: &Release) -> Result<String, SkipReason> {
    let verb = match release.action {
        Some(Action::Created) => "published",
        Some(Action::Updated) => "edited",
        Some(Action::Deleted) => "deleted",
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => "is published",
    };
    // The page of a release that was deleted is gone.
    let address = release.page.as_deref();
    let address = address.filter(|_| release.action != Some(Action::Deleted));
    let headline = format!(
        "{} {} {verb}{}{}",
        page(address, "Release"),
        quote(&release.tag, MAX_PATH),
        place(&release.meta),
        at(&release.meta, release.sha.as_ref())
    );
    let name = release.name.as_deref().filter(|name| *name != release.tag);
    Ok(lines(headline, title(name)))
}
