//! The `detail` of every failure, for people. Owns the texts, apart from those of a single error, which are next to
//! it. Statuses and labels are in [`outcome`](super).

use super::Failure;
use crate::hand_off::EventError;
use crate::limits::LIMITS;
use crate::send::SendError;

impl Failure {
    /// What was expected, what was found and what to do, for a person who reads GitLab's log of the
    /// webhook. Contains no secret and no text of the chat server.
    pub fn detail(&self) -> String {
        match self {
            Self::Origin(rejection) => rejection.detail(),
            Self::BadHeaders => {
                "expected one Host, at most one X-Gitlab-Event, and no Transfer-Encoding other than chunked; check the proxy in front of webhook-app".to_owned()
            }
            Self::MediaType => "expected content-type application/json".to_owned(),
            Self::ContentEncoding => "expected a body without content-encoding".to_owned(),
            Self::TooLarge { max_bytes } if *max_bytes == LIMITS.bodies.max_bytes => format!(
                "expected a body of at most {} MiB, the limit of GitLab itself",
                max_bytes / 1024 / 1024
            ),
            Self::TooLarge { max_bytes } => {
                format!("expected an event of at most {} KiB", max_bytes / 1024)
            }
            Self::TooSlow => format!(
                "expected the complete body within {} s, or within {} s under load",
                LIMITS.bodies.timeout.as_secs(),
                LIMITS.bodies.timeout_under_load.as_secs()
            ),
            Self::BrokenBody => "expected a complete body, found one that ends early or is not valid HTTP".to_owned(),
            Self::Overloaded => "too many concurrent webhooks; send this one again".to_owned(),
            Self::Parse(error) => error.to_string(),
            Self::MissingKey => {
                "expected the header Idempotency-Key, which GitLab 17.4 and later send; for older versions set ACCEPT_MISSING_IDEMPOTENCY_KEY".to_owned()
            }
            Self::Send(error) => format!("could not deliver the message: {}", advice(*error)),
            Self::Unreachable(cause) => {
                format!("could not deliver the message: the recipient {}", cause.advice())
            }
            Self::Event(EventError::Unsigned) => {
                "expected an event that webhook-app handed off, with the attributes id, time and webhookappsignature; if MESSAGE_ID_SECRET was changed, add the former one as second value".to_owned()
            }
            Self::Event(EventError::UnknownVersion) => {
                "a newer webhook-app wrote this event; a pod of that version can deliver it".to_owned()
            }
            Self::Event(EventError::Unreadable) => {
                "the content of this event is no notification; it was written by an incompatible version of webhook-app".to_owned()
            }
            Self::EarlyFix => {
                "the message about the failure that this one fixes does not exist; it may come back after this one".to_owned()
            }
            Self::NotStored => {
                "could not store the dead letter; see the log of the pod with DEAD_LETTERS_FOLDER".to_owned()
            }
            Self::NotPutAside => {
                "the message cannot be delivered, and the service in DEAD_LETTER_SINK has not stored it; the broker sends the event again".to_owned()
            }
            Self::NotFound => "the path does not exist; expected POST /webhook".to_owned(),
            Self::MethodNotAllowed => "the path does not support this method; see the header Allow".to_owned(),
            Self::Panic => "internal error in webhook-app; see its log for the location".to_owned(),
        }
    }
}

fn advice(error: SendError) -> &'static str {
    match error {
        SendError::Api(error) => error.advice(),
        SendError::IdTaken => {
            "messages of other users have all IDs that this message can have; restrict who can read the log of the webhook in GitLab, and set a new MESSAGE_ID_SECRET"
        }
        SendError::NoTime => "the webhook arrived too slowly to leave time for sending",
    }
}
