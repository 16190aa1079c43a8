//! Which events exist and which of them a body carries. Owns the names GitLab gives its events and
//! the errors of reading them. What a push holds is [`push`](super::push)'s business.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::push::{Payload, RefChange};
use super::wire::Text;

/// What happened on GitLab, as far as we speak about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A branch or tag was created, moved or deleted.
    RefChange(Box<RefChange>),
    /// An event that is well formed but that nobody is told about.
    Unhandled(Kind),
}

impl Event {
    /// Reads the body of a delivery.
    ///
    /// `hook` is the header `X-Gitlab-Event`. It is not signed, so it only says which kind to try
    /// first; `object_kind`, or else `event_name`, decides.
    pub fn parse(hook: Option<&[u8]>, body: &[u8]) -> Result<Self, ParseError> {
        let body =
            std::str::from_utf8(body).map_err(|error| ParseError::NotUtf8(error.valid_up_to()))?;
        // serde would take an array for a struct, field by field.
        if !body.trim_ascii_start().starts_with('{') {
            read::<IgnoredAny>(body)?;
            return Ok(Self::Unhandled(Kind::Other));
        }
        if matches!(hook, Some(b"Push Hook" | b"Tag Push Hook"))
            && let Some(event) = Self::try_push(body)
        {
            return event;
        }
        let names: Names = read(body)?;
        match names.kind() {
            Kind::Push | Kind::TagPush => {
                let payload: Payload = read(body)?;
                Self::push(payload, names.kind())
            }
            kind => Ok(Self::Unhandled(kind)),
        }
    }

    /// One pass over a body that is what its header says; `None` sends it the long way round.
    fn try_push(body: &str) -> Option<Result<Self, ParseError>> {
        let payload: Payload = serde_json::from_str(body).ok()?;
        match Kind::of(payload.object_kind.as_ref(), payload.event_name.as_ref()) {
            kind @ (Kind::Push | Kind::TagPush) => Some(Self::push(payload, kind)),
            _ => None,
        }
    }

    fn push(payload: Payload, kind: Kind) -> Result<Self, ParseError> {
        Ok(Self::RefChange(Box::new(payload.read(kind)?)))
    }

    /// The kind, for logs and metrics.
    pub fn kind(&self) -> Kind {
        match self {
            Self::RefChange(change) => match change.kind {
                super::push::RefKind::Branch => Kind::Push,
                super::push::RefKind::Tag => Kind::TagPush,
            },
            Self::Unhandled(kind) => *kind,
        }
    }
}

/// The two fields that name an event.
#[derive(Deserialize)]
struct Names<'a> {
    #[serde(borrow)]
    object_kind: Option<Text<'a>>,
    #[serde(borrow)]
    event_name: Option<Text<'a>>,
}

impl Names<'_> {
    fn kind(&self) -> Kind {
        Kind::of(self.object_kind.as_ref(), self.event_name.as_ref())
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $label:literal: $($name:literal)|+;)+) => {
        /// The kinds of event that GitLab 19 sends, through project, group and system hooks.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
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
    /// `object_kind` decides; system hooks may send `event_name` alone.
    fn of(object_kind: Option<&Text>, event_name: Option<&Text>) -> Self {
        let name = Text::filled(object_kind).or_else(|| Text::filled(event_name));
        name.and_then(Self::named).unwrap_or(Self::Other)
    }
}

/// Why a body could not be read. Names the place, never the content.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseError {
    /// Not text in UTF-8, as JSON must be.
    #[error("expected JSON in UTF-8, found another byte at offset {0}")]
    NotUtf8(usize),
    /// Not JSON, or nested deeper than 127 levels.
    #[error("expected JSON, found something else at line {line}, column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// A field holds another type than GitLab sends, or is there twice.
    #[error("expected the body of a GitLab webhook, found an unexpected value in the field `{0}`")]
    Field(String),
    /// A field without which there is nothing to tell is missing, null or empty.
    #[error(
        "expected the field `{0}` of a GitLab webhook, found none; a custom webhook template must keep it"
    )]
    Missing(&'static str),
}

/// Reads JSON; the path of a wrong field is looked up only once there is one.
fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, ParseError> {
    serde_json::from_str(body).map_err(|error| {
        if error.is_data() {
            ParseError::Field(wrong_field::<T>(body))
        } else {
            syntax(&error)
        }
    })
}

fn syntax(error: &serde_json::Error) -> ParseError {
    ParseError::Syntax {
        line: error.line(),
        column: error.column(),
    }
}

fn wrong_field<'a, T: Deserialize<'a>>(body: &'a str) -> String {
    let mut json = serde_json::Deserializer::from_str(body);
    let path = serde_path_to_error::deserialize::<_, T>(&mut json)
        .err()
        .map(|error| error.path().to_string());
    path.unwrap_or_default()
}
