//! GitLab's webhooks, read at versions 16 to 19: verification, the kinds of event, and the fields
//! of each body. Owns the table of kinds, [`event_kinds`]. Depends on neither Rocket.Chat nor an
//! HTTP framework; everything here is pure.

pub mod verification;
pub mod webhook_token;
pub mod rejection;
pub mod signature;
pub mod idempotency_key;
pub mod cloud_event;
pub(crate) mod header;

pub mod event;
pub mod kind;
pub(crate) mod meta;
pub mod attributes;
pub mod participants;
pub mod commit;
pub mod page_url;
pub(crate) mod project;
mod group;
pub mod status;
pub(crate) mod timestamp;
pub mod changes;
pub(crate) mod change_details;
pub mod changed_paths;
mod labels;
mod mention;
mod markdown_line;
mod markdown_text;
mod json;
mod json_path;
mod list;
pub(crate) mod object;
mod lenient;
mod text;

pub(crate) mod push;
pub(crate) mod pushed_commits;
pub(crate) mod merge_request;
pub(crate) mod note;
pub(crate) mod issue;
pub(crate) mod pipeline;
pub(crate) mod failed_jobs;
pub(crate) mod job;
mod merged_result;
pub(crate) mod deployment;
pub(crate) mod release;
pub(crate) mod wiki_page;
pub(crate) mod feature_flag;
pub(crate) mod emoji;
pub(crate) mod milestone;
pub(crate) mod expiring_token;
pub(crate) mod vulnerability;
pub(crate) mod member;
pub(crate) mod system_hook;
pub(crate) mod repository_update;

/// The table of event kinds, one row per file. Calls the macro `$callback` with all rows.
///
/// A row names the module that parses the body (here) and the one of the same name that renders the
/// message (in [`message`](crate::notifier::message)), the struct, and the kinds it covers: their
/// labels in logs, metrics and rules, and their names in GitLab's `object_kind` or `event_name`.
/// The label is also the file name of the example in `notifier/templates/examples`.
macro_rules! event_kinds {
    ($callback:ident) => {
        $callback! {
            /// A branch or tag was created, moved or deleted.
            push::RefChange {
                /// A branch was created, moved or deleted.
                Push = "push": "push";
                /// A tag was created, moved or deleted.
                TagPush = "tag_push": "tag_push";
            }
            /// An issue or work item changed.
            issue::Issue {
                /// An issue.
                Issue = "issue": "issue";
                /// A task, an incident, an epic and other work items.
                WorkItem = "work_item": "work_item";
            }
            /// A comment was added or edited.
            note::Note {
                /// A comment.
                Note = "note": "note";
            }
            /// A merge request changed.
            merge_request::MergeRequest {
                /// A merge request.
                MergeRequest = "merge_request": "merge_request";
            }
            /// A pipeline changed its status.
            pipeline::Pipeline {
                /// A pipeline.
                Pipeline = "pipeline": "pipeline";
            }
            /// A job changed its status.
            job::Job {
                /// A job, which GitLab's payload calls a build.
                Job = "job": "build" | "job";
            }
            /// A deployment changed its status.
            deployment::Deployment {
                /// A deployment.
                Deployment = "deployment": "deployment";
            }
            /// A release changed.
            release::Release {
                /// A release.
                Release = "release": "release";
            }
            /// A wiki page changed.
            wiki_page::WikiPage {
                /// A wiki page.
                WikiPage = "wiki_page": "wiki_page";
            }
            /// A feature flag was turned on or off.
            feature_flag::FeatureFlag {
                /// A feature flag.
                FeatureFlag = "feature_flag": "feature_flag";
            }
            /// An emoji reaction was added or removed.
            emoji::Emoji {
                /// An emoji reaction.
                Emoji = "emoji": "emoji";
            }
            /// A milestone changed.
            milestone::Milestone {
                /// A milestone.
                Milestone = "milestone": "milestone";
            }
            /// A token is about to expire.
            expiring_token::ExpiringToken {
                /// An access token is about to expire.
                AccessToken = "access_token": "access_token" | "expiring_access_token";
                /// A deploy token is about to expire.
                DeployToken = "deploy_token": "deploy_token" | "expiring_deploy_token";
            }
            /// A vulnerability was found, or its state changed.
            vulnerability::Vulnerability {
                /// A vulnerability.
                Vulnerability = "vulnerability": "vulnerability";
            }
            /// A membership changed.
            member::Member {
                /// A user joined or left a group or a project, or asked to join.
                Member = "member":
                    "user_add_to_group" | "user_update_for_group" | "user_remove_from_group"
                    | "user_access_request_to_group" | "user_access_request_denied_for_group"
                    | "user_access_request_revoked_for_group"
                    | "user_add_to_team" | "user_update_for_team" | "user_remove_from_team"
                    | "user_access_request_to_project"
                    | "user_access_request_denied_for_project"
                    | "user_access_request_revoked_for_project";
            }
            /// A project, group, account or key was created, changed or deleted.
            system_hook::SystemHook {
                /// A subgroup.
                Subgroup = "subgroup": "subgroup_create" | "subgroup_destroy";
                /// A project was created, renamed, transferred, changed or deleted.
                Project = "project":
                    "project_create" | "project_destroy" | "project_rename" | "project_transfer"
                    | "project_update";
                /// System hook: an account.
                User = "user":
                    "user_create" | "user_destroy" | "user_rename" | "user_failed_login";
                /// System hook: a group.
                Group = "group": "group_create" | "group_destroy" | "group_rename";
                /// System hook: an SSH key.
                Key = "key": "key_create" | "key_destroy";
            }
            /// A repository changed.
            repository_update::RepositoryUpdate {
                /// System hook: a repository changed.
                RepositoryUpdate = "repository_update": "repository_update";
            }
        }
    };
}

pub(crate) use event_kinds;

#[cfg(test)]
mod fixtures;
