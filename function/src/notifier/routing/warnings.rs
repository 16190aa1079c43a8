//! What can never happen with the rules. Owns the warnings about it: rules that no event matches, rules
//! after others that match everything they match, and roles that no event has. What each event can match
//! is in `reach`, which rules hide others in `coverage`, and patterns in `pattern_mistakes`.

use super::RoutingRules;
use super::condition::Condition;
use super::conditions::Conditions;
use super::coverage::covers;
use super::pattern_mistakes::pattern_mistakes;
use super::reach::{can_match, can_name, listed_kinds, obstacle};
use super::rule::{RecipientSpec, Role, Rule};
use crate::gitlab::kind::Kind;
use crate::gitlab::pipeline::PARENT_PIPELINE;

impl RoutingRules {
    /// What can never happen, one sentence per mistake; empty if every rule can have an effect.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let mut found = impossible(rule);
            found.extend(hidden(rule, &self.rules[..index]));
            let found = found.into_iter();
            warnings.extend(found.map(|text| format!("ROUTES: {} {text}", rule.name)));
        }
        warnings
    }
}

/// The warning that earlier rules match everything that the rule matches.
fn hidden(rule: &Rule, earlier: &[Rule]) -> Option<String> {
    let mut hiding: Vec<&str> = Vec::new();
    let kinds = listed_kinds(rule).into_iter();
    for kind in kinds.filter(|kind| obstacle(*kind, rule).is_none()) {
        let hides = |earlier: &&Rule| !earlier.continue_ && covers(earlier, rule, kind);
        let name = &earlier.iter().find(hides)?.name;
        if !hiding.contains(&name.as_str()) {
            hiding.push(name);
        }
    }
    let (verb, there) = match hiding.len() {
        0 => return None,
        1 => ("matches", "there"),
        _ => ("match", "in these"),
    };
    Some(format!(
        "is never evaluated: {} {verb} the same events first; set continue: true {there}, or write this rule before it",
        hiding.join(" and ")
    ))
}

/// What of one rule can never happen.
fn impossible(rule: &Rule) -> Vec<String> {
    let conditions = &rule.conditions;
    let mut found = pattern_mistakes(conditions, &conditions.events);
    found.extend(pattern_mistakes(&rule.not, &conditions.events));
    if let Some(warning) = contradiction(conditions, &rule.not) {
        found.push(warning);
        return found;
    }
    let mut possible = Vec::new();
    for kind in listed_kinds(rule) {
        match obstacle(kind, rule) {
            None => possible.push(kind),
            Some(why) if conditions.has(Condition::Event) => {
                found.push(format!("never matches {} events: {why}", kind.label()));
            }
            Some(_) => {}
        }
    }
    if possible.is_empty() {
        if !conditions.has(Condition::Event) {
            found.push(format!(
                "never matches: no kind of event has {} together",
                keys(conditions)
            ));
        }
        return found;
    }
    found.extend(without_effect(rule, &possible));
    found
}

/// What of a rule that matches these kinds of event has no effect.
fn without_effect(rule: &Rule, kinds: &[Kind]) -> Vec<String> {
    let mut found = Vec::new();
    for condition in Condition::ALL {
        let has_effect = |kind: &Kind| can_match(*kind, *condition, &rule.not);
        let is_excluded = rule.not.has(*condition) && *condition != Condition::Event;
        if is_excluded && !kinds.iter().any(has_effect) {
            found.push(format!(
                "has `{}` under not:, which never matches; leave it out, or name other events",
                condition.key()
            ));
        }
    }
    for role in rule.to.iter().filter_map(RecipientSpec::role) {
        let is_actor = matches!(role, Role::Actor | Role::Pusher | Role::Starter);
        let why = if !kinds
            .iter()
            .any(|kind| can_name(*kind, role, &rule.conditions))
        {
            "the events that it matches name no such user"
        } else if rule.except_actor && is_actor {
            "except_actor leaves out the user who triggered the event"
        } else {
            continue;
        };
        found.push(format!("never notifies `{}`: {why}", role.label()));
    }
    if rule.fixes.is_some() && rule.conditions.sources == [PARENT_PIPELINE] {
        found.push("has `status: fixed`, which child pipelines never are: the pipeline that started them sends the fix; leave out `fixed`, or name more sources".to_owned());
    }
    found
}

fn keys(conditions: &Conditions) -> String {
    let keys = Condition::ALL.iter().filter(|it| conditions.has(**it));
    let keys: Vec<_> = keys.map(|it| format!("`{}`", it.key())).collect();
    keys.join(" and ")
}

/// The first condition of which every value is also under `not:`. Events are judged one by one.
fn contradiction(conditions: &Conditions, not: &Conditions) -> Option<String> {
    let mut others = Condition::ALL.iter().filter(|it| **it != Condition::Event);
    let condition = others.find(|it| not.values(**it).accept(conditions.values(**it)))?;
    let verb = match condition {
        // Not all paths may be listed.
        Condition::Paths => "matches only pushes with more commits than GitLab lists",
        _ => "never matches",
    };
    let key = condition.key();
    Some(format!("{verb}: every value of `{key}` is also under not:"))
}
