//! What is said of a token that is about to expire. Owns the render; what they are made of is read in
//! [`gitlab::expiring_token`](crate::gitlab::expiring_token).

use super::fragments::{MAX_NAME, MAX_PATH, fragments, quote, quoted};
use crate::gitlab::expiring_token::ExpiringToken;
use crate::gitlab::kind::Kind;

pub(super) fn render(token: &ExpiringToken) -> String {
    let noun = match token.meta.kind {
        Kind::DeployToken => "Deploy token",
        _ => "Access token",
    };
    let project = token.meta.project.as_ref();
    let place = match (&token.group, project) {
        (_, Some(project)) => fragments(" of ", quoted(Some(&project.path), MAX_PATH)),
        (Some(group), None) => fragments(" of group ", quoted(Some(group), MAX_PATH)),
        (None, None) => String::new(),
    };
    let name = quote(&token.name, MAX_NAME);
    let expires = quote(&token.expires, MAX_NAME);
    format!("{noun} {name}{place} expires on {expires}")
}
