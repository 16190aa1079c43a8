//! Which kinds of event exist. Owns the names GitLab gives them on the wire and the words we use for
//! them in logs and metrics. What is read of each kind is told by [`event`](super::event).

use super::text::Text;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $label:literal: $($name:literal)|+;)+) => {
        /// The kinds of event that GitLab 19 sends, through project, group and system hooks.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Kind {
            $($(#[$doc])* $variant,)+
            /// A kind we do not know, or a body that a custom template has made.
            Other,
        }

        impl Kind {
            /// Every kind, for tables and for series that must exist from the start.
            pub const ALL: &[Self] = &[$(Self::$variant,)+ Self::Other];

            /// The word for logs and metrics.
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                    Self::Other => "other",
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($($name)|+ => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A branch moved.
    Push = "push": "push";
    /// A tag was created, moved or deleted.
    TagPush = "tag_push": "tag_push";
    /// An issue.
    Issue = "issue": "issue";
    /// A task, an incident, an epic and other work items.
    WorkItem = "work_item": "work_item";
    /// A comment.
    Note = "note": "note";
    /// A merge request.
    MergeRequest = "merge_request": "merge_request";
    /// A pipeline.
    Pipeline = "pipeline": "pipeline";
    /// A job, called build on the wire.
    Job = "job": "build" | "job";
    /// A deployment.
    Deployment = "deployment": "deployment";
    /// A release.
    Release = "release": "release";
    /// A page of a wiki.
    WikiPage = "wiki_page": "wiki_page";
    /// A feature flag.
    FeatureFlag = "feature_flag": "feature_flag";
    /// An emoji reaction.
    Emoji = "emoji": "emoji";
    /// A milestone.
    Milestone = "milestone": "milestone";
    /// An access token is about to expire.
    AccessToken = "access_token": "access_token" | "expiring_access_token";
    /// A deploy token is about to expire.
    DeployToken = "deploy_token": "deploy_token" | "expiring_deploy_token";
    /// A vulnerability.
    Vulnerability = "vulnerability": "vulnerability";
    /// Somebody joined or left a group or a project.
    Member = "member":
        "user_add_to_group" | "user_update_for_group" | "user_remove_from_group"
        | "user_access_request_to_group" | "user_access_request_denied_for_group"
        | "user_add_to_team" | "user_update_for_team" | "user_remove_from_team"
        | "user_access_request_to_project" | "user_access_request_denied_for_project";
    /// A subgroup.
    Subgroup = "subgroup": "subgroup_create" | "subgroup_destroy";
    /// A project was made, renamed, moved, changed or deleted.
    Project = "project":
        "project_create" | "project_destroy" | "project_rename" | "project_transfer"
        | "project_update";
    /// System hook: a repository changed.
    RepositoryUpdate = "repository_update": "repository_update";
    /// System hook: an account.
    User = "user": "user_create" | "user_destroy" | "user_rename" | "user_failed_login";
    /// System hook: a group.
    Group = "group": "group_create" | "group_destroy" | "group_rename";
    /// System hook: an SSH key.
    Key = "key": "key_create" | "key_destroy";
}

impl Kind {
    /// The kind with this label, except [`Kind::Other`].
    pub fn with_label(label: &str) -> Option<Self> {
        let mut told = Self::ALL.iter().filter(|kind| **kind != Self::Other);
        told.find(|kind| kind.label() == label).copied()
    }

    /// `object_kind` decides; system hooks may send `event_name` alone.
    pub(super) fn of(object_kind: Option<&Text>, event_name: Option<&Text>) -> Self {
        let name = Text::filled(object_kind).or_else(|| Text::filled(event_name));
        name.and_then(Self::named).unwrap_or(Self::Other)
    }
}
