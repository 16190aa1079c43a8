//! How a real webhook differs from the declared one. Owns the closed list of changes and their words. Nothing
//! is ever removed or switched off, and what is not declared is left as it is, because a person may have
//! changed it.

use std::fmt;

use super::DeclaredHook;
use super::secrets::{SIGNING_TOKEN, is_present, name};
use crate::gitlab_api::{Hook, HookFields, HookOwner, HookSecret, Trigger, Triggers};

/// What is to do about one declared webhook.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What to write.
    pub(crate) action: Action,
    /// What a person should know, although nothing is written.
    pub(crate) notes: Vec<Note>,
}

/// What to write.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Nothing: the webhook is as declared. Contains its ID.
    Keep(u64),
    /// There is no webhook with this address.
    Create(HookFields),
    /// Some fields differ.
    Change {
        /// The ID of the webhook.
        hook: u64,
        /// What differs, at least one thing.
        changes: Vec<Change>,
        /// The same as fields of the API.
        fields: HookFields,
    },
}

/// One difference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// A trigger is off.
    Trigger(Trigger),
    /// The certificate is verified and should not be, or the other way round. Contains what is declared.
    SslVerification(bool),
    /// The branches are filtered in another way.
    BranchFilter {
        /// The filter of the webhook.
        from: Option<String>,
        /// The declared one.
        to: String,
    },
    /// There is no secret of this kind.
    SecretMissing(&'static str),
    /// The secret is written again, because that was asked for.
    SecretRenewed(&'static str),
}

/// Something that is not written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Note {
    /// Several webhooks have the same address.
    Duplicates(Vec<u64>),
    /// This GitLab does not know these triggers.
    UnknownTriggers(Triggers),
    /// GitLab does not say whether there is a secret.
    SecretUnknown(&'static str),
}

/// How webhooks are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    /// The secret of webhooks, if they have one.
    pub(crate) secret: Option<&'a HookSecret>,
    /// Whether it is written although there is one.
    pub(crate) renew: bool,
}

/// Compares the declared webhook with the real ones that have its address.
pub(crate) fn plan(
    owner: HookOwner,
    declared: &DeclaredHook,
    real: &[Hook],
    terms: Terms<'_>,
) -> Plan {
    let Some(hook) = real.first() else {
        return Plan {
            action: Action::Create(new(owner, declared, terms)),
            notes: Vec::new(),
        };
    };
    let changes = changes(declared, hook, terms);
    let action = if changes.is_empty() {
        Action::Keep(hook.id)
    } else {
        Action::Change {
            hook: hook.id,
            fields: fields(hook, &changes, terms),
            changes,
        }
    };
    Plan {
        action,
        notes: notes(declared, real, hook, terms),
    }
}

/// What differs.
pub(crate) fn changes(declared: &DeclaredHook, hook: &Hook, terms: Terms<'_>) -> Vec<Change> {
    let off = declared
        .triggers
        .intersection(hook.known_triggers)
        .difference(hook.triggers);
    let mut changes: Vec<_> = off.iter().map(Change::Trigger).collect();
    if hook.ssl_verification != declared.ssl_verification {
        changes.push(Change::SslVerification(declared.ssl_verification));
    }
    if let Some(filter) = &declared.branch_filter {
        let is_wildcard = matches!(
            hook.branch_filter_strategy.as_deref(),
            None | Some("wildcard")
        );
        if hook.branch_filter.as_ref() != Some(filter) || !is_wildcard {
            changes.push(Change::BranchFilter {
                from: current_filter(hook),
                to: filter.clone(),
            });
        }
    }
    if let Some(secret) = terms.secret {
        let name = name(secret);
        match is_present(hook, secret) {
            Some(false) => changes.push(Change::SecretMissing(name)),
            Some(true) | None if terms.renew => changes.push(Change::SecretRenewed(name)),
            Some(true) | None => {}
        }
    }
    changes
}

/// The filter in words; `None` if it lets all branches pass.
fn current_filter(hook: &Hook) -> Option<String> {
    let filter = hook.branch_filter.as_ref()?;
    match hook.branch_filter_strategy.as_deref() {
        Some("all_branches") => None,
        Some("regex") => Some(format!("{filter} (regex)")),
        _ => Some(filter.clone()),
    }
}

fn fields(hook: &Hook, changes: &[Change], terms: Terms<'_>) -> HookFields {
    let mut fields = HookFields {
        // As GitLab wrote it: another spelling would be a change, with which GitLab forgets the secrets.
        url: hook.url.clone(),
        ..HookFields::default()
    };
    let on = changes.iter().filter_map(|change| match change {
        Change::Trigger(trigger) => Some(*trigger),
        _ => None,
    });
    fields.on = on.collect();
    for change in changes {
        match change {
            Change::Trigger(_) => {}
            Change::SslVerification(verification) => fields.ssl_verification = Some(*verification),
            Change::BranchFilter { to, .. } => fields.branch_filter = Some(to.clone()),
            Change::SecretMissing(_) | Change::SecretRenewed(_) => {
                fields.secret = terms.secret.cloned();
            }
        }
    }
    fields
}

