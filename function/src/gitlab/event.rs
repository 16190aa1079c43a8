//! A webhook as one value. Owns the way from a verified body to an [`Event`], and the parse errors.
//! The table of kinds is in [`gitlab`](super); the fields of a kind are parsed in its own file.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::attributes::EventAttributes;
use super::kind::Kind;
use super::meta::{EventHints, EventMeta};
use super::object::Object;
use super::occurred_at::Own;
use super::status::Status;
use super::text::{Text, bounded};
use super::verification::Verified;
use super::{event_kinds, json, json_path, push};

/// The content of one webhook. Messages, rules, templates and live pipelines use nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Kind, project and identity.
    pub meta: EventMeta,
    /// What rules and templates use, in one form for all kinds.
    pub attributes: EventAttributes,
    /// The fields that only events of one kind have.
    pub(crate) kind: EventKind,
}

/// The result of parsing a body of one kind.
pub(super) struct Parsed<T> {
    pub(super) meta: EventMeta,
    pub(super) attributes: EventAttributes,
    pub(super) kind: T,
}

macro_rules! event_kind {
    ($(
        $(#[$doc:meta])* $module:ident::$type:ident {
            $($(#[$_doc:meta])* $kind:ident = $label:literal: $($name:literal)|+;)+
        }
    )+) => {
        /// The fields that only events of one kind have.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub(crate) enum EventKind {
            $($(#[$doc])* $type(Box<super::$module::$type>),)+
            /// A kind that this program does not know.
            Unhandled,
            /// A known kind without a field that it requires, for example because a custom webhook
            /// template omits it.
            Incomplete,
        }

        impl Event {
            fn read(body: &str, hints: &EventHints) -> Result<Self, ParseError> {
                match hints.kind {
                    $($(Kind::$kind)|+ => {
                        let payload: super::$module::Payload = read(body)?;
                        Ok(payload.read(hints)?.into_event(EventKind::$type))
                    })+
                    Kind::Other => Ok(Self::empty(hints, EventKind::Unhandled)),
                }
            }
        }
    };
}

event_kinds!(event_kind);

impl<T> Parsed<T> {
    fn into_event(self, kind: impl FnOnce(Box<T>) -> EventKind) -> Event {
        Event {
            meta: self.meta,
            attributes: self.attributes,
            kind: kind(Box::new(self.kind)),
        }
    }
}

impl Event {
    /// Parses the body of a verified webhook.
    ///
    /// `hook` is the header `X-Gitlab-Event`. It is not signed, so it only selects the kind to try
    /// first, and can only add confidentiality. The kind is decided by `object_kind`, or else by
    /// `event_name`.
    ///
    /// Only a webhook that was authenticated can say when its event occurred.
    pub fn parse(hook: Option<&[u8]>, verified: Verified) -> Result<Self, ParseError> {
        let mut event = Self::parse_body(hook, verified.body)?;
        if !verified.is_authentic() {
            event.meta.occurred_at = None;
        }
        event.meta.idempotency_key = verified.idempotency_key;
        Ok(event)
    }

    fn parse_body(hook: Option<&[u8]>, body: &[u8]) -> Result<Self, ParseError> {
        let body =
            std::str::from_utf8(body).map_err(|error| ParseError::NotUtf8(error.valid_up_to()))?;
        let short = json::shortened(body);
        if let Cow::Owned(_) = short {
            // What was cut off must be valid too.
            check_syntax(body)?;
        }
        let body = &*short;
        if !body.trim_ascii_start().starts_with('{') {
            check_syntax(body)?;
            let hints = EventHints {
                kind: Kind::Other,
                name: "",
                confidential: false,
                occurred_at: None,
            };
            return Ok(Self::empty(&hints, EventKind::Unhandled));
        }
        if matches!(hook, Some(b"Push Hook" | b"Tag Push Hook"))
            && let Some(event) = Self::try_push(body)
        {
            return event;
        }
        let names: Names = read(body)?;
        let is_confidential = hook.is_some_and(|hook| hook.starts_with(b"Confidential "));
        let hints = names.hints(is_confidential);
        match Self::read(body, &hints) {
            // A push without its commit is reported as an error; other kinds are skipped with a
            // reason.
            Err(ParseError::Missing(_)) if !matches!(hints.kind, Kind::Push | Kind::TagPush) => {
                Ok(Self::empty(&hints, EventKind::Incomplete))
            }
            event => event,
        }
    }

    fn empty(hints: &EventHints, kind: EventKind) -> Self {
        Self {
            meta: hints.meta(None, None, &[]),
            attributes: EventAttributes::default(),
            kind,
        }
    }

    /// The kind, for logs and metrics.
    pub fn kind(&self) -> Kind {
        self.meta.kind
    }

    /// Parses a push in a single pass; `None` if the body is another kind or invalid, so that it is
    /// parsed again.
    fn try_push(body: &str) -> Option<Result<Self, ParseError>> {
        let Object(payload) = serde_json::from_str::<Object<push::Payload>>(body).ok()?;
        let hints = payload.hints();
        matches!(hints.kind, Kind::Push | Kind::TagPush).then(|| {
            let parsed = payload.read(&hints)?;
            Ok(parsed.into_event(EventKind::RefChange))
        })
    }
}

impl EventAttributes {
    /// Adds the status of a pipeline, job or deployment; `word` is GitLab's term.
    pub(super) fn with_status(self, word: Option<String>, status: Status) -> Self {
        Self {
            status: word,
            in_progress: status == Status::Unfinished,
            ..self
        }
    }
}

/// The fields that name the kind of an event.
#[derive(Deserialize)]
struct Names<'a> {
    #[serde(borrow)]
    object_kind: Option<Text<'a>>,
    #[serde(borrow)]
    event_name: Option<Text<'a>>,
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(default)]
    webhook_app: Own,
}

impl Names<'_> {
    fn hints(&self, is_confidential: bool) -> EventHints<'_> {
        let type_is_confidential = Text::non_blank(self.event_type.as_ref())
            .is_some_and(|name| name.starts_with("confidential_"));
        EventHints {
            kind: Kind::from_names(self.object_kind.as_ref(), self.event_name.as_ref()),
            name: Text::non_blank(self.event_name.as_ref())
                .or_else(|| Text::non_blank(self.object_kind.as_ref()))
                .map(bounded)
                .unwrap_or_default(),
            confidential: is_confidential || type_is_confidential,
            occurred_at: self.webhook_app.occurred_at(),
        }
    }
}

