//! Why setup does not go on, although every call succeeded. Owns the advice.

/// What a person has to decide or to do first.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The account that signed in is no administrator.
    #[error(
        "@{0} is no administrator of Rocket.Chat, and only administrators create accounts; sign in as one"
    )]
    NotAdministrator(String),
    /// Another account has the name of the bot.
    #[error(
        "@{0} exists and does not have the role bot, so it may be the account of a person; choose another name with --bot, or give it the roles user and bot first"
    )]
    NameTaken(String),
    /// The bot exists, and nobody knows its token.
    #[error(
        "@{0} exists, and its token is not in the file; copy ROCKETCHAT_USER_ID and ROCKETCHAT_AUTH_TOKEN into the file, or run setup again with --renew-token, which gives it a new password and a new token: what uses the former token stops working"
    )]
    TokenUnknown(String),
    /// The stored token is not accepted.
    #[error(
        "Rocket.Chat does not accept the stored token of the bot; run setup again with --renew-token, which gives it a new password and a new token"
    )]
    TokenRefused,
    /// The webhook has a secret that is not in the file.
    #[error(
        "the webhook of {0} has a secret already, which GitLab does not show; name the file that has it with --file, or run setup again with --renew-token, which gives the webhook the new secret: webhook-app rejects its webhooks until it is started with this file"
    )]
    SecretUnknown(String),
    /// GitLab does not send to the address of the webhook.
    #[error(
        "GitLab does not send to {0}, because it is in a local network; allow it in GitLab under Admin, Settings, Network, Outbound requests, or run setup again with --allow-list, which adds it there"
    )]
    LocalRequests(String),
    /// No user has the name of the recipient.
    #[error("@{0} does not exist on Rocket.Chat; check --to")]
    NoRecipient(String),
    /// The recipient is deactivated.
    #[error("@{0} is deactivated on Rocket.Chat; name another user with --to")]
    RecipientDeactivated(String),
    /// The test message would go to the bot itself.
    #[error("--to is the bot itself; name the person who reads the test message")]
    ToBot,
    /// The message was stored, and cannot be read back.
    #[error(
        "Rocket.Chat accepted the test message, and does not return it; run `webhook-app check --send`"
    )]
    MessageLost,
}
