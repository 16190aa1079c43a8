//! What a request came to, and what its sender is told. Owns the statuses, the words and the labels
//! of every way a webhook can end: the policy in one file. What else is known at the end is in
//! [`report`]; how it is written as HTTP is [`answer`](crate::http::response)'s business.
//!
//! Two rules of GitLab's stand behind the table. It takes 2xx and 3xx for success and everything
//! else for a failure, after four of which in a row it pauses the webhook: so an event that nobody
//! is told about is a success. And it does not retry: so nothing is a success before the message
//! is stored.

use crate::gitlab::event::ParseError;
use crate::gitlab::verification::OriginError;
use crate::notifier::SkipReason;
use crate::rocketchat::MessageId;
use crate::rocketchat::response::ApiError;
use crate::send::{Attempts, ConfirmedBy, Overloaded, SendError, SendResult};

pub mod report;

pub use report::{RecipientResult, Report, Source};

/// How a webhook ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The message is stored.
    Delivered {
        /// Its id on the chat server.
        message_id: MessageId,
        /// How we know.
        known_by: ConfirmedBy,
    },
    /// Nobody is told about this.
    SkipReason(SkipReason),
    /// The webhook was not taken.
    Failed(Failure),
}

/// Why a webhook was not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Failure {
    /// Its origin is not proven; the text says what is expected of a sender.
    Origin(OriginError, &'static str),
    /// Not `application/json`.
    MediaType,
    /// Compressed.
    ContentEncoding,
    /// Longer than 25 MiB.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The body ended early or was no valid HTTP.
    BrokenBody,
    /// Too much is under way.
    Overloaded,
    /// The body is no event.
    Parse(ParseError),
    /// Nothing names the delivery.
    MissingKey,
    /// The message could not be delivered.
    Refused(SendError),
    /// No such path.
    NotFound,
    /// The path takes another method.
    MethodNotAllowed,
    /// A bug of ours.
    Panic,
}

const DELIVERED: &str = "delivered";
const IGNORED: &str = "ignored";

impl Outcome {
    fn of(verdict: Result<(SendResult, Attempts), Overloaded>, effort: &mut Attempts) -> Self {
        let verdict = verdict.map(|(verdict, own)| {
            *effort += own;
            verdict
        });
        match verdict {
            Ok(SendResult::Delivered {
                id: message_id,
                known_by,
            }) => Self::Delivered {
                message_id,
                known_by,
            },
            Ok(SendResult::Withheld) => Self::SkipReason(SkipReason::NotAFix),
            Ok(SendResult::Refused(refusal)) => Self::Failed(Failure::Refused(refusal)),
            Err(Overloaded) => Self::Failed(Failure::Overloaded),
        }
    }

    /// Every pair of [`label`](Self::label) and [`reason`](Self::reason), for series that must exist
    /// from the start.
    pub fn labels() -> Vec<(&'static str, &'static str)> {
        let delivered = ConfirmedBy::ALL.map(|known_by| (DELIVERED, known_by.label()));
        let ignored = SkipReason::ALL
            .iter()
            .map(|reason| (IGNORED, reason.label()));
        let failed = Failure::every().into_iter().map(Self::Failed);
        let failed = failed.map(|outcome| (outcome.label(), outcome.reason()));
        delivered.into_iter().chain(ignored).chain(failed).collect()
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Delivered { .. } => 200,
            Self::SkipReason(_) => 204,
            Self::Failed(failure) => failure.status(),
        }
    }

    /// Whether its sender has proven who it is and has sent nothing wrong.
    pub fn is_of_known_origin(&self) -> bool {
        match self {
            Self::Delivered { .. } | Self::SkipReason(_) => true,
            Self::Failed(_) => false,
        }
    }

    /// What became of the webhook, in one word for logs and metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => DELIVERED,
            Self::SkipReason(_) => IGNORED,
            Self::Failed(Failure::Refused(_) | Failure::Overloaded | Failure::Panic) => "failed",
            Self::Failed(_) => "rejected",
        }
    }

    /// Why, in one word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Delivered { known_by, .. } => known_by.label(),
            Self::SkipReason(ignored) => ignored.label(),
            Self::Failed(failure) => failure.reason(),
        }
    }
}

