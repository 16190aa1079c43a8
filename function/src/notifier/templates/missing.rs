//! Values that GitLab does not send. Owns what filters make of them, because the usual filters would show
//! the word "None" or fail. Which filters exist is decided in [`filters`](super::filters).

use minijinja::{Error, State, Value};

/// The result of a filter for a missing value: missing too, which a message shows as nothing.
pub(super) fn without_value(
    name: &str,
    filter: &Value,
    state: &mut State,
    args: &[Value],
) -> Result<Value, Error> {
    match (name, args) {
        ("default" | "d", [_, rest @ ..]) => {
            let args = [&[Value::UNDEFINED], rest].concat();
            filter.call(state, &args)
        }
        ("count" | "length", _) => Ok(Value::from(0)),
        ("bool", _) => Ok(Value::from(false)),
        _ => Ok(Value::from(())),
    }
}

/// The arguments of a filter for a list, without the missing entries of the list.
pub(super) fn without_missing_entries(args: &[Value]) -> Result<Vec<Value>, Error> {
    let [list, rest @ ..] = args else {
        return Ok(Vec::new());
    };
    let entries = list.try_iter()?.filter(|entry| !entry.is_none());
    let list = Value::from(entries.collect::<Vec<_>>());
    Ok([&[list], rest].concat())
}
