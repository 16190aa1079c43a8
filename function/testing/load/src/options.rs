//! Parses the command line: `--name value` options, and after `--` the program to start. The commands
//! define the options and their defaults.

use std::collections::BTreeMap;
use std::str::FromStr;

/// The parsed options.
#[derive(Debug)]
pub(crate) struct Options {
    named: BTreeMap<String, String>,
    /// The program and its arguments, after `--`.
    pub(crate) program: Vec<String>,
}

impl Options {
    /// Parses the arguments after the command.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut named = BTreeMap::new();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let name = word.strip_prefix("--");
            let name = name.ok_or_else(|| format!("expected --name value, found {word}"))?;
            let value = words.next();
            let value = value.ok_or_else(|| format!("expected a value after {word}"))?;
            named.insert(name.to_owned(), value);
        }
        Ok(Self {
            named,
            program: words.collect(),
        })
    }

    /// A text option, or its default.
    pub(crate) fn text<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.named.get(name).map_or(default, String::as_str)
    }

    /// A numeric option, or its default.
    pub(crate) fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, String> {
        let Some(text) = self.named.get(name) else {
            return Ok(default);
        };
        let number = text.parse();
        number.map_err(|_| format!("expected a number for --{name}, found {text}"))
    }
}
