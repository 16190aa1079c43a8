//! The second factor of calls that require one: the code of an authenticator app, or else the password.
//!
//! Read in `app/2fa/server/code/index.ts` of Rocket.Chat 7 and 8. The real server also remembers a factor, and new
//! accounts, for half an hour; this one never does.

use hyper::header::HeaderMap;
use serde_json::{Value, json};

use super::middleware::Caller;
use super::people::User;
use super::reply::Reply;

/// Rejects a call without the second factor.
pub(super) fn check(caller: &Caller, headers: &HeaderMap) -> Result<(), Reply> {
    let personal = caller.session.personal.as_ref();
    if personal.is_some_and(|personal| personal.bypasses_second_factor) {
        return Ok(());
    }
    let user = &caller.user;
    if user.totp.is_none() && user.password.is_none() {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // The code counts only together with its method.
    let code = text("x-2fa-method").and(text("x-2fa-code"));
    let Some(code) = code else {
        let details = details(user);
        return Err(Reply::thrown("totp-required", "TOTP Required", &details));
    };
    let is_right = match (&user.totp, &user.password) {
        (Some(totp), _) => totp == code,
        (None, Some(password)) => *password == code.to_lowercase(),
        (None, None) => true,
    };
    if is_right {
        return Ok(());
    }
    Err(Reply::thrown(
        "totp-invalid",
        "TOTP Invalid",
        &details(user),
    ))
}

/// Which factor the server expects.
pub(super) fn details(user: &User) -> Value {
    match user.totp {
        Some(_) => {
            json!({ "method": "totp", "codeGenerated": false, "availableMethods": ["totp"] })
        }
        None => json!({ "method": "password", "codeGenerated": false, "availableMethods": [] }),
    }
}
