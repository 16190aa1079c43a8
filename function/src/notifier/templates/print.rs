//! How values are printed. Owns that outside text is in a code span, whatever a template does with it,
//! unless it is in markup of the built-in message. What may stand beside a value is decided in
//! [`seams`](super::seams).

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Output, State, Value};

use super::context::TERMS;
use super::seams::{END, PLAIN, VALUE};
use crate::limits::LIMITS;
use crate::notifier::message::MAX_PATH;
use crate::rocketchat::markup::{Inert, InlineCode};

/// What is in safe markup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// Links, code spans and words of the program.
    Code,
    /// Outside text may be plain.
    Plain,
    /// As [`Plain`](Self::Plain); a list has each on its own line.
    Line,
}

/// Safe markup: a link, or outside text as the built-in message shows it.
///
/// An object rather than a string marked as safe, because filters can split such a string and keep
/// the mark.
#[derive(Debug)]
pub(super) struct SafeMarkup {
    markup: String,
    form: Form,
}

impl SafeMarkup {
    pub(super) fn new(markup: String, form: Form) -> Self {
        Self { markup, form }
    }

    fn write(&self, out: &mut Output) -> Result<(), Error> {
        let mark = match self.form {
            Form::Code => VALUE,
            Form::Plain | Form::Line => PLAIN,
        };
        Ok(write!(out, "{mark}{}{END}", self.markup)?)
    }
}

impl Object for SafeMarkup {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.markup)
    }
}

/// The length of safe markup; `None` for any other value.
pub(super) fn markup_bytes(value: &Value) -> Option<usize> {
    let markup = value.downcast_object_ref::<SafeMarkup>();
    markup.map(|safe| safe.markup.len())
}

/// The error of a filter, in words of this program if its value is safe markup.
pub(super) fn explained(error: Error, name: &str, args: &[Value]) -> Error {
    if args.first().and_then(markup_bytes).is_none() {
        return error;
    }
    Error::new(
        ErrorKind::InvalidOperation,
        format!(
            "the filter {name} is for texts, found a part of the built-in message; use another variable, such as title"
        ),
    )
}

/// Prints one value of a template, between the marks that [`seams`](super::seams) removes. Everything
/// except terms, numbers and safe markup is printed in a code span.
pub(super) fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if let Some(safe) = value.downcast_object_ref::<SafeMarkup>() {
        return safe.write(out);
    }
    match value.kind() {
        ValueKind::None => Ok(()),
        ValueKind::Number | ValueKind::Bool => Ok(write!(out, "{value}")?),
        ValueKind::Seq | ValueKind::Iterable => print_list(out, state, value),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ => print_text(out, state, value),
    }
}

fn print_list(out: &mut Output, state: &State, list: &Value) -> Result<(), Error> {
    for (index, item) in list.try_iter()?.enumerate() {
        let safe = item.downcast_object_ref::<SafeMarkup>();
        if index > 0 {
            let is_line = safe.is_some_and(|safe| safe.form == Form::Line);
            out.write_str(if is_line { "\n" } else { ", " })?;
        }
        match safe {
            Some(safe) => safe.write(out)?,
            None => print_text(out, state, &item)?,
        }
    }
    Ok(())
}

fn print_text(out: &mut Output, state: &State, value: &Value) -> Result<(), Error> {
    let text = text_of(value);
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte == b' ';
    if value.is_safe() && text.len() <= LIMITS.texts.word && text.bytes().all(letters) {
        // Filters can mark any text as safe. Only a term of this event may stand directly beside the
        // words of the template.
        let terms = state.lookup(TERMS).unwrap_or_default();
        if terms.try_iter()?.any(|term| term.as_str() == Some(&text)) {
            return Ok(out.write_str(&text)?);
        }
        if let Some(text) = Inert::new(&text, MAX_PATH) {
            return Ok(write!(out, "{PLAIN}{text}{END}")?);
        }
    }
    match InlineCode::new(&text, MAX_PATH) {
        Some(code) => Ok(write!(out, "{VALUE}{code}{END}")?),
        None => Ok(()),
    }
}

/// The text of a value, cut off at
/// [`max_value_bytes`](crate::limits::TemplateLimits::max_value_bytes).
fn text_of(value: &Value) -> String {
    struct Start(String);

    impl fmt::Write for Start {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            self.0.push_str(piece);
            if self.0.len() > LIMITS.templates.max_value_bytes {
                return Err(fmt::Error);
            }
            Ok(())
        }
    }

    let mut start = Start(String::new());
    // Fails at the limit; what is written by then is more than a code span shows.
    let _ = fmt::write(&mut start, format_args!("{value}"));
    start.0
}
