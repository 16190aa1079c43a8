//! The webhooks that `HOOKS` declares, in YAML. Owns what each key means, and reports all errors at once, each
//! with its line. Defaults come from other settings, see [`config`](crate::config).

use url::Url;

use crate::gitlab_api::{ProjectRef, Trigger, Triggers};
use crate::limits::LIMITS;
use crate::notifier::routing::Reader;
use crate::notifier::words::{Synonyms, Words, echo};
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
            triggers: self.triggers.unwrap_or(triggers.and(offered)),
            target: self.target,
            url,
            branch_filter: self.branch_filter,
        }
    }
}

const KEYS: Words<'static> = Words {
    known: &[
        "project",
        "group",
        "membership",
        "system",
        "url",
        "triggers",
        "branch_filter",
        "ssl_verification",
    ],
    synonyms: &[
        ("projects", "project"),
        ("repository", "project"),
        ("groups", "group"),
        ("namespace", "group"),
        ("all", "membership"),
        ("events", "triggers"),
        ("trigger", "triggers"),
        ("address", "url"),
        ("branch", "branch_filter"),
        ("branches", "branch_filter"),
        ("push_events_branch_filter", "branch_filter"),
        ("enable_ssl_verification", "ssl_verification"),
        ("ssl", "ssl_verification"),
        ("tls", "ssl_verification"),
    ],
    advice: &[
        ("token", SECRETS),
        ("secret", SECRETS),
        ("signing_token", SECRETS),
    ],
};

const SECRETS: &str =
    "secrets do not belong here; set GITLAB_SIGNING_KEYS or GITLAB_WEBHOOK_TOKENS";

/// Words for the triggers of other places: the fields of the API, and the events of `ROUTES`.
const TRIGGERS: Synonyms = &[
    ("merge_request", "merge_requests"),
    ("issue", "issues"),
    ("work_item", "issues"),
    ("comment", "note"),
    ("comments", "note"),
    ("notes", "note"),
    ("build", "job"),
    ("jobs", "job"),
    ("pipelines", "pipeline"),
    ("tag", "tag_push"),
    ("wiki", "wiki_page"),
    ("deployments", "deployment"),
    ("release", "releases"),
    ("milestones", "milestone"),
    ("feature_flags", "feature_flag"),
    ("access_token", "resource_access_token"),
    ("deploy_token", "resource_deploy_token"),
];

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
        let others = asked.without(offered);
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
    match reader.flag(node)? {
        true => Some(target),
        false => {
            reader.error(node.line, "expected true; leave out the entry instead");
            None
        }
    }
}

fn trigger(text: &str) -> Result<Trigger, String> {
    let words = Words {
        known: Trigger::NAMES,
        synonyms: TRIGGERS,
        advice: &[],
    };
    let name = text.strip_suffix("_events").unwrap_or(text);
    // A trigger has one spelling, as a key has.
    Trigger::with_name(name).ok_or_else(|| {
        let suggestion = words.suggest(name);
        format!("there is no trigger {}; {suggestion}", echo(text))
    })
}

/// GitLab's filter is a pattern with `*`.
fn filter(text: &str) -> Result<String, &'static str> {
    let is_usable = !text.is_empty() && text.len() <= 255 && !text.contains(char::is_whitespace);
    is_usable
        .then(|| text.to_owned())
        .ok_or("expected a branch, or a pattern such as release/*")
}

/// Parses the address of a webhook.
pub(crate) fn address(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "expected the address at which webhook-app receives webhooks, such as https://webhooks.example.org/webhook, without credentials";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let is_usable = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    is_usable.then_some(url).ok_or(EXPECTED)
}
