//! Validates request parameters against Rocket.Chat's published JSON schemas, one per route; see `schemas/README.md`.
//! Owns the error texts. `null` is rejected even where the real server accepts it, because our client never sends it.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::Route;

static SEND_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/chat.sendMessage.json")));
static POST_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/chat.postMessage.json")));
static CREATE_DIRECT_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/im.create.json")));
static GET_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/chat.getMessage.json")));
static UPDATE_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/chat.update.json")));
static ROOM_INFO: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/rooms.info.json")));
static USER_INFO: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/users.info.json")));

static LOG_IN: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/login.json")));
static CREATE_USER: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/users.create.json")));
static UPDATE_USER: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/users.update.json")));
/// Not published: what the handlers of these routes read.
static GENERATE_ACCESS_TOKEN: LazyLock<Validator> = LazyLock::new(|| {
    compile(
        r#"{"type": "object", "additionalProperties": false, "properties": {"tokenName": {"type": "string"}, "bypassTwoFactor": {"type": "boolean"}}}"#,
    )
});
static REGENERATE_ACCESS_TOKEN: LazyLock<Validator> = LazyLock::new(|| {
    compile(
        r#"{"type": "object", "additionalProperties": false, "properties": {"tokenName": {"type": "string"}}}"#,
    )
});
static NO_PARAMETERS: LazyLock<Validator> =
    LazyLock::new(|| compile(r#"{"type": "object", "additionalProperties": false}"#));

/// Validates the parameters of a route; the error is the server's text.
pub(super) fn check(route: Route, parameters: &Value) -> Result<(), String> {
    let validator: &Validator = match route {
        Route::SendMessage => &SEND_MESSAGE,
        Route::PostMessage => &POST_MESSAGE,
        Route::CreateDirectMessage => &CREATE_DIRECT_MESSAGE,
        Route::GetMessage => &GET_MESSAGE,
        Route::UpdateMessage => &UPDATE_MESSAGE,
        Route::RoomInfo => &ROOM_INFO,
        Route::UserInfo => &USER_INFO,
        Route::LogIn => &LOG_IN,
        Route::CreateUser => &CREATE_USER,
        Route::UpdateUser => &UPDATE_USER,
        Route::GenerateAccessToken => &GENERATE_ACCESS_TOKEN,
        Route::RegenerateAccessToken => &REGENERATE_ACCESS_TOKEN,
        Route::Info | Route::LogOut | Route::ListAccessTokens => &NO_PARAMETERS,
        Route::Me => return Ok(()),
    };
    let mut errors = validator.iter_errors(parameters);
    errors
        .next()
        .map_or(Ok(()), |error| Err(error_text(&error)))
}

fn compile(text: &str) -> Validator {
    let schema: Value = match serde_json::from_str(text) {
        Ok(schema) => schema,
        Err(error) => panic!("a schema file is not JSON: {error}"),
    };
    match jsonschema::draft202012::new(&schema) {
        Ok(validator) => validator,
        Err(error) => panic!("a schema file is not a JSON schema: {error}"),
    }
}

/// The error text of the server's validator.
fn error_text(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            format!("must have required property '{name}'")
        }
        ValidationErrorKind::AdditionalProperties { .. } => {
            "must NOT have additional properties".to_owned()
        }
        ValidationErrorKind::Type {
            kind: TypeKind::Single(only),
        } => format!("must be {only}"),
        ValidationErrorKind::AnyOf { .. } => "must match a schema in anyOf".to_owned(),
        ValidationErrorKind::OneOfNotValid { .. }
        | ValidationErrorKind::OneOfMultipleValid { .. } => {
            "must match exactly one schema in oneOf".to_owned()
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("must NOT have fewer than {limit} characters")
        }
        _ => error.to_string(),
    }
}
