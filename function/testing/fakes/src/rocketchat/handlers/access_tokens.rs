//! Personal access tokens of the own account. Nobody can create one for another account.
//! The second factor has been checked before; the permission is checked here, as the real server does.

use serde_json::{Value, json};

use super::{HandlerResult, text};
use crate::clock::iso_now;
use crate::rocketchat::people::{Permission, User};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;
use crate::rocketchat::sessions::Session;

pub(in crate::rocketchat) fn access_tokens(server: &Server, user: &User) -> HandlerResult {
    check_permission(user, &Value::Null)?;
    let store = server.store();
    let tokens = store.sessions.personal_of(&user.id).map(|token| {
        json!({
            "name": token.name,
            "createdAt": iso_now(),
            "lastTokenPart": "…",
            "bypassTwoFactor": token.bypasses_second_factor,
        })
    });
    Ok(Reply::success("tokens", &tokens.collect()))
}

pub(in crate::rocketchat) fn generate_access_token(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let name = name(parameters)?;
    let details = json!({ "method": "personalAccessTokens:generateToken" });
    check_permission(user, &details)?;
    let mut store = server.store();
    if store
        .sessions
        .personal_of(&user.id)
        .any(|known| known.name == name)
    {
        let reason = "A token with this name already exists";
        let rejection = Reply::thrown("error-token-already-exists", reason, &details);
        return Err(rejection);
    }
    let bypasses = parameters["bypassTwoFactor"] == true;
    let token = server.new_token();
    store
        .sessions
        .add(Session::personal(&user.id, &token, name, bypasses));
    Ok(Reply::success("token", &token.into()))
}

pub(in crate::rocketchat) fn regenerate_access_token(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let name = name(parameters)?;
    let details = json!({ "method": "personalAccessTokens:regenerateToken" });
    check_permission(user, &details)?;
    let mut store = server.store();
    let Some(mut session) = store.sessions.remove_named(&user.id, name) else {
        let reason = "Token does not exist";
        return Err(Reply::thrown(
            "error-token-does-not-exists",
            reason,
            &details,
        ));
    };
    session.token = server.new_token();
    let token = session.token.clone();
    store.sessions.add(session);
    Ok(Reply::success("token", &token.into()))
}

fn name(parameters: &Value) -> Result<&str, Reply> {
    let name = text(parameters, "tokenName");
    let missing = || Reply::failure("The 'tokenName' param is required");
    (!name.is_empty()).then_some(name).ok_or_else(missing)
}

fn check_permission(user: &User, details: &Value) -> Result<(), Reply> {
    if user.may(Permission::CreatePersonalAccessTokens) {
        return Ok(());
    }
    Err(Reply::thrown("not-authorized", "Not Authorized", details))
}
