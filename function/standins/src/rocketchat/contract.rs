//! The published shape of each request, one JSON schema a route.
//! Owns the dialect: the schemas are written for a validator that knows `nullable` and words its refusals in its own way.

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

/// Whether the parameters fit the route; what is wrong with them otherwise, in the server's words.
pub(super) fn check(route: Route, parameters: &Value) -> Result<(), String> {
    let validator: &Validator = match route {
        Route::SendMessage => &SEND_MESSAGE,
        Route::CreateDirectMessage => &CREATE_DIRECT_MESSAGE,
        Route::GetMessage => &GET_MESSAGE,
        Route::UpdateMessage => &UPDATE_MESSAGE,
        Route::Me | Route::UserInfo => return Ok(()),
    };
    let mut errors = validator.iter_errors(parameters);
    errors.next().map_or(Ok(()), |error| Err(wording(&error)))
}

fn compile(text: &str) -> Validator {
    let mut schema: Value = match serde_json::from_str(text) {
        Ok(schema) => schema,
        Err(error) => panic!("a schema file is not JSON: {error}"),
    };
    spell_out_nullable(&mut schema);
    match jsonschema::draft202012::new(&schema) {
        Ok(validator) => validator,
        Err(error) => panic!("a schema file is not a schema: {error}"),
    }
}

/// `nullable: true` beside a type means that null will do, too.
fn spell_out_nullable(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let nullable = members.get("nullable") == Some(&Value::Bool(true));
            if let (true, Some(Value::String(only))) = (nullable, members.get("type")) {
                let either = Value::from(vec![only.clone(), "null".to_owned()]);
                members.insert("type".to_owned(), either);
            }
            members.values_mut().for_each(spell_out_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(spell_out_nullable),
        _ => {}
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
