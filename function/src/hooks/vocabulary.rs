//! The words of `HOOKS`. Owns its keys, what is suggested for other words, and the form of single values. How
//! an entry is read is decided in [`declared`](super::declared).

use url::Url;

use crate::gitlab_api::Trigger;
use crate::notifier::words::{Synonyms, Words, echo};

/// The keys of an entry.
pub(super) const KEYS: Words<'static> = Words {
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

/// Parses the name of a trigger.
pub(super) fn trigger(text: &str) -> Result<Trigger, String> {
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
pub(super) fn filter(text: &str) -> Result<String, &'static str> {
    let is_usable = !text.is_empty() && text.len() <= 255 && !text.contains(char::is_whitespace);
    is_usable
        .then(|| text.to_owned())
        .ok_or("expected a branch, or a pattern such as release/*")
}

/// Where webhook-app receives webhooks.
pub(crate) const PATH: &str = "/webhook";

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
