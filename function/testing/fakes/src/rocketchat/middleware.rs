//! The checks of every call before its handler runs: authentication, then the rate limit, then the parameters, then
//! the second factor. Permissions are checked by `handlers`.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value, json};

use super::people::{Permission, User};
use super::reply::Reply;
use super::server::Server;
use super::sessions::Session;
use super::{Route, limiter, schema, second_factor};

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
    /// Who calls; nobody on a route that needs no account.
    pub(super) caller: Option<Caller>,
    pub(super) parameters: Value,
    pub(super) limits: Option<limiter::LimitHeaders>,
}

/// The account of a call, and what it signed in with.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) user: User,
    pub(super) session: Session,
}

/// Runs the checks in order; returns the first rejection.
pub(super) fn check(server: &Server, route: Route, call: &Call) -> Result<CheckedCall, Reply> {
    let caller = if route.needs_account() {
        Some(authenticate(server, route, call)?)
    } else {
        None
    };
    let is_unlimited = caller
        .as_ref()
        .is_some_and(|caller| caller.user.may(Permission::BypassRateLimit));
    let limits = if is_unlimited {
        None
    } else {
        Some(server.store().limiter.count(route)?)
    };
    let parameters = match route.method() {
        "GET" => query_parameters(server, route, call),
        _ => body_parameters(server, route, call),
    };
    let checked = parameters.and_then(|parameters| {
        match &caller {
            Some(caller) if route.needs_second_factor() => {
                second_factor::check(caller, &call.headers)?;
            }
            _ => {}
        }
        Ok(parameters)
    });
    match checked {
        Ok(parameters) => Ok(CheckedCall {
            caller,
            parameters,
            limits,
        }),
        Err(mut rejection) => {
            rejection.headers.extend(limits.into_iter().flatten());
            Err(rejection)
        }
    }
}

fn authenticate(server: &Server, route: Route, call: &Call) -> Result<Caller, Reply> {
    let given = ["x-user-id", "x-auth-token"].map(|name| {
        let value = call.headers.get(name);
        if value.is_none() {
            server.violation(format!("{} without {name}", route.path()));
        }
        value.map(|value| value.as_bytes().to_vec())
    });
    let [Some(user_id), Some(token)] = given else {
        return Err(Reply::unauthorized());
    };
    let (user_id, token) = (
        String::from_utf8_lossy(&user_id),
        String::from_utf8_lossy(&token),
    );
    // The roles may have changed since the start.
    let store = server.store();
    let session = store.sessions.of(&user_id, &token);
    let user = store.user_by_id(&user_id).filter(|user| user.active);
    match (user, session) {
        (Some(user), Some(session)) => Ok(Caller {
            user: user.clone(),
            session: session.clone(),
        }),
        _ => Err(Reply::unauthorized()),
    }
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
    if route == Route::LogOut && call.body.is_empty() {
        return Ok(json!({}));
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
        Route::CreateDirectMessage
        | Route::PostMessage
        | Route::UpdateMessage
        | Route::Info
        | Route::LogIn
        | Route::LogOut
        | Route::CreateUser
        | Route::UpdateUser
        | Route::ListAccessTokens
        | Route::GenerateAccessToken
        | Route::RegenerateAccessToken => Reply::validation_error("invalid-params", &error),
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