impl Failure {
    /// One failure of every reason, for tables and for series that must exist from the start.
    pub fn every() -> Vec<Self> {
        let origins = OriginError::ALL.map(|error| Self::Origin(error, ""));
        let errors = ApiError::ALL.map(|error| Self::Refused(SendError::ApiError(error)));
        let others = [
            Self::MediaType,
            Self::ContentEncoding,
            Self::TooLarge,
            Self::TooSlow,
            Self::BrokenBody,
            Self::Overloaded,
            Self::Parse(ParseError::NotUtf8(0)),
            Self::Parse(ParseError::Missing("")),
            Self::MissingKey,
            Self::Refused(SendError::IdTaken),
            Self::Refused(SendError::NoTime),
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::Panic,
        ];
        others.into_iter().chain(origins).chain(errors).collect()
    }

    /// The HTTP status. Never 3xx, which GitLab takes for success, and never 410.
    pub fn status(&self) -> u16 {
        match self {
            Self::BrokenBody | Self::Parse(_) | Self::MissingKey => 400,
            Self::Origin(..) => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooSlow => 408,
            Self::TooLarge => 413,
            Self::MediaType | Self::ContentEncoding => 415,
            Self::Panic => 500,
            // Also for mistakes of ours: GitLab shows the failure, and a resend after the repair
            // brings the message.
            Self::Overloaded | Self::Refused(_) => 503,
        }
    }

    /// Why, in one word for logs, metrics and machines that read the answer.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Origin(error, _) => error.label(),
            Self::MediaType => "media_type",
            Self::ContentEncoding => "content_encoding",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::BrokenBody => "broken_body",
            Self::Overloaded => "busy",
            Self::Parse(ParseError::NotUtf8(_) | ParseError::Syntax { .. }) => "not_json",
            Self::Parse(ParseError::Field(_) | ParseError::Missing(_)) => "unexpected_body",
            Self::MissingKey => "missing_key",
            Self::Refused(SendError::ApiError(error)) => error.label(),
            Self::Refused(SendError::IdTaken) => "id_taken",
            Self::Refused(SendError::NoTime) => "no_time",
            Self::NotFound => "unknown_path",
            Self::MethodNotAllowed => "method",
            Self::Panic => "panic",
        }
    }

    /// What was expected, what was found and what to do, for the person who reads GitLab's log of
    /// the webhook. Holds nothing secret and nothing the chat server said.
    pub fn detail(&self) -> String {
        match self {
            Self::Origin(_, expectation) => (*expectation).to_owned(),
            Self::MediaType => "expected content-type application/json".to_owned(),
            Self::ContentEncoding => "expected a body without content-encoding".to_owned(),
            Self::TooLarge => "expected a body of at most 25 MiB, the limit of GitLab itself".to_owned(),
            Self::TooSlow => {
                "expected the complete body within 3 seconds, or within 1 second under load".to_owned()
            }
            Self::BrokenBody => "expected a complete body, found one that ends early or is not valid HTTP".to_owned(),
            Self::Overloaded => "too many concurrent webhooks; send this one again".to_owned(),
            Self::Parse(error) => error.to_string(),
            Self::MissingKey => {
                "expected the header Idempotency-Key, which GitLab 17.4 and later send; for older versions set ACCEPT_MISSING_IDEMPOTENCY_KEY".to_owned()
            }
            Self::Refused(refusal) => format!("could not deliver the message: {}", advice(*refusal)),
            Self::NotFound => "the path does not exist; expected POST /webhook".to_owned(),
            Self::MethodNotAllowed => "the path does not support this method; see the header Allow".to_owned(),
            Self::Panic => "internal error in webhook-app; see its log for the location".to_owned(),
        }
    }

    /// Seconds until trying again makes sense, for everything that may pass.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Overloaded => Some(1),
            Self::Refused(SendError::ApiError(ApiError::RateLimited(Some(reset_in)))) => {
                Some(reset_in.as_secs() + 1)
            }
            Self::Refused(_) => Some(RETRY_AFTER_SECONDS),
            _ => None,
        }
    }
}

/// After an outage of unknown length; GitLab itself does not retry, people and scripts do.
const RETRY_AFTER_SECONDS: u64 = 30;

fn advice(refusal: SendError) -> &'static str {
    match refusal {
        SendError::ApiError(error) => error.advice(),
        SendError::IdTaken => {
            "another message already has its id, which only forgery or a bug can cause"
        }
        SendError::NoTime => "the webhook arrived too slowly to leave time for sending",
    }
}
