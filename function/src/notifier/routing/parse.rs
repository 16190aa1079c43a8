//! Parses routing rules from the operator's YAML. Owns what each key of the file means, and reports all
//! errors in it at once, each with its line. The keys are listed in `keys`; the values are parsed in
//! `vocabulary`.

use super::RoutingRules;
use super::condition::Condition;
use super::conditions::Conditions;
use super::keys::{CONDITION_KEYS, KEY_SYNONYMS, TOP_KEYS, rule_keys};
use super::reader::{Reader, items};
use super::rule::{ConfidentialEvents, RecipientSpec, Rule};
use super::terms::{FAILED, FIXED, SUCCESS};
use super::user_mapping::{UnmappedUsers, UserMapping};
use super::vocabulary::{
    action, event, glob, person, recipient, reference, source, status, username,
};
use crate::gitlab::kind::Kind;
use crate::limits::LIMITS;
use crate::notifier::words::{Words, echo};
use crate::rocketchat::Username;
use crate::yaml::{self, Node, Value};

/// Parses rules, or returns all errors in them.
pub fn parse(text: &str) -> Result<RoutingRules, Vec<String>> {
    let root = yaml::parse(text).map_err(|error| vec![error.to_string()])?;
    let mut reader = Reader::default();
    let routing = reader.read(&root);
    if reader.error_count() == 0 {
        Ok(routing)
    } else {
        Err(reader.into_errors())
    }
}