/// The fields of a new webhook.
fn new(owner: HookOwner, declared: &DeclaredHook, terms: Terms<'_>) -> HookFields {
    // GitLab switches these on unless a new webhook says otherwise.
    let usual = match owner {
        HookOwner::Project(_) => Trigger::Push,
        HookOwner::System => Trigger::RepositoryUpdate,
    };
    let usual: Triggers = [usual].into_iter().collect();
    HookFields {
        url: declared.url.to_string(),
        name: Some("webhook-app"),
        on: declared.triggers,
        off: usual.difference(declared.triggers),
        ssl_verification: Some(declared.ssl_verification),
        branch_filter: declared.branch_filter.clone(),
        secret: terms.secret.cloned(),
    }
}

fn notes(declared: &DeclaredHook, real: &[Hook], hook: &Hook, terms: Terms<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    if real.len() > 1 {
        notes.push(Note::Duplicates(real.iter().map(|hook| hook.id).collect()));
    }
    let unknown = declared.triggers.difference(hook.known_triggers);
    if !unknown.is_empty() {
        notes.push(Note::UnknownTriggers(unknown));
    }
    let secret = terms.secret.filter(|_| !terms.renew);
    if let Some(secret) = secret.filter(|secret| is_present(hook, secret).is_none()) {
        notes.push(Note::SecretUnknown(name(secret)));
    }
    notes
}

/// Whether something was done or only is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tense {
    /// It is to do.
    Future,
    /// It was done.
    Past,
}

impl Change {
    /// Whether GitLab has no signing token.
    pub(crate) fn is_missing_signing_token(&self) -> bool {
        *self == Self::SecretMissing(SIGNING_TOKEN)
    }

