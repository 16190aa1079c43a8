//! The operator's templates, which replace built-in messages. Owns which template applies to an
//! event, and that none can remove the escaping of outside text. Built-in messages are rendered in
//! [`message`].

use std::collections::BTreeMap;

use super::message::{self, Message, MessageStyle, Visibility};
use super::routing::NotifyReason;
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::verification::Verified;
use crate::limits::LIMITS;

mod context;
mod emphasis;
mod examples;
mod format;
mod filters;
mod value_tests;
mod truncate;
mod language;
mod missing;
mod names;
mod parse;
mod print;
mod seams;
mod template;

pub use context::VARIABLES;
pub use examples::example;
pub use parse::parse;
use template::Template;
pub(crate) use template::TemplateError;

/// The operator's templates by kind; a kind without a template has its built-in message.
#[derive(Debug, Default)]
pub struct Templates(BTreeMap<Kind, Template>);

/// The result of applying templates to an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Applied {
    /// The text to send.
    Text(String),
    /// The template rendered no text, so nothing is sent.
    Nothing,
    /// The template failed on this event, although it rendered the example. Contains the built-in
    /// message, which is sent instead.
    Failed(String),
}

impl Applied {
    /// The text to send.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Failed(text) => Some(text),
            Self::Nothing => None,
        }
    }
}

impl Templates {
    /// Compiles templates, each for one or several kinds, and renders it with the examples of these.
    /// Returns all errors at once, each with the prefix that the caller gave. An error of several kinds is
    /// returned once; it names them unless all kinds of the template have it.
    pub fn with<'a>(
        templates: impl IntoIterator<Item = (Vec<Kind>, &'a str, String)>,
    ) -> Result<Self, Vec<String>> {
        let mut usable = BTreeMap::new();
        let mut errors = Vec::new();
        for (kinds, source, place) in templates {
            let mut found: Vec<(TemplateError, Vec<&str>)> = Vec::new();
            for kind in &kinds {
                match try_template(*kind, source) {
                    Ok(template) => drop(usable.insert(*kind, template)),
                    Err(error) => match found.iter_mut().find(|(other, _)| *other == error) {
                        Some((_, failed)) => failed.push(kind.label()),
                        None => found.push((error, vec![kind.label()])),
                    },
                }
            }
            errors.extend(found.into_iter().map(|(error, failed)| {
                if failed.len() == kinds.len() {
                    format!("{place}{error}")
                } else {
                    format!("{place}{}: {error}", failed.join(", "))
                }
            }));
        }
        if errors.is_empty() {
            Ok(Self(usable))
        } else {
            Err(errors)
        }
    }

    /// The text for recipients who are notified for `reason`; `builtin` is the built-in message.
    pub fn apply(&self, reason: NotifyReason, event: &Event, builtin: &Message) -> Applied {
        let Some(template) = self.0.get(&event.kind()) else {
            return Applied::Text(builtin.text());
        };
        match template.render(reason, event, builtin) {
            Ok(text) if text.is_empty() => Applied::Nothing,
            Ok(text) => Applied::Text(fit(text)),
            Err(_) => Applied::Failed(builtin.text()),
        }
    }

    /// Why the template fails on this event, for an operator who tries it.
    pub(crate) fn failure(&self, event: &Event, builtin: &Message) -> Option<TemplateError> {
        let template = self.0.get(&event.kind())?;
        template.render(NotifyReason::Event, event, builtin).err()
    }

    /// The result for the example of a kind, and that example.
    pub fn apply_to_example(&self, kind: Kind) -> Option<(Applied, Event)> {
        let (event, builtin) = example_message(kind)?;
        Some((self.apply(NotifyReason::Event, &event, &builtin), event))
    }
}

fn try_template(kind: Kind, source: &str) -> Result<Template, TemplateError> {
    let template = Template::new(source)?;
    template.check()?;
    if let Some((event, builtin)) = example_message(kind) {
        for reason in [NotifyReason::Event, NotifyReason::Fix] {
            template.render(reason, &event, &builtin)?;
        }
    }
    Ok(template)
}

/// The example of a kind and its built-in message.
fn example_message(kind: Kind) -> Option<(Event, Message)> {
    let body = Verified::by_operator(example(kind)?.as_bytes());
    let event = Event::parse(None, body).ok()?;
    let builtin = message::render(&event, Visibility::default(), MessageStyle::default()).ok()?;
    Some((event, builtin))
}

/// Cuts a text to the [limit of a message](crate::limits::TextLimits::message), at the last space outside
/// code spans, so that outside text stays in its code span. Links contain spaces only in their labels, and
/// what is left of such a label is no link.
fn fit(mut text: String) -> String {
    let mut units = 0;
    let mut in_code = false;
    let mut end = 0;
    for (at, char) in text.char_indices() {
        in_code ^= char == '`';
        // Leaves one unit for the ellipsis.
        if units < LIMITS.texts.message && !in_code && char.is_whitespace() {
            end = at;
        }
        units += char.len_utf16();
    }
    if units > LIMITS.texts.message {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_fits_stays_as_it_is() {
        let text = "a ".repeat(LIMITS.texts.message / 2);
        assert_eq!(fit(text.clone()), text);
    }

    #[test]
    fn a_longer_text_is_cut_between_words_and_never_in_a_code_span() {
        let span = format!("`{} b`", "a".repeat(100));
        let cut = fit(format!("{span} ").repeat(60));
        assert!(
            cut.encode_utf16().count() <= LIMITS.texts.message,
            "{}",
            cut.len()
        );
        assert_eq!(cut.matches('`').count() % 2, 0, "an open code span");
        assert!(cut.ends_with("b`…"), "{cut}");
        assert_eq!(fit("😀".repeat(LIMITS.texts.message)), "…");
    }

    #[test]
    fn every_kind_has_an_example_with_a_message() {
        for kind in Kind::known() {
            let (event, _) = example_message(kind).expect("has a message");
            assert_eq!(event.kind(), kind);
        }
    }
}
