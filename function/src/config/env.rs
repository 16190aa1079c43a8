//! Reads single settings and collects all errors and warnings. Owns their format. Values are found in
//! [`source`](super::source); which of them an error shows is decided in [`wrong_value`](super::wrong_value).
//! Which settings exist is in [`catalogue`](super::catalogue).

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::ops::RangeInclusive;

use super::mistake::Mistake;
use super::{misspelling, words};

/// Reads settings from environment variables.
pub(super) struct EnvReader<'a> {
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) read_file: &'a dyn Fn(&str) -> io::Result<String>,
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> EnvReader<'a> {
    pub(super) fn new(
        variables: &'a BTreeMap<String, String>,
        read_file: &'a dyn Fn(&str) -> io::Result<String>,
    ) -> Self {
        Self {
            variables,
            read_file,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// All errors and all warnings, in the order in which the settings were read.
    pub(super) fn finish(self) -> (Vec<String>, Vec<String>) {
        (self.errors, self.warnings)
    }

    /// Records an error in a setting. `problem` must not contain the value, which may be a secret.
    pub(super) fn error(&mut self, name: &str, problem: impl Display) {
        self.errors.push(format!("{name}: {problem}"));
    }

    /// Records a warning about a setting. `problem` must not contain a secret.
    pub(super) fn warn(&mut self, name: &str, problem: impl Display) {
        self.warnings.push(format!("{name}: {problem}"));
    }

    /// Records warnings that name their setting. None of them contains a secret.
    pub(super) fn warn_all(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.extend(warnings);
    }

    /// Records that none of `names`, of which one is required, is set. `hint` says what to set. A variable
    /// that was probably meant as one of them is named, too.
    pub(super) fn missing(&mut self, names: &[&str], hint: &str) {
        let meant = names
            .iter()
            .find_map(|name| misspelling::meant_as(name, self.variables));
        let advice = meant.map_or_else(String::new, |(found, meant)| {
            format!("; {found} is set: is it meant as {meant}?")
        });
        let name = names.first().copied().unwrap_or_default();
        self.error(name, format_args!("is not set; {hint}{advice}"));
    }

    /// Whether a variable exists and is not blank.
    pub(super) fn is_filled(&self, name: &str) -> bool {
        let value = self.variables.get(name);
        value.is_some_and(|value| !value.trim().is_empty())
    }

    /// Whether a setting is given, in a variable or in a file.
    pub(super) fn has_value(&self, name: &str) -> bool {
        self.is_filled(name) || self.is_filled(&format!("{name}_FILE"))
    }

    /// A required setting; `hint` says what to set it to.
    pub(super) fn required<T, E: Display>(
        &mut self,
        name: &str,
        hint: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let errors = self.errors.len();
        let value = self.optional(name, parse);
        if value.is_none() && self.errors.len() == errors {
            self.missing(&[name], hint);
        }
        value
    }

    /// An optional setting.
    pub(super) fn optional<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.suggesting(name, parse, |_| None)
    }

    /// An optional setting that is a path, which is a mistake elsewhere.
    pub(super) fn path<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.value(name)?.text;
        let parsed = self.parse(name, &text, parse, |_| None);
        parsed.map_err(|problem| self.error(name, problem)).ok()
    }

    /// An optional setting; an error shows a value that is no secret, and the suggestion for it.
    pub(super) fn suggesting<'s, T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
        suggest: impl Fn(&str) -> Option<&'s str>,
    ) -> Option<T> {
        let parsed = self.parsed(name, parse, suggest)?;
        parsed.map_err(|problem| self.error(name, problem)).ok()
    }

    /// An optional setting that is meant for other programs too, so that a wrong value is a warning and has no
    /// effect. OpenTelemetry's specification requires that.
    pub(super) fn tolerant<'s, T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
        suggest: impl Fn(&str) -> Option<&'s str>,
    ) -> Option<T> {
        let parsed = self.parsed(name, parse, suggest)?;
        let ignored = |problem| self.warn(name, format_args!("has no effect: {problem}"));
        parsed.map_err(ignored).ok()
    }

    /// The value, or what is wrong with it; `None` if it is absent.
    fn parsed<'s, T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
        suggest: impl Fn(&str) -> Option<&'s str>,
    ) -> Option<Result<T, String>> {
        let text = self.value(name)?.text;
        let parsed = self.parse(name, &text, parse, suggest);
        if parsed.is_ok() {
            self.doubt(name, &text);
        }
        Some(parsed)
    }

    /// The value of `text`, or what is wrong with it.
    fn parse<'s, T, E: Display>(
        &self,
        name: &str,
        text: &str,
        parse: impl Fn(&str) -> Result<T, E>,
        suggest: impl Fn(&str) -> Option<&'s str>,
    ) -> Result<T, String> {
        parse(text).map_err(|problem| {
            let found = self.found(name, text);
            let advice = match Mistake::in_invalid(text) {
                Some(mistake) => format!("; {}", mistake.advice(name)),
                None => {
                    suggest(text).map_or_else(String::new, |word| format!("; did you mean {word}?"))
                }
            };
            format!("{problem}{found}{advice}")
        })
    }

    /// An optional setting that may have several errors; `None` if it is absent or invalid. Some documents can
    /// be any text, so a path is an error here.
    pub(super) fn document<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Vec<String>>,
    ) -> Option<T> {
        let text = self.value(name)?.text;
        if let Some(mistake) = Mistake::in_document(&text) {
            self.error(name, mistake.advice(name));
            return None;
        }
        match parse(&text) {
            Ok(value) => Some(value),
            Err(problems) => {
                let mistake = Mistake::in_invalid(&text).map(|mistake| mistake.advice(name));
                // Errors in the text of a path would hide the cause.
                let problems = mistake.map_or(problems, |advice| vec![advice]);
                for problem in problems {
                    self.error(name, problem);
                }
                None
            }
        }
    }

    /// Warns about a valid value that was probably meant differently.
    fn doubt(&mut self, name: &str, text: &str) {
        if let Some(mistake) = Mistake::in_valid(text) {
            self.warn(name, mistake.advice(name));
        }
    }

    /// Whether no error was recorded since [`Self::error_count`] returned `before`.
    pub(super) fn is_clean_since(&self, before: usize) -> bool {
        self.errors.len() == before
    }

    /// The number of errors so far.
    pub(super) fn error_count(&self) -> usize {
        self.errors.len()
    }

    /// An integer.
    pub(super) fn number(&mut self, name: &str, default: u64, allowed: RangeInclusive<u64>) -> u64 {
        self.optional_number(name, allowed).unwrap_or(default)
    }

    /// An optional integer.
    pub(super) fn optional_number(
        &mut self,
        name: &str,
        allowed: RangeInclusive<u64>,
    ) -> Option<u64> {
        let (least, most) = (*allowed.start(), *allowed.end());
        if self.is_service_link(name) {
            self.warn(name, "is ignored, because Kubernetes sets it for a Service of this name; set it to a port, rename the Service, or set enableServiceLinks to false");
            return None;
        }
        self.optional(name, |text| match text.parse() {
            Ok(number) if allowed.contains(&number) => Ok(number),
            _ => Err(format!("expected an integer from {least} to {most}")),
        })
    }

    /// `true` or `false`; false if it is absent.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.choice(name, &[("true", true), ("false", false)], false)
    }

    /// One of a list of words.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)], default: T) -> T {
        let suggest = |text: &str| words::nearest(text, choices.iter().map(|(word, _)| *word));
        let chosen = self.suggesting(name, |text| one_of(choices, text), suggest);
        chosen.unwrap_or(default)
    }

    /// One of a list of words that OpenTelemetry defines.
    pub(super) fn tolerant_choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let suggest = |text: &str| words::nearest(text, choices.iter().map(|(word, _)| *word));
        self.tolerant(name, |text| one_of(choices, text), suggest)
    }

    /// Whether Kubernetes set this variable to the address of a Service, as in `tcp://10.0.0.1:9090`.
    fn is_service_link(&self, name: &str) -> bool {
        let is_address = |text: &String| {
            ["tcp://", "udp://", "sctp://"]
                .iter()
                .any(|scheme| text.trim().starts_with(scheme))
        };
        name.ends_with("_PORT") && self.variables.get(name).is_some_and(is_address)
    }
}

/// The meaning of a word, in upper or lower case.
fn one_of<T: Copy>(choices: &[(&str, T)], text: &str) -> Result<T, String> {
    let found = choices
        .iter()
        .find(|(word, _)| text.eq_ignore_ascii_case(word));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        format!("expected one of {}", words.join(", "))
    })
}
