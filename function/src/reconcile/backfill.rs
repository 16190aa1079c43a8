//! What GitLab dropped while a hook was disabled. Owns which objects GitLab's API and its log have in common, and the
//! webhooks that replace dropped ones: their bodies are those of GitLab as far as the API has the data. What the API
//! lists is parsed in [`listed`], bodies are written in [`bodies`] and
//! [`merge_requests`]; they are posted by [`runner`](super::runner).
//!
//! The idempotency key of such a webhook follows from what it is about, so that a second run, or another reconciler,
//! causes no second message. Such a key begins like a digest of content, and the function keys the IDs of its messages
//! with its secret, because others can compute it.

pub(crate) mod bodies;
pub(crate) mod branch_filter;
pub(crate) mod listed;
pub(crate) mod merge_requests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::gitlab::timestamp::unix_seconds;
use crate::limits::LIMITS;

/// Something that happened, as both the log and the API name it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Object {
    /// A branch or tag moved to a commit.
    Push {
        /// With `refs/heads/` or `refs/tags/`.
        reference: String,
        /// Empty if it was created.
        before: String,
        /// Empty if it was deleted.
        after: String,
        /// When, as a Unix time: of the activity, or of the first attempt to send it. `None` if the log does not say.
        at: Option<u64>,
    },
    /// A pipeline has a status.
    Pipeline { id: u64, status: String },
    /// A merge request changed.
    MergeRequest {
        iid: u64,
        action: String,
        /// When, as a Unix time.
        at: u64,
    },
}

/// The kinds of webhooks that backfill can write.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum BackfillKind {
    Push,
    TagPush,
    Pipeline,
    MergeRequest,
}

impl BackfillKind {
    /// The kind that a trigger of the log names, such as `push_hooks`.
    pub(crate) fn of_trigger(trigger: &str) -> Option<Self> {
        match trigger {
            "push_hooks" | "push_events" => Some(Self::Push),
            "tag_push_hooks" | "tag_push_events" => Some(Self::TagPush),
            "pipeline_hooks" | "pipeline_events" => Some(Self::Pipeline),
            "merge_request_hooks" | "merge_requests_events" => Some(Self::MergeRequest),
            _ => None,
        }
    }

    /// GitLab's header `X-Gitlab-Event`.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Push => "Push Hook",
            Self::TagPush => "Tag Push Hook",
            Self::Pipeline => "Pipeline Hook",
            Self::MergeRequest => "Merge Request Hook",
        }
    }

    /// For output.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::TagPush => "tag push",
            Self::Pipeline => "pipeline",
            Self::MergeRequest => "merge request",
        }
    }
}

/// A webhook that replaces a dropped one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Replacement {
    pub(crate) object: Object,
    pub(crate) occurred_at: SystemTime,
    pub(crate) body: Vec<u8>,
}

impl Object {
    /// The kind of its webhook.
    pub(crate) fn kind(&self) -> BackfillKind {
        match self {
            Self::Push { reference, .. } if reference.starts_with("refs/tags/") => {
                BackfillKind::TagPush
            }
            Self::Push { .. } => BackfillKind::Push,
            Self::Pipeline { .. } => BackfillKind::Pipeline,
            Self::MergeRequest { .. } => BackfillKind::MergeRequest,
        }
    }

