//! Parses routing rules from the operator's YAML. Owns the keys of the file, and reports all errors
//! in it at once, each with its line. The values are parsed in `vocabulary`.

use super::rule::Rule;
use super::vocabulary::{FAILED, FIXED, SUCCESS, action, event, glob, recipient, status, suggest};
use super::{RoutingRules, UnmappedUsers};
use crate::gitlab::kind::Kind;
use crate::limits::LIMITS;
use crate::rocketchat::Username;
use crate::yaml::{self, Key, Node, Value};

const TOP_KEYS: &[&str] = &["users", "others", "rules"];

const RULE_KEYS: &[&str] = &[
    "name",
    "event",
    "project",
    "ref",
    "action",
    "status",
    "protected",
    "actor",
    "author",
    "confidential",
    "to",
    "except_actor",
    "continue",
];

/// Parses rules, or returns all errors in them.
pub fn parse(text: &str) -> Result<RoutingRules, Vec<String>> {
    let root = yaml::parse(text).map_err(|error| vec![error.to_string()])?;
    let mut reader = Reader::default();
    let routing = reader.read(&root);
    if reader.errors.is_empty() {
        Ok(routing)
    } else {
        Err(reader.into_errors())
    }
}

#[derive(Default)]
struct Reader {
    errors: Vec<(usize, String)>,
}

impl Reader {
    fn error(&mut self, line: usize, problem: impl std::fmt::Display) {
        self.errors.push((line, problem.to_string()));
    }

    /// The errors, sorted by line.
    fn into_errors(mut self) -> Vec<String> {
        self.errors.sort_by_key(|(line, _)| *line);
        let errors = self.errors.into_iter();
        errors
            .map(|(line, problem)| format!("line {line}: {problem}"))
            .collect()
    }

    fn read(&mut self, root: &Node) -> RoutingRules {
        let mut routing = RoutingRules {
            rules: Vec::new(),
            users: Vec::new(),
            unmapped_users: UnmappedUsers::Same,
            live: false,
        };
        for (key, node) in self.entries(root, TOP_KEYS) {
            match key.name.as_str() {
                "users" => routing.users = self.users(node),
                "others" => routing.unmapped_users = self.unmapped_users(node),
                _ => routing.rules = self.rules(node),
            }
        }
        if routing.rules.is_empty() && self.errors.is_empty() {
            self.error(root.line, "expected rules: with at least one rule");
        }
        routing
    }

    fn rules(&mut self, node: &Node) -> Vec<Rule> {
        let Value::List(items) = &node.value else {
            self.error(
                node.line,
                "expected a list of rules, each beginning with a dash",
            );
            return Vec::new();
        };
        let limit = LIMITS.routing.max_rules;
        if items.len() > limit {
            self.error(node.line, format_args!("expected at most {limit} rules"));
        }
        let rules = items.iter().enumerate();
        rules
            .map(|(index, item)| self.rule(index + 1, item))
            .collect()
    }

    fn rule(&mut self, number: usize, node: &Node) -> Rule {
        let mut rule = Rule {
            name: format!("rule {number} (line {})", node.line),
            ..Rule::default()
        };
        let before = self.errors.len();
        let mut has_recipients = false;
        for (key, node) in self.entries(node, RULE_KEYS) {
            match key.name.as_str() {
                "name" => {
                    if let Some(name) = self.text(node) {
                        rule.name = format!("rule {number}, {name} (line {})", node.line);
                    }
                }
                "event" => rule.events = self.list(node, event),
                "project" => rule.projects = self.list(node, glob),
                "ref" => rule.refs = self.list(node, glob),
                "action" => rule.actions = self.list(node, action),
                "status" => {
                    rule.statuses = self.list(node, status);
                    rule.fixes = line_of(node, FIXED);
                }
                "protected" => rule.protected = self.flag(node),
                "actor" => rule.actors = self.list(node, glob),
                "author" => rule.authors = self.list(node, glob),
                "confidential" => rule.confidential = self.flag(node).unwrap_or_default(),
                "except_actor" => rule.except_actor = self.flag(node).unwrap_or_default(),
                "continue" => rule.continue_ = self.flag(node).unwrap_or_default(),
                _ => {
                    has_recipients = true;
                    rule.to = self.list(node, recipient).into_iter().flatten().collect();
                }
            }
        }
        if self.errors.len() == before {
            self.check_fixes(&rule);
        }
        if !has_recipients {
            self.error(
                node.line,
                "expected to: with at least one recipient, or to: nobody",
            );
        }
        rule
    }

