//! The checks of every call before its handler runs: authentication, then the rate limit, then the parameters.
//! Permissions are checked by `handlers`.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value, json};

use super::people::{Permission, User};
use super::reply::Reply;
use super::server::Server;
use super::{Route, limiter, schema};

/// A received call, read to its end.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A call that passed all checks.
pub(super) struct CheckedCall {
    pub(super) user: User,
    pub(super) parameters: Value,
    pub(super) limits: Option<limiter::LimitHeaders>,
}

/// Runs the checks in order; returns the first rejection.
pub(super) fn check(server: &Server, route: Route, call: &Call) -> Result<CheckedCall, Reply> {
    let user = authenticate(server, route, call)?;
    let limits = if user.may(Permission::BypassRateLimit) {
        None
    } else {
        Some(server.store().limiter.count(route)?)
    };
    let parameters = match route.method() {
        "GET" => query_parameters(server, route, call),
        _ => body_parameters(server, route, call),
    };
    let mut rejection = match parameters {
        Ok(parameters) => {
            return Ok(CheckedCall {
                user,
                parameters,
                limits,
            });
        }
        Err(rejection) => rejection,
    };
    rejection.headers.extend(limits.into_iter().flatten());
    Err(rejection)
}

fn authenticate(server: &Server, route: Route, call: &Call) -> Result<User, Reply> {
    let mut given = ["x-user-id", "x-auth-token"].map(|name| {
        let value = call.headers.get(name);
        if value.is_none() {
            server.violation(format!("{} without {name}", route.path()));
        }
        value.map(|value| value.as_bytes().to_vec())
    });
    let token = given[1].take();
    if token.as_deref() != Some(server.auth_token.as_bytes()) {
        return Err(Reply::unauthorized());
    }
    let user_id = given[0].take();
    if user_id.as_deref() != Some(server.bot.id.as_bytes()) {
        return Err(Reply::unauthorized());
    }
    // The roles may have changed since the start.
    let store = server.store();
    let account = store.user_by_id(&server.bot.id);
    account.cloned().ok_or_else(Reply::unauthorized)
}

fn query_parameters(server: &Server, route: Route, call: &Call) -> Result<Value, Reply> {
    if !call.body.is_empty() {
        server.violation(format!("{} with a body", route.path()));
    }
    let mut parameters = Map::new();
    for pair in call.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.insert(decoded(name), decoded(value).into());
    }
    let parameters = Value::Object(parameters);
    validate(server, route, parameters)
}

fn body_parameters(server: &Server, route: Route, call: &Call) -> Result<Value, Reply> {
    let path = route.path();
    if !call.query.is_empty() {
        server.violation(format!("{path} with a query"));
    }
    let content_type = call.headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let is_json = content_type.is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("application/json")
    });
    if !is_json {
        let found = content_type.unwrap_or("none");
        server.violation(format!(
            "{path} with content type {found}, expected application/json"
        ));
    }
    let parsed = serde_json::from_slice(&call.body).ok();
    if parsed.is_none() {
        server.violation(format!("{path} with a body that is not JSON"));
    }
    // The server treats a body that it cannot parse as an empty object.
    let parameters = parsed.filter(|_| is_json).unwrap_or_else(|| json!({}));
    validate(server, route, parameters)
}

fn validate(server: &Server, route: Route, parameters: Value) -> Result<Value, Reply> {
    let Err(error) = schema::check(route, &parameters) else {
        return Ok(parameters);
    };
    server.violation(format!("{} {error}", route.path()));
    Err(match route {
        // This route validates inside its handler, so its error has the format of a thrown error.
        Route::SendMessage => Reply::thrown("invalid-params", &error, &Value::Null),
        Route::Me | Route::UserInfo | Route::RoomInfo | Route::GetMessage => {
            Reply::validation_error("error-invalid-params", &error)
        }
        Route::CreateDirectMessage | Route::UpdateMessage => {
            Reply::validation_error("invalid-params", &error)
        }
    })
}

/// Percent-decoding as for a form; bytes outside UTF-8 are replaced.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = text_of_escape(first, after).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(match (escaped, first) {
            (Some(byte), _) => byte,
            (None, b'+') => b' ',
            (None, other) => other,
        });
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn text_of_escape(first: u8, after: &[u8]) -> Option<&str> {
    let hex = after.get(..2).filter(|_| first == b'%')?;
    let hex = hex.iter().all(u8::is_ascii_hexdigit).then_some(hex)?;
    std::str::from_utf8(hex).ok()
}
