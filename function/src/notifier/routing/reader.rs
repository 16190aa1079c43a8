//! Reads values from the tree of a file of rules or webhooks. Owns the errors for values of a wrong type and for
//! unknown keys, and collects all errors with their lines. Which keys exist is decided in
//! [`mod@super::parse`].

use std::fmt::Display;

use crate::notifier::words::{Words, echo};
use crate::yaml::{Key, Node, Value};

#[derive(Default)]
pub(crate) struct Reader {
    errors: Vec<(usize, String)>,
}

impl Reader {
    pub(crate) fn error(&mut self, line: usize, problem: impl Display) {
        self.errors.push((line, problem.to_string()));
    }

    pub(crate) fn error_count(&self) -> usize {
        self.errors.len()
    }

    /// The errors, sorted by line.
    pub(crate) fn into_errors(mut self) -> Vec<String> {
        self.errors.sort_by_key(|(line, _)| *line);
        let errors = self.errors.into_iter();
        errors
            .map(|(line, problem)| format!("line {line}: {problem}"))
            .collect()
    }

    /// The entries of a map whose keys are in `known`; other keys are errors.
    pub(crate) fn entries<'a>(
        &mut self,
        node: &'a Node,
        known: Words,
    ) -> Vec<(&'static str, &'a Key, &'a Node)> {
        let Value::Map(entries) = &node.value else {
            let expected = known.known.join(", ");
            self.error(
                node.line,
                format_args!("expected {expected}{}", found(node)),
            );
            return Vec::new();
        };
        let mut read = Vec::new();
        for (key, node) in entries {
            // A key has one spelling, because a file that other tools read should have only one.
            match known.known.iter().find(|name| **name == key.name) {
                Some(name) => read.push((*name, key, node)),
                None => self.error(
                    key.line,
                    format_args!(
                        "there is no {}; {}",
                        echo(&key.name),
                        known.suggest(&key.name)
                    ),
                ),
            }
        }
        read
    }

    pub(crate) fn text<'a>(&mut self, node: &'a Node) -> Option<&'a str> {
        match &node.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => {
                self.error(node.line, format_args!("expected a string{}", found(node)));
                None
            }
        }
    }

    pub(crate) fn flag(&mut self, node: &Node) -> Option<bool> {
        let text = self.text(node)?;
        // YAML knows `True` and `TRUE` too.
        match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                let found = echo(text);
                self.error(
                    node.line,
                    format_args!("expected true or false, found {found}"),
                );
                None
            }
        }
    }

    /// One value or a list of them.
    pub(crate) fn list<T>(
        &mut self,
        node: &Node,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let items = items(node);
        let mut values = Vec::new();
        for item in items {
            match self.text(item).map(&read) {
                Some(Ok(value)) => values.push(value),
                Some(Err(problem)) => self.error(item.line, problem),
                None => {}
            }
        }
        // An empty condition would match every event, which is never intended.
        if items.is_empty() {
            self.error(
                node.line,
                "expected at least one value, found an empty list",
            );
        }
        values
    }
}

/// The items of a list; any other value is one item.
pub(crate) fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Null | Value::Text(_) | Value::Map(_) => std::slice::from_ref(node),
    }
}

/// What an error adds about a value of a wrong type.
fn found(node: &Node) -> String {
    match &node.value {
        Value::Null => {
            ", found nothing; a value that begins with # needs quotes, such as \"#1\"".to_owned()
        }
        Value::List(_) => ", found a list".to_owned(),
        Value::Map(_) => ", found a map".to_owned(),
        Value::Text(text) => format!(", found {}", echo(text)),
    }
}
