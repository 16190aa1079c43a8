//! What setup knows so far. Owns how an answer changes it, and the line of output that follows from it. What
//! is done next is decided in [`next`](super::next()).

use secrecy::SecretString;

use super::call::{Call, Mark};
use super::outbound::OutboundRules;
use super::secret_file::{HookSecretState, SecretFile};

/// The name of the personal access token of the bot.
pub(crate) const TOKEN_NAME: &str = "webhook-app";

/// An account of Rocket.Chat.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Account {
    /// Its ID.
    pub(crate) id: String,
    /// Its username.
    pub(crate) username: String,
    /// Its roles.
    pub(crate) roles: Vec<String>,
}

impl Account {
    /// Whether it has a role.
    pub(crate) fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }
}

/// What the look-up of an account found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Lookup {
    /// It was not made.
    #[default]
    Unknown,
    /// No account has the name.
    Absent,
    /// The account.
    Found(Account),
}

impl From<Option<Account>> for Lookup {
    fn from(account: Option<Account>) -> Self {
        account.map_or(Self::Absent, Self::Found)
    }
}

/// Whether Rocket.Chat says that the recipient of the test message can receive it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Recipient {
    /// There is nothing against it.
    Found,
    /// No user has the name.
    Unknown,
    /// The user is deactivated.
    Deactivated,
}

/// What GitLab says about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct GitLabFacts {
    /// Whether webhooks can have a signing key.
    pub(crate) has_signing_tokens: bool,
}

/// What is known. Nothing is known at first but the stored secrets.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a separate fact, and most combinations occur"
)]
pub(crate) struct Known {
    pub(crate) chat_is_reached: bool,
    pub(crate) gitlab: Option<GitLabFacts>,
    /// Whether GitLab has the project, and shows its webhooks.
    pub(crate) is_project_found: bool,
    /// What the look-up of the recipient found.
    pub(crate) recipient: Option<Recipient>,
    /// The secrets, as they should be stored.
    pub(crate) secrets: SecretFile,
    /// Whether they differ from what is stored.
    pub(crate) is_unsaved: bool,
    pub(crate) administrator: Option<Account>,
    /// Whether the administrator signed in with a password, in a session that is open.
    pub(crate) has_session: bool,
    /// Whether the bot signed in with a password, in a session that is open.
    pub(crate) has_bot_session: bool,
    /// What the look-up of the bot found.
    pub(crate) found: Lookup,
    /// The account whose token is stored and accepted.
    pub(crate) bot: Option<Account>,
    /// Whether the stored token is not accepted.
    pub(crate) is_token_refused: bool,
    /// Whether the password of the bot was replaced in this run.
    pub(crate) is_password_set: bool,
    /// Whether the bot has a token of our name.
    pub(crate) has_named_token: Option<bool>,
    /// Whether a token was created in this run.
    pub(crate) is_token_new: bool,
    pub(crate) outbound: Option<OutboundRules>,
    /// Whether the webhook is as it should be.
    pub(crate) is_hook_right: Option<bool>,
    /// Whether the webhook has a secret that is not in the file.
    pub(crate) has_other_secret: bool,
    /// What is to do about the webhook, if it is not: whether it is new, and the words for it.
    pub(crate) hook_changes: (bool, String),
    /// Whether it was said that the secrets are stored.
    pub(crate) is_save_said: bool,
    /// Whether the test message is there.
    pub(crate) is_message_stored: Option<bool>,
    /// Whether the test message was sent in this run.
    pub(crate) is_message_sent: bool,
    /// In a dry run: what follows from a sign-in that was not made is not known.
    pub(crate) is_bot_unknown: bool,
    /// What was found and done.
    pub(crate) lines: Vec<Line>,
}

/// One line of the output.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Line {
    /// What kind of line it is.
    pub(crate) mark: Mark,
    /// What it is about.
    pub(crate) text: String,
}

impl Known {
    /// Adds a line.
    pub(crate) fn say(&mut self, mark: Mark, text: impl Into<String>) {
        let text = text.into();
        self.lines.push(Line { mark, text });
    }

