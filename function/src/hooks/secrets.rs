//! The secrets that are written into webhooks. Owns which of them a GitLab can use. GitLab never returns them;
//! from version 19 on it says whether a webhook has any.

use secrecy::SecretString;

use crate::gitlab::signature::SigningKey;
use crate::gitlab_api::{Hook, HookSecret, Version};

/// The first signing key and the first secret token; the others are only accepted, not written.
#[derive(Debug, Default)]
pub(crate) struct WebhookSecrets {
    /// The signing key: as text, and ready to sign.
    pub(crate) signing_key: Option<(SecretString, SigningKey)>,
    /// The secret token.
    pub(crate) token: Option<SecretString>,
}

/// GitLab would ignore the signing key, and there is no secret token.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "GitLab {version} ignores signing keys, which need 19.0 or later; set GITLAB_WEBHOOK_TOKENS to a secret token in place of GITLAB_SIGNING_KEYS, here and in webhook-app"
)]
pub(crate) struct SigningUnsupported {
    version: String,
}

impl WebhookSecrets {
    /// The secret for webhooks of this GitLab: the signing key if it knows them.
    pub(crate) fn choose(
        &self,
        version: &Version,
    ) -> Result<Option<HookSecret>, SigningUnsupported> {
        let token = || self.token.clone().map(HookSecret::Token);
        match &self.signing_key {
            Some((key, _)) if version.has_signing_tokens() => {
                Ok(Some(HookSecret::SigningToken(key.clone())))
            }
            Some(_) if self.token.is_none() => Err(SigningUnsupported {
                version: version.text.clone(),
            }),
            Some(_) | None => Ok(token()),
        }
    }
}

/// Whether a webhook has this kind of secret; `None` if GitLab does not say.
pub(super) fn is_present(hook: &Hook, secret: &HookSecret) -> Option<bool> {
    match secret {
        HookSecret::SigningToken(_) => hook.signing_token_present,
        HookSecret::Token(_) => hook.token_present,
    }
}

/// GitLab's name of the key that signs.
pub(super) const SIGNING_TOKEN: &str = "signing token";

/// The name of a kind of secret in GitLab.
pub(super) fn name(secret: &HookSecret) -> &'static str {
    match secret {
        HookSecret::SigningToken(_) => SIGNING_TOKEN,
        HookSecret::Token(_) => "secret token",
    }
}
