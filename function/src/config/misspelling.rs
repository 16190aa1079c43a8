//! Variables that look like a setting but are none. Owns which variables are meant for this program, and
//! the setting that a name probably means. The settings are listed in [`catalogue`](super::catalogue).

use std::collections::BTreeMap;

use super::catalogue::SETTINGS;

/// Prefixes that only settings of this program have.
const PREFIXES: &[&str] = &[
    "GITLAB_SIGNING",
    "GITLAB_WEBHOOK",
    "ACCEPT_",
    "ALLOW_UNAUTH",
    "ROCKETCHAT_",
    "DELIVERY_",
    "IDLE_TIMEOUT",
    "LAME_DUCK",
    "LIVE_",
    "MESSAGE_",
    "MESSAGES",
    "ROUTES",
    "LOG_",
    "METRICS_",
];

/// A warning about each variable that looks like a setting but is none.
pub(super) fn warnings(variables: &BTreeMap<String, String>) -> Vec<String> {
    let is_candidate = |name: &&String| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let unknown = variables
        .keys()
        .filter(is_candidate)
        .filter(|name| !is_known(name) && !is_service_link(name));
    unknown.map(|name| warning(name)).collect()
}

fn is_known(name: &str) -> bool {
    let name = name.strip_suffix("_FILE").unwrap_or(name);
    SETTINGS.iter().any(|setting| setting.name == name)
}

/// Whether Kubernetes set this variable for a Service of the namespace, such as one named `rocketchat`.
fn is_service_link(name: &str) -> bool {
    name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_PORT_")
}

fn warning(name: &str) -> String {
    let bare = name.strip_suffix("_FILE").unwrap_or(name);
    let suffix = &name[bare.len()..];
    match similar(bare) {
        Some(setting) => {
            format!("{name} is not a setting and has no effect; did you mean {setting}{suffix}?")
        }
        None => format!("{name} is not a setting and has no effect; see webhook-app --help"),
    }
}

/// The setting that shares most words with a name, besides the prefix that many settings share; of
/// several, the one with the fewest other letters.
pub(crate) fn similar(name: &str) -> Option<&'static str> {
    const COMMON: [&str; 4] = ["ROCKETCHAT", "GITLAB", "ACCEPT", "OTEL"];
    let shared = |setting: &str| {
        let words = name.split('_').filter(|word| !word.is_empty());
        let is_shared = |word: &&str| setting.split('_').any(|other| is_same_word(word, other));
        let weight = |word: &str| if COMMON.contains(&word) { 1 } else { 2 };
        words.filter(is_shared).map(weight).sum::<usize>()
    };
    let names = SETTINGS.iter().map(|setting| setting.name);
    let rank = |setting: &&str| {
        let distance = strsim::osa_distance(name, setting);
        (shared(setting), std::cmp::Reverse(distance))
    };
    let nearest = names.max_by_key(rank)?;
    let is_near = strsim::osa_distance(name, nearest) <= 2;
    (shared(nearest) >= 2 || is_near).then_some(nearest)
}

/// Whether words differ at most in a typing error, in their number or in their length, as in `TOKEN` and
/// `TOKENS`, `USERID` and `USER`, or `LVL` and `LEVEL`. People's words for the same thing are included.
fn is_same_word(word: &str, other: &str) -> bool {
    const SYNONYMS: &[(&str, &str)] = &[
        ("SERVER", "URL"),
        ("HOST", "URL"),
        ("ADDRESS", "URL"),
        ("BASEURL", "URL"),
        ("CERT", "CA"),
        ("CERTIFICATE", "CA"),
        ("SECRET", "TOKENS"),
        ("SECRETS", "TOKENS"),
        ("PASSWORD", "TOKEN"),
        ("PAT", "TOKEN"),
        ("CHANNEL", "RECIPIENT"),
        ("ROOM", "RECIPIENT"),
        ("USERNAME", "RECIPIENT"),
        ("TEMPLATES", "MESSAGES"),
        ("TEMPLATE", "MESSAGES"),
        ("RULES", "ROUTES"),
        ("LVL", "LEVEL"),
    ];
    let shorter = word.len().min(other.len());
    let is_form = shorter >= 3 && (word.starts_with(other) || other.starts_with(word));
    is_form || SYNONYMS.contains(&(word, other)) || strsim::osa_distance(word, other) <= shorter / 4
}
