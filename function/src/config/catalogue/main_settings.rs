//! The settings that the help and the README show first. Owns their choice and order.

/// The settings that matter most, in the order of a first setup.
pub const MAIN_SETTINGS: [&str; 8] = [
    "GITLAB_SIGNING_KEYS",
    "GITLAB_WEBHOOK_TOKENS",
    "ROCKETCHAT_URL",
    "ROCKETCHAT_USER_ID",
    "ROCKETCHAT_AUTH_TOKEN",
    "ROCKETCHAT_RECIPIENT",
    "ROUTES",
    "MESSAGES",
];
