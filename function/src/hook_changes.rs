//! Writes what a plan says into GitLab, and checks that GitLab took it. Owns when a new webhook is removed again:
//! if GitLab ignored its signing key, or if another run has created one at the same time. What is written is
//! decided in [`hooks`](crate::hooks).

use crate::gitlab_api::{ApiError, Client, HookFields, HookOwner};
use crate::hook_lookup::hooks_of;
use crate::hooks::{Action, Change, DeclaredHook, Plan, Tense, Terms, changes, words};

/// What was done about a webhook.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Done {
    /// What the plan says.
    AsPlanned,
    /// Another run created the same webhook at the same time, and that of this run was removed. Contains the ID
    /// of the one that is left.
    CreatedByAnother(u64),
}

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

/// Writes what is to do about one webhook.
pub(crate) async fn apply(
    client: &Client,
    owner: HookOwner,
    declared: &DeclaredHook,
    plan: &Plan,
    terms: Terms<'_>,
) -> Result<Done, ChangeError> {
    let terms_after = Terms {
        renew: false,
        ..terms
    };
    match &plan.action {
        Action::Keep(_) => Ok(Done::AsPlanned),
        Action::Create(fields) => create(client, owner, declared, fields, terms_after).await,
        Action::Change { hook, fields, .. } => {
            let hook = client.update_hook(owner, *hook, fields).await?;
            verify(&changes(declared, &hook, terms_after))?;
            Ok(Done::AsPlanned)
        }
    }
}

/// GitLab accepts any number of webhooks with one address, so it is looked up again. Of several, that with the
/// lowest ID is kept: every run that looks sees it, because it was created first.
async fn create(
    client: &Client,
    owner: HookOwner,
    declared: &DeclaredHook,
    fields: &HookFields,
    terms: Terms<'_>,
) -> Result<Done, ChangeError> {
    let own = client.create_hook(owner, fields).await?;
    let left = changes(declared, &own, terms);
    if left.iter().any(Change::is_missing_signing_token) {
        // webhook-app would answer each of its deliveries with 401.
        client.delete_hook(owner, own.id).await?;
    }
    verify(&left)?;
    let hooks = hooks_of(client, owner, declared).await?;
    let Some(first) = hooks.first().filter(|first| first.id < own.id) else {
        return Ok(Done::AsPlanned);
    };
    client.delete_hook(owner, own.id).await?;
    verify(&changes(declared, first, terms))?;
    Ok(Done::CreatedByAnother(first.id))
}

/// Nothing is left of what was to be written.
fn verify(left: &[Change]) -> Result<(), ChangeError> {
    if left.iter().any(Change::is_missing_signing_token) {
        Err(ChangeError::SigningIgnored)
    } else if left.is_empty() {
        Ok(())
    } else {
        Err(ChangeError::NotApplied(words(left, Tense::Future)))
    }
}