    /// What differs, or what was written.
    pub(crate) fn words(&self, tense: Tense) -> String {
        let done = tense == Tense::Past;
        match self {
            Self::Trigger(trigger) => format!("{} off → on", trigger.name()),
            Self::SslVerification(true) => "SSL verification off → on".to_owned(),
            Self::SslVerification(false) => "SSL verification on → off".to_owned(),
            Self::BranchFilter { from, to } => {
                let from = from.as_deref().unwrap_or("none");
                format!("branch filter {from} → {to}")
            }
            Self::SecretMissing(name) if done => format!("{name} written"),
            Self::SecretMissing(name) => format!("{name} missing"),
            Self::SecretRenewed(name) if done => format!("{name} renewed"),
            Self::SecretRenewed(name) => format!("{name} is renewed"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicates(ids) => {
                let ids: Vec<_> = ids.iter().map(u64::to_string).collect();
                write!(
                    formatter,
                    "webhooks {} have the same address, so that messages are sent twice; remove all but one in GitLab",
                    ids.join(" and ")
                )
            }
            Self::UnknownTriggers(triggers) => {
                write!(formatter, "this GitLab has no trigger {triggers}")
            }
            Self::SecretUnknown(name) => write!(
                formatter,
                "GitLab before 19.0 does not say whether there is a {name}; apply --renew-secrets writes it"
            ),
        }
    }
}

/// The changes in words: first the triggers together, then the others.
pub(crate) fn words(changes: &[Change], tense: Tense) -> String {
    let is_trigger = |change: &&Change| matches!(change, Change::Trigger(_));
    let text = |change: &Change| change.words(tense);
    let triggers: Vec<_> = changes.iter().filter(is_trigger).map(text).collect();
    let others = changes
        .iter()
        .filter(|change| !is_trigger(change))
        .map(text);
    let triggers = (!triggers.is_empty()).then(|| triggers.join(", "));
    triggers
        .into_iter()
        .chain(others)
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use serde_json::json;
    use url::Url;

    use super::*;
    use crate::hooks::Target;

    const PROJECT: HookOwner = HookOwner::Project(3);

    fn declared() -> DeclaredHook {
        DeclaredHook {
            target: Target::Membership,
            url: Url::parse("https://webhooks.example.org/webhook").expect("is a URL"),
            triggers: [Trigger::Push, Trigger::Pipeline].into_iter().collect(),
            branch_filter: None,
            ssl_verification: true,
        }
    }

    /// As declared, with some fields changed.
    fn real(changed: &serde_json::Value) -> Hook {
        let mut fields = json!({
            "id": 7, "url": "https://webhooks.example.org/webhook", "push_events": true, "pipeline_events": true,
            "job_events": false, "enable_ssl_verification": true, "push_events_branch_filter": "",
            "branch_filter_strategy": "wildcard", "token_present": false, "signing_token_present": true,
        });
        for (name, value) in changed.as_object().expect("are fields") {
            fields[name] = value.clone();
        }
        serde_json::from_value(fields).expect("is a webhook")
    }

    fn signing() -> HookSecret {
        HookSecret::SigningToken(SecretString::from("whsec_canary"))
    }

    fn found(declared: &DeclaredHook, hook: &Hook, secret: &HookSecret, renew: bool) -> String {
        let terms = Terms {
            secret: Some(secret),
            renew,
        };
        words(&changes(declared, hook, terms), Tense::Future)
    }

    #[test]
    fn every_difference_is_one_change_and_what_is_not_declared_is_none() {
        let (signing, token) = (signing(), HookSecret::Token(SecretString::from("canary")));
        let filtered = DeclaredHook {
            branch_filter: Some("release/*".to_owned()),
            ..declared()
        };
        let plain = declared();
        for (case, declared, changed, secret, expected) in [
            ("as declared", &plain, json!({}), &signing, ""),
            (
                "more triggers",
                &plain,
                json!({ "job_events": true }),
                &signing,
                "",
            ),
            (
                "a trigger off",
                &plain,
                json!({ "pipeline_events": false }),
                &signing,
                "pipeline off → on",
            ),
            (
                "two triggers off",
                &plain,
                json!({ "pipeline_events": false, "push_events": false }),
                &signing,
                "push off → on, pipeline off → on",
            ),
            (
                "a trigger that GitLab does not know",
                &plain,
                json!({ "pipeline_events": null }),
                &signing,
                "",
            ),
            (
                "no verification",
                &plain,
                json!({ "enable_ssl_verification": false }),
                &signing,
                "SSL verification off → on",
            ),
            (
                "a filter of a person",
                &plain,
                json!({ "push_events_branch_filter": "main" }),
                &signing,
                "",
            ),
            (
                "no filter",
                &filtered,
                json!({}),
                &signing,
                "branch filter none → release/*",
            ),
            (
                "another filter",
                &filtered,
                json!({ "push_events_branch_filter": "main" }),
                &signing,
                "branch filter main → release/*",
            ),
            (
                "the same filter in another way",
                &filtered,
                json!({ "push_events_branch_filter": "release/*", "branch_filter_strategy": "regex" }),
                &signing,
                "branch filter release/* (regex) → release/*",
            ),
            (
                "the same filter of an old GitLab",
                &filtered,
                json!({ "push_events_branch_filter": "release/*", "branch_filter_strategy": null }),
                &signing,
                "",
            ),
            (
                "no signing token",
                &plain,
                json!({ "signing_token_present": false, "token_present": true }),
                &signing,
                "signing token missing",
            ),
            (
                "no secret token",
                &plain,
                json!({}),
                &token,
                "secret token missing",
            ),
            (
                "a secret token",
                &plain,
                json!({ "token_present": true }),
                &token,
                "",
            ),
            (
                "GitLab does not say",
                &plain,
                json!({ "token_present": null }),
                &token,
                "",
            ),
        ] {
            assert_eq!(
                found(declared, &real(&changed), secret, false),
                expected,
                "{case}"
            );
        }
        assert_eq!(
            found(&plain, &real(&json!({})), &signing, true),
            "signing token is renewed"
        );
    }

    #[test]
    fn only_what_differs_is_written_under_the_address_that_gitlab_has() {
        let secret = signing();
        let terms = Terms {
            secret: Some(&secret),
            renew: false,
        };
        let url = "https://WEBHOOKS.example.org/webhook";
        let hooks = [real(&json!({ "pipeline_events": false, "url": url }))];
        let plan = plan(PROJECT, &declared(), &hooks, terms);
        assert!(!format!("{plan:?}").contains("canary"));
        let Action::Change {
            hook: 7, fields, ..
        } = plan.action
        else {
            panic!("{:?}", plan.action);
        };
        assert_eq!(
            fields.to_json(),
            json!({ "url": url, "pipeline_events": true })
        );
    }

    #[test]
    fn a_new_webhook_has_the_declared_triggers_and_no_others() {
        let secret = signing();
        let terms = Terms {
            secret: Some(&secret),
            renew: false,
        };
        let only_pipelines = DeclaredHook {
            triggers: [Trigger::Pipeline].into_iter().collect(),
            ..declared()
        };
        for (owner, off) in [
            (PROJECT, "push_events"),
            (HookOwner::System, "repository_update_events"),
        ] {
            let plan = plan(owner, &only_pipelines, &[], terms);
            let Action::Create(fields) = plan.action else {
                panic!("{:?}", plan.action);
            };
            let expected = json!({
                "url": "https://webhooks.example.org/webhook", "name": "webhook-app", "pipeline_events": true,
                off: false, "enable_ssl_verification": true, "signing_token": "whsec_canary",
            });
            assert_eq!(fields.to_json(), expected);
        }
    }

    #[test]
    fn what_nothing_is_written_about_is_a_note() {
        let token = HookSecret::Token(SecretString::from("canary"));
        let terms = Terms {
            secret: Some(&token),
            renew: false,
        };
        let hook = real(&json!({ "token_present": null, "pipeline_events": null }));
        let plan = plan(
            PROJECT,
            &declared(),
            &[hook.clone(), Hook { id: 9, ..hook }],
            terms,
        );
        let notes: Vec<_> = plan.notes.iter().map(Note::to_string).collect();
        insta::assert_snapshot!(notes.join("\n"), @r"
            webhooks 7 and 9 have the same address, so that messages are sent twice; remove all but one in GitLab
            this GitLab has no trigger pipeline
            GitLab before 19.0 does not say whether there is a secret token; apply --renew-secrets writes it
        ");
    }
}
