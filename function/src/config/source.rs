//! Where the value of a setting comes from: a variable, or the file that a variable names. Owns the errors
//! in finding it. Values are parsed in [`env`](super::env).

use std::io;

use super::env::EnvReader;
use super::mistake::Mistake;

/// Precedes a text in files that some editors for Windows write.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The settings whose values also exist in a binary format.
const CERTIFICATES: [&str; 2] = ["GITLAB_CA_FILE", "ROCKETCHAT_CA_FILE"];

/// The text of a setting.
pub(super) struct Value {
    pub(super) text: String,
    /// Whether it is given as a line: in a file, or with a line break.
    pub(super) is_line: bool,
}

impl EnvReader<'_> {
    /// The value, or the content of the file that `NAME_FILE` names. An empty variable counts as absent,
    /// because manifests and shells leave a setting out that way.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        let file_name = format!("{name}_FILE");
        let filled = |name: &str| {
            self.variables
                .get(name)
                .map(|text| text.trim())
                .filter(|text| !text.is_empty())
        };
        let has_break = |name: &str| {
            let text = self.variables.get(name);
            text.is_some_and(|text| text.contains('\n'))
        };
        let (text, is_line) = match (filled(name), filled(&file_name)) {
            (Some(_), Some(_)) => {
                self.error(
                    name,
                    format_args!("is set, and {file_name} is set too; remove either"),
                );
                return None;
            }
            (Some(text), None) => (text.to_owned(), has_break(name)),
            (None, Some(path)) => (self.file(&file_name, path)?, true),
            (None, None) => return None,
        };
        let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) else {
            return Some(Value { text, is_line });
        };
        self.warn(
            name,
            "begins with a byte order mark, which is ignored; save the file as UTF-8 without it",
        );
        let text = rest.trim().to_owned();
        if text.is_empty() {
            self.error(
                name,
                "contains nothing but a byte order mark; write the value to it",
            );
            return None;
        }
        Some(Value { text, is_line })
    }

    fn file(&mut self, name: &str, path: &str) -> Option<String> {
        match (self.read_file)(path) {
            Ok(text) if !text.trim().is_empty() => return Some(text.trim().to_owned()),
            Ok(_) => self.error(name, "is the path of an empty file; write the value to it"),
            Err(error) if error.kind() == io::ErrorKind::InvalidData && CERTIFICATES.contains(&name) => self.error(
                name,
                "is the path of a file that is not UTF-8, such as a DER certificate; convert it to PEM format with `openssl x509 -inform der -in FILE -out ca.pem`",
            ),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => self.error(
                name,
                "is the path of a file that is not UTF-8; save it as UTF-8 without a byte order mark",
            ),
            Err(_) if matches!(Mistake::in_invalid(path), Some(Mistake::Quotes)) => {
                self.error(name, Mistake::Quotes.advice(name));
            }
            Err(error) => self.error(
                name,
                format_args!("is the path of a file that cannot be read: {}; check the path and its permissions", error.kind()),
            ),
        }
        None
    }
}
