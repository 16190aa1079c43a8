//! Why a step failed, in words. Owns the advice that depends on the step; that of the errors themselves is in
//! the clients.

use crate::gitlab_api;
use crate::hook_changes::ChangeError;
use crate::rocketchat::client::Timed;
use crate::rocketchat::response::ApiError;
use crate::setup::Call;

/// A failed step.
#[derive(Debug)]
pub(super) enum Failure {
    /// A call to Rocket.Chat: the error, and what the server says.
    Chat(ApiError, Option<String>),
    /// A call to GitLab.
    GitLab(gitlab_api::ApiError),
    /// The webhook was not written as it should be.
    Hook(ChangeError),
    /// Another run created the webhook at the same time, with its own secret.
    OtherRun,
    /// No administrator is given, and one is needed.
    NoAdministrator,
    /// Rocket.Chat returned a token that the file of secrets cannot hold.
    Unusable,
    /// The file of secrets cannot hold a token of the settings.
    UnusableToken,
    /// There are no random bytes.
    Random,
    /// Anything else, such as a file.
    Other(String),
}

impl From<gitlab_api::ApiError> for Failure {
    fn from(error: gitlab_api::ApiError) -> Self {
        Self::GitLab(error)
    }
}

/// The result of a call to Rocket.Chat.
pub(super) fn of<T>(timed: Timed<T>) -> Result<T, Failure> {
    timed
        .result
        .map_err(|error| Failure::Chat(error, timed.error_text))
}

impl Failure {
    /// What failed, and what to do.
    pub(super) fn words(&self, call: &Call) -> String {
        let advice = match self {
            Self::Chat(error, text) => chat_advice(call, *error, text.as_deref()),
            Self::GitLab(gitlab_api::ApiError::NotFound) if matches!(call, Call::FindProject | Call::CompareHook) => "GitLab knows no such project, or the account of GITLAB_API_TOKEN cannot see it; check --project, and give the account the role Maintainer".to_owned(),
            Self::GitLab(gitlab_api::ApiError::Forbidden) if matches!(call, Call::AllowHost { .. }) => "only administrators of GitLab change its settings; use the token of one, or let one allow the address under Admin, Settings, Network, Outbound requests".to_owned(),
            Self::GitLab(error) => error.to_string(),
            Self::Hook(error) => error.to_string(),
            Self::OtherRun => "another run created it at the same time, with its own secret; go on with the file of that run, or run setup again with --renew-token, which gives the webhook the secret of this file".to_owned(),
            Self::NoAdministrator => "expected an administrator of Rocket.Chat; set ROCKETCHAT_ADMIN_USER_ID and ROCKETCHAT_ADMIN_TOKEN, or ROCKETCHAT_ADMIN_USERNAME and ROCKETCHAT_ADMIN_PASSWORD".to_owned(),
            Self::Unusable => "expected a user ID and a token of letters, digits, - and _ from Rocket.Chat, found other characters; check which server is at ROCKETCHAT_URL".to_owned(),
            Self::UnusableToken => "expected letters, digits, - and _ in GITLAB_WEBHOOK_TOKENS, found other characters, which shells could read as commands in the file; choose another token, or unset it, and setup generates one".to_owned(),
            Self::Random => "the system returned no random bytes; run setup again".to_owned(),
            Self::Other(text) => text.clone(),
        };
        format!("failed to {}: {advice}", call.attempt())
    }
}

/// Advice for a failed call to Rocket.Chat. The usual one is about the bot in operation.
fn chat_advice(call: &Call, error: ApiError, text: Option<&str>) -> String {
    let known = match (call, error) {
        (Call::SignIn, ApiError::Unauthorized) => {
            "Rocket.Chat does not accept the administrator's ROCKETCHAT_ADMIN_USER_ID with ROCKETCHAT_ADMIN_TOKEN, or ROCKETCHAT_ADMIN_USERNAME with ROCKETCHAT_ADMIN_PASSWORD; check them"
        }
        (Call::SignIn, ApiError::TotpRequired) => {
            "Rocket.Chat asks for a second factor, or does not accept the code; set ROCKETCHAT_ADMIN_CODE to what the app or the e-mail shows now, and run setup again at once"
        }
        (Call::SetRoles { .. } | Call::SetPassword { .. }, ApiError::TotpRequired) => {
            "Rocket.Chat asks for a second factor; create the administrator's token with \"Ignore Two Factor Authentication\", or sign in with ROCKETCHAT_ADMIN_USERNAME, ROCKETCHAT_ADMIN_PASSWORD and ROCKETCHAT_ADMIN_CODE"
        }
        (Call::LogInBot, ApiError::Unauthorized) => {
            "Rocket.Chat does not accept the password that setup gave the bot, so somebody changed it; run setup again with --renew-token"
        }
        (Call::LogInBot | Call::CreateToken { .. }, ApiError::TotpRequired) => {
            "Rocket.Chat asks the bot for a second factor; turn it off for the account, and run setup again"
        }
        (_, ApiError::Refused | ApiError::Forbidden) => {
            let said = text.unwrap_or("nothing");
            return format!("Rocket.Chat answered \"{said}\"; {}", refusal_advice(said));
        }
        (_, error) => error.advice(),
    };
    known.to_owned()
}

/// What to do about a refusal that says `text`.
fn refusal_advice(text: &str) -> &'static str {
    const KNOWN: [(&str, &str); 5] = [
        (
            "error-field-unavailable",
            "choose another name with --bot, or another address with --email",
        ),
        (
            "error-action-not-allowed",
            "give the administrator the permissions create-user, assign-roles, edit-other-user-info and edit-other-user-password",
        ),
        (
            "error-input-is-not-a-valid-field",
            "choose a name with --bot that this server allows",
        ),
        ("not-authorized", "give the bot the roles user and bot"),
        (
            "error-invalid-user",
            "Rocket.Chat knows no such user; check --to",
        ),
    ];
    let known = KNOWN.iter().find(|(word, _)| text.contains(word));
    known.map_or("look for it in the log of Rocket.Chat", |(_, advice)| {
        advice
    })
}
