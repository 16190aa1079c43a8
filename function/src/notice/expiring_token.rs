//! What is said of a token that is about to expire. Owns the words; what they are made of is read in
//! [`gitlab::expiring_token`](crate::gitlab::expiring_token).

use super::phrase::{MAX_NAME, MAX_PATH, phrase, quote, quoted};
use crate::gitlab::expiring_token::ExpiringToken;
use crate::gitlab::kind::Kind;

pub(super) fn words(token: &ExpiringToken) -> String {
    let noun = match token.scene.kind {
        Kind::DeployToken => "Deploy token",
        _ => "Access token",
    };
    let project = token.scene.project.as_ref();
    let place = match (&token.group, project) {
        (_, Some(project)) => phrase(" of ", quoted(Some(&project.path), MAX_PATH)),
        (Some(group), None) => phrase(" of group ", quoted(Some(group), MAX_PATH)),
        (None, None) => String::new(),
    };
    let name = quote(&token.name, MAX_NAME);
    let expires = quote(&token.expires, MAX_NAME);
    format!("{noun} {name}{place} expires on {expires}")
}