    /// Whether a recorded webhook about this object may also be the one about `other`. The times of a merge request in
    /// the log and in the API differ by what GitLab does between them. A push is recorded after it happened, however
    /// late, and a branch can move from one commit to another more than once.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let tolerance = LIMITS.reconcile.same_change.as_secs();
        match (self, other) {
            (
                Self::Push {
                    reference,
                    before,
                    after,
                    at,
                },
                Self::Push {
                    reference: other_reference,
                    before: other_before,
                    after: other_after,
                    at: other_at,
                },
            ) => {
                let is_later =
                    at.is_none_or(|at| other_at.is_none_or(|other| other <= at + tolerance));
                let is_same =
                    (reference, before, after) == (other_reference, other_before, other_after);
                is_same && is_later
            }
            (
                Self::MergeRequest { iid, action, at },
                Self::MergeRequest {
                    iid: other_iid,
                    action: other_action,
                    at: other_at,
                },
            ) => iid == other_iid && action == other_action && at.abs_diff(*other_at) <= tolerance,
            _ => self == other,
        }
    }

    /// Whether it is a change of this merge request at about this time.
    pub(crate) fn is_change_at(&self, number: u64, time: SystemTime) -> bool {
        let Self::MergeRequest { iid, at, .. } = self else {
            return false;
        };
        let seconds = time
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        *iid == number && at.abs_diff(seconds) <= LIMITS.reconcile.same_change.as_secs()
    }

    /// The key of the webhook that replaces a dropped one. `host` is that of GitLab.
    pub(crate) fn key(&self, host: &str, project: u64) -> IdempotencyKey {
        let project = project.to_string();
        let parts = match self {
            Self::Push {
                reference,
                before,
                after,
                at,
            } => vec![
                reference.clone(),
                before.clone(),
                after.clone(),
                at.unwrap_or_default().to_string(),
            ],
            Self::Pipeline { id, status } => vec![id.to_string(), status.clone(), String::new()],
            Self::MergeRequest { iid, action, at } => {
                vec![iid.to_string(), action.clone(), at.to_string()]
            }
        };
        let mut key = vec!["backfill", host, &project, self.kind().header()];
        key.extend(parts.iter().map(String::as_str));
        IdempotencyKey::from_content(&key)
    }

    /// A short name for output.
    pub(crate) fn name(&self) -> String {
        let short = |sha: &str| sha.get(..8).unwrap_or("").to_owned();
        match self {
            Self::Push {
                reference, after, ..
            } => {
                let name = reference.strip_prefix("refs/heads/");
                let name = name
                    .or(reference.strip_prefix("refs/tags/"))
                    .unwrap_or(reference);
                match short(after) {
                    sha if sha.is_empty() => format!("{name} deleted"),
                    sha => format!("{name} {sha}"),
                }
            }
            Self::Pipeline { id, status } => format!("#{id} {status}"),
            Self::MergeRequest { iid, action, .. } => format!("!{iid} {action}"),
        }
    }
}

/// A SHA; empty for zeros, which stand for no commit.
pub(crate) fn commit_or_empty(sha: Option<String>) -> String {
    sha.filter(|sha| sha.bytes().any(|byte| byte != b'0'))
        .unwrap_or_default()
}

/// A time of GitLab's API.
pub(crate) fn time(text: Option<&str>) -> Option<SystemTime> {
    unix_seconds(text?).map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_follows_from_the_object_and_others_cannot_compute_the_ids_of_its_messages() {
        let failed = Object::Pipeline {
            id: 7,
            status: "failed".to_owned(),
        };
        let passed = Object::Pipeline {
            id: 7,
            status: "success".to_owned(),
        };
        let key = failed.key("gitlab.example.org", 42);
        assert_eq!(key, failed.key("gitlab.example.org", 42));
        assert!(key.is_content());
        for other in [
            passed.key("gitlab.example.org", 42),
            failed.key("gitlab.example.org", 43),
            failed.key("gitlab.example.net", 42),
        ] {
            assert_ne!(key, other);
        }
    }

    fn push(at: Option<u64>) -> Object {
        Object::Push {
            reference: "refs/heads/main".to_owned(),
            before: "a".to_owned(),
            after: "b".to_owned(),
            at,
        }
    }

    #[test]
    fn two_equal_pushes_at_different_times_have_different_keys() {
        let key = |at| push(Some(at)).key("gitlab.example.org", 42);
        assert_eq!(key(1000), key(1000));
        assert_ne!(key(1000), key(1001));
    }

    #[test]
    fn a_recorded_push_covers_one_that_happened_before() {
        for (recorded, happened, covers) in [
            (Some(1000), Some(1000), true),
            (Some(90_000), Some(1000), true),
            (Some(1000), Some(1060), true),
            (Some(1000), Some(1061), false),
            (None, Some(1061), true),
            (Some(1000), None, true),
        ] {
            let found = push(recorded).covers(&push(happened));
            assert_eq!(found, covers, "{recorded:?} {happened:?}");
        }
    }

    #[test]
    fn a_recorded_merge_covers_the_one_of_the_api_if_their_times_are_close() {
        let merge = |at: u64| Object::MergeRequest {
            iid: 1,
            action: "merge".to_owned(),
            at,
        };
        assert!(merge(1000).covers(&merge(1001)));
        assert!(!merge(1000).covers(&merge(2000)));
    }
}