    /// Changes the secrets, which then have to be stored.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut SecretFile)) {
        change(&mut self.secrets);
        self.is_unsaved = true;
    }

    /// The bot has a new token.
    pub(crate) fn token_created(&mut self, id: &str, token: SecretString) {
        let id = id.to_owned();
        self.change(|secrets| {
            secrets.user_id = Some(id);
            secrets.auth_token = Some(token);
            secrets.pending_password = None;
        });
        self.is_token_new = true;
        self.is_token_refused = false;
    }

    /// The webhook was looked up. `has_secret` says whether it exists and has one, which may be another than that
    /// of the file; with `may_renew`, that is replaced.
    pub(crate) fn hook_compared(&mut self, is_right: bool, has_secret: bool, may_renew: bool) {
        let state = self.secrets.hook_secret;
        self.is_hook_right = Some(is_right && state == HookSecretState::Written);
        if state == HookSecretState::New {
            self.has_other_secret = has_secret && !may_renew;
            if !self.has_other_secret {
                self.change(|secrets| secrets.hook_secret = HookSecretState::Writing);
            }
        }
    }

    /// The webhook is as it should be.
    pub(crate) fn hook_written(&mut self) {
        self.is_hook_right = Some(true);
        if self.secrets.hook_secret != HookSecretState::Written {
            self.change(|secrets| secrets.hook_secret = HookSecretState::Written);
        }
    }

    /// The test message to `name` was looked up.
    pub(crate) fn message_looked_up(&mut self, is_stored: bool, name: &str) {
        self.is_message_stored = Some(is_stored);
        match (is_stored, self.is_message_sent) {
            (true, true) => self.say(Mark::Ok, "read the test message back"),
            (true, false) => self.say(Mark::Kept, format!("test message to @{name}")),
            (false, _) => {}
        }
    }

    /// The account of the bot has these roles from now on.
    pub(crate) fn roles_set(&mut self, roles: &[String]) {
        let found = match &mut self.found {
            Lookup::Found(account) => Some(account),
            Lookup::Unknown | Lookup::Absent => None,
        };
        for account in found.into_iter().chain(&mut self.bot) {
            roles.clone_into(&mut account.roles);
        }
    }

    /// Goes on as if a call had been made, because a dry run changes nothing.
    pub(crate) fn assume(&mut self, call: &Call) {
        match call {
            Call::Save => self.is_unsaved = false,
            Call::SignIn | Call::CreateToken { .. } => self.is_bot_unknown = true,
            Call::CreateBot => {
                self.found = Lookup::Found(Account {
                    roles: vec!["user".to_owned(), "bot".to_owned()],
                    ..Account::default()
                });
                // It has just been created with this password.
                self.is_password_set = true;
            }
            Call::SetRoles { roles, .. } => self.roles_set(roles),
            Call::SetPassword { .. } => self.is_password_set = true,
            Call::LogInBot => {
                self.has_bot_session = true;
                self.has_named_token = Some(false);
            }
            Call::LogOutBot => self.has_bot_session = false,
            Call::LogOut => self.has_session = false,
            Call::AllowHost { hosts } => {
                let rules = self.outbound.as_ref();
                self.outbound = rules.map(|rules| rules.replaced(hosts.clone()));
            }
            Call::WriteHook => self.hook_written(),
            Call::SendMessage { .. } => {
                self.is_message_sent = true;
                self.is_message_stored = Some(true);
            }
            Call::ChatVersion
            | Call::GitLab
            | Call::FindProject
            | Call::SignInBot
            | Call::GenerateKeys
            | Call::GeneratePassword
            | Call::FindBot
            | Call::ListTokens
            | Call::OutboundRules
            | Call::CompareHook
            | Call::FindRecipient { .. }
            | Call::FindMessage { .. } => {}
        }
    }

    /// Whether something was changed, or would be.
    pub(crate) fn has_changes(&self) -> bool {
        self.lines.iter().any(|line| line.mark.is_change())
    }
}
