//! The webhooks that `HOOKS` declares, in YAML. Owns what each key means, and reports all errors at once, each
//! with its line. Defaults come from other settings, see [`config`](crate::config).

use url::Url;

use super::vocabulary::{KEYS, address, filter, trigger};
use crate::gitlab_api::{ProjectRef, Triggers};
use crate::limits::LIMITS;
use crate::notifier::routing::Reader;
use crate::notifier::words::echo;
use crate::yaml::{self, Node, Value};

/// A webhook as it should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DeclaredHook {
    /// Where it is.
    pub(crate) target: Target,
    /// Its address.
    pub(crate) url: Url,
    /// The triggers that are on; others may be on too.
    pub(crate) triggers: Triggers,
    /// The branches whose pushes it receives; any filter if not declared.
    pub(crate) branch_filter: Option<String>,
    /// Whether GitLab verifies the certificate of the address.
    pub(crate) ssl_verification: bool,
}

/// Where a declared webhook is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// In one project.
    Project(ProjectRef),
    /// In every project of a group and its subgroups.
    Group(ProjectRef),
    /// In every project of which the account is at least Maintainer.
    Membership,
    /// A system hook.
    System,
}

/// One entry of `HOOKS`, without the defaults of other settings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Declaration {
    pub(crate) line: usize,
    pub(crate) target: Target,
    pub(crate) url: Option<Url>,
    pub(crate) triggers: Option<Triggers>,
    pub(crate) branch_filter: Option<String>,
    pub(crate) ssl_verification: Option<bool>,
}

impl Declaration {
    /// The webhook, with the defaults for what is not declared.
    pub(crate) fn with_defaults(self, url: Url, triggers: Triggers) -> DeclaredHook {
        let url = self.url.unwrap_or(url);
        let offered = match self.target {
            Target::System => Triggers::of_system_hooks(),
            Target::Project(_) | Target::Group(_) | Target::Membership => Triggers::of_projects(),
        };
        DeclaredHook {
            ssl_verification: self.ssl_verification.unwrap_or(url.scheme() == "https"),
            triggers: self.triggers.unwrap_or(triggers.intersection(offered)),
            target: self.target,
            url,
            branch_filter: self.branch_filter,
        }
    }
}

/// Parses `HOOKS`, or returns all errors in it.
pub(crate) fn parse(text: &str) -> Result<Vec<Declaration>, Vec<String>> {
    let root = yaml::parse(text).map_err(|error| vec![error.to_string()])?;
    let mut reader = Reader::default();
    let hooks = read(&mut reader, &root);
    if reader.error_count() == 0 {
        Ok(hooks)
    } else {
        Err(reader.into_errors())
    }
}

fn read(reader: &mut Reader, root: &Node) -> Vec<Declaration> {
    let items = match &root.value {
        Value::List(items) if !items.is_empty() => items,
        Value::List(_) | Value::Null | Value::Text(_) | Value::Map(_) => {
            reader.error(
                root.line,
                "expected a list of webhooks, each beginning with a dash, such as - project: group/app",
            );
            return Vec::new();
        }
    };
    let limit = LIMITS.gitlab_api.max_hooks;
    if items.len() > limit {
        reader.error(root.line, format_args!("expected at most {limit} webhooks"));
        return Vec::new();
    }
    let mut hooks: Vec<Declaration> = Vec::new();
    for item in items {
        let Some(hook) = hook(reader, item) else {
            continue;
        };
        let is_same = |other: &&Declaration| other.target == hook.target && other.url == hook.url;
        match hooks.iter().find(is_same) {
            Some(other) => {
                let first = other.line;
                reader.error(
                    hook.line,
                    format_args!(
                        "the same webhook is declared at line {first}; remove one of them"
                    ),
                );
            }
            None => hooks.push(hook),
        }
    }
    hooks
}

fn hook(reader: &mut Reader, node: &Node) -> Option<Declaration> {
    let before = reader.error_count();
    let mut targets = Vec::new();
    let mut url = None;
    let mut triggers = None;
    let mut branch_filter = None;
    let mut ssl_verification = None;
    for (key, _, node) in reader.entries(node, KEYS) {
        match key {
            "project" => targets.extend(place(reader, node).map(Target::Project)),
            "group" => targets.extend(place(reader, node).map(Target::Group)),
            "membership" => targets.extend(only_true(reader, node, Target::Membership)),
            "system" => targets.extend(only_true(reader, node, Target::System)),
            "url" => url = value(reader, node, address),
            "triggers" => triggers = Some((node.line, reader.list(node, trigger))),
            "branch_filter" => branch_filter = value(reader, node, filter),
            _ => ssl_verification = reader.flag(node),
        }
    }
    if reader.error_count() > before {
        return None;
    }
    let mut targets = targets.into_iter();
    let (Some(target), None) = (targets.next(), targets.next()) else {
        reader.error(
            node.line,
            "expected exactly one of project, group, membership and system",
        );
        return None;
    };
    let offered = match target {
        Target::System => Triggers::of_system_hooks(),
        Target::Project(_) | Target::Group(_) | Target::Membership => Triggers::of_projects(),
    };
    let triggers = triggers.map(|(line, list)| (line, list.into_iter().collect::<Triggers>()));
    if let Some((line, asked)) = triggers {
        let others = asked.difference(offered);
        if !others.is_empty() {
            let what = match target {
                Target::System => "system hooks",
                _ => "webhooks of projects",
            };
            reader.error(
                line,
                format_args!("{what} have no trigger {others}; leave it out"),
            );
            return None;
        }
    }
    Some(Declaration {
        line: node.line,
        target,
        url,
        triggers: triggers.map(|(_, triggers)| triggers),
        branch_filter,
        ssl_verification,
    })
}

