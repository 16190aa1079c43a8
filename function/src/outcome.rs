//! The outcome of a webhook. Owns the status and the label of every outcome; labels of a single error are
//! next to it, in [`ApiError`], [`Rejection`], [`ParseError`] and [`SkipReason`], and texts in [`detail`].
//! What else is known at the end is in [`report`]; the HTTP response is written in
//! [`response`](crate::http::response).
//!
//! Two rules of GitLab determine the statuses. It counts 2xx and 3xx as success and everything else
//! as failure, and disables a webhook temporarily after four failures in a row, so a skipped event
//! is a success. It does not retry, so a webhook succeeds only when its messages are stored.

use crate::gitlab::event::ParseError;
use crate::gitlab::rejection::{Clue, Rejection};
use crate::gitlab::verification::OriginError;
use crate::hand_off::EventError;
use crate::limits::LIMITS;
use crate::notifier::SkipReason;
use crate::rocketchat::MessageId;
use crate::rocketchat::reachability::Unreachable;
use crate::rocketchat::response::ApiError;
use crate::send::{ConfirmedBy, SendError, SendResult};

mod detail;
pub(crate) mod report;

pub use report::{Facts, Report, Source};

/// How a webhook ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The message is stored.
    Delivered {
        /// Its id on the chat server.
        message_id: MessageId,
        /// How this was confirmed.
        confirmed_by: ConfirmedBy,
    },
    /// The message is not stored yet. A broker keeps it and sends it again. Contains why it is not stored.
    HandedOff(Failure),
    /// No message is sent about this event.
    Skipped(SkipReason),
    /// An event that the broker gave up is stored.
    DeadLetter,
    /// A notification that came back cannot be delivered, and the service for dead letters has stored it. Contains why.
    PutAside(Failure),
    /// The webhook was rejected, or its message not delivered.
    Failed(Failure),
}

/// Why a webhook was rejected, or its message not delivered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Failure {
    /// It is not authenticated.
    Origin(Rejection),
    /// A header that must not be repeated is repeated, or `Host` is missing, or the body has another
    /// transfer encoding than `chunked`.
    BadHeaders,
    /// The content type is not `application/json`.
    MediaType,
    /// The body is compressed.
    ContentEncoding,
    /// The body is longer than its limit.
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// The body did not arrive in time.
    TooSlow,
    /// The body ended early or was not valid HTTP.
    BrokenBody,
    /// Too many requests are in progress.
    Overloaded,
    /// The body could not be parsed.
    Parse(ParseError),
    /// The delivery has no idempotency key.
    MissingKey,
    /// The message could not be delivered.
    Send(SendError),
    /// Rocket.Chat says that a recipient whom the configuration names cannot receive messages.
    Unreachable(Unreachable),
    /// An event that came back from the broker is not sent to Rocket.Chat.
    Event(EventError),
    /// A fix came back before the message about its failure.
    EarlyFix,
    /// A dead letter could not be stored.
    NotStored,
    /// A notification that cannot be delivered could not be sent to the service for dead letters.
    NotPutAside,
    /// The path does not exist.
    NotFound,
    /// The path does not support the method.
    MethodNotAllowed,
    /// An internal error.
    Panic,
}

const DELIVERED: &str = "delivered";
const HANDED_OFF: &str = "handed_off";
const SKIPPED: &str = "ignored";

impl Outcome {
    /// Every pair of [`label`](Self::label) and [`reason`](Self::reason), for metric series that
    /// are created at startup.
    pub(crate) fn labels() -> Vec<(&'static str, &'static str)> {
        let delivered = ConfirmedBy::ALL.map(|confirmed_by| (DELIVERED, confirmed_by.label()));
        let handed_off = Failure::transient().into_iter().map(Self::HandedOff);
        let skipped = SkipReason::ALL
            .iter()
            .map(|reason| (SKIPPED, reason.label()));
        let failed = Failure::every().into_iter().map(Self::Failed);
        let others = handed_off.chain(failed);
        let others = others.map(|outcome| (outcome.label(), outcome.reason()));
        delivered.into_iter().chain(skipped).chain(others).collect()
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            // The response names the recipients who got nothing, and a broker forgets what was put aside.
            Self::Delivered { .. }
            | Self::Skipped(SkipReason::Unreachable | SkipReason::RecipientRedacted)
            | Self::PutAside(_) => 200,
            Self::Skipped(_) => 204,
            Self::HandedOff(_) | Self::DeadLetter => 202,
            Self::Failed(failure) => failure.status(),
        }
    }

    /// Whether the webhook was handled without failure. The connection stays open only then.
    pub(crate) fn is_trusted(&self) -> bool {
        match self {
            Self::Delivered { .. }
            | Self::HandedOff(_)
            | Self::Skipped(_)
            | Self::DeadLetter
            | Self::PutAside(_) => true,
            Self::Failed(_) => false,
        }
    }

    /// The outcome as a label for logs and metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => DELIVERED,
            Self::HandedOff(_) => HANDED_OFF,
            Self::Skipped(_) => SKIPPED,
            Self::DeadLetter => "dead_letter",
            Self::PutAside(_) => "put_aside",
            Self::Failed(
                Failure::Send(_)
                | Failure::Unreachable(_)
                | Failure::Overloaded
                | Failure::EarlyFix
                | Failure::NotStored
                | Failure::NotPutAside
                | Failure::Panic,
            ) => "failed",
            Self::Failed(_) => "rejected",
        }
    }

    /// The reason as a label for logs and metrics.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Delivered { confirmed_by, .. } => confirmed_by.label(),
            Self::Skipped(reason) => reason.label(),
            Self::DeadLetter => "stored",
            Self::HandedOff(failure) | Self::PutAside(failure) | Self::Failed(failure) => {
                failure.reason()
            }
        }
    }
}

