//! Variables that look like a setting but are none. Owns which variables are meant for this program, the
//! setting that a name probably means, and the variable that was meant as a missing setting. The settings are
//! listed in [`catalogue`](super::catalogue).

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

/// Names for a port that other programs use. They mean `PORT` if that is not set.
const PORTS: &[&str] = &["HTTP_PORT", "LISTEN_PORT", "SERVER_PORT", "WEBHOOK_PORT"];

/// Names that also exist in lower case, which other programs require.
const LOWER_CASE: [&str; 4] = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];

/// Names of which each word could be meant for this program, but which shells set.
const OF_SHELLS: [&str; 3] = ["HOST", "USER", "USERNAME"];

/// A warning about each variable that looks like a setting but is none.
pub(super) fn warnings(variables: &BTreeMap<String, String>) -> Vec<String> {
    let names = variables.keys().filter(|name| is_candidate(name));
    let ports = PORTS.iter().filter(|name| is_port(name, variables));
    let ports = ports.map(|name| warning_with(name, "PORT"));
    names.map(|name| warning(name)).chain(ports).collect()
}

/// Whether a variable looks like a setting but is none, whatever else is set.
fn is_candidate(name: &str) -> bool {
    let has_prefix = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let is_meant = same_letters(bare(name)).is_some() || (has_prefix && !is_service_link(name));
    is_meant && !is_known(name)
}

/// Whether the value is a number, and not what Kubernetes sets for a Service.
fn is_port(name: &str, variables: &BTreeMap<String, String>) -> bool {
    let value = variables.get(name).map(|value| value.trim());
    let is_number = value.is_some_and(|value| value.parse::<u16>().is_ok());
    is_number && !variables.contains_key("PORT") && !variables.contains_key("PORT_FILE")
}

/// The variable that was probably meant as `setting`, which is not set, and what its name should be. Only
/// names that cause no warning on their own are considered, and their values are not shown.
pub(super) fn meant_as<'a>(
    setting: &str,
    variables: &'a BTreeMap<String, String>,
) -> Option<(&'a str, String)> {
    let filled = variables
        .iter()
        .filter(|(_, value)| !value.trim().is_empty());
    let others = filled.map(|(name, _)| name.as_str()).filter(|name| {
        let is_other = !is_known(name) && !is_candidate(name) && !is_service_link(name);
        is_other && is_meant_as(&bare(name).to_ascii_uppercase(), setting)
    });
    let nearest = others.min_by_key(|name| strsim::osa_distance(bare(name), setting))?;
    let suffix = &nearest[bare(nearest).len()..];
    Some((nearest, format!("{setting}{suffix}")))
}

/// Whether each word of a name is one of the setting or names its system, and one of them is not only that.
fn is_meant_as(name: &str, setting: &str) -> bool {
    let systems: &[&str] = match setting.split('_').next() {
        Some("GITLAB") => &["WEBHOOK", "WEBHOOKS", "HOOK"],
        Some("ROCKETCHAT") => &["BOT", "CHAT", "RC", "ROCKET"],
        _ => &[],
    };
    let is_shared = |word: &str| setting.split('_').any(|other| is_same_word(word, other));
    let is_system = |word: &str| systems.contains(&word);
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut all = words.clone();
    all.all(|word| is_shared(word) || is_system(word))
        && words.any(|word| is_shared(word) && !is_system(word) && !COMMON.contains(&word))
        && !OF_SHELLS.contains(&name)
}

/// A name without the suffix for a file.
fn bare(name: &str) -> &str {
    name.strip_suffix("_FILE").unwrap_or(name)
}

fn is_known(name: &str) -> bool {
    let name = bare(name);
    let is_lower = || {
        let mut names = LOWER_CASE.iter();
        names.any(|upper| upper.to_ascii_lowercase() == name)
    };
    SETTINGS.iter().any(|setting| setting.name == name) || is_lower()
}

/// The setting with the same letters, as in `LOGLEVEL` or `ROCKET_CHAT_URL`.
fn same_letters(name: &str) -> Option<&'static str> {
    let letters = |name: &str| name.replace('_', "").to_ascii_uppercase();
    let wanted = letters(name);
    let mut names = SETTINGS.iter().map(|setting| setting.name);
    names.find(|setting| letters(setting) == wanted)
}

/// Whether Kubernetes set this variable for a Service of the namespace, such as one named `rocketchat`.
fn is_service_link(name: &str) -> bool {
    name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_PORT_")
}

fn warning(name: &str) -> String {
    let suffix = &name[bare(name).len()..];
    match similar(bare(name)) {
        Some(setting) => warning_with(name, &format!("{setting}{suffix}")),
        None => format!("{name} is not a setting and has no effect; see webhook-app --help"),
    }
}

fn warning_with(name: &str, meant: &str) -> String {
    format!("{name} is not a setting and has no effect; did you mean {meant}?")
}

/// Words that many settings share.
const COMMON: [&str; 4] = ["ROCKETCHAT", "GITLAB", "ACCEPT", "OTEL"];

/// The setting that shares most words with a name, besides those that many settings share; of several, the
/// one with the fewest other letters.
pub(crate) fn similar(name: &str) -> Option<&'static str> {
    if name == "ROCKETCHAT_PROXY" {
        // Rocket.Chat is hardly ever called without encryption.
        return Some("HTTPS_PROXY");
    }
    let words = || name.split('_').filter(|word| !word.is_empty());
    let shared = |setting: &str| {
        let is_shared = |word: &&str| setting.split('_').any(|other| is_same_word(word, other));
        let weight = |word: &str| if COMMON.contains(&word) { 1 } else { 2 };
        words().filter(is_shared).map(weight).sum::<usize>()
    };
    // A setting that excludes something is the opposite of what other names mean.
    let is_opposite =
        |setting: &&str| setting.starts_with("NO_") && !words().any(|word| word == "NO");
    let names = SETTINGS.iter().map(|setting| setting.name);
    let names = names.filter(|setting| !is_opposite(setting));
    let rank = |setting: &&str| {
        let distance = strsim::osa_distance(name, setting);
        (shared(setting), std::cmp::Reverse(distance))
    };
    let nearest = names.max_by_key(rank)?;
    let is_near = strsim::osa_distance(name, nearest) <= 2;
    let found = (shared(nearest) >= 2 || is_near).then_some(nearest);
    same_letters(name).or(found)
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
