//! The subset of YAML that settings need: texts, lists and maps, each with its line. Owns which
//! parts of YAML are rejected: anchors, tags, multiple documents and deep nesting, which no setting
//! needs and which let small files expand into large ones.
//!
//! The result is a tree rather than serde structs. serde stops at the first value of a wrong type,
//! and for a key that takes a value or a list it would read the branch `1.10` as the number 1.1.
//! With a tree, all errors are reported at once, and every scalar keeps its spelling.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::limits::LIMITS;

mod quoting;

/// A value and the line it begins on, counted from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// A value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Value {
    /// Empty, `~` or `null`.
    Null,
    /// A scalar as it is written, including numbers and booleans.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// The key of a map entry and its line, counted from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Key {
    pub(crate) line: usize,
    pub(crate) name: String,
}

/// Why a document is invalid YAML or uses a rejected feature.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct YamlError {
    line: usize,
    problem: String,
}

fn fail<T>(line: usize, problem: impl Into<String>) -> Result<T, YamlError> {
    let problem = problem.into();
    Err(YamlError { line, problem })
}

/// Parses one document; an empty text is [`Value::Null`].
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    parse_document(text).map_err(|error| match quoting::hint(text, error.line) {
        Some(hint) => YamlError {
            problem: format!("{}; {hint}", error.problem),
            ..error
        },
        None => error,
    })
}

fn parse_document(text: &str) -> Result<Node, YamlError> {
    let limit = LIMITS.yaml.max_bytes;
    if text.len() > limit {
        return fail(1, format!("expected at most {limit} bytes"));
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
    };
    let (mut root, mut documents) = (None, 0);
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::DocumentStart(_), line) => {
                documents += 1;
                if documents > 1 {
                    return fail(line, "expected one document, found another one");
                }
                root = Some(reader.node(0)?);
            }
            _ => {}
        }
    }
    Ok(root.unwrap_or(Node {
        line: 1,
        value: Value::Null,
    }))
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, line(span))),
            Some(Err(error)) => fail(error.marker().line(), error.info()),
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node, YamlError> {
        let (event, line) = self.next()?;
        self.node_from(event, line, depth)
    }

    fn node_from(&mut self, event: Event, line: usize, depth: usize) -> Result<Node, YamlError> {
        if depth > LIMITS.yaml.max_depth {
            return fail(line, "expected less nesting");
        }
        let value = match event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                return fail(line, "anchors are not accepted; write the value twice");
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => return fail(line, "tags are not accepted"),
            Event::Alias(_) => return fail(line, "aliases are not accepted"),
            Event::Scalar(text, style, _, _) => scalar(&text, style),
            Event::SequenceStart(..) => Value::List(self.list(depth)?),
            Event::MappingStart(..) => Value::Map(self.map(depth)?),
            _ => Value::Null,
        };
        Ok(Node { line, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(items),
                (event, line) => items.push(self.node_from(event, line, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, YamlError> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let (name, line) = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(entries),
                (Event::Scalar(text, ..), line) => (text.into_owned(), line),
                (_, line) => return fail(line, "expected a name before the colon"),
            };
            if entries.iter().any(|(key, _)| key.name == name) {
                return fail(line, format!("duplicate key `{name}`"));
            }
            let key = Key { line, name };
            entries.push((key, self.node(depth + 1)?));
        }
    }
}

fn line(span: Span) -> usize {
    span.start.line()
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null") => Value::Null,
        _ => Value::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        parse(text).expect_err("is rejected").to_string()
    }

    #[test]
    fn every_value_has_its_line() {
        let root = parse("a: 1\nb:\n  - x\n  - y\n").expect("is YAML");
        let Value::Map(entries) = root.value else {
            panic!("is a map");
        };
        assert_eq!(entries[0].1.value, Value::Text("1".to_owned()));
        let Value::List(items) = &entries[1].1.value else {
            panic!("is a list");
        };
        assert_eq!((items[0].line, items[1].line), (3, 4));
    }

    #[test]
    fn a_plain_value_keeps_its_spelling() {
        for text in ["1.10", "0x1F", "yes", "007", "1e3", ".inf", "2026-01-01"] {
            let root = parse(text).expect("is YAML");
            assert_eq!(root.value, Value::Text(text.to_owned()));
        }
    }

    #[test]
    fn features_that_expand_small_files_are_rejected() {
        for (text, quoted) in [
            ("rules:\n- to: @alice\n", "write \"@alice\""),
            ("rules:\n- to: [author, @alice]\n", "write \"@alice\""),
            ("push: {{ actor }}\n", "write '{{ actor }}'"),
            ("push: {{ actor }} pushed\n", "write '{{ actor }} pushed'"),
            ("rules:\n- ref: *-stable\n  to: x\n", "write \"*-stable\""),
            ("rules:\n- ref: !main\n  to: x\n", "write \"!main\""),
        ] {
            assert!(problem(text).ends_with(quoted), "{}", problem(text));
        }
        for text in [
            "a: &x 1\nb: *x\n",
            "a: !!str 1\n",
            "a: 1\n---\nb: 2\n",
            "a: 1\na: 2\n",
            "[a]: 1\n",
        ] {
            assert!(problem(text).starts_with("line "), "{text}");
        }
        assert!(problem(&"[".repeat(40)).contains("nesting"));
        assert!(problem("a: [1").starts_with("line "));
    }
}
