//! The order of the steps. Owns which step follows from what is known; each step is made until what it brings
//! is known, so a step that is not needed is left out.

use url::Url;

use super::bot;
use super::call::Call;
use super::known::Known;
use super::outbound::is_local;
use super::refusal::Refusal;
use super::wishes::Wishes;
use crate::rocketchat::Username;

/// The next step, or `None` at the end.
///
/// Secrets are stored before the first step that uses them, so that no run that is interrupted loses one.
pub(crate) fn next(known: &Known, wishes: &Wishes, hook: &Url) -> Result<Option<Call>, Refusal> {
    let step = step(known, wishes, hook)?;
    let is_write = step.as_ref().is_none_or(|call| call.is_change(false));
    Ok(if known.is_unsaved && is_write {
        Some(Call::Save)
    } else {
        step
    })
}

fn step(known: &Known, wishes: &Wishes, hook: &Url) -> Result<Option<Call>, Refusal> {
    if !known.chat_is_reached {
        return Ok(Some(Call::ChatVersion));
    }
    let Some(gitlab) = &known.gitlab else {
        return Ok(Some(Call::GitLab));
    };
    let secrets = &known.secrets;
    let proof = if gitlab.has_signing_tokens {
        &secrets.signing_key
    } else {
        &secrets.webhook_token
    };
    if proof.is_none() || secrets.message_id_secret.is_none() {
        return Ok(Some(Call::GenerateKeys));
    }
    if let Some(call) = bot::step(known, wishes)? {
        return Ok(Some(call));
    }
    if let Some(call) = webhook(known, wishes, hook)? {
        return Ok(Some(call));
    }
    message(known, wishes)
}

/// GitLab may send to the address, and the webhook is right.
fn webhook(known: &Known, wishes: &Wishes, hook: &Url) -> Result<Option<Call>, Refusal> {
    // A name may be local for GitLab only, so a person who asks for it is believed.
    if is_local(hook) || wishes.allow_list {
        let Some(rules) = &known.outbound else {
            return Ok(Some(Call::OutboundRules));
        };
        if !rules.is_hidden() && !rules.allow(hook) {
            if !wishes.allow_list {
                let host = hook.host_str().unwrap_or_default();
                return Err(Refusal::LocalRequests(host.to_owned()));
            }
            let hosts = rules.with(hook);
            return Ok(Some(Call::AllowHost { hosts }));
        }
    }
    Ok(match known.is_hook_right {
        None => Some(Call::CompareHook),
        Some(false) => Some(Call::WriteHook),
        Some(true) => None,
    })
}

/// The test message is there. Then sessions end.
fn message(known: &Known, wishes: &Wishes) -> Result<Option<Call>, Refusal> {
    let administrator = known.administrator.as_ref();
    let administrator = administrator.and_then(|account| Username::parse(&account.username).ok());
    let Some(to) = wishes.to.clone().or(administrator) else {
        // In a dry run it is not known who that is.
        let is_unknown = known.is_bot_unknown || known.administrator.is_some();
        return Ok((!is_unknown).then_some(Call::SignIn));
    };
    if wishes.bot.matches(to.as_str()) {
        return Err(Refusal::ToBot);
    }
    Ok(match (known.is_message_stored, known.is_message_sent) {
        (None, _) if known.bot.is_some() => Some(Call::FindMessage { to }),
        (Some(false) | None, false) => Some(Call::SendMessage { to }),
        (Some(false), true) => return Err(Refusal::MessageLost),
        (Some(true) | None, _) if known.has_session => Some(Call::LogOut),
        (Some(true) | None, _) => None,
    })
}
