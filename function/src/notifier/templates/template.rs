//! One template: compiled once, checked at startup, rendered within limits. Owns the limits of time
//! and output. The variables are in [`context`](super::context), the operators and filters in
//! [`language`](super::language) and [`filters`].

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::context::{Context, VARIABLES};
use super::emphasis;
use super::filters;
use super::language::first_unavailable;
use super::names::{place, with_line, without_value};
use super::print::print;
use super::seams;
use crate::gitlab::event::Event;
use crate::limits::LIMITS;
use crate::notifier::message::Message;
use crate::notifier::routing::NotifyReason;
use crate::notifier::words::Words;

const NAME: &str = "message";

/// A compiled template.
#[derive(Debug)]
pub(super) struct Template(Environment<'static>);

/// Why a template cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// The source is too long.
    #[error("expected a template of at most {} bytes", LIMITS.templates.max_source_bytes)]
    TooLong,
    /// A character that could break the code span around a value.
    #[error(
        "found {0}, which could break the code spans around values; leave it out, because values already have code spans"
    )]
    Forbidden(&'static str),
    /// A character that is not visible and has no effect.
    #[error("found a control character, expected only visible characters; leave it out")]
    Control,
    /// Invalid syntax.
    #[error("{0}")]
    Syntax(String),
    /// An operator, a block or a filter that templates cannot use.
    #[error("{0}")]
    Unavailable(String),
    /// Unknown variables, and what to write.
    #[error("there is no {}; {}", .0.join(" and no "), .1)]
    Unknown(Vec<String>, String),
    /// Valid syntax, but rendering failed.
    #[error("{0}")]
    Render(String),
}

impl Template {
    /// Compiles a template.
    pub(super) fn new(source: &str) -> Result<Self, TemplateError> {
        if source.len() > LIMITS.templates.max_source_bytes {
            return Err(TemplateError::TooLong);
        }
        // Values are printed in code spans. A backtick or a backslash before a value would move the
        // boundaries of its code span, and two dollar signs would make it a formula.
        for (forbidden, name) in [
            ('`', "a grave accent"),
            ('\\', "a backslash"),
            ('$', "a dollar sign"),
        ] {
            if source.contains(forbidden) {
                return Err(TemplateError::Forbidden(name));
            }
        }
        // Some of them mark where a value begins and ends.
        if source.contains(|char: char| char.is_control() && !char.is_whitespace()) {
            return Err(TemplateError::Control);
        }
        let failed = |error: &Error| TemplateError::Syntax(describe(error, source));
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(print);
        environment.set_fuel(Some(LIMITS.templates.max_steps));
        let syntax = syntax().map_err(|error| failed(&error))?;
        let unavailable = first_unavailable(source, syntax.clone());
        if let Some((line, found)) = unavailable.map_err(|error| failed(&error))? {
            let place = place(source, Some(line.into()));
            return Err(TemplateError::Unavailable(format!("{place}{found}")));
        }
        filters::add(&mut environment);
        environment.set_syntax(syntax);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| failed(&error))?;
        Ok(Self(environment))
    }

    /// Fails if the template uses unknown variables.
    pub(super) fn check(&self) -> Result<(), TemplateError> {
        let used = self.names().into_iter();
        let unknown: Vec<_> = used
            .filter(|name| !VARIABLES.contains(&name.as_str()))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let source = self.source();
        let with_lines = unknown.iter().map(|name| with_line(&source, name));
        Err(TemplateError::Unknown(
            with_lines.collect(),
            suggestions(&unknown),
        ))
    }

    /// The source, for errors.
    fn source(&self) -> String {
        let template = self.0.get_template(NAME);
        template.map_or_else(|_| String::new(), |template| template.source().to_owned())
    }

    /// The variables that the template uses, sorted, without the functions of the language.
    fn names(&self) -> Vec<String> {
        let Ok(template) = self.0.get_template(NAME) else {
            return Vec::new();
        };
        let globals: Vec<_> = self.0.globals().map(|(name, _)| name.to_owned()).collect();
        let mut names: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        names.retain(|name| !globals.contains(name));
        names.sort_unstable();
        names
    }

    /// The message, trimmed and cut off at the output limit. `builtin` is the built-in message.
    pub(super) fn render(
        &self,
        reason: NotifyReason,
        event: &Event,
        builtin: &Message,
    ) -> Result<String, TemplateError> {
        let failed = |error: &Error| TemplateError::Render(describe(error, &self.source()));
        let template = self.0.get_template(NAME).map_err(|error| failed(&error))?;
        let context = Value::from_object(Context::new(reason, event, builtin));
        let mut output = Bounded(Vec::new());
        let rendered = template.render_captured_to(context, &mut output).map(drop);
        match rendered {
            Err(error) if !output.is_full() => Err(failed(&error)),
            _ => Ok(output.into_text()),
        }
    }
}

/// People's words for variables.
const SYNONYMS: &[(&str, &str)] = &[
    ("branch", "ref"),
    ("user", "actor"),
    ("username", "actor"),
    ("url", "page"),
    ("link", "page"),
    ("message", "default_message"),
    ("description", "text"),
    ("duration", "duration_seconds"),
    ("id", "number"),
    ("iid", "number"),
    ("state", "status"),
    ("event", "kind"),
    ("repository", "project"),
    ("job", "jobs"),
    ("emoji", "sign"),
    ("icon", "sign"),
    ("first_line", "headline"),
    ("summary", "headline"),
    ("source", "started"),
    ("failure_reason", "reason"),
    ("diff", "compare"),
    ("reviewer", "reviewers"),
    ("assignee", "assignees"),
];

/// The nearest variables, or all of them if one of the names is near to none.
fn suggestions(unknown: &[String]) -> String {
    let variables = Words {
        known: VARIABLES,
        synonyms: SYNONYMS,
        advice: &[],
    };
    let nearest: Option<Vec<_>> = unknown.iter().map(|name| variables.nearest(name)).collect();
    match nearest {
        Some(names) => format!("did you mean {}?", names.join(" and ")),
        None => format!("there are {}", VARIABLES.join(", ")),
    }
}

/// A syntax in which a line that contains only a tag leaves no empty line.
fn syntax() -> Result<SyntaxConfig, Error> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
}

/// The message of an error with its line, without the source text that the library adds.
fn describe(error: &Error, source: &str) -> String {
    let line = error.line();
    let place = place(source, line);
    match error.detail() {
        None if error.kind() == ErrorKind::UndefinedError => {
            format!("{place}{}", without_value(source, line))
        }
        Some(detail) => format!("{place}{}: {detail}", error.kind()),
        None => format!("{place}{}", error.kind()),
    }
}

/// A writer that keeps complete pieces up to
/// [`max_output_bytes`](crate::limits::TemplateLimits::max_output_bytes) and fails at the first one
/// beyond it.
struct Bounded(Vec<u8>);

/// Marks an output that was cut off. Not valid UTF-8, so no template can write it.
const FULL: u8 = 0xff;

impl Bounded {
    fn is_full(&self) -> bool {
        self.0.last() == Some(&FULL)
    }

    fn into_text(mut self) -> String {
        if self.is_full() {
            self.0.pop();
        }
        let marked = seams::join(&String::from_utf8_lossy(&self.0));
        emphasis::protect(&marked).trim().to_owned()
    }
}

impl io::Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.is_full() || self.0.len() + piece.len() > LIMITS.templates.max_output_bytes {
            if !self.is_full() {
                self.0.push(FULL);
            }
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.0.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