impl Reader {
    fn read(&mut self, root: &Node) -> RoutingRules {
        let mut routing = RoutingRules {
            rules: Vec::new(),
            users: UserMapping::default(),
            live: false,
        };
        for (key, _, node) in self.entries(root, TOP_KEYS) {
            match key {
                "users" => routing.users.listed = self.users(node),
                "others" => routing.users.others = self.unmapped_users(node),
                _ => routing.rules = self.rules(node),
            }
        }
        if routing.rules.is_empty() && self.error_count() == 0 {
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
        let before = self.error_count();
        let mut has_recipients = false;
        let (mut confidential, mut hand_off) = (false, false);
        let keys = Words {
            known: &rule_keys(),
            synonyms: KEY_SYNONYMS,
            advice: &[],
        };
        let mut entries = self.entries(node, keys);
        // What other keys may say depends on the kinds of event.
        entries.sort_by_key(|(key, ..)| *key != Condition::Event.key());
        for (key, _, node) in entries {
            match key {
                "name" => {
                    if let Some(name) = self.text(node) {
                        rule.name = format!("rule {number}, {name} (line {})", node.line);
                    }
                }
                "not" => rule.not = self.excluded(node, &rule.conditions.events),
                "confidential" => confidential = self.flag(node).unwrap_or_default(),
                "hand_off" => hand_off = self.flag(node).unwrap_or_default(),
                "except_actor" => rule.except_actor = self.flag(node).unwrap_or_default(),
                "continue" => rule.continue_ = self.flag(node).unwrap_or_default(),
                "to" => {
                    has_recipients = true;
                    rule.to = self.recipients(node);
                }
                condition => {
                    let events = rule.conditions.events.clone();
                    self.condition(&mut rule.conditions, condition, node, &events);
                    if condition == Condition::Status.key() {
                        rule.fixes = line_of(node, FIXED);
                    }
                }
            }
        }
        if self.error_count() == before {
            self.check_fixes(&rule);
        }
        rule.confidential = match (confidential, hand_off) {
            (false, false) => ConfidentialEvents::Exclude,
            (true, false) => ConfidentialEvents::Match,
            (true, true) => ConfidentialEvents::MatchAndHandOff,
            (false, true) => {
                self.error(
                    node.line,
                    "hand_off: true has an effect only with confidential: true; messages about other events are always handed off",
                );
                ConfidentialEvents::Exclude
            }
        };
        if !has_recipients {
            self.error(
                node.line,
                "expected to: with at least one recipient, or to: nobody",
            );
        }
        rule
    }

    /// The recipients of a rule; none for `nobody`.
    fn recipients(&mut self, node: &Node) -> Vec<RecipientSpec> {
        let found = self.list(node, recipient);
        let count = found.len();
        let recipients: Vec<_> = found.into_iter().flatten().collect();
        if !recipients.is_empty() && recipients.len() < count {
            let problem = "`nobody` excludes all other recipients; leave it or them out";
            self.error(node.line, problem);
        }
        recipients
    }

    /// Reads a key of [`CONDITION_KEYS`] in a rule for events of `kinds`, which are all if there is none.
    fn condition(&mut self, conditions: &mut Conditions, key: &str, node: &Node, kinds: &[Kind]) {
        let Some(condition) = Condition::with_key(key) else {
            return;
        };
        match condition {
            Condition::Event => conditions.events = self.list(node, event),
            Condition::Project => conditions.projects = self.list(node, glob),
            Condition::Ref => conditions.refs = self.list(node, reference),
            Condition::Action => conditions.actions = self.list(node, |text| action(text, kinds)),
            Condition::Status => conditions.statuses = self.list(node, |text| status(text, kinds)),
            Condition::Protected => conditions.protected = self.flag(node),
            Condition::AllowedFailure => conditions.allowed_failure = self.flag(node),
            Condition::Source => conditions.sources = self.list(node, source),
            Condition::Labels => conditions.labels = self.list(node, glob),
            Condition::Draft => conditions.draft = self.flag(node),
            Condition::Actor => conditions.actors = self.list(node, person),
            Condition::Author => conditions.authors = self.list(node, person),
            Condition::Paths => conditions.paths = self.list(node, glob),
        }
    }

    /// Conditions that must not match, in a rule for events of `kinds`.
    fn excluded(&mut self, node: &Node, kinds: &[Kind]) -> Conditions {
        let mut conditions = Conditions::default();
        for (key, _, node) in self.entries(node, CONDITION_KEYS) {
            self.condition(&mut conditions, key, node, kinds);
            if key == Condition::Status.key() && line_of(node, FIXED).is_some() {
                let problem = "`fixed` cannot be excluded, because only a look-up on the chat server shows what is a fix; leave it out";
                self.error(node.line, problem);
            }
        }
        conditions
    }

    /// `fixed` requires a rule that also notifies of the failure of the same pipeline.
    fn check_fixes(&mut self, rule: &Rule) {
        let Some(line) = rule.fixes else {
            return;
        };
        let has = |word: &str| rule.conditions.statuses.contains(&word);
        if rule.conditions.events != [Kind::Pipeline] {
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
        let mut users: Vec<(String, Username)> = Vec::new();
        for (key, node) in entries {
            let Some(name) = self.text(node) else {
                continue;
            };
            // GitLab shows user names with an @, and its payloads have none.
            let listed = key.name.trim_start_matches('@');
            match username(name) {
                Ok(user) => {
                    let is_other = |(name, other): &(String, Username)| {
                        name.eq_ignore_ascii_case(listed) && *other != user
                    };
                    if users.iter().any(is_other) {
                        let problem = "is listed twice with different users; case and a leading @ make no difference; leave one out";
                        self.error(key.line, format_args!("{} {problem}", echo(listed)));
                    }
                    users.push((listed.to_owned(), user));
                }
                Err(error) => self.error(node.line, error),
            }
        }
        users
    }

    fn unmapped_users(&mut self, node: &Node) -> UnmappedUsers {
        match self.text(node) {
            Some("same") => return UnmappedUsers::Same,
            Some("drop") => return UnmappedUsers::Drop,
            Some(text) if text.starts_with('@') => match username(text) {
                Ok(user) => return UnmappedUsers::Fallback(user),
                Err(error) => self.error(node.line, error),
            },
            Some(text) => self.error(
                node.line,
                format_args!(
                    "expected same, drop, or a user such as \"@alice\", found {}",
                    echo(text)
                ),
            ),
            None => {}
        }
        UnmappedUsers::Same
    }
}

/// The line of the value `word` in a value or list.
fn line_of(node: &Node, word: &str) -> Option<usize> {
    let is_word = |item: &&Node| match &item.value {
        Value::Text(text) => status(text, &[]) == Ok(word),
        Value::Null | Value::List(_) | Value::Map(_) => false,
    };
    items(node).iter().find(is_word).map(|item| item.line)
}
