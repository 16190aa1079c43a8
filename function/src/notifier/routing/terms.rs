//! GitLab's terms for values of rules, and people's words for them. Owns which words mean the same, and
//! what to write for words that mean nothing a rule can name; which kind of event has which term is in
//! [`hook_fields`](super::hook_fields).

use crate::notifier::words::{Synonyms, Words};

/// People's words for what is a condition and no kind.
pub(super) const EVENT_ADVICE: Synonyms = &[
    (
        "confidential_issue",
        "write event: issue and confidential: true",
    ),
    (
        "confidential_note",
        "write event: note and confidential: true",
    ),
    ("merge", "write event: merge_request and action: merge"),
    (
        "approval",
        "write event: merge_request and action: [approved, approval]",
    ),
    (
        "review",
        "write event: note for comments, or event: merge_request and action: [approved, approval]",
    ),
    ("mention", "write event: note and to: mentioned"),
    ("schedule", "write event: pipeline and source: schedule"),
];

/// GitLab's status of a pipeline that passed.
pub(super) const SUCCESS: &str = "success";

/// GitLab's status of a pipeline that failed.
pub(super) const FAILED: &str = "failed";

/// The status that rules use for a success that fixes a failure; not one of GitLab's.
pub(super) const FIXED: &str = "fixed";

/// People's words for statuses.
pub(super) const STATUS_SYNONYMS: Synonyms = &[
    ("passed", SUCCESS),
    ("pass", SUCCESS),
    ("passing", SUCCESS),
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
    ("green", SUCCESS),
    ("red", FAILED),
];

/// People's words that are no status, with what to write.
pub(super) const STATUS_ADVICE: Synonyms = &[
    ("warning", WITH_WARNINGS),
    ("warnings", WITH_WARNINGS),
    ("passed_with_warnings", WITH_WARNINGS),
    ("success_with_warnings", WITH_WARNINGS),
    ("yellow", WITH_WARNINGS),
    ("orange", WITH_WARNINGS),
    ("finished", FINISHED),
    ("completed", FINISHED),
    ("complete", FINISHED),
    ("done", FINISHED),
    ("unfinished", "write [created, pending, running, manual]"),
    ("deployed", "write event: deployment and status: success"),
];

const WITH_WARNINGS: &str =
    "a pipeline that passed with warnings has status: success and allowed_failure: true";

const FINISHED: &str =
    "leave status: out to match all that finished, or write [success, failed, canceled, skipped]";

/// People's words for actions.
pub(super) const ACTION_SYNONYMS: Synonyms = &[
    ("opened", "open"),
    ("closed", "close"),
    ("reopened", "reopen"),
    ("re_open", "reopen"),
    ("re_opened", "reopen"),
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
    ("reassign", "assigned"),
    ("reassigned", "assigned"),
    ("undraft", "ready"),
    ("undrafted", "ready"),
    ("marked_as_ready", "ready"),
    ("mark_as_ready", "ready"),
    ("ready_for_review", "ready"),
    ("drafted", "draft"),
    ("marked_as_draft", "draft"),
    ("mark_as_draft", "draft"),
    ("converted_to_draft", "draft"),
    ("marked_as_unready", "draft"),
    ("mark_as_unready", "draft"),
    ("unready", "draft"),
    ("renamed", "retitled"),
    ("rename", "retitled"),
    ("retitle", "retitled"),
    ("retarget", "retargeted"),
    ("relabel", "relabeled"),
    ("relabelled", "relabeled"),
    ("labeled", "relabeled"),
    ("labelled", "relabeled"),
    ("title", "retitled"),
    ("title_changed", "retitled"),
    ("label", "relabeled"),
    ("labels", "relabeled"),
    ("milestone", "milestoned"),
];

/// People's words that are no action, with what to write.
pub(super) const ACTION_ADVICE: Synonyms = &[
    ("reviewed", REVIEWED),
    ("review", REVIEWED),
    ("commented", "write event: note"),
    ("comment", "write event: note"),
    ("mentioned", "write to: mentioned"),
    ("rejected", REJECTED),
    ("reject", REJECTED),
    ("disapproved", "write `unapproved`"),
    ("declined", REJECTED),
    ("changes_requested", REJECTED),
    ("requested_changes", REJECTED),
    ("request_changes", REJECTED),
    ("unlabeled", RELABELED),
    ("unlabelled", RELABELED),
    ("label_added", RELABELED),
    ("label_removed", RELABELED),
    ("unassigned", UNASSIGNED),
    ("unassign", UNASSIGNED),
    ("reviewer_removed", UNASSIGNED),
    ("review_request_removed", UNASSIGNED),
    (
        "demilestoned",
        "write `milestoned`, which matches every change of the milestone",
    ),
    ("synchronize", "new commits in a merge request are `push`"),
    ("synchronized", "new commits in a merge request are `push`"),
    ("rebased", "new commits in a merge request are `push`"),
    (
        "force_push",
        "GitLab does not say whether a push was forced",
    ),
    (
        "force_pushed",
        "GitLab does not say whether a push was forced",
    ),
    ("locked", "GitLab sends no webhook for it"),
    ("unlocked", "GitLab sends no webhook for it"),
    ("failed", "write status: failed"),
    ("passed", "write status: success"),
    ("success", "write status: success"),
    ("fixed", "write status: [failed, fixed]"),
    ("published", "write `create`"),
    ("released", "write event: release"),
    ("deployed", "write event: deployment"),
];

const REVIEWED: &str =
    "a review is sent as comments, which are event: note, and as `approved` or `approval`";

const REJECTED: &str = "GitLab has no action for it; write `unapproved` or `unapproval` for an approval that is taken back, and event: note for comments";

const RELABELED: &str = "write `relabeled`, which matches every change of the labels";

const UNASSIGNED: &str = "there is none for a user who was removed; `assigned` and `review_requested` are for users who were added";

/// What starts a pipeline, in GitLab's terms.
pub(super) const SOURCES: Words<'static> = Words {
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
    advice: &[],
};

/// People's words for roles.
pub(super) const ROLE_SYNONYMS: Synonyms = &[
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
