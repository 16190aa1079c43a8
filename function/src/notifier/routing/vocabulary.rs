//! Single values of a rule as an operator writes them. Owns the words that are known and what is said
//! of unmapped_users; where they may stand is told in [`mod@super::parse`].

use super::event_names;
use super::glob::Glob;
use super::rule::{RecipientSpec, Role};
use crate::gitlab::kind::Kind;
use crate::rocketchat::{RoomId, Username};

#[expect(
    clippy::unnecessary_wraps,
    reason = "read like the other values, which may be wrong"
)]
pub(super) fn glob(text: &str) -> Result<Glob, String> {
    Ok(Glob::new(text))
}

pub(super) fn event(text: &str) -> Result<Kind, String> {
    let names: Vec<_> = event_names().collect();
    Kind::with_label(text)
        .ok_or_else(|| format!("there is no event `{text}`; {}", nearest(text, &names)))
}

/// GitLab's word for a pipeline that did what it should.
pub(super) const SUCCESS: &str = "success";

/// GitLab's word for one that did not.
pub(super) const FAILED: &str = "failed";

/// Our word for a success that makes a failure good.
pub(super) const FIXED: &str = "fixed";

/// Templates of GitLab 19, and one of ours, for how far pipelines, jobs and deployments are.
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

/// Templates of GitLab 19 for what was done, and ours for branches and tags.
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
    word(text, "status", STATUSES)
}

pub(super) fn action(text: &str) -> Result<String, String> {
    word(text, "action", ACTIONS)
}

fn word(text: &str, what: &str, known: &[&str]) -> Result<String, String> {
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "there is no {what} `{text}`; {}",
        nearest(text, known)
    ))
}

/// `None` for nobody.
pub(super) fn to(text: &str) -> Result<Option<RecipientSpec>, String> {
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

pub(super) fn nearest(text: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .min_by_key(|name| strsim::levenshtein(text, name));
    match nearest.filter(|name| strsim::levenshtein(text, name) <= 3) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are {}", known.join(", ")),
    }
}
