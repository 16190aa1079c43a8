//! The message about a token that is about to expire. Owns its wording; the event is parsed in
//! [`gitlab::expiring_token`](crate::gitlab::expiring_token).

use super::fragments::{code, optional_code, prefixed};
use super::{MAX_NAME, MAX_PATH, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::expiring_token::ExpiringToken;
use crate::gitlab::kind::Kind;

#[expect(
    clippy::unnecessary_wraps,
    reason = "the renderers of all kinds have the same signature"
)]
pub(super) fn render(event: &Event, token: &ExpiringToken) -> Result<String, SkipReason> {
    let noun = match event.meta.kind {
        Kind::DeployToken => "Deploy token",
        _ => "Access token",
    };
    let project = event.meta.project.as_ref();
    let place = match (&token.group, project) {
        (_, Some(project)) => prefixed(" of ", optional_code(Some(project.label()), MAX_PATH)),
        (Some(group), None) => prefixed(" of group ", optional_code(Some(group), MAX_PATH)),
        (None, None) => String::new(),
    };
    let name = code(&token.name, MAX_NAME);
    let expires = code(&token.expires, MAX_NAME);
    Ok(format!("{noun} {name}{place} expires on {expires}"))
}
