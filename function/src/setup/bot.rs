//! The account of the bot. Owns the order of the steps until its token is stored and accepted.
//!
//! An administrator cannot create a token for another account. So the bot gets a password that nobody knows,
//! signs in with it once, and creates the token itself.

use super::call::Call;
use super::known::{Account, Known, Lookup};
use super::refusal::Refusal;
use super::wishes::Wishes;

/// Roles that the account needs: `user` may create a token, and `bot` may make more than ten calls per
/// minute.
const ROLES: [&str; 2] = ["user", "bot"];

/// The next step for the bot; `None` if it is ready, or if a dry run cannot know.
pub(super) fn step(known: &Known, wishes: &Wishes) -> Result<Option<Call>, Refusal> {
    if known.is_bot_unknown {
        return Ok(None);
    }
    if let Some(bot) = &known.bot {
        return match set_roles(bot) {
            Some(call) => administration(known).map(|first| first.or(Some(call))),
            None => Ok(known.has_bot_session.then_some(Call::LogOutBot)),
        };
    }
    let secrets = &known.secrets;
    let has_token = secrets.user_id.is_some() && secrets.auth_token.is_some();
    let is_renewed = wishes.renew_token && !known.is_token_new;
    if has_token && !is_renewed && !known.is_token_refused {
        return Ok(Some(Call::SignInBot));
    }
    if known.is_token_refused && !wishes.renew_token {
        return Err(Refusal::TokenRefused);
    }
    if let Some(call) = administration(known)? {
        return Ok(Some(call));
    }
    match &known.found {
        Lookup::Unknown => Ok(Some(Call::FindBot)),
        Lookup::Absent if secrets.pending_password.is_none() => Ok(Some(Call::GeneratePassword)),
        Lookup::Absent => Ok(Some(Call::CreateBot)),
        Lookup::Found(account) => existing(known, wishes, account).map(Some),
    }
}

/// The administrator has signed in and may do this.
fn administration(known: &Known) -> Result<Option<Call>, Refusal> {
    match &known.administrator {
        None => Ok(Some(Call::SignIn)),
        Some(account) if account.has("admin") => Ok(None),
        Some(account) => Err(Refusal::NotAdministrator(account.username.clone())),
    }
}

/// The account exists, and its token is not known.
fn existing(known: &Known, wishes: &Wishes, account: &Account) -> Result<Call, Refusal> {
    let secrets = &known.secrets;
    let is_ours = secrets.user_id.as_ref() == Some(&account.id);
    if !account.has("bot") && !is_ours {
        return Err(Refusal::NameTaken(account.username.clone()));
    }
    if secrets.pending_password.is_none() {
        return if wishes.renew_token {
            Ok(Call::GeneratePassword)
        } else {
            Err(Refusal::TokenUnknown(account.username.clone()))
        };
    }
    if let Some(call) = set_roles(account) {
        return Ok(call);
    }
    if wishes.renew_token && !known.is_password_set {
        let id = account.id.clone();
        return Ok(Call::SetPassword { id });
    }
    if !known.has_bot_session {
        return Ok(Call::LogInBot);
    }
    Ok(match known.has_named_token {
        None => Call::ListTokens,
        Some(replace) => Call::CreateToken { replace },
    })
}

/// The missing roles, in addition to those that the account has.
fn set_roles(account: &Account) -> Option<Call> {
    let missing = ROLES.into_iter().filter(|role| !account.has(role));
    let missing: Vec<_> = missing.map(str::to_owned).collect();
    (!missing.is_empty()).then(|| Call::SetRoles {
        id: account.id.clone(),
        roles: account.roles.iter().cloned().chain(missing).collect(),
    })
}
