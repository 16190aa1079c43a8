//! Templates of an operator's own: templates that stand in for the words of ours. Owns what a template
//! may name and that none can take the protection off outside text. The words of ours are made in
//! [`message`].

use std::collections::BTreeMap;

use crate::gitlab::attributes::EventAttributes;
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::notifier::message::{self, MAX_UNITS, Message, Visibility};

mod context;
mod examples;
mod parse;
mod template;

pub use context::VARIABLES;
pub use examples::example;
pub use parse::parse;
use template::Template;
pub use template::TemplateError;

/// Templates of an operator's own, kind by kind; without any, the words of ours.
#[derive(Debug, Default)]
pub struct Templates(BTreeMap<Kind, Template>);

impl Templates {
    /// Tries every template on the sample of its kind. All mistakes are reported at once, each
    /// with the place the caller gave it.
    pub fn with<'a>(
        templates: impl IntoIterator<Item = (Kind, &'a str, String)>,
    ) -> Result<Self, Vec<String>> {
        let mut words = BTreeMap::new();
        let mut mistakes = Vec::new();
        for (kind, source, place) in templates {
            match try_template(kind, source) {
                Ok(template) => drop(words.insert(kind, template)),
                Err(error) => mistakes.push(format!("{place}: {error}")),
            }
        }
        if mistakes.is_empty() {
            Ok(Self(words))
        } else {
            Err(mistakes)
        }
    }

    /// Whether there is a template for this kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.0.contains_key(&kind)
    }

    /// The message in the operator's words; `None` where a template says nothing.
    ///
    /// A template that fails on an event, though it passed on the sample, gives way to the words of
    /// ours: a message in other words is better than none.
    pub fn apply(&self, message: Message, attributes: &EventAttributes) -> Option<Message> {
        self.apply_as(NotifyReason::Event, message, attributes)
    }

    /// The same for those who hear of it since it makes a failure good.
    pub fn apply_fix(&self, message: Message, attributes: &EventAttributes) -> Option<Message> {
        self.apply_as(NotifyReason::Fix, message, attributes)
    }

    fn apply_as(
        &self,
        reason: NotifyReason,
        message: Message,
        attributes: &EventAttributes,
    ) -> Option<Message> {
        let Some(template) = self.0.get(&attributes.kind) else {
            return Some(message);
        };
        match template.render(reason, attributes, &message) {
            Ok(text) if text.is_empty() => None,
            Ok(text) => Some(Message {
                text: fit(text),
                ..message
            }),
            Err(_) => Some(message),
        }
    }
}

/// Why a message is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NotifyReason {
    /// Something happened.
    Event,
    /// It makes good a failure that was told.
    Fix,
}

impl Templates {
    /// What is said of the sample of a kind.
    pub fn render_example(&self, kind: Kind) -> Option<(Message, EventAttributes)> {
        let (attributes, message) = tried(kind)?;
        Some((self.apply(message, &attributes)?, attributes))
    }
}

fn try_template(kind: Kind, source: &str) -> Result<Template, TemplateError> {
    let template = Template::new(source)?;
    template.check()?;
    if let Some((attributes, message)) = tried(kind) {
        for reason in [NotifyReason::Event, NotifyReason::Fix] {
            template.render(reason, &attributes, &message)?;
        }
    }
    Ok(template)
}

/// The sample of a kind as a template sees it.
fn tried(kind: Kind) -> Option<(EventAttributes, Message)> {
    let body = example(kind)?;
    let event = Event::parse(None, body.as_bytes()).ok()?;
    let attributes = EventAttributes::read(&event, body.as_bytes()).ok()?;
    let message = message::build_for(&event, Visibility::default()).ok()?;
    Some((attributes, message))
}

/// The text, or as much of it as may be sent: up to the last space that is in no code span, where
/// all outside text is. Links hold spaces in their labels only, and those are ours.
fn fit(mut text: String) -> String {
    let mut units = 0;
    let mut in_code = false;
    let mut end = 0;
    for (at, char) in text.char_indices() {
        in_code ^= char == '`';
        // Leaves room for the ellipsis.
        if units < MAX_UNITS && !in_code && char.is_whitespace() {
            end = at;
        }
        units += char.len_utf16();
    }
    if units > MAX_UNITS {
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
        let text = "a ".repeat(MAX_UNITS / 2);
        assert_eq!(fit(text.clone()), text);
    }

    #[test]
    fn a_longer_text_is_cut_between_words_and_never_in_a_code_span() {
        let span = format!("`{} b`", "a".repeat(100));
        let cut = fit(format!("{span} ").repeat(60));
        assert!(cut.encode_utf16().count() <= MAX_UNITS, "{}", cut.len());
        assert_eq!(cut.matches('`').count() % 2, 0, "an open code span");
        assert!(cut.ends_with("b`…"), "{cut}");
        assert_eq!(fit("😀".repeat(MAX_UNITS)), "…");
    }

    #[test]
    fn every_kind_has_a_sample_that_is_told() {
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Other) {
            let (attributes, _) = tried(*kind).expect("is told");
            assert_eq!(attributes.kind, *kind);
        }
    }
}
