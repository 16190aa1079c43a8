//! `login` and `logout`, and the version, which needs no account.

use serde_json::{Value, json};

use super::{HandlerResult, people, text};
use crate::rocketchat::people::{User, password_digest};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::second_factor;
use crate::rocketchat::server::Server;
use crate::rocketchat::sessions::Session;

/// Without an account the server shows only these two parts of its version.
const VERSION: &str = "8.8";

pub(in crate::rocketchat) fn info() -> Reply {
    Reply::success("version", &VERSION.into())
}

pub(in crate::rocketchat) fn log_in(server: &Server, parameters: &Value) -> HandlerResult {
    let (username, email) = (&parameters["username"], &parameters["email"]);
    let mut store = server.store();
    let user = store.users.iter().find(|user| {
        let has_email = user.email.as_ref().is_some_and(|own| email == own.as_str());
        username == user.username.as_str() || has_email
    });
    let digest = password_digest(text(parameters, "password"));
    let user = user.filter(|user| user.password.as_ref() == Some(&digest));
    let Some(user) = user.cloned() else {
        return Err(refused(
            &"Unauthorized".into(),
            "Unauthorized",
            &Value::Null,
        ));
    };
    if !user.active {
        let reason = "User is deactivated [error-user-is-not-activated]";
        return Err(refused(
            &"error-user-is-not-activated".into(),
            reason,
            &Value::Null,
        ));
    }
    check_code(&user, &parameters["code"])?;
    let token = server.new_token();
    store.sessions.add(Session {
        user_id: user.id.clone(),
        token: token.clone(),
        personal: None,
    });
    let data = json!({ "userId": user.id, "authToken": token, "me": people::as_json(&user) });
    Ok(Reply::json(
        200,
        &json!({ "status": "success", "data": data }),
    ))
}

/// Here the password is no second factor.
fn check_code(user: &User, code: &Value) -> Result<(), Reply> {
    let Some(totp) = &user.totp else {
        return Ok(());
    };
    let (error, reason) = match code.as_str() {
        Some(code) if code == totp => return Ok(()),
        Some(_) => ("totp-invalid", "TOTP Invalid"),
        None => ("totp-required", "TOTP Required"),
    };
    Err(refused(
        &error.into(),
        reason,
        &second_factor::details(user),
    ))
}

pub(in crate::rocketchat) fn log_out(server: &Server, session: &Session) -> Reply {
    server.store().sessions.remove(&session.token);
    let data = json!({ "message": "You've been logged out!" });
    Reply::json(200, &json!({ "status": "success", "data": data }))
}

/// A refused sign-in has no field `success`.
fn refused(error: &Value, message: &str, details: &Value) -> Reply {
    let mut body = json!({ "status": "error", "error": error, "message": message });
    if !details.is_null() {
        body["details"] = details.clone();
    }
    Reply::json(401, &body)
}
