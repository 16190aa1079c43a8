//! What setup does next. Owns which steps change something, and the words for them.

use crate::rocketchat::Username;

/// One step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    /// Ask Rocket.Chat for its version.
    ChatVersion,
    /// Ask GitLab for its version and the account of the token.
    GitLab,
    /// Look up the project, and whether the account may see its webhooks.
    FindProject,
    /// Sign in to Rocket.Chat as the administrator, with a token or a password.
    SignIn,
    /// Sign in to Rocket.Chat with the token of the bot.
    SignInBot,
    /// Generate the secrets that are missing.
    GenerateKeys,
    /// Generate a password for the bot.
    GeneratePassword,
    /// Store the secrets.
    Save,
    /// Look up the name of the bot.
    FindBot,
    /// Create the account of the bot.
    CreateBot,
    /// Replace the roles of an account.
    SetRoles {
        /// The ID of the account.
        id: String,
        /// All of its roles from now on.
        roles: Vec<String>,
    },
    /// Replace the password of the bot.
    SetPassword {
        /// The ID of the account.
        id: String,
    },
    /// Sign in as the bot with its password.
    LogInBot,
    /// List the personal access tokens of the bot.
    ListTokens,
    /// Create the token of the bot, or replace the one with the same name.
    CreateToken {
        /// Whether there is one.
        replace: bool,
    },
    /// End the session of the bot.
    LogOutBot,
    /// End the session of the administrator.
    LogOut,
    /// Ask GitLab whether it sends to local addresses.
    OutboundRules,
    /// Let GitLab send to a local host.
    AllowHost {
        /// All hosts that are allowed from now on.
        hosts: Vec<String>,
    },
    /// Compare the webhook with what it should be.
    CompareHook,
    /// Create or change the webhook.
    WriteHook,
    /// Look up who gets the test message.
    FindRecipient {
        /// The username.
        to: Username,
    },
    /// Look for the test message.
    FindMessage {
        /// Who gets it.
        to: Username,
    },
    /// Send the test message.
    SendMessage {
        /// Who gets it.
        to: Username,
    },
}

/// How a line of the output begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    /// Read and found right.
    Ok,
    /// Was there before.
    Kept,
    /// Something new.
    Created,
    /// Something else than before.
    Changed,
    /// A message.
    Sent,
    /// A file.
    Wrote,
    /// Something that a person should know.
    Note,
}

impl Mark {
    /// The word for what was done.
    pub(crate) fn past(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Kept => "kept",
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Sent => "sent",
            Self::Wrote => "wrote",
            Self::Note => "note",
        }
    }

    /// The words for what a run without `--dry-run` would do.
    pub(crate) fn conditional(self) -> &'static str {
        match self {
            Self::Created => "would create",
            Self::Changed => "would change",
            Self::Sent => "would send",
            Self::Wrote => "would write",
            Self::Ok | Self::Kept | Self::Note => self.past(),
        }
    }

    /// Whether it says that something was changed.
    pub(crate) fn is_change(self) -> bool {
        matches!(
            self,
            Self::Created | Self::Changed | Self::Sent | Self::Wrote
        )
    }
}

impl Call {
    /// Whether it changes something outside this process, also if only a session begins or ends.
    pub(crate) fn is_change(&self, signs_in_with_password: bool) -> bool {
        match self {
            Self::ChatVersion
            | Self::GitLab
            | Self::FindProject
            | Self::SignInBot
            | Self::GenerateKeys
            | Self::GeneratePassword
            | Self::FindBot
            | Self::ListTokens
            | Self::OutboundRules
            | Self::CompareHook
            | Self::FindRecipient { .. }
            | Self::FindMessage { .. } => false,
            Self::SignIn => signs_in_with_password,
            Self::Save
            | Self::CreateBot
            | Self::SetRoles { .. }
            | Self::SetPassword { .. }
            | Self::LogInBot
            | Self::CreateToken { .. }
            | Self::LogOutBot
            | Self::LogOut
            | Self::AllowHost { .. }
            | Self::WriteHook
            | Self::SendMessage { .. } => true,
        }
    }

    /// What was attempted, to follow "failed to".
    pub(crate) fn attempt(&self) -> &'static str {
        match self {
            Self::ChatVersion => "reach Rocket.Chat",
            Self::GitLab => "reach GitLab",
            Self::FindProject => "look up the project",
            Self::SignIn => "sign in to Rocket.Chat as the administrator",
            Self::SignInBot => "sign in to Rocket.Chat as the bot",
            Self::GenerateKeys | Self::GeneratePassword => "generate secrets",
            Self::Save => "store the secrets",
            Self::FindBot => "look up the account of the bot",
            Self::CreateBot => "create the account of the bot",
            Self::SetRoles { .. } => "change the roles of the bot",
            Self::SetPassword { .. } => "change the password of the bot",
            Self::LogInBot => "sign in as the bot with its password",
            Self::ListTokens => "list the tokens of the bot",
            Self::CreateToken { .. } => "create the token of the bot",
            Self::LogOutBot => "sign out as the bot",
            Self::LogOut => "sign out as the administrator",
            Self::OutboundRules => "read the settings of GitLab",
            Self::AllowHost { .. } => "change the settings of GitLab",
            Self::CompareHook => "look up the webhook",
            Self::WriteHook => "write the webhook",
            Self::FindRecipient { .. } => "look up who gets the test message",
            Self::FindMessage { .. } => "read the test message",
            Self::SendMessage { .. } => "send the test message",
        }
    }
}
