//! The filters and functions of templates. Owns how large a value may be that enters or leaves a
//! filter, and how much all filters of one message may process. The tests are in
//! [`value_tests`](super::value_tests); which operators a template may use is decided in
//! [`language`](super::language).

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};

use super::missing;
use super::print::{explained, markup_bytes};
use super::truncate::truncate;
use super::value_tests::add_tests;
use crate::limits::LIMITS;

macro_rules! filters {
    ($($label:literal => $filter:path,)+) => {
        /// The filters; others make values larger, or make sense only for maps and for HTML.
        pub(super) const FILTERS: &[&str] = &[$($label),+];

        fn add_filters(environment: &mut Environment) {
            $(add_filter(environment, $label, Value::from_function($filter));)+
        }
    };
}

filters! {
    "abs" => filters::abs,
    "bool" => filters::bool,
    "capitalize" => filters::capitalize,
    "count" => filters::length,
    "d" => filters::default,
    "default" => filters::default,
    "e" => filters::escape,
    "escape" => filters::escape,
    "first" => filters::first,
    "float" => filters::float,
    "int" => filters::int,
    "join" => filters::join,
    "last" => filters::last,
    "length" => filters::length,
    "lines" => filters::lines,
    "list" => filters::list,
    "lower" => filters::lower,
    "max" => filters::max,
    "min" => filters::min,
    "replace" => filters::replace,
    "reverse" => filters::reverse,
    "round" => filters::round,
    "safe" => filters::safe,
    "sort" => filters::sort,
    "split" => filters::split,
    "string" => filters::string,
    "title" => filters::title,
    "trim" => filters::trim,
    "truncate" => truncate,
    "unique" => filters::unique,
    "upper" => filters::upper,
}

/// The only function.
pub(super) const FUNCTION: &str = "range";

/// Adds all that a template can use. An environment that starts with the library's own filters would also
/// make the program larger.
pub(super) fn add(environment: &mut Environment) {
    add_filters(environment);
    add_tests(environment);
    environment.add_function(FUNCTION, range);
}

/// Adds a filter with a bound.
fn add_filter(environment: &mut Environment, name: &'static str, filter: Value) {
    environment.add_filter(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
        limited(name, &filter, state, &args.into_values())
    });
}

/// The bytes that the filters of this message have processed.
struct Processed(usize);

fn limited(name: &str, filter: &Value, state: &mut State, args: &[Value]) -> Result<Value, Error> {
    if args.first().is_some_and(Value::is_none) {
        return missing::without_value(name, filter, state, args);
    }
    let mut sizes = Vec::with_capacity(args.len());
    for arg in args {
        sizes.push(size(arg)?);
    }
    let all: usize = sizes.iter().map(|size| size.bytes + size.entries).sum();
    process(state, all)?;
    let value = sizes.first().copied().unwrap_or_default();
    let rest = all - value.bytes - value.entries;
    let expected = match (name, args) {
        ("join", _) => value.bytes + value.entries * rest,
        ("replace", [text, from, to, ..]) => value.bytes + matches(text, from) * size(to)?.bytes,
        ("max" | "min" | "sort" | "trim" | "unique", _) => {
            // Each character or entry is compared with the arguments, or looked up with them; sorting
            // compares it with about sixteen others.
            process(state, value.entries * (rest + 16))?;
            0
        }
        _ => 0,
    };
    if expected > LIMITS.templates.max_value_bytes {
        return Err(too_large());
    }
    let present;
    let args = if name == "join" {
        present =
            missing::without_missing_entries(args).map_err(|error| explained(error, name, args))?;
        &present
    } else {
        args
    };
    let result = filter
        .call(state, args)
        .map_err(|error| explained(error, name, args))?;
    // Such as the first entry of an empty list.
    if result.is_undefined() {
        return Ok(Value::from(()));
    }
    let size = size(&result)?;
    process(state, size.bytes + size.entries)?;
    Ok(result)
}

fn process(state: &mut State, bytes: usize) -> Result<(), Error> {
    let Processed(sum) = state.get_or_insert_extension(Processed(0));
    *sum += bytes;
    if *sum > LIMITS.templates.max_processed_bytes {
        return Err(Error::new(
            ErrorKind::OutOfFuel,
            "the filters of the message process too much text",
        ));
    }
    Ok(())
}

/// How often `replace` inserts its replacement.
fn matches(text: &Value, from: &Value) -> usize {
    let (text, from) = (text.to_string(), from.to_string());
    text.matches(&from).count()
}

/// The size of a value. Each character of a text counts as an entry, because filters for lists accept
/// texts.
#[derive(Clone, Copy, Default)]
struct Size {
    bytes: usize,
    entries: usize,
}

/// The size of a scalar or of a list of scalars; an error if it is too large or another value.
fn size(value: &Value) -> Result<Size, Error> {
    let entries = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?,
        ValueKind::Map if value.is_kwargs() => {
            let mut bytes = 0;
            for key in value.try_iter()? {
                bytes += scalar(&value.get_item(&key)?)?;
            }
            return Ok(Size { bytes, entries: 0 });
        }
        _ => {
            let bytes = scalar(value)?;
            return Ok(Size {
                bytes,
                entries: value.as_str().map_or(0, str::len),
            });
        }
    };
    let mut size = Size::default();
    for entry in entries {
        size.entries += 1;
        size.bytes += scalar(&entry)?;
        if size.entries > LIMITS.templates.max_entries
            || size.bytes > LIMITS.templates.max_list_bytes
        {
            return Err(too_large());
        }
    }
    Ok(size)
}

fn scalar(value: &Value) -> Result<usize, Error> {
    /// The longest number, 2^128.
    const NUMBER: usize = 40;
    let bytes = match value.kind() {
        ValueKind::Undefined | ValueKind::None | ValueKind::Bool | ValueKind::Number => NUMBER,
        ValueKind::String => value.as_str().unwrap_or_default().len(),
        _ => markup_bytes(value).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                "expected a text, a number or a list of them",
            )
        })?,
    };
    if bytes > LIMITS.templates.max_value_bytes {
        return Err(too_large());
    }
    Ok(bytes)
}

fn too_large() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the value is too large")
}

/// The numbers from `lower`, or else from 0, to `upper`.
fn range(lower: i64, upper: Option<i64>, step: Option<i64>) -> Result<Value, Error> {
    let (start, end) = upper.map_or((0, lower), |upper| (lower, upper));
    let step = usize::try_from(step.unwrap_or(1))
        .ok()
        .filter(|step| *step > 0);
    let Some(step) = step else {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "expected a positive step",
        ));
    };
    let numbers: Vec<_> = (start..end)
        .step_by(step)
        .take(LIMITS.templates.max_entries + 1)
        .collect();
    if numbers.len() > LIMITS.templates.max_entries {
        return Err(too_large());
    }
    Ok(Value::from(numbers))
}
