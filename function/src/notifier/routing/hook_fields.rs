//! What the hooks of each kind say. Owns the one table of it: which conditions and roles events of a kind
//! can satisfy, and with which words. A test compares it with every example of a payload. GitLab's
//! source is the authority: `lib/gitlab/data_builder` and `lib/gitlab/hook_data`.

use super::condition::Condition;
use super::rule::Role;
use super::terms::{FAILED, FIXED, SUCCESS};
use crate::gitlab::kind::Kind;

/// Actions of a kind; none if its hooks have no action that rules can name.
pub(super) fn actions(kind: Kind) -> Vec<&'static str> {
    let actions: &[_] = match kind {
        Kind::Push | Kind::TagPush => &["create", "push", "delete"],
        Kind::MergeRequest => &[
            "open",
            "close",
            "reopen",
            "merge",
            "update",
            "push",
            "approved",
            "approval",
            "unapproved",
            "unapproval",
            "review_requested",
            "assigned",
            "ready",
            "draft",
            "retitled",
            "relabeled",
            "retargeted",
            "milestoned",
        ],
        Kind::Issue | Kind::WorkItem => &[
            "open",
            "close",
            "reopen",
            "update",
            "assigned",
            "retitled",
            "relabeled",
            "milestoned",
        ],
        Kind::Note => &["create", "update"],
        Kind::Release | Kind::WikiPage => &["create", "update", "delete"],
        Kind::Emoji => &["award", "revoke"],
        Kind::Milestone => &["create", "close", "reopen", "delete"],
        Kind::Vulnerability => &["detected", "confirmed", "dismissed", "resolved"],
        _ => &[],
    };
    actions.to_vec()
}

/// The statuses of GitLab 19, and [`FIXED`].
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

/// Statuses of a kind in GitLab's terms.
pub(super) fn statuses(kind: Kind) -> Vec<&'static str> {
    let has = |status: &str| match status {
        FIXED => kind == Kind::Pipeline,
        "blocked" => kind == Kind::Deployment,
        "created" | "running" | SUCCESS | FAILED | "canceled" | "skipped" => {
            matches!(kind, Kind::Pipeline | Kind::Job | Kind::Deployment)
        }
        _ => matches!(kind, Kind::Pipeline | Kind::Job),
    };
    let statuses = STATUSES.iter().copied();
    statuses.filter(|status| has(status)).collect()
}

/// Whether events of the kind say what the condition asks for.
pub(super) fn says(kind: Kind, condition: Condition) -> bool {
    use Kind::{
        Deployment, Emoji, FeatureFlag, Issue, Job, MergeRequest, Note, Pipeline, Push, Release,
        RepositoryUpdate, TagPush, WikiPage, WorkItem,
    };
    match condition {
        Condition::Event => true,
        Condition::Project => !matches!(kind, Kind::User | Kind::Key | Kind::Vulnerability),
        Condition::Action => !actions(kind).is_empty(),
        Condition::Status => !statuses(kind).is_empty(),
        Condition::Ref => matches!(
            kind,
            Push | TagPush
                | MergeRequest
                | Pipeline
                | Job
                | Deployment
                | Release
                | RepositoryUpdate
                | Note
                | Emoji
        ),
        Condition::Protected => matches!(kind, Push | TagPush | Pipeline),
        Condition::AllowedFailure => matches!(kind, Pipeline | Job),
        Condition::Source => matches!(kind, Pipeline),
        Condition::Labels => matches!(kind, Issue | WorkItem | MergeRequest | Note | Emoji),
        Condition::Draft => matches!(kind, MergeRequest | Note | Emoji),
        Condition::Paths => matches!(kind, Push | TagPush),
        Condition::Actor => matches!(
            kind,
            Push | TagPush
                | Issue
                | WorkItem
                | Note
                | MergeRequest
                | Pipeline
                | Job
                | Deployment
                | WikiPage
                | FeatureFlag
                | Emoji
                | RepositoryUpdate
        ),
        Condition::Author => matches!(
            kind,
            Push | TagPush
                | Issue
                | WorkItem
                | Note
                | MergeRequest
                | Pipeline
                | Job
                | Release
                | Emoji
        ),
    }
}

/// Whether events of the kind can name users with the role.
pub(super) fn names(kind: Kind, role: Role) -> bool {
    use Kind::{
        Deployment, Emoji, Issue, Job, MergeRequest, Note, Pipeline, Push, Release,
        RepositoryUpdate, TagPush, WorkItem,
    };
    match role {
        Role::Actor => says(kind, Condition::Actor),
        Role::Author => says(kind, Condition::Author),
        Role::Committer => matches!(
            kind,
            Push | TagPush | MergeRequest | Note | Emoji | Pipeline | Job | Release
        ),
        Role::Assignees => matches!(kind, MergeRequest | Issue | WorkItem | Note | Emoji),
        Role::Reviewers => matches!(kind, MergeRequest | Note | Emoji),
        Role::NewReviewers => matches!(kind, MergeRequest),
        Role::NewAssignees => matches!(kind, MergeRequest | Issue | WorkItem),
        Role::Mentioned => matches!(kind, MergeRequest | Issue | WorkItem | Note),
        Role::Pusher => matches!(kind, Push | TagPush | RepositoryUpdate),
        Role::Starter => matches!(kind, Pipeline | Job | Deployment),
    }
}

/// Whether the hooks of the kind can be about a group, whose path may have no slash.
pub(super) fn is_about_groups(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Member
            | Kind::Subgroup
            | Kind::Group
            | Kind::AccessToken
            | Kind::DeployToken
            | Kind::Milestone
    )
}

/// Whether the hooks of the kind can be confidential.
pub(super) fn can_be_confidential(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Issue | Kind::WorkItem | Kind::Note | Kind::Emoji
    )
}

/// Whether the hooks of the kind can be about a branch.
pub(super) fn has_branches(kind: Kind) -> bool {
    says(kind, Condition::Ref) && !matches!(kind, Kind::TagPush | Kind::Release)
}

/// Whether the hooks of the kind can be about a tag.
pub(super) fn has_tags(kind: Kind) -> bool {
    let has_only_branches = matches!(
        kind,
        Kind::Push | Kind::MergeRequest | Kind::Note | Kind::Emoji
    );
    says(kind, Condition::Ref) && !has_only_branches
}
