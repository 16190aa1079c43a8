//! The calls of setup to GitLab: its version, its settings, and the webhook, which is compared and written as
//! `webhook-app hooks apply` does.

use secrecy::{ExposeSecret as _, SecretString};

use super::failure::Failure;
use crate::config::setup::SetupConfig;
use crate::gitlab_api::{ApiError, Client, HookOwner, HookSecret, Trigger, Triggers};
use crate::hook_changes::{self, Done};
use crate::hook_lookup::look_up;
use crate::hooks::{Action, DeclaredHook, Plan, Target, Tense, Terms, plan, words};
use crate::setup::{
    Call, GitLabFacts, HookSecretState, Known, Mark, OutboundRules, SecretFile, Wishes,
};

/// The client, and the webhook as it should be.
pub(super) struct GitLab<'a> {
    config: &'a SetupConfig,
    wishes: &'a Wishes,
    client: Client,
    declared: DeclaredHook,
    plan: Option<(HookOwner, Plan)>,
}

impl<'a> GitLab<'a> {
    pub(super) fn new(config: &'a SetupConfig, wishes: &'a Wishes) -> Result<Self, String> {
        let client = Client::new(&config.gitlab).map_err(|error| error.to_string())?;
        Ok(Self {
            config,
            wishes,
            client,
            declared: DeclaredHook {
                target: Target::Project(wishes.project.clone()),
                url: config.hook.clone(),
                triggers: config.triggers.intersection(Triggers::of_projects()),
                branch_filter: None,
                ssl_verification: config.hook.scheme() == "https",
            },
            plan: None,
        })
    }

    /// Makes one of the steps at GitLab.
    pub(super) async fn make(&mut self, call: &Call, known: &mut Known) -> Result<(), Failure> {
        match call {
            Call::GitLab => {
                let version = self.client.version().await?;
                let user = self.client.user().await?;
                let address = self.config.gitlab.url.as_str().trim_end_matches('/');
                let text = &version.text;
                let name = &user.username;
                known.say(
                    Mark::Ok,
                    format!("GitLab {text} at {address}, signed in as @{name}"),
                );
                let has_signing_tokens = version.has_signing_tokens();
                known.gitlab = Some(GitLabFacts { has_signing_tokens });
            }
            Call::FindProject => {
                let project = self.client.project(&self.wishes.project).await?;
                // Only a Maintainer sees them.
                self.client.hooks(HookOwner::Project(project.id)).await?;
                known.is_project_found = true;
            }
            Call::OutboundRules => {
                let path = ["application", "settings"];
                let rules = match self.client.get(&path, &[]).await {
                    Err(ApiError::Forbidden | ApiError::Scope) => {
                        known.say(
                            Mark::Note,
                            "could not check whether GitLab may send to this address, which needs the token of an administrator",
                        );
                        OutboundRules::hidden()
                    }
                    rules => rules?,
                };
                if rules.allow(&self.config.hook) {
                    known.say(Mark::Ok, "GitLab may send to the address of the webhook");
                }
                known.outbound = Some(rules);
            }
            Call::AllowHost { hosts } => {
                self.client.allow_local_hosts(hosts).await?;
                let rules = known.outbound.as_ref();
                known.outbound = rules.map(|rules| rules.replaced(hosts.clone()));
            }
            Call::CompareHook => self.compare(known).await?,
            Call::WriteHook => {
                let secret = secret(known);
                let terms = terms(secret.as_ref(), known);
                if let Some((owner, plan)) = &self.plan {
                    let done =
                        hook_changes::apply(&self.client, *owner, &self.declared, plan, terms);
                    if let Done::CreatedByAnother(_) = done.await.map_err(Failure::Hook)? {
                        known.change(|secrets| secrets.hook_secret = HookSecretState::New);
                        return Err(Failure::OtherRun);
                    }
                }
                known.hook_written();
            }
            _ => {}
        }
        Ok(())
    }

    async fn compare(&mut self, known: &mut Known) -> Result<(), Failure> {
        let declared = std::slice::from_ref(&self.declared);
        let lookups = look_up(&self.client, declared).await?;
        let Some(lookup) = lookups.into_iter().next() else {
            return Err(Failure::GitLab(ApiError::NotFound));
        };
        let found = lookup.found?;
        // GitLab before 19.0 does not say whether there is one.
        let has_secret = found.hooks.first().is_some_and(|hook| {
            hook.signing_token_present != Some(false) || hook.token_present != Some(false)
        });
        let secret = secret(known);
        let plan = plan(
            found.owner,
            &self.declared,
            &found.hooks,
            terms(secret.as_ref(), known),
        );
        let is_right = matches!(plan.action, Action::Keep(_));
        known.hook_compared(is_right, has_secret, self.wishes.renew_token);
        match &plan.action {
            Action::Keep(_) => {
                known.say(Mark::Kept, format!("webhook of {}", lookup.place));
            }
            Action::Create(fields) => {
                known.hook_changes = (true, summary(fields.on));
            }
            Action::Change { changes, .. } => {
                known.hook_changes = (false, words(changes, Tense::Past));
            }
        }
        for note in &plan.notes {
            known.say(Mark::Note, note.to_string());
        }
        self.plan = Some((found.owner, plan));
        Ok(())
    }
}

/// The first triggers, because a line with all of them is too long to read.
fn summary(triggers: Triggers) -> String {
    const SHOWN: usize = 4;
    let names: Vec<_> = triggers.iter().map(Trigger::name).collect();
    match names.get(SHOWN..) {
        Some([]) | None => names.join(", "),
        Some(rest) => {
            let shown = names[..SHOWN].join(", ");
            format!("{shown} and {} more triggers", rest.len())
        }
    }
}

/// A secret that the webhook does not have yet is written, even if it has another one.
fn terms<'a>(secret: Option<&'a HookSecret>, known: &Known) -> Terms<'a> {
    Terms {
        secret,
        renew: known.secrets.hook_secret != HookSecretState::Written,
    }
}

/// What this GitLab proves with that it sent a webhook.
fn secret(known: &Known) -> Option<HookSecret> {
    let SecretFile {
        signing_key,
        webhook_token,
        ..
    } = &known.secrets;
    // A person may have added a former one after it.
    let first = |list: &SecretString| {
        let first = list.expose_secret().split(',').next();
        first.map(SecretString::from)
    };
    let facts = known.gitlab.as_ref();
    if facts.is_some_and(|facts| facts.has_signing_tokens) {
        signing_key
            .as_ref()
            .and_then(first)
            .map(HookSecret::SigningToken)
    } else {
        webhook_token
            .as_ref()
            .and_then(first)
            .map(HookSecret::Token)
    }
}
