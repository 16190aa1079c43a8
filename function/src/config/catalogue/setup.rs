//! The settings of `webhook-app setup` that no other command reads. Owns their names and descriptions.

use super::{Setting, setting};

/// Who signs in to Rocket.Chat to create the bot.
pub const SETUP_SETTINGS: &[Setting] = &[
    setting(
        "ROCKETCHAT_ADMIN_USER_ID",
        "user ID of an administrator of Rocket.Chat",
        "–",
    ),
    setting(
        "ROCKETCHAT_ADMIN_TOKEN",
        "personal access token of that administrator",
        "–",
    ),
    setting(
        "ROCKETCHAT_ADMIN_USERNAME",
        "in place of the token: username of the administrator",
        "–",
    ),
    setting(
        "ROCKETCHAT_ADMIN_PASSWORD",
        "password of that administrator",
        "–",
    ),
    setting(
        "ROCKETCHAT_ADMIN_CODE",
        "code of the administrator's second factor, from the app or the e-mail",
        "–",
    ),
];
