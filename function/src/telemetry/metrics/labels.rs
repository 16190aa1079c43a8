//! The labels of every instrument. Owns which series exist: each type lists all of its values, and
//! no text of a request can become one. The instruments are in
//! `instruments`, the labels of requests and calls in [`http`].

use std::fmt::Debug;

use opentelemetry::KeyValue;

use crate::gitlab::kind::Kind;
use crate::gitlab::verification::{MAX_SECRETS, OriginError, Scheme};
use crate::outcome::{Failure, Outcome, Report};
use crate::rocketchat::reachability::Unreachable;
use crate::send::SinkError;

pub(crate) mod http;

/// The labels of one series.
pub(in crate::telemetry::metrics) trait Labels:
    Debug + PartialEq + Sized
{
    /// Those of every series of an instrument.
    fn all() -> Vec<Self>;

    /// Those of the series that exist from the start, so that `increase()` counts their first measurement.
    /// Fewer than all where a series is a histogram of a dozen lines, which every scrape would repeat.
    fn initial() -> Vec<Self> {
        Self::all()
    }

    /// Names and values, sorted by name: others are sorted at every measurement and stored twice.
    fn attributes(&self) -> Vec<KeyValue>;

    /// The attributes of a measurement. Its series would not be documented if it were not in
    /// [`Labels::all`]; a test that records such a measurement fails instead.
    fn listed(&self) -> Vec<KeyValue> {
        debug_assert!(Self::all().contains(self), "not listed: {self:?}");
        self.attributes()
    }
}

/// Of an instrument with a single series.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoLabels;

impl Labels for NoLabels {
    fn all() -> Vec<Self> {
        vec![Self]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        Vec::new()
    }
}

/// The kind of event; `None` if the request was rejected before it was parsed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct EventKind(pub(super) Option<Kind>);

impl Labels for EventKind {
    fn all() -> Vec<Self> {
        let known = Kind::ALL.iter().copied().map(Some);
        known.chain([None]).map(Self).collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![KeyValue::new("kind", self.0.map_or("unknown", Kind::label))]
    }
}

/// The outcome of a webhook, and the reason for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DeliveryOutcome {
    outcome: &'static str,
    reason: &'static str,
}

impl DeliveryOutcome {
    /// The client disconnected before the response, so the webhook has no [`Outcome`].
    pub(super) const ABORTED: Self = Self {
        outcome: "aborted",
        reason: "disconnected",
    };

    pub(super) fn of(outcome: &Outcome) -> Self {
        Self {
            outcome: outcome.label(),
            reason: outcome.reason(),
        }
    }
}

impl Labels for DeliveryOutcome {
    fn all() -> Vec<Self> {
        let outcome = |(outcome, reason)| Self { outcome, reason };
        // Requests with these outcomes are not webhooks.
        let unrouted = [Failure::NotFound, Failure::MethodNotAllowed].map(Outcome::Failed);
        let unrouted = unrouted.map(|outcome| Self::of(&outcome));
        let all = Outcome::labels().into_iter().map(outcome);
        all.filter(|outcome| !unrouted.contains(outcome))
            .chain([Self::ABORTED])
            .collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![
            KeyValue::new("outcome", self.outcome),
            KeyValue::new("reason", self.reason),
        ]
    }
}

/// Whether the message is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum MessageOutcome {
    Delivered,
    Failed,
}

impl Labels for MessageOutcome {
    fn all() -> Vec<Self> {
        vec![Self::Delivered, Self::Failed]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let outcome = match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        };
        vec![KeyValue::new("outcome", outcome)]
    }
}

/// How a webhook was authenticated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Authentication {
    pub(super) scheme: Scheme,
    /// Position of the key or token.
    pub(super) index: usize,
}

impl Labels for Authentication {
    fn all() -> Vec<Self> {
        let indexes = |scheme| match scheme {
            Scheme::None => 1,
            Scheme::Signature | Scheme::Token => MAX_SECRETS,
        };
        let of = |scheme| (0..indexes(scheme)).map(move |index| Self { scheme, index });
        Scheme::ALL.into_iter().flat_map(of).collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![
            KeyValue::new("key_index", self.index.to_string()),
            KeyValue::new("scheme", self.scheme.label()),
        ]
    }
}

/// Why a webhook was not authenticated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct VerificationFailure(&'static str);

impl VerificationFailure {
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Failed(Failure::Origin(rejection)) => Some(Self(rejection.error.label())),
            _ => None,
        }
    }
}

impl Labels for VerificationFailure {
    fn all() -> Vec<Self> {
        OriginError::ALL.map(|error| Self(error.label())).to_vec()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![KeyValue::new("reason", self.0)]
    }
}

/// Why a recipient cannot receive messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct UnreachableCause(pub(super) Unreachable);

impl Labels for UnreachableCause {
    fn all() -> Vec<Self> {
        Unreachable::ALL.map(Self).to_vec()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![KeyValue::new("reason", self.0.label())]
    }
}

/// Whether the broker has stored a notification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct HandOffLabel(pub(super) Option<SinkError>);

impl Labels for HandOffLabel {
    fn all() -> Vec<Self> {
        let failed = SinkError::ALL.map(|error| Self(Some(error)));
        [Self(None)].into_iter().chain(failed).collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![KeyValue::new(
            "result",
            self.0.map_or("accepted", SinkError::label),
        )]
    }
}

/// What becomes of a notification that came back from the broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RedeliveryLabel {
    /// It is done: the broker forgets it.
    Done,
    /// The broker sends it again.
    Again,
    /// The broker puts it aside.
    DeadLetter,
    /// The service for dead letters has stored it: the broker forgets it.
    PutAside,
}

impl RedeliveryLabel {
    pub(super) fn of(report: &Report) -> Self {
        match report.status() {
            _ if matches!(report.outcome, Outcome::PutAside(_)) => Self::PutAside,
            200..300 => Self::Done,
            404 | 408 | 409 | 429 | 500.. => Self::Again,
            _ => Self::DeadLetter,
        }
    }
}

impl Labels for RedeliveryLabel {
    fn all() -> Vec<Self> {
        vec![Self::Done, Self::Again, Self::DeadLetter, Self::PutAside]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let result = match self {
            Self::Done => "done",
            Self::Again => "again",
            Self::DeadLetter => "dead_letter",
            Self::PutAside => "put_aside",
        };
        vec![KeyValue::new("result", result)]
    }
}

/// The listening ports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Port {
    /// `PORT`.
    Webhooks,
    /// `METRICS_PORT`.
    Admin,
}

impl Labels for Port {
    fn all() -> Vec<Self> {
        vec![Self::Webhooks, Self::Admin]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let port = match self {
            Self::Webhooks => "webhooks",
            Self::Admin => "operators",
        };
        vec![KeyValue::new("port", port)]
    }
}
