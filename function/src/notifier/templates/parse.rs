//! Parses the operator's templates: a YAML map from kinds to templates, or one template for all
//! kinds. Owns how the two are distinguished, and the errors in the map.

use super::Templates;
use crate::gitlab::kind::Kind;
use crate::notifier::words::{self, echo};
use crate::yaml::{self, Key, Node, Value};

/// The key for all kinds that the map does not name.
const OTHERS: &str = "others";

/// Parses and checks all templates, or returns all errors in them.
pub fn parse(text: &str) -> Result<Templates, Vec<String>> {
    if !is_map(text) {
        return Templates::with([(Kind::known().collect(), text, String::new())]);
    }
    let root = yaml::parse(text).map_err(|error| vec![error.to_string()])?;
    let Value::Map(entries) = &root.value else {
        return Err(vec!["expected a map of kinds".to_owned()]);
    };
    let mut errors = Vec::new();
    let mut templates = Vec::new();
    for (key, node) in entries {
        match (template(key, node), Kind::with_label(&key.name)) {
            (Err(error), _) => errors.push(error),
            (Ok(source), Some(kind)) => templates.push((vec![kind], source, place(key))),
            (Ok(source), None) if key.name == OTHERS => {
                let named = |kind: &Kind| entries.iter().any(|(key, _)| key.name == kind.label());
                let others = Kind::known().filter(|kind| !named(kind)).collect();
                templates.push((others, source, place(key)));
            }
            (Ok(_), None) => errors.push(format!(
                "line {}: there is no kind {}; {}",
                key.line,
                echo(&key.name),
                suggestion(&key.name)
            )),
        }
    }
    match Templates::with(templates) {
        Ok(templates) if errors.is_empty() => Ok(templates),
        Ok(_) => Err(errors),
        Err(more) => Err(errors.into_iter().chain(more).collect()),
    }
}

/// A key has one spelling, so that no two keys name the same kind; another one is told which it is.
fn suggestion(name: &str) -> String {
    match words::kind(name, &[]) {
        Ok(kind) => format!("did you mean `{}`?", kind.label()),
        Err(suggestion) if suggestion.starts_with("expected") => {
            format!("{suggestion} or {OTHERS}")
        }
        Err(suggestion) => suggestion,
    }
}

/// A map begins with a lower-case name and a colon; a template does not.
fn is_map(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#') && *line != "---");
    let name = first
        .and_then(|line| line.split_once(':'))
        .map(|(name, _)| name);
    name.is_some_and(|name| {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        !name.is_empty() && name.bytes().all(letters)
    })
}

fn template<'a>(key: &Key, node: &'a Node) -> Result<&'a str, String> {
    match &node.value {
        Value::Text(text) => Ok(text),
        Value::Null => Ok(""),
        Value::List(_) | Value::Map(_) => Err(format!(
            "line {}: expected a template for {}; write it in quotes, or indented on the lines after a |",
            key.line, key.name
        )),
    }
}

fn place(key: &Key) -> String {
    format!("line {}: {}: ", key.line, key.name)
}
