//! Single values of a routing rule. Owns which values are accepted, including people's words for GitLab's
//! terms, and the errors for all others; which key takes which values is decided in
//! [`mod@super::parse`].

use super::glob::Glob;
use super::rule::{RecipientSpec, Role};
use crate::gitlab::attributes::short_ref;
use crate::gitlab::kind::Kind;
use crate::notifier::words::{self, Words, echo};
use crate::rocketchat::{RoomId, Username};

#[expect(
    clippy::unnecessary_wraps,
    reason = "has the same signature as the functions for values that can be invalid"
)]
pub(super) fn glob(text: &str) -> Result<Glob, String> {
    Ok(Glob::new(text))
}

/// A pattern for a branch or tag, which events have without `refs/heads/` or `refs/tags/`.
pub(super) fn reference(text: &str) -> Result<Glob, String> {
    glob(short_ref(text))
}

pub(super) fn event(text: &str) -> Result<Kind, String> {
    words::kind(text)
        .map_err(|suggestion| format!("there is no event {}; {suggestion}", echo(text)))
}

/// GitLab's status of a pipeline that passed.
pub(super) const SUCCESS: &str = "success";

/// GitLab's status of a pipeline that failed.
pub(super) const FAILED: &str = "failed";

/// The status that rules use for a success that fixes a failure; not one of GitLab's.
pub(super) const FIXED: &str = "fixed";

/// The statuses of pipelines, jobs and deployments in GitLab 19, and [`FIXED`].
const STATUSES: Words<'static> = Words {
    known: &[
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
    ],
    synonyms: &[
        ("passed", SUCCESS),
        ("pass", SUCCESS),
        ("succeeded", SUCCESS),
        ("successful", SUCCESS),
        ("ok", SUCCESS),
        ("failure", FAILED),
        ("fail", FAILED),
        ("failing", FAILED),
        ("error", FAILED),
        ("broken", FAILED),
        ("cancelled", "canceled"),
        ("cancelling", "canceling"),
        ("cancel", "canceled"),
        ("skip", "skipped"),
        ("started", "running"),
        ("in_progress", "running"),
        ("waiting", "pending"),
        ("delayed", "scheduled"),
        ("recovered", FIXED),
    ],
};

/// The actions of GitLab 19, those that this program defines for branches and tags, and those that it
/// reads from the changes of an update.
const ACTIONS: Words<'static> = Words {
    known: &[
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
        "review_requested",
        "assigned",
        "ready",
        "draft",
        "retitled",
        "relabeled",
        "retargeted",
        "milestoned",
    ],
    synonyms: &[
        ("opened", "open"),
        ("closed", "close"),
        ("reopened", "reopen"),
        ("merged", "merge"),
        ("updated", "update"),
        ("edited", "update"),
        ("edit", "update"),
        ("approve", "approved"),
        ("unapprove", "unapproved"),
        ("created", "create"),
        ("pushed", "push"),
        ("deleted", "delete"),
        ("remove", "delete"),
        ("removed", "delete"),
        ("destroy", "delete"),
        ("destroyed", "delete"),
        ("awarded", "award"),
        ("revoked", "revoke"),
        ("detect", "detected"),
        ("confirm", "confirmed"),
        ("dismiss", "dismissed"),
        ("resolve", "resolved"),
        ("review_request", "review_requested"),
        ("request_review", "review_requested"),
        ("reviewer_added", "review_requested"),
        ("assign", "assigned"),
        ("undraft", "ready"),
        ("undrafted", "ready"),
        ("marked_as_ready", "ready"),
        ("drafted", "draft"),
        ("renamed", "retitled"),
        ("relabelled", "relabeled"),
        ("labeled", "relabeled"),
        ("labelled", "relabeled"),
    ],
};

/// What starts a pipeline, in GitLab's terms.
const SOURCES: Words<'static> = Words {
    known: &[
        "push",
        "schedule",
        "merge_request_event",
        "parent_pipeline",
        "pipeline",
        "web",
        "api",
        "trigger",
        "webide",
        "chat",
        "external",
        "external_pull_request_event",
        "ondemand_dast_scan",
        "ondemand_dast_validation",
        "security_orchestration_policy",
        "container_registry_push",
        "duo_workflow",
        "pipeline_execution_policy_schedule",
        "unknown",
    ],
    synonyms: &[
        ("scheduled", "schedule"),
        ("cron", "schedule"),
        ("nightly", "schedule"),
        ("merge_request", "merge_request_event"),
        ("mr", "merge_request_event"),
        ("parent", "parent_pipeline"),
        ("child", "parent_pipeline"),
        ("child_pipeline", "parent_pipeline"),
        ("multi_project", "pipeline"),
        ("ui", "web"),
        ("triggered", "trigger"),
        ("trigger_token", "trigger"),
        ("web_ide", "webide"),
    ],
};

pub(super) fn status(text: &str) -> Result<&'static str, String> {
    one_of(text, "status", STATUSES)
}

pub(super) fn action(text: &str) -> Result<&'static str, String> {
    one_of(text, "action", ACTIONS)
}

pub(super) fn source(text: &str) -> Result<&'static str, String> {
    one_of(text, "source", SOURCES)
}

fn one_of(text: &str, what: &str, words: Words) -> Result<&'static str, String> {
    words
        .find(text)
        .map_err(|suggestion| format!("there is no {what} {}; {suggestion}", echo(text)))
}

/// People's words for roles.
const ROLE_SYNONYMS: &[(&str, &str)] = &[
    ("assignee", "assignees"),
    ("reviewer", "reviewers"),
    ("new_assignee", "new_assignees"),
    ("new_reviewer", "new_reviewers"),
    ("mentions", "mentioned"),
    ("mention", "mentioned"),
    ("starter", "pipeline starter"),
    ("user", "actor"),
    ("commit_author", "committer"),
];

/// A recipient; `None` for `nobody`.
pub(super) fn recipient(text: &str) -> Result<Option<RecipientSpec>, String> {
    if text == "nobody" {
        return Ok(None);
    }
    if let Some(id) = text.strip_prefix("room:") {
        let room = RoomId::parse(id).map(RecipientSpec::Room);
        return room.map(Some).ok_or_else(|| {
            let found = echo(text);
            format!("expected an id of visible characters after room:, found {found}")
        });
    }
    if text.starts_with('@') {
        return username(text).map(|user| Some(RecipientSpec::User(user)));
    }
    let names: Vec<_> = Role::ALL.iter().map(|(name, _)| *name).collect();
    let roles = Words {
        known: &names,
        synonyms: ROLE_SYNONYMS,
    };
    let found = roles.find(text);
    let role = Role::ALL.iter().find(|(name, _)| found == Ok(*name));
    role.map(|(_, role)| Some(RecipientSpec::Role(*role)))
        .ok_or_else(|| unknown_recipient(text, &names, &found.err().unwrap_or_default()))
}

fn unknown_recipient(text: &str, roles: &[&str], suggestion: &str) -> String {
    let hint = match text.strip_prefix('#') {
        Some(_) => "; for a room, write room: and its id".to_owned(),
        None if suggestion.starts_with("did you mean") => format!("; {suggestion}"),
        None if Username::parse(text).is_ok() => format!("; for that user, write \"@{text}\""),
        None => String::new(),
    };
    format!(
        "expected \"@user\", room:id, nobody or one of {}, found {}{hint}",
        roles.join(", "),
        echo(text)
    )
}

/// A user of Rocket.Chat.
pub(super) fn username(text: &str) -> Result<Username, String> {
    Username::parse(text).map_err(|error| format!("{error}; found {}", echo(text)))
}
