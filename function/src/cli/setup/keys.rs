//! The secrets that the file lacks. Owns when they are taken from the settings, and when they are generated. Their
//! form is in [`setup`].

use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use crate::config::setup::GivenSecrets;
use crate::setup::{self, HookSecretState, Known, Line, Mark, SecretFile};

/// Adds what is missing.
pub(super) fn generate(known: &mut Known, given: &GivenSecrets) -> Result<(), Failure> {
    let facts = known.gitlab.as_ref();
    let has_signing_tokens = facts.is_some_and(|facts| facts.has_signing_tokens);
    let secrets = &known.secrets;
    let needs_id_secret = secrets.message_id_secret.is_none();
    if has_signing_tokens && secrets.signing_key.is_none() {
        let (key, mark, text) = match joined(&given.signing_keys) {
            Some(keys) => (keys, Mark::Ok, "signing key from GITLAB_SIGNING_KEYS"),
            None => (
                random("whsec_")?,
                Mark::Created,
                "signing key, GITLAB_SIGNING_KEYS",
            ),
        };
        known.change(|secrets| {
            secrets.signing_key = Some(key);
            secrets.hook_secret = HookSecretState::New;
        });
        known.say(mark, text);
    } else if !has_signing_tokens && secrets.webhook_token.is_none() {
        let is_usable = |token: &SecretString| SecretFile::can_hold(token.expose_secret());
        if !given.webhook_tokens.iter().all(is_usable) {
            return Err(Failure::UnusableToken);
        }
        let (token, mark, text) = match joined(&given.webhook_tokens) {
            Some(tokens) => (tokens, Mark::Ok, "secret token from GITLAB_WEBHOOK_TOKENS"),
            None => (
                random("")?,
                Mark::Created,
                "secret token, GITLAB_WEBHOOK_TOKENS, because this GitLab has no signing keys",
            ),
        };
        known.change(|secrets| {
            secrets.webhook_token = Some(token);
            secrets.hook_secret = HookSecretState::New;
        });
        known.say(mark, text);
    }
    if needs_id_secret {
        let secret = random("")?;
        known.change(|secrets| secrets.message_id_secret = Some(secret));
        known.say(Mark::Created, "MESSAGE_ID_SECRET");
    }
    Ok(())
}

/// A line about keys of the settings that are not used, because the file has others.
pub(super) fn unused(stored: &SecretFile, given: &GivenSecrets) -> Option<Line> {
    let is_other = |stored: &Option<SecretString>, given: &[SecretString]| {
        let stored = stored.as_ref().map(ExposeSecret::expose_secret);
        let has = |key: &SecretString| {
            stored.is_none_or(|list| list.split(',').any(|own| own == key.expose_secret()))
        };
        !given.iter().all(has)
    };
    let name = if is_other(&stored.signing_key, &given.signing_keys) {
        "GITLAB_SIGNING_KEYS"
    } else if is_other(&stored.webhook_token, &given.webhook_tokens) {
        "GITLAB_WEBHOOK_TOKENS"
    } else {
        return None;
    };
    let mark = Mark::Note;
    let text = format!("{name} of the environment is not used, because the file has other values");
    Some(Line { mark, text })
}

/// A list as the file has it.
fn joined(list: &[SecretString]) -> Option<SecretString> {
    let texts: Vec<_> = list.iter().map(ExposeSecret::expose_secret).collect();
    (!texts.is_empty()).then(|| texts.join(",").into())
}

fn random(prefix: &str) -> Result<SecretString, Failure> {
    setup::random_key(prefix).map_err(|_| Failure::Random)
}
