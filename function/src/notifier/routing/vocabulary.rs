//! Single values of a routing rule. Owns which values are accepted, and the errors for all others;
//! which key takes which values is decided in [`mod@super::parse`].

use super::event_names;
use super::glob::Glob;
use super::rule::{RecipientSpec, Role};
use crate::gitlab::kind::Kind;
use crate::rocketchat::{RoomId, Username};

#[expect(
    clippy::unnecessary_wraps,
    reason = "has the same signature as the functions for values that can be invalid"
)]
pub(super) fn glob(text: &str) -> Result<Glob, String> {
    Ok(Glob::new(text))
}

pub(super) fn event(text: &str) -> Result<Kind, String> {
    let names: Vec<_> = event_names().collect();
    Kind::with_label(text)
        .ok_or_else(|| format!("there is no event `{text}`; {}", suggest(text, &names)))
}

/// GitLab's status of a pipeline that passed.
pub(super) const SUCCESS: &str = "success";

/// GitLab's status of a pipeline that failed.
pub(super) const FAILED: &str = "failed";

/// The status that rules use for a success that fixes a failure; not one of GitLab's.
pub(super) const FIXED: &str = "fixed";

/// The statuses of pipelines, jobs and deployments in GitLab 19, and [`FIXED`].
const STATUSES: &[&str] = &[
    "created",
    "waiting_for_resource",
    "waiting_for_callback",
    "preparing",
    "pending",
    "running",
    "canceling",
    "manual",
    "scheduled",
    "blocked",
    SUCCESS,
    FAILED,
    "canceled",
    "skipped",
    FIXED,
];

/// The actions of GitLab 19, and those that this program defines for branches and tags.
const ACTIONS: &[&str] = &[
    "open",
    "close",
    "reopen",
    "merge",
    "update",
    "approved",
    "approval",
    "unapproved",
    "unapproval",
    "create",
    "push",
    "delete",
    "award",
    "revoke",
    "detected",
    "confirmed",
    "dismissed",
    "resolved",
];

pub(super) fn status(text: &str) -> Result<String, String> {
    one_of(text, "status", STATUSES)
}

pub(super) fn action(text: &str) -> Result<String, String> {
    one_of(text, "action", ACTIONS)
}

fn one_of(text: &str, what: &str, known: &[&str]) -> Result<String, String> {
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "there is no {what} `{text}`; {}",
        suggest(text, known)
    ))
}

/// A recipient; `None` for `nobody`.
pub(super) fn recipient(text: &str) -> Result<Option<RecipientSpec>, String> {
    if text == "nobody" {
        return Ok(None);
    }
    if let Some(id) = text.strip_prefix("room:") {
        let room = RoomId::parse(id).map(RecipientSpec::Room);
        return room
            .map(Some)
            .ok_or_else(|| "expected an id of visible characters after room:".to_owned());
    }
    if text.starts_with('@') {
        let user = Username::parse(text).map(RecipientSpec::User);
        return user.map(Some).map_err(|error| error.to_string());
    }
    let role = Role::ALL.iter().find(|(name, _)| *name == text);
    role.map(|(_, role)| Some(RecipientSpec::Role(*role)))
        .ok_or_else(|| {
            let names: Vec<_> = Role::ALL.iter().map(|(name, _)| *name).collect();
            format!(
                "expected \"@user\", room:id, nobody or one of {}, found `{text}`",
                names.join(", ")
            )
        })
}

/// Suggests the known name nearest to a misspelled one, or lists all of them.
pub(super) fn suggest(text: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .min_by_key(|name| strsim::levenshtein(text, name));
    match nearest.filter(|name| strsim::levenshtein(text, name) <= 3) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("expected one of {}", known.join(", ")),
    }
}