/// One value, not a list.
fn value<T>(
    reader: &mut Reader,
    node: &Node,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Option<T> {
    let parsed = parse(reader.text(node)?);
    parsed
        .map_err(|problem| reader.error(node.line, problem))
        .ok()
}

fn place(reader: &mut Reader, node: &Node) -> Option<ProjectRef> {
    let text = reader.text(node)?;
    let place = ProjectRef::parse(text);
    if place.is_none() {
        let found = echo(text);
        reader.error(
            node.line,
            format_args!("expected a path such as group/app, or an ID, found {found}"),
        );
    }
    place
}

fn only_true(reader: &mut Reader, node: &Node, target: Target) -> Option<Target> {
    let is_true = reader.flag(node)?;
    if !is_true {
        reader.error(node.line, "expected true; leave out the entry instead");
    }
    is_true.then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitlab_api::Trigger;

    fn errors(text: &str) -> String {
        parse(text).expect_err(text).join("\n")
    }

    #[test]
    fn every_key_is_read() {
        let text = "
- project: group/app
  url: https://webhooks.example.org/webhook
  triggers: [push, tag_push, pipeline_events]
  branch_filter: release/*
  ssl_verification: false
- group: infra
- membership: true
- system: true
  triggers: repository_update
- project: 42
";
        let hooks = parse(text).expect("is valid");
        let place = |text: &str| ProjectRef::parse(text).expect("is a path");
        let targets: Vec<_> = hooks.iter().map(|hook| hook.target.clone()).collect();
        let expected = [
            Target::Project(place("group/app")),
            Target::Group(place("infra")),
            Target::Membership,
            Target::System,
            Target::Project(place("42")),
        ];
        assert_eq!(targets, expected);
        let first = &hooks[0];
        let triggers = first.triggers.expect("is declared").to_string();
        assert_eq!(triggers, "push, tag_push, pipeline");
        assert_eq!(first.branch_filter.as_deref(), Some("release/*"));
        assert_eq!(first.ssl_verification, Some(false));
        assert_eq!(hooks[1].triggers, None);
    }

    #[test]
    fn defaults_follow_from_the_address_and_the_kind_of_webhook() {
        let all: Triggers = Trigger::ALL.iter().copied().collect();
        let hooks = parse("[{project: a/b}, {system: true}]").expect("is valid");
        for (scheme, verification) in [("http", false), ("https", true)] {
            let url = Url::parse(&format!("{scheme}://hooks.example.org/webhook")).expect("is one");
            let with_defaults = |hook: &Declaration| hook.clone().with_defaults(url.clone(), all);
            let hooks: Vec<_> = hooks.iter().map(with_defaults).collect();
            assert_eq!(hooks[0].ssl_verification, verification);
            assert!(!hooks[0].triggers.contains(Trigger::RepositoryUpdate));
            let system = hooks[1].triggers.to_string();
            assert_eq!(system, "push, tag_push, merge_requests, repository_update");
        }
    }

    #[test]
    fn all_errors_are_reported_with_their_lines_and_advice() {
        let text = "
- project: group/app
  event: push
- group: infra
  membership: true
- triggers: push
- project: 'https://gitlab.example.org/group/app'
- project: group/app
  triggers: [pipelnie, repository_update]
  token: canary
- project: group/app
  triggers: repository_update
- system: true
  triggers: [job]
- system: false
- project: a/b
  url: https://robin:canary@webhooks.example.org
- project: a/b
  branch_filter: 'two words'
- project: c/d
- project: c/d
- membership: maybe
";
        let errors = errors(text);
        assert!(!errors.contains("canary"), "{errors}");
        insta::assert_snapshot!(errors, @r"
            line 3: there is no `event`; did you mean `triggers`?
            line 4: expected exactly one of project, group, membership and system
            line 6: expected exactly one of project, group, membership and system
            line 7: expected a path such as group/app, or an ID, found `https://gitlab.example.org/group/app`
            line 9: there is no trigger `pipelnie`; did you mean `pipeline`?
            line 10: there is no `token`; secrets do not belong here; set GITLAB_SIGNING_KEYS or GITLAB_WEBHOOK_TOKENS
            line 12: webhooks of projects have no trigger repository_update; leave it out
            line 14: system hooks have no trigger job; leave it out
            line 15: expected true; leave out the entry instead
            line 17: expected the address at which webhook-app receives webhooks, such as https://webhooks.example.org/webhook, without credentials
            line 19: expected a branch, or a pattern such as release/*
            line 21: the same webhook is declared at line 20; remove one of them
            line 22: expected true or false, found `maybe`
        ");
    }

    #[test]
    fn anything_but_a_list_of_webhooks_is_an_error() {
        for text in [
            "",
            "[]",
            "project: a/b",
            "push",
            "- push",
            "- []",
            "-",
            "[[]]",
        ] {
            assert!(errors(text).starts_with("line "), "{text}");
        }
        for text in [
            "- project: a/b\n- project: [",
            "[{project: a/b}, {project: &a b}]",
        ] {
            assert!(errors(text).starts_with("line "), "{text}");
        }
        let huge = "- project: a/b\n".repeat(30_000);
        assert!(errors(&huge).contains("at most"));
        let many: Vec<_> = (0..1001).map(|id| format!("- project: {id}\n")).collect();
        assert_eq!(
            errors(&many.concat()),
            "line 1: expected at most 1000 webhooks"
        );
        assert!(errors(&"[".repeat(99)).contains("nesting"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(?s).{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_webhook_makes_the_parser_panic(
            key in "project|group|membership|system|url|triggers|branch_filter|ssl_verification|x",
            value in "(?s).{0,60}",
        ) {
            let _ = parse(&format!("- project: a/b\n  {key}: {value}\n"));
        }
    }
}
