//! Parses the operator's templates: a YAML map from kinds to templates, or one template for all
//! kinds. Owns the errors in the map. How the two are distinguished is decided in
//! [`format`](mod@super::format).

use super::Templates;
use super::format::{self, Format, OTHERS};
use crate::gitlab::kind::Kind;
use crate::notifier::words::echo;
use crate::yaml::{self, Key, Node, Value};

/// Parses and checks all templates, or returns all errors in them.
pub fn parse(text: &str) -> Result<Templates, Vec<String>> {
    if format::of(text) == Format::Template {
        return Templates::with([(Kind::known().collect(), text, String::new())]);
    }
    let root = yaml::parse(text).map_err(|error| vec![error.to_string()])?;
    let entries = match &root.value {
        Value::Map(entries) => entries,
        Value::List(_) => {
            return Err(vec![
                "expected a map of kinds, found a list; leave out the dashes".to_owned(),
            ]);
        }
        Value::Text(_) | Value::Null => {
            return Err(vec![
                "expected a map of kinds, such as push: '{{ title }}', found a text; write a space after the colon".to_owned(),
            ]);
        }
    };
    let mut errors = Vec::new();
    let mut templates = Vec::new();
    for (key, node) in entries {
        match (template(text, key, node), Kind::with_label(&key.name)) {
            (Err(error), _) => errors.push(error),
            (Ok(source), Some(kind)) => templates.push((vec![kind], source, place(key))),
            (Ok(source), None) if key.name == OTHERS => {
                let named = |kind: &Kind| entries.iter().any(|(key, _)| key.name == kind.label());
                let others = Kind::known().filter(|kind| !named(kind)).collect();
                templates.push((others, source, place(key)));
            }
            // A key has one spelling, so that no two keys name the same kind.
            (Ok(_), None) => errors.push(format!(
                "line {}: there is no kind {}; {}",
                key.line,
                echo(&key.name),
                format::suggestion(&key.name)
            )),
        }
    }
    match Templates::with(templates) {
        Ok(templates) if errors.is_empty() => Ok(templates),
        Ok(_) => Err(errors),
        Err(more) => Err(errors.into_iter().chain(more).collect()),
    }
}

/// The template of a key in the text of the map.
fn template<'a>(text: &str, key: &Key, node: &'a Node) -> Result<&'a str, String> {
    let Key { line, name } = key;
    match &node.value {
        Value::Text(source) if loses_its_end(text, key, source) => Err(format!(
            "line {line}: what follows # in the template for {name} is a comment; put the template in quotes, such as '#{{{{ number }}}}'"
        )),
        Value::Text(source) => Ok(source),
        Value::Null => Err(format!(
            "line {line}: expected a template for {name}, found nothing; a template that begins with # needs quotes, such as '#{{{{ number }}}}', and '' sends nothing"
        )),
        Value::List(_) | Value::Map(_) => Err(format!(
            "line {line}: expected a template for {name}; write it in quotes, or indented on the lines after a |"
        )),
    }
}

/// Whether the rest of a template without quotes is a comment in YAML.
fn loses_its_end(text: &str, key: &Key, source: &str) -> bool {
    let line = text.lines().nth(key.line.saturating_sub(1));
    let rest = line.and_then(|line| line.split_once(source));
    rest.is_some_and(|(_, rest)| rest.trim_start().starts_with('#') && rest.contains("{{"))
}

fn place(key: &Key) -> String {
    format!("line {}: {}: ", key.line, key.name)
}
