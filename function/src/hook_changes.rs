//! Writes what a plan says into GitLab, and checks that GitLab took it. Owns what happens to a new webhook of
//! which GitLab ignored the signing key. What is written is decided in [`hooks`](crate::hooks).

use crate::gitlab_api::{ApiError, Client, Hook, HookOwner};
use crate::hooks::{Action, Change, DeclaredHook, Plan, Tense, Terms, changes, words};

/// Why a webhook was not written as planned.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ChangeError {
    /// A call failed.
    #[error("{0}")]
    Api(ApiError),
    /// GitLab took the request and ignored the signing key.
    #[error(
        "GitLab ignored the signing key: its feature flag webhook_signing_token is off; turn it on, or set GITLAB_WEBHOOK_TOKENS in place of GITLAB_SIGNING_KEYS, here and in webhook-app"
    )]
    SigningIgnored,
    /// GitLab took the request and did not apply all of it.
    #[error("GitLab did not apply: {0}; look at the webhook in GitLab")]
    NotApplied(String),
}

impl From<ApiError> for ChangeError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

/// Writes what is to do about one webhook. Returns it as GitLab has it now, if something was written.
pub(crate) async fn apply(
    client: &Client,
    owner: HookOwner,
    declared: &DeclaredHook,
    plan: &Plan,
    terms: Terms<'_>,
) -> Result<Option<Hook>, ChangeError> {
    let (hook, is_new) = match &plan.action {
        Action::Keep(_) => return Ok(None),
        Action::Create(fields) => (client.create_hook(owner, fields).await?, true),
        Action::Change { hook, fields, .. } => {
            (client.update_hook(owner, *hook, fields).await?, false)
        }
    };
    let terms = Terms {
        renew: false,
        ..terms
    };
    let left = changes(declared, &hook, terms);
    if left.iter().any(Change::is_missing_signing_token) {
        if is_new {
            // webhook-app would answer each of its deliveries with 401.
            client.delete_hook(owner, hook.id).await?;
        }
        return Err(ChangeError::SigningIgnored);
    }
    if left.is_empty() {
        Ok(Some(hook))
    } else {
        Err(ChangeError::NotApplied(words(&left, Tense::Future)))
    }
}
