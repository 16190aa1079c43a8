//! What a person asks setup for. Owns the arguments in the form in which they are used; they are parsed in
//! [`cli`](crate::cli).

use crate::gitlab_api::ProjectRef;
use crate::rocketchat::Username;

/// The arguments of the command, complete.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    /// The project whose webhook is set up.
    pub(crate) project: ProjectRef,
    /// Who gets the test message; the administrator if it is not given.
    pub(crate) to: Option<Username>,
    /// The username of the bot.
    pub(crate) bot: Username,
    /// The e-mail address of a new bot, which Rocket.Chat requires.
    pub(crate) email: String,
    /// Whether GitLab may be changed so that it sends to local addresses.
    pub(crate) allow_list: bool,
    /// Whether an existing bot gets a new password and a new token.
    pub(crate) renew_token: bool,
    /// Whether nothing is changed.
    pub(crate) dry_run: bool,
}

/// Where the secrets are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Output {
    /// Into a file of settings, `secret.env`.
    #[default]
    Env,
    /// As a Secret of Kubernetes, to standard output.
    Secret,
    /// Into that file and, beside it, an overlay of kustomize.
    Overlay,
}
