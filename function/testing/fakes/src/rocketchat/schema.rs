//! The published shape of each request, one JSON schema a route.
//! The schemas are Rocket.Chat's own, see `schemas/README.md`.
//! Owns the wording of the refusals; `null` is refused where the real server would take it, since our client never sends one.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::Route;

static SEND_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/chat.sendMessage.json")));
static CREATE_DIRECT_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/im.create.json")));
static GET_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/chat.getMessage.json")));
static UPDATE_MESSAGE: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/chat.update.json")));
static USER_INFO: LazyLock<Validator> =
    LazyLock::new(|| compile(include_str!("../../schemas/users.info.json")));

/// Whether the parameters fit the route; what is wrong with them otherwise, in the server's words.
pub(super) fn check(route: Route, parameters: &Value) -> Result<(), String> {
    let validator: &Validator = match route {
        Route::SendMessage => &SEND_MESSAGE,
        Route::CreateDirectMessage => &CREATE_DIRECT_MESSAGE,
        Route::GetMessage => &GET_MESSAGE,
        Route::UpdateMessage => &UPDATE_MESSAGE,
        Route::UserInfo => &USER_INFO,
        Route::Me => return Ok(()),
    };
    let mut errors = validator.iter_errors(parameters);
    errors.next().map_or(Ok(()), |error| Err(wording(&error)))
}

fn compile(text: &str) -> Validator {
    let schema: Value = match serde_json::from_str(text) {
        Ok(schema) => schema,
        Err(error) => panic!("a schema file is not JSON: {error}"),
    };
    match jsonschema::draft202012::new(&schema) {
        Ok(validator) => validator,
        Err(error) => panic!("a schema file is not a schema: {error}"),
    }
}

/// The refusal as the server's own validator would put it.
fn wording(error: &ValidationError<'_>) -> String {
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
