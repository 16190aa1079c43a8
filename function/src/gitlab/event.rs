//! What a body says happened. Owns which family of events reads it and the errors of reading. The
//! names of the kinds are [`kind`](super::kind)'s business, what each holds is its family's.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::kind::Kind;
use super::meta::EventHints;
use super::push::{self, RefChange, RefKind};
use super::status::Status;
use super::text::Text;
use super::{
    deployment, emoji, expiring_token, feature_flag, issue, job, member, merge_request, milestone,
    note, pipeline, release, repository_update, system_hook, vulnerability, wiki_page,
};

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $variant:ident: $family:ident, $($kind:ident)|+;)+) => {
        /// What happened on GitLab.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub enum Event {
            /// A branch or tag was created, moved or deleted.
            RefChange(Box<RefChange>),
            $($(#[$doc])* $variant(Box<$family::$variant>),)+
            /// An event of a kind we do not know.
            Unhandled(Kind),
            /// A known kind without what makes it one, as a custom webhook template may leave it.
            Incomplete(Kind),
        }

        impl Event {
            /// The kind, for logs and metrics.
            pub fn kind(&self) -> Kind {
                match self {
                    Self::RefChange(change) => match change.kind {
                        RefKind::Branch => Kind::Push,
                        RefKind::Tag => Kind::TagPush,
                    },
                    $(Self::$variant(event) => event.meta.kind,)+
                    Self::Unhandled(kind) | Self::Incomplete(kind) => *kind,
                }
            }

            fn read_as(body: &str, hints: &EventHints) -> Result<Self, ParseError> {
                match hints.kind {
                    Kind::Push | Kind::TagPush => Self::push(read(body)?, hints.kind),
                    $($(Kind::$kind)|+ => {
                        let payload: $family::Payload = read(body)?;
                        Ok(Self::$variant(Box::new(payload.read(hints)?)))
                    })+
                    Kind::Other => Ok(Self::Unhandled(Kind::Other)),
                }
            }
        }
    };
}

event_kinds! {
    /// Something happened to an issue or work item.
    Issue: issue, Issue | WorkItem;
    /// Something happened to a merge request.
    MergeRequest: merge_request, MergeRequest;
    /// Somebody wrote a comment.
    Note: note, Note;
    /// A pipeline went a step further.
    Pipeline: pipeline, Pipeline;
    /// A job went a step further.
    Job: job, Job;
    /// A deployment went a step further.
    Deployment: deployment, Deployment;
    /// Something happened to a release.
    Release: release, Release;
    /// Something happened to a page of a wiki.
    WikiPage: wiki_page, WikiPage;
    /// A feature flag was turned on or off.
    FeatureFlag: feature_flag, FeatureFlag;
    /// Somebody reacted with an emoji.
    Emoji: emoji, Emoji;
    /// Something happened to a milestone.
    Milestone: milestone, Milestone;
    /// A token is about to expire.
    ExpiringToken: expiring_token, AccessToken | DeployToken;
    /// A vulnerability was found or judged.
    Vulnerability: vulnerability, Vulnerability;
    /// Somebody's membership changed.
    Member: member, Member;
    /// A project, group, account or key came, went or changed.
    SystemHook: system_hook, Subgroup | Project | User | Group | Key;
    /// A repository changed.
    RepositoryUpdate: repository_update, RepositoryUpdate;
}

impl Event {
    /// Reads the body of a delivery.
    ///
    /// `hook` is the header `X-Gitlab-Event`. It is not signed, so it only says which kind to try
    /// first, and that an event is confidential, which it may say without harm; `object_kind`, or
    /// else `event_name`, decides.
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
        let says_so = hook.is_some_and(|hook| hook.starts_with(b"Confidential "));
        let hints = names.hints(says_so);
        match Self::read_as(body, &hints) {
            // A push without its commit is a mistake to be shown; of the others we only speak.
            Err(ParseError::Missing(_)) if !matches!(hints.kind, Kind::Push | Kind::TagPush) => {
                Ok(Self::Incomplete(hints.kind))
            }
            event => event,
        }
    }

    /// Whether only members of the project may see it.
    pub fn is_confidential(&self) -> bool {
        match self {
            Self::Issue(issue) => issue.confidential,
            Self::Note(note) => note.confidential,
            Self::Emoji(emoji) => emoji.confidential,
            _ => false,
        }
    }

    /// Whether it tells of something that goes on: a pipeline, a job or a deployment.
    pub fn is_in_progress(&self) -> bool {
        let status = match self {
            Self::Pipeline(pipeline) => pipeline.status,
            Self::Job(job) => job.status,
            Self::Deployment(deployment) => deployment.status,
            _ => return false,
        };
        status == Status::Unfinished
    }

    /// One pass over a body that is what its header says; `None` sends it the long way round.
    fn try_push(body: &str) -> Option<Result<Self, ParseError>> {
        let payload: push::Payload = serde_json::from_str(body).ok()?;
        match Kind::of(payload.object_kind.as_ref(), payload.event_name.as_ref()) {
            kind @ (Kind::Push | Kind::TagPush) => Some(Self::push(payload, kind)),
            _ => None,
        }
    }

    fn push(payload: push::Payload, kind: Kind) -> Result<Self, ParseError> {
        Ok(Self::RefChange(Box::new(payload.read(kind)?)))
    }
}

/// The fields that name an event.
#[derive(Deserialize)]
struct Names<'a> {
    #[serde(borrow)]
    object_kind: Option<Text<'a>>,
    #[serde(borrow)]
    event_name: Option<Text<'a>>,
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
}

impl Names<'_> {
    fn hints(&self, is_confidential: bool) -> EventHints<'_> {
        let typed = Text::filled(self.event_type.as_ref())
            .is_some_and(|name| name.starts_with("confidential_"));
        EventHints {
            kind: Kind::of(self.object_kind.as_ref(), self.event_name.as_ref()),
            name: Text::filled(self.event_name.as_ref())
                .or_else(|| Text::filled(self.object_kind.as_ref()))
                .unwrap_or_default(),
            confidential: is_confidential || typed,
        }
    }
}

/// Why a body could not be read. Names the place, never the content.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseError {
    /// Not text in UTF-8, as JSON must be.
    #[error("expected JSON in UTF-8, found another byte at offset {0}")]
    NotUtf8(usize),
    /// Not JSON.
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
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, ParseError> {
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