    /// `fixed` requires a rule that also notifies of the failure of the same pipeline.
    fn check_fixes(&mut self, rule: &Rule) {
        let Some(line) = rule.fixes else {
            return;
        };
        let has = |word: &str| rule.statuses.iter().any(|status| status == word);
        if rule.events != [Kind::Pipeline] {
            let problem = "`fixed` matches pipelines only; set event: pipeline and no other event";
            self.error(line, problem);
        }
        if !has(FAILED) {
            let problem =
                "`fixed` needs the notification of the failure; write status: [failed, fixed]";
            self.error(line, problem);
        }
        if has(SUCCESS) {
            let problem = "`success` matches every success, also those that fix nothing; leave out `success` or `fixed`";
            self.error(line, problem);
        }
    }

    fn users(&mut self, node: &Node) -> Vec<(String, Username)> {
        let Value::Map(entries) = &node.value else {
            self.error(node.line, "expected one GitLab user and one Rocket.Chat user per line, such as robin: robin.example");
            return Vec::new();
        };
        let users = entries.iter().filter_map(|(key, node)| {
            let name = self.text(node)?;
            match Username::parse(name) {
                Ok(user) => Some((key.name.clone(), user)),
                Err(error) => {
                    self.error(node.line, error);
                    None
                }
            }
        });
        users.collect()
    }

    fn unmapped_users(&mut self, node: &Node) -> UnmappedUsers {
        match self.text(node) {
            Some("same") => return UnmappedUsers::Same,
            Some("drop") => return UnmappedUsers::Drop,
            Some(text) if text.starts_with('@') => match Username::parse(text) {
                Ok(user) => return UnmappedUsers::Fallback(user),
                Err(error) => self.error(node.line, error),
            },
            Some(_) => self.error(
                node.line,
                "expected same, drop, or a user such as \"@alice\"",
            ),
            None => {}
        }
        UnmappedUsers::Same
    }

    /// The entries of a map whose keys are in `known`; other keys are errors.
    fn entries<'a>(&mut self, node: &'a Node, known: &[&str]) -> Vec<&'a (Key, Node)> {
        let Value::Map(entries) = &node.value else {
            self.error(node.line, format_args!("expected {}", known.join(", ")));
            return Vec::new();
        };
        let is_known = |key: &Key| known.contains(&key.name.as_str());
        for (key, _) in entries.iter().filter(|(key, _)| !is_known(key)) {
            self.error(
                key.line,
                format_args!("there is no `{}`; {}", key.name, suggest(&key.name, known)),
            );
        }
        entries.iter().filter(|(key, _)| is_known(key)).collect()
    }

    fn text<'a>(&mut self, node: &'a Node) -> Option<&'a str> {
        match &node.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => {
                self.error(node.line, "expected a string");
                None
            }
        }
    }

    fn flag(&mut self, node: &Node) -> Option<bool> {
        match self.text(node)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.error(node.line, "expected true or false");
                None
            }
        }
    }

    /// One value or a list of them.
    fn list<T>(&mut self, node: &Node, read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            Value::Null | Value::Text(_) | Value::Map(_) => std::slice::from_ref(node),
        };
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
            self.error(node.line, "expected at least one value");
        }
        values
    }
}

/// The line of the value `word` in a value or list.
fn line_of(node: &Node, word: &str) -> Option<usize> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Null | Value::Text(_) | Value::Map(_) => std::slice::from_ref(node),
    };
    let is_word = |item: &&Node| item.value == Value::Text(word.to_owned());
    items.iter().find(is_word).map(|item| item.line)
}
