//! The five settings that webhook-app needs to work with the fakes. Tests and the demo add
//! their other settings themselves.

use std::collections::BTreeMap;

use crate::gitlab::SAMPLE_KEY;
use crate::rocketchat::FakeRocketChat;

/// Environment variables by name: webhook-app verifies signatures with [`SAMPLE_KEY`] and notifies
/// `alice`, a user of every [`FakeRocketChat`].
pub fn settings(chat: &FakeRocketChat) -> BTreeMap<String, String> {
    let settings = [
        ("GITLAB_SIGNING_KEYS", SAMPLE_KEY),
        ("ROCKETCHAT_URL", &chat.url()),
        ("ROCKETCHAT_USER_ID", chat.user_id()),
        ("ROCKETCHAT_AUTH_TOKEN", chat.auth_token()),
        ("ROCKETCHAT_RECIPIENT", "alice"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    settings.map(owned).into()
}