impl Failure {
    /// One failure of every reason for which a notification is handed off.
    pub fn transient() -> Vec<Self> {
        let every = Self::every().into_iter();
        let may_succeed_later = |failure: &Self| match failure {
            Self::Send(error) => SendResult::Failed(*error).may_succeed_later(),
            Self::Overloaded => true,
            _ => false,
        };
        every.filter(may_succeed_later).collect()
    }

    /// One failure of every reason, for documentation tables and for metric series that are created
    /// at startup.
    pub fn every() -> Vec<Self> {
        let clue = Clue::None;
        let origins = OriginError::ALL.map(|error| Self::Origin(Rejection { error, clue }));
        let errors = ApiError::ALL.map(|error| Self::Send(SendError::Api(error)));
        let others = [
            Self::BadHeaders,
            Self::MediaType,
            Self::ContentEncoding,
            Self::TooLarge {
                max_bytes: LIMITS.bodies.max_bytes,
            },
            Self::TooSlow,
            Self::BrokenBody,
            Self::Overloaded,
            Self::Parse(ParseError::NotUtf8(0)),
            Self::Parse(ParseError::Missing("")),
            Self::MissingKey,
            Self::Send(SendError::IdTaken),
            Self::Send(SendError::NoTime),
            Self::Unreachable(Unreachable::UnknownUser),
            Self::EarlyFix,
            Self::NotStored,
            Self::NotPutAside,
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::Panic,
        ];
        let events = EventError::ALL.map(Self::Event);
        let every = others.into_iter().chain(origins).chain(errors);
        every.chain(events).collect()
    }

    /// The HTTP status. Never 3xx, which GitLab counts as success, and never 410.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadHeaders | Self::BrokenBody | Self::Parse(_) | Self::MissingKey => 400,
            Self::Origin(_) | Self::Event(EventError::Unsigned) => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooSlow => 408,
            Self::TooLarge { .. } => 413,
            Self::MediaType | Self::ContentEncoding => 415,
            Self::Event(EventError::Unreadable) => 422,
            Self::Panic => 500,
            // Also for errors in the configuration: GitLab shows the failure, and a resend after
            // the correction delivers the message.
            Self::Overloaded
            | Self::Send(_)
            | Self::Unreachable(_)
            | Self::Event(EventError::UnknownVersion)
            | Self::EarlyFix
            | Self::NotStored
            | Self::NotPutAside => 503,
        }
    }

    /// The HTTP status for a broker, which sends an event again after 429 and 503 and puts it aside after 422.
    pub fn status_for_broker(&self) -> u16 {
        match self {
            Self::Send(SendError::Api(ApiError::RateLimited(_))) => 429,
            Self::Send(error) if !SendResult::Failed(*error).may_succeed_later() => 422,
            Self::Unreachable(_) => 422,
            failure => failure.status(),
        }
    }

    /// Whether a broker puts the event aside, or forgets it if it does not follow Knative's rules.
    pub fn is_final_for_broker(&self) -> bool {
        !matches!(self.status_for_broker(), 404 | 408 | 409 | 429 | 500..)
    }

    /// The reason as a label in logs, metrics and the response.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Origin(rejection) => rejection.error.label(),
            Self::BadHeaders => "bad_headers",
            Self::MediaType => "media_type",
            Self::ContentEncoding => "content_encoding",
            Self::TooLarge { .. } => "too_large",
            Self::TooSlow => "too_slow",
            Self::BrokenBody => "broken_body",
            Self::Overloaded => "busy",
            Self::Parse(ParseError::NotUtf8(_) | ParseError::Syntax { .. }) => "not_json",
            Self::Parse(ParseError::Field(_) | ParseError::Missing(_)) => "unexpected_body",
            Self::MissingKey => "missing_key",
            Self::Send(SendError::Api(error)) => error.label(),
            Self::Send(SendError::IdTaken) => "id_taken",
            Self::Send(SendError::NoTime) => "no_time",
            Self::Unreachable(_) => "unreachable",
            Self::Event(EventError::Unsigned) => "unsigned_event",
            Self::Event(EventError::UnknownVersion) => "unknown_version",
            Self::Event(EventError::Unreadable) => "unreadable_event",
            Self::EarlyFix => "early_fix",
            Self::NotStored => "not_stored",
            Self::NotPutAside => "not_put_aside",
            Self::NotFound => "unknown_path",
            Self::MethodNotAllowed => "method",
            Self::Panic => "panic",
        }
    }

    /// Value of `Retry-After`, in seconds, for every failure with the status 503.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Overloaded => Some(LIMITS.delivery.retry_after_busy_seconds),
            Self::Send(SendError::Api(ApiError::RateLimited(Some(reset_in)))) => {
                let seconds = reset_in.as_secs() + 1;
                Some(seconds.min(LIMITS.client.max_rate_limit_wait.as_secs()))
            }
            Self::Send(_)
            | Self::Unreachable(_)
            | Self::Event(EventError::UnknownVersion)
            | Self::EarlyFix
            | Self::NotStored
            | Self::NotPutAside => Some(LIMITS.delivery.retry_after_seconds),
            _ => None,
        }
    }
}
