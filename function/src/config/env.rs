//! Reads single settings and collects all errors. Owns how a setting is given, as a value or as a file,
//! and the format of an error. Which settings exist is in [`catalogue`](super::catalogue).

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::ops::RangeInclusive;

/// Reads settings from environment variables.
pub(super) struct EnvReader<'a> {
    variables: &'a BTreeMap<String, String>,
    read_file: &'a dyn Fn(&str) -> io::Result<String>,
    errors: Vec<String>,
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
        }
    }

    /// All errors, in the order in which the settings were read.
    pub(super) fn into_errors(self) -> Vec<String> {
        self.errors
    }

    /// Records an error in a setting. `problem` must not contain the value, which may be a secret.
    pub(super) fn error(&mut self, name: &str, problem: impl Display) {
        self.errors.push(format!("{name}: {problem}"));
    }

    /// Whether a variable exists, even if it is empty.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
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
            self.error(name, format_args!("is not set; {hint}"));
        }
        value
    }

    /// An optional setting.
    pub(super) fn optional<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        parse(&text)
            .map_err(|problem| self.error(name, problem))
            .ok()
    }

    /// An optional setting that may have several errors; `None` if it is absent or invalid.
    pub(super) fn document<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Vec<String>>,
    ) -> Option<T> {
        let text = self.text(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(problems) => {
                for problem in problems {
                    self.error(name, problem);
                }
                None
            }
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

    /// Up to `limit` values, separated by commas or newlines; `None` after an error.
    pub(super) fn list<T, E: Display>(
        &mut self,
        name: &str,
        limit: usize,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let text = self.text(name).unwrap_or_default();
        let texts: Vec<_> = text
            .split([',', '\n'])
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .collect();
        if texts.len() > limit {
            self.error(
                name,
                format_args!("expected at most {limit} values, found {}", texts.len()),
            );
            return None;
        }
        let mut values = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match parse(text) {
                Ok(value) => values.push(value),
                Err(problem) => self.error(name, format_args!("value {}: {problem}", index + 1)),
            }
        }
        (values.len() == texts.len()).then_some(values)
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
        let chosen = self.optional(name, |text| {
            let found = choices
                .iter()
                .find(|(word, _)| text.eq_ignore_ascii_case(word));
            let words = || {
                choices
                    .iter()
                    .map(|(word, _)| *word)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            found
                .map(|(_, value)| *value)
                .ok_or_else(|| format!("expected one of {}", words()))
        });
        chosen.unwrap_or(default)
    }

    /// The value, or the content of the file that `NAME_FILE` names. An empty variable counts as absent,
    /// because manifests and shells leave a setting out that way.
    fn text(&mut self, name: &str) -> Option<String> {
        let file_name = format!("{name}_FILE");
        let filled = |name: &str| {
            self.variables
                .get(name)
                .map(|text| text.trim())
                .filter(|text| !text.is_empty())
        };
        match (filled(name), filled(&file_name)) {
            (Some(_), Some(_)) => {
                self.error(
                    name,
                    format_args!("is set, and {file_name} is set too; remove either"),
                );
                None
            }
            (Some(text), None) => Some(text.to_owned()),
            (None, Some(path)) => self.file(&file_name, path),
            (None, None) => None,
        }
    }

    fn file(&mut self, name: &str, path: &str) -> Option<String> {
        match (self.read_file)(path) {
            Ok(text) if !text.trim().is_empty() => return Some(text.trim().to_owned()),
            Ok(_) => self.error(name, "is the path of an empty file; write the value to it"),
            Err(error) => self.error(
                name,
                format_args!("is the path of a file that cannot be read: {}; check the path and its permissions", error.kind()),
            ),
        }
        None
    }
}
