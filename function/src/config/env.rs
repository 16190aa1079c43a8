//! Reads single settings and collects all errors. Owns the format of an error, and which values it shows.
//! Values are found in [`source`](super::source). Which settings exist is in [`catalogue`](super::catalogue).

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::ops::RangeInclusive;

use super::mistake::Mistake;
use super::words;

/// Settings whose values an error never shows: secrets, what is easily confused with them, and documents.
const HIDDEN: [&str; 13] = [
    "GITLAB_SIGNING_KEYS",
    "GITLAB_WEBHOOK_TOKENS",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "MESSAGES",
    "MESSAGE_ID_SECRET",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "ROCKETCHAT_AUTH_TOKEN",
    "ROCKETCHAT_CA",
    "ROCKETCHAT_USER_ID",
    "ROUTES",
    "http_proxy",
    "https_proxy",
];

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

    /// All errors, in the order in which the settings were read.
    pub(super) fn into_errors(self) -> Vec<String> {
        self.errors
    }

    /// Records an error in a setting. `problem` must not contain the value, which may be a secret.
    pub(super) fn error(&mut self, name: &str, problem: impl Display) {
        self.errors.push(format!("{name}: {problem}"));
    }

    /// Records a warning about a setting. `problem` must not contain a secret.
    pub(super) fn warn(&mut self, name: &str, problem: impl Display) {
        self.warnings.push(format!("{name}: {problem}"));
    }

    /// All warnings so far.
    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Whether a variable exists, even if it is empty.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// Whether a variable exists and is not empty.
    pub(super) fn is_filled(&self, name: &str) -> bool {
        let value = self.variables.get(name);
        value.is_some_and(|value| !value.is_empty())
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
        self.suggesting(name, parse, |_| None)
    }

    /// An optional setting; an error shows a value that is no secret, and the suggestion for it.
    pub(super) fn suggesting<'s, T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
        suggest: impl Fn(&str) -> Option<&'s str>,
    ) -> Option<T> {
        let text = self.value(name)?.text;
        match parse(&text) {
            Ok(value) => {
                self.doubt(name, &text);
                Some(value)
            }
            Err(problem) => {
                let found = self.found(name, &text);
                let advice = match Mistake::in_invalid(&text) {
                    Some(mistake) => format!("; {}", mistake.advice(name)),
                    None => suggest(&text)
                        .map_or_else(String::new, |word| format!("; did you mean {word}?")),
                };
                self.error(name, format_args!("{problem}{found}{advice}"));
                None
            }
        }
    }

    /// An optional setting that may have several errors; `None` if it is absent or invalid.
    pub(super) fn document<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Vec<String>>,
    ) -> Option<T> {
        let text = self.value(name)?.text;
        match parse(&text) {
            Ok(value) => {
                if Mistake::in_valid(&text) == Some(Mistake::Path) {
                    self.doubt(name, &text);
                }
                Some(value)
            }
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

    /// The wrong value for the error, unless it may contain a secret: also one that was given to the wrong
    /// setting, or credentials in an address.
    fn found(&self, name: &str, text: &str) -> String {
        const SHOWN: usize = 60;
        /// Tokens of Rocket.Chat have 43 characters and those of GitLab at least 20.
        const SECRET_LENGTH: usize = 20;
        let holds = |value: &str| {
            let value = value.trim();
            !value.is_empty() && (value.contains(text) || text.contains(value))
        };
        let in_file = |path: &String| (self.read_file)(path.trim()).is_ok_and(|text| holds(&text));
        let holds_secret = |secret: &str| {
            let file = self.variables.get(&format!("{secret}_FILE"));
            let variable = self.variables.get(secret);
            variable.is_some_and(|value| holds(value)) || file.is_some_and(in_file)
        };
        let has_credentials = text.contains(['@', '?']) && text.contains(':');
        let is_random = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/=".contains(&byte);
        let resembles_secret = text.len() >= SECRET_LENGTH && text.bytes().all(is_random);
        let is_hidden = HIDDEN.contains(&name)
            || has_credentials
            || resembles_secret
            || text.contains('\n')
            || ["whsec_", "glpat-"].iter().any(|mark| text.contains(mark))
            || (text.len() >= 8 && HIDDEN.into_iter().any(holds_secret));
        if is_hidden {
            return String::new();
        }
        let shown: String = text.chars().take(SHOWN).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        format!(", found {shown:?}{more}")
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
        let known = || choices.iter().map(|(word, _)| *word);
        let parse = |text: &str| {
            let found = choices
                .iter()
                .find(|(word, _)| text.eq_ignore_ascii_case(word));
            found.map(|(_, value)| *value).ok_or_else(|| {
                format!("expected one of {}", known().collect::<Vec<_>>().join(", "))
            })
        };
        let chosen = self.suggesting(name, parse, |text| words::nearest(text, known()));
        chosen.unwrap_or(default)
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
