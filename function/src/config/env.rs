//! Reads single settings and remembers every mistake. Owns how a setting may be given, by value or
//! by file, and the form of an error; which settings there are is [`config`](super)'s business.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::ops::RangeInclusive;

/// One attempt to read all settings.
pub(super) struct EnvReader<'a> {
    variables: &'a BTreeMap<String, String>,
    read_file: &'a dyn Fn(&str) -> io::Result<String>,
    mistakes: Vec<String>,
}

impl<'a> EnvReader<'a> {
    pub(super) fn new(
        variables: &'a BTreeMap<String, String>,
        read_file: &'a dyn Fn(&str) -> io::Result<String>,
    ) -> Self {
        Self {
            variables,
            read_file,
            mistakes: Vec::new(),
        }
    }

    /// What was wrong, in the order of reading.
    pub(super) fn into_mistakes(self) -> Vec<String> {
        self.mistakes
    }

    /// Notes what is wrong with a setting; never its value, which may be a secret.
    pub(super) fn mistake(&mut self, name: &str, problem: impl Display) {
        self.mistakes.push(format!("{name}: {problem}"));
    }

    /// Whether a variable is there at all, with whatever value.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// A setting that must be there; `hint` says what to give.
    pub(super) fn required<T, E: Display>(
        &mut self,
        name: &str,
        hint: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let mistakes = self.mistakes.len();
        let value = self.optional(name, parse);
        if value.is_none() && self.mistakes.len() == mistakes {
            self.mistake(name, format_args!("is not set; {hint}"));
        }
        value
    }

    /// A setting that may be absent.
    pub(super) fn optional<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        parse(&text)
            .map_err(|problem| self.mistake(name, problem))
            .ok()
    }

    /// A setting in which several things may be wrong; `None` if it is absent or wrong.
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
                    self.mistake(name, problem);
                }
                None
            }
        }
    }

    /// Whether nothing was wrong since there were `before` mistakes.
    pub(super) fn is_clean_since(&self, before: usize) -> bool {
        self.mistakes.len() == before
    }

    /// How much was wrong so far.
    pub(super) fn mistake_count(&self) -> usize {
        self.mistakes.len()
    }

    /// Up to `limit` values with commas or line breaks between them; `None` after a mistake.
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
            self.mistake(
                name,
                format_args!("expected at most {limit}, found {}", texts.len()),
            );
            return None;
        }
        let mut values = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match parse(text) {
                Ok(value) => values.push(value),
                Err(problem) => self.mistake(name, format_args!("number {}: {problem}", index + 1)),
            }
        }
        (values.len() == texts.len()).then_some(values)
    }

    /// A whole number.
    pub(super) fn number(&mut self, name: &str, default: u64, allowed: RangeInclusive<u64>) -> u64 {
        self.optional_number(name, allowed).unwrap_or(default)
    }

    /// A whole number that may be absent.
    pub(super) fn optional_number(
        &mut self,
        name: &str,
        allowed: RangeInclusive<u64>,
    ) -> Option<u64> {
        let (least, most) = (*allowed.start(), *allowed.end());
        self.optional(name, |text| match text.parse() {
            Ok(number) if allowed.contains(&number) => Ok(number),
            _ => Err(format!("expected a whole number from {least} to {most}")),
        })
    }

    /// `true` or `false`; false if absent.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.choice(name, &[("true", true), ("false", false)], false)
    }

    /// One word of a few.
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

    /// The value itself or the content of the file `NAME_FILE`; an empty one counts as absent, for
    /// that is how manifests and shells leave a setting out.
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
                self.mistake(
                    name,
                    format_args!("is set and so is {file_name}; remove one of them"),
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
            Ok(_) => self.mistake(name, "names a file that is empty"),
            Err(error) => self.mistake(
                name,
                format_args!("names a file that cannot be read: {}", error.kind()),
            ),
        }
        None
    }
}
