//! `users.create` and `users.update`: what an administrator does with accounts.
//! Read in `saveUser`, `validateUserData` and `validateUserEditing` of Rocket.Chat 7 and 8.

use serde_json::{Value, json};

use super::{HandlerResult, people, text};
use crate::rocketchat::people::{Permission, User, password_digest};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;
use crate::rocketchat::store::Store;

/// The roles that exist on a new server.
const ROLES: [&str; 9] = [
    "admin",
    "moderator",
    "leader",
    "owner",
    "user",
    "bot",
    "app",
    "guest",
    "anonymous",
];

pub(in crate::rocketchat) fn create_user(
    server: &Server,
    caller: &User,
    parameters: &Value,
) -> HandlerResult {
    if !caller.may(Permission::CreateUsers) {
        return Err(not_allowed("Adding user is not allowed", "Adding_user"));
    }
    let roles = roles(parameters)?;
    let username = text(parameters, "username");
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if username.is_empty() || !username.bytes().all(is_valid) {
        let reason = format!("{username} is not a valid username");
        let details = json!({ "method": "insertOrUpdateUser", "field": "Username" });
        return Err(Reply::thrown(
            "error-input-is-not-a-valid-field",
            &reason,
            &details,
        ));
    }
    if text(parameters, "password").is_empty() {
        let details = json!({ "method": "insertOrUpdateUser", "field": "Password" });
        let reason = "The field Password is required";
        return Err(Reply::thrown(
            "error-the-field-is-required",
            reason,
            &details,
        ));
    }
    let mut store = server.store();
    let email = text(parameters, "email");
    let mut users = store.users.iter();
    if users.any(|user| user.username.eq_ignore_ascii_case(username)) {
        return Err(in_use(username));
    }
    let mut users = store.users.iter();
    if users.any(|user| user.email.as_deref() == Some(email)) {
        return Err(in_use(email));
    }
    let roles = roles.unwrap_or_else(|| vec!["user".to_owned()]);
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    let mut user = User::new(username, &roles);
    user.email = Some(email.to_owned());
    user.password = Some(password_digest(text(parameters, "password")));
    let body = people::as_json(&user);
    store.users.push(user);
    Ok(Reply::success("user", &body))
}

pub(in crate::rocketchat) fn update_user(
    server: &Server,
    caller: &User,
    parameters: &Value,
) -> HandlerResult {
    let id = text(parameters, "userId");
    if id != caller.id && !caller.may(Permission::EditUsers) {
        return Err(not_allowed("Editing user is not allowed", "Editing_user"));
    }
    let changes = &parameters["data"];
    let known = ["password", "roles", "requirePasswordChange"];
    let others = changes.as_object().into_iter().flat_map(|map| map.keys());
    for other in others.filter(|name| !known.contains(&name.as_str())) {
        server.violation(format!(
            "users.update with {other}, which the fake does not change"
        ));
    }
    let roles = roles(changes)?;
    let mut store = server.store();
    if store.user_by_id(id).is_none() {
        let details = Value::Null;
        return Err(Reply::thrown(
            "error-invalid-user",
            "Invalid user",
            &details,
        ));
    }
    if roles.is_some() && !caller.may(Permission::AssignRoles) {
        return Err(not_allowed("Assign roles is not allowed", "Assign_role"));
    }
    if let Some(password) = changes["password"].as_str() {
        change_password(&mut store, id, password, server.keeps_tokens);
    }
    let users = store.users.iter_mut();
    for user in users.filter(|user| user.id == id) {
        user.roles = roles.clone().unwrap_or_else(|| user.roles.clone());
    }
    let user = store.user_by_id(id).map(people::as_json);
    Ok(Reply::success("user", &user.unwrap_or_default()))
}

fn change_password(store: &mut Store, id: &str, password: &str, keeps_tokens: bool) {
    let users = store.users.iter_mut();
    for user in users.filter(|user| user.id == id) {
        user.password = Some(password_digest(password));
    }
    if !keeps_tokens {
        store.sessions.remove_all_of(id);
    }
}

/// The roles that a call asks for, if it does.
fn roles(parameters: &Value) -> Result<Option<Vec<String>>, Reply> {
    let Some(roles) = parameters["roles"].as_array() else {
        return Ok(None);
    };
    let roles: Vec<&str> = roles.iter().filter_map(Value::as_str).collect();
    if roles.iter().any(|role| !ROLES.contains(role)) {
        let reason = "The field Roles consist invalid role id";
        return Err(not_allowed(reason, "Assign_role"));
    }
    Ok(Some(roles.into_iter().map(str::to_owned).collect()))
}

fn not_allowed(reason: &str, action: &str) -> Reply {
    let details = json!({ "method": "insertOrUpdateUser", "action": action });
    Reply::thrown("error-action-not-allowed", reason, &details)
}

fn in_use(what: &str) -> Reply {
    let details = json!({ "method": "insertOrUpdateUser", "field": what });
    let reason = format!("{what} is already in use :(");
    Reply::thrown("error-field-unavailable", &reason, &details)
}
