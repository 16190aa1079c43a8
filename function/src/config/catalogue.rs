//! The names of the settings, for the help text, the README and warnings about misspelt ones. Owns
//! no values; those are read in [`config`](super).

use std::collections::BTreeMap;

/// One setting as people see it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name of the environment variable.
    pub name: &'static str,
    /// What it sets.
    pub meaning: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

const fn setting(name: &'static str, meaning: &'static str, default: &'static str) -> Setting {
    Setting {
        name,
        meaning,
        default,
    }
}

/// Every setting. Each can also be given as the content of a file: `NAME_FILE` holds its path.
pub const SETTINGS: &[Setting] = &[
    setting("PORT", "port for webhooks", "8080"),
    setting(
        "METRICS_PORT",
        "own port for `/metrics` and health",
        "none: on `PORT`",
    ),
    setting(
        "GITLAB_SIGNING_KEYS",
        "1–4 `whsec_…` keys, comma or newline between",
        "–",
    ),
    setting(
        "GITLAB_WEBHOOK_TOKENS",
        "1–4 plain secret tokens, comma or newline between",
        "–",
    ),
    setting(
        "ACCEPT_TOKEN_TOO",
        "with signing keys set, a token alone also lets in",
        "`false`",
    ),
    setting(
        "ALLOW_UNAUTHENTICATED",
        "neither keys nor tokens; for trying out only, said loudly at start",
        "`false`",
    ),
    setting(
        "ACCEPT_MISSING_IDEMPOTENCY_KEY",
        "for GitLab before 17.4: a delivery without a key is named by its content, so an identical push later is swallowed",
        "`false`",
    ),
    setting(
        "ACCEPT_CLOUDEVENTS",
        "take CloudEvents at `POST /` from whoever reaches it; for Knative Eventing behind a mesh",
        "`false`",
    ),
    setting(
        "ROCKETCHAT_URL",
        "address of the server, such as `https://chat.example.org`",
        "required",
    ),
    setting("ROCKETCHAT_USER_ID", "user id of the bot", "required"),
    setting(
        "ROCKETCHAT_AUTH_TOKEN",
        "personal access token of the bot",
        "required",
    ),
    setting(
        "ROCKETCHAT_RECIPIENT",
        "user name that gets the messages; short for one rule of `ROUTES`",
        "required without `ROUTES`",
    ),
    setting(
        "ROUTES",
        "rules in YAML: who hears of which event",
        "everything to `ROCKETCHAT_RECIPIENT`",
    ),
    setting(
        "MESSAGES",
        "templates in YAML, kind by kind, or one for all",
        "built-in words",
    ),
    setting(
        "LIVE_PIPELINES",
        "one message a pipeline, edited when it ends; edits do not notify",
        "`false`",
    ),
    setting(
        "ROCKETCHAT_CA",
        "certificates in PEM of authorities to trust beside the usual ones",
        "–",
    ),
    setting(
        "DELIVERY_TIMEOUT_SECONDS",
        "budget of one delivery, 1–9; GitLab waits 10",
        "5",
    ),
    setting(
        "LAME_DUCK_SECONDS",
        "answers go on this long after SIGTERM before the listener closes, 0–60",
        "5; 0 where `K_SERVICE` is set",
    ),
    setting(
        "LOG_LEVEL",
        "`off`, `error`, `warn`, `info`, `debug` or `trace`",
        "`info`",
    ),
    setting(
        "LOG_FORMAT",
        "`json` or `pretty`",
        "`pretty` on a terminal, else `json`",
    ),
    setting(
        "OTEL_METRICS_EXPORTER",
        "`prometheus`: `/metrics` is there; or `none`",
        "`prometheus`",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "collector that takes spans, such as `http://collector:4318`; `/v1/traces` is added",
        "none: no spans",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "sent to the collector: `name=value`, comma between",
        "–",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "`http/protobuf`, and no other",
        "`http/protobuf`",
    ),
    setting(
        "OTEL_SERVICE_NAME",
        "name of this service in traces and metrics",
        "`webhook-app`",
    ),
    setting(
        "OTEL_TRACES_SAMPLER",
        "`always_on`, `always_off` or `traceidratio`, or after the sender's choice with `parentbased_` before it",
        "`parentbased_always_on`",
    ),
    setting(
        "OTEL_TRACES_SAMPLER_ARG",
        "share of the traces for `traceidratio`, 0–1",
        "1",
    ),
];

/// Beginnings that only our settings should have.
const PREFIXES: &[&str] = &[
    "GITLAB_SIGNING",
    "GITLAB_WEBHOOK",
    "ACCEPT_",
    "ALLOW_UNAUTH",
    "ROCKETCHAT_",
    "DELIVERY_",
    "LAME_DUCK",
    "LIVE_",
    "MESSAGES",
    "ROUTES",
    "LOG_",
    "METRICS_",
];

/// Names further apart than this are not a slip of the pen.
const MAX_DISTANCE: usize = 8;

/// Names that look like settings but are none, each with the nearest one.
pub(super) fn warnings(variables: &BTreeMap<String, String>) -> Vec<String> {
    let ours = |name: &&String| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let unknown = variables
        .keys()
        .filter(ours)
        .filter(|name| !is_known(name) && !is_service_link(name));
    unknown.map(|name| warning(name)).collect()
}

fn is_known(name: &str) -> bool {
    let name = name.strip_suffix("_FILE").unwrap_or(name);
    SETTINGS.iter().any(|setting| setting.name == name)
}

/// Kubernetes announces every Service of a namespace this way; one called `rocketchat` is likely.
fn is_service_link(name: &str) -> bool {
    name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_PORT_")
}

fn warning(name: &str) -> String {
    let nearest = SETTINGS
        .iter()
        .min_by_key(|setting| strsim::levenshtein(name, setting.name));
    match nearest.filter(|setting| strsim::levenshtein(name, setting.name) <= MAX_DISTANCE) {
        Some(setting) => format!(
            "{name} is no setting and has no effect; did you mean {}?",
            setting.name
        ),
        None => format!("{name} is no setting and has no effect; see webhook-app --help"),
    }
}
