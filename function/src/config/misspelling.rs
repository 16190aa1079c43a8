//! Variables that look like a setting but are none. Owns which variables are meant for this program, the
//! setting that a name probably means, and the variable that was meant as a missing setting. The settings are
//! listed in [`catalogue`](super::catalogue). An environment also has variables of other programs, which must
//! cause no warning.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::catalogue::SETTINGS;

/// Prefixes that only settings of this program have.
const PREFIXES: &[&str] = &[
    "GITLAB_API_T",
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

/// People's spellings of the names of both systems.
const SYSTEMS: [(&str, &str); 2] = [("ROCKET_CHAT_", "ROCKETCHAT_"), ("GIT_LAB_", "GITLAB_")];

/// Names of other programs that are near to the name of a setting.
const UNRELATED: [&str; 3] = ["GITLAB_CI", "ROUTER", "ROUTERS"];

/// Names for a port that other programs use. They mean `PORT` if that is not set.
const PORTS: &[&str] = &["HTTP_PORT", "LISTEN_PORT", "SERVER_PORT", "WEBHOOK_PORT"];

/// Names that also exist in lower case, which other programs require.
const LOWER_CASE: [&str; 4] = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];

/// Names of which each word could be meant for this program, but which shells set.
const OF_SHELLS: [&str; 3] = ["HOST", "USER", "USERNAME"];

/// A warning about each variable that looks like a setting but is none.
pub(super) fn warnings(variables: &BTreeMap<String, String>) -> Vec<String> {
    let names = variables
        .keys()
        .filter(|name| is_candidate(name, variables));
    let ports = PORTS.iter().filter(|name| is_port(name, variables));
    let ports = ports.map(|name| warning_with(name, "PORT"));
    names.map(|name| warning(name)).chain(ports).collect()
}

/// Whether a variable looks like a setting but is none.
fn is_candidate(name: &str, variables: &BTreeMap<String, String>) -> bool {
    let whole = with_usual_systems(name);
    let has_prefix = PREFIXES.iter().any(|prefix| whole.starts_with(prefix));
    // Kubernetes sets `METRIC_PORT=tcp://10.0.0.1:80` for a Service named `metric`.
    let is_address = || {
        variables
            .get(name)
            .is_some_and(|value| value.contains("://"))
    };
    let is_near = || near(bare(name)).is_some() && !(name.ends_with("_PORT") && is_address());
    let is_unset = |setting: &str| {
        let file = format!("{setting}_FILE");
        !variables.contains_key(setting) && !variables.contains_key(&file)
    };
    let is_meant = same_letters(bare(name)).is_some()
        || (has_prefix && !is_service_link(name))
        || is_near()
        || synonym(bare(name)).is_some_and(is_unset);
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
        let is_other = !is_known(name) && !is_candidate(name, variables) && !is_service_link(name);
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

/// The setting whose name differs only in a typing error, or in two if it is long.
fn near(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let names = SETTINGS.iter().map(|setting| setting.name);
    let near = names.filter(|setting| is_typing_error(&name, setting));
    let nearest = near.min_by_key(|setting| strsim::osa_distance(&name, setting));
    nearest.filter(|_| !UNRELATED.contains(&name.as_str()))
}

/// People rarely misspell the first letter. A short name, such as `PORT`, is near to many others, and so is a
/// short word: `NODE_PROXY` is not a misspelled `NO_PROXY`.
fn is_typing_error(name: &str, setting: &str) -> bool {
    const SHORT_NAME: usize = 4;
    const SHORT_WORD: usize = 4;
    let has_start = name.chars().next() == setting.chars().next() || setting.ends_with(name);
    let most = if name.len() < 8 { 1 } else { 2 };
    let words = || name.split('_').zip(setting.split('_'));
    let is_near_word = |(word, other): (&str, &str)| {
        word.len().max(other.len()) > SHORT_WORD || strsim::osa_distance(word, other) <= 1
    };
    let has_same_count = name.split('_').count() == setting.split('_').count();
    setting.len() > SHORT_NAME
        && has_start
        && strsim::osa_distance(name, setting) <= most
        && (!has_same_count || words().all(is_near_word))
}

/// The setting of one word that people call by another word, as in `RULES` for `ROUTES`.
fn synonym(name: &str) -> Option<&'static str> {
    let mut names = SETTINGS.iter().map(|setting| setting.name);
    names.find(|setting| SYNONYMS.contains(&(name, setting)))
}

/// A name with the usual spelling of both systems.
fn with_usual_systems(name: &str) -> Cow<'_, str> {
    let mut systems = SYSTEMS.iter();
    let found = systems.find_map(|(other, usual)| Some((name.strip_prefix(other)?, usual)));
    found.map_or(Cow::Borrowed(name), |(rest, usual)| {
        Cow::Owned(format!("{usual}{rest}"))
    })
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
    let exact = near(bare(name)).or_else(|| synonym(bare(name)));
    match exact.or_else(|| similar(&with_usual_systems(bare(name)))) {
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

/// People's words for the words of settings.
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
    ("RULE", "ROUTES"),
    ("RULES", "ROUTES"),
    ("LVL", "LEVEL"),
];

/// Whether words differ at most in a typing error, in their number or in their length, as in `TOKEN` and
/// `TOKENS`, `USERID` and `USER`, or `LVL` and `LEVEL`. People's words for the same thing are included.
fn is_same_word(word: &str, other: &str) -> bool {
    let shorter = word.len().min(other.len());
    let is_form = shorter >= 3 && (word.starts_with(other) || other.starts_with(word));
    is_form || SYNONYMS.contains(&(word, other)) || strsim::osa_distance(word, other) <= shorter / 4
}
