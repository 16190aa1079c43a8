//! What the function must be told to work with the stand-ins. Owns those five settings; what else a
//! test or a demonstration sets is its own affair.

use std::collections::BTreeMap;

use crate::gitlab::SAMPLE_KEY;
use crate::rocketchat::FakeRocketChat;

/// Names of environment variables and their values: the function asks for signatures by
/// [`SAMPLE_KEY`] and tells `alice`, whom every chat stand-in knows.
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
