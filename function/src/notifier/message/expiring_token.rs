//! The message about a token that is about to expire. Owns its wording; the event is parsed in
//! [`gitlab::expiring_token`](crate::gitlab::expiring_token).

use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::expiring_token::ExpiringToken;
use crate::gitlab::kind::Kind;

#[expect(
    clippy::unnecessary_wraps,
    reason = "the renderers of all kinds have the same signature"
)]
pub(super) fn render(event: &Event, token: &ExpiringToken) -> Result<Message, SkipReason> {
    let (noun, path) = match event.meta.kind {
        Kind::DeployToken => ("Deploy token", "-/settings/repository"),
        _ => ("Access token", "-/settings/access_tokens"),
    };
    let headline = Headline::new(Sign::Expiry)
        .noun(&Noun::of_project(event, path, noun))
        .words(" ")
        .name("token", &token.name)
        .optional_text(" expires on ", "date", Some(&token.expires));
    let headline = match &event.meta.project {
        Some(_) => headline.in_project(event),
        None => headline.in_group(token.group.as_deref()),
    };
    Ok(Message::new(headline))
}