/// Why a body could not be parsed. Names the field, never its content.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseError {
    /// Not UTF-8, as JSON must be.
    #[error("expected JSON in UTF-8, found another byte at offset {0}")]
    NotUtf8(usize),
    /// Not JSON.
    #[error("expected JSON, found something else at line {line}, column {column}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// A field has another type than GitLab sends, or appears twice.
    #[error("expected the body of a GitLab webhook, found an unexpected value in the field `{0}`")]
    Field(String),
    /// A field without which the event has no message is missing, null or empty.
    #[error(
        "expected the field `{0}` of a GitLab webhook, found none; a custom webhook template must keep it"
    )]
    Missing(&'static str),
}

/// Parses a JSON object without long strings.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, ParseError> {
    let parsed = serde_json::from_str(body).map(|Object(value)| value);
    parsed.map_err(|error| failure(body, &error))
}

/// Fails if a body is not JSON.
pub(super) fn check_syntax(body: &str) -> Result<(), ParseError> {
    let parsed = serde_json::from_str::<IgnoredAny>(body);
    parsed.map(drop).map_err(|error| failure(body, &error))
}

/// Why a body could not be parsed. The path of an invalid field is determined only here.
fn failure(body: &str, error: &serde_json::Error) -> ParseError {
    let (line, column) = (error.line(), error.column());
    if error.is_data() {
        ParseError::Field(json_path::path(body, line, column))
    } else {
        ParseError::Syntax { line, column }
    }
}
