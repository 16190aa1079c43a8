//! Words of an operator's own: templates that stand in for the words of ours. Owns what a template
//! may name and that none can take the protection off outside text. The words of ours are made in
//! [`notice`].

use std::collections::BTreeMap;

use crate::gitlab::circumstances::Circumstances;
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::notice::{self, Allowance, MAX_UNITS, Notice};

pub mod messages;
mod sample;
mod template;
mod value;

pub use sample::sample;
use template::Template;
pub use template::TemplateError;
pub use value::VARIABLES;

/// Templates of an operator's own, kind by kind; without any, the words of ours.
#[derive(Debug, Default)]
pub struct Words(BTreeMap<Kind, Template>);

impl Words {
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
    pub fn retell(&self, notice: Notice, circumstances: &Circumstances) -> Option<Notice> {
        self.retell_as(Occasion::Event, notice, circumstances)
    }

    /// The same for those who hear of it since it makes a failure good.
    pub fn retell_fix(&self, notice: Notice, circumstances: &Circumstances) -> Option<Notice> {
        self.retell_as(Occasion::Fix, notice, circumstances)
    }

    fn retell_as(
        &self,
        occasion: Occasion,
        notice: Notice,
        circumstances: &Circumstances,
    ) -> Option<Notice> {
        let Some(template) = self.0.get(&circumstances.kind) else {
            return Some(notice);
        };
        match template.render(occasion, circumstances, &notice) {
            Ok(text) if text.is_empty() => None,
            Ok(text) => Some(Notice {
                text: fit(text),
                ..notice
            }),
            Err(_) => Some(notice),
        }
    }
}

/// Why a message is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Occasion {
    /// Something happened.
    Event,
    /// It makes good a failure that was told.
    Fix,
}

impl Words {
    /// What is said of the sample of a kind.
    pub fn tell_sample(&self, kind: Kind) -> Option<(Notice, Circumstances)> {
        let (circumstances, notice) = tried(kind)?;
        Some((self.retell(notice, &circumstances)?, circumstances))
    }
}

fn try_template(kind: Kind, source: &str) -> Result<Template, TemplateError> {
    let template = Template::new(source)?;
    template.check()?;
    if let Some((circumstances, notice)) = tried(kind) {
        for occasion in [Occasion::Event, Occasion::Fix] {
            template.render(occasion, &circumstances, &notice)?;
        }
    }
    Ok(template)
}

/// The sample of a kind as a template sees it.
fn tried(kind: Kind) -> Option<(Circumstances, Notice)> {
    let body = sample(kind)?;
    let event = Event::parse(None, body.as_bytes()).ok()?;
    let circumstances = Circumstances::read(&event, body.as_bytes()).ok()?;
    let notice = notice::compose_for(&event, Allowance::default()).ok()?;
    Some((circumstances, notice))
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
            let (circumstances, _) = tried(*kind).expect("is told");
            assert_eq!(circumstances.kind, *kind);
        }
    }
}
