//! The labels of every instrument. Owns which series there are: each type lists all of its values,
//! and nothing from outside can become one. What the instruments are is in [`metrics`](super); the
//! labels of requests and calls are in [`http`].

use std::fmt::Debug;
use std::hash::Hash;

use opentelemetry::KeyValue;

use crate::gitlab::kind::Kind;
use crate::gitlab::verification::{MAX_SECRETS, OriginError, Scheme};
use crate::outcome::{Failure, Outcome};

pub mod http;

/// The labels of one series.
pub(in crate::telemetry::metrics) trait Labels:
    Copy + Debug + Eq + Hash
{
    /// Those of every series of an instrument.
    fn all() -> Vec<Self>;

    /// Names and values.
    fn attributes(&self) -> Vec<KeyValue>;
}

/// None.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Nothing;

impl Labels for Nothing {
    fn all() -> Vec<Self> {
        vec![Self]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        Vec::new()
    }
}

/// The kind of event, if it came to be known.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Received(pub(super) Option<Kind>);

impl Labels for Received {
    fn all() -> Vec<Self> {
        let known = Kind::ALL.iter().copied().map(Some);
        known.chain([None]).map(Self).collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![KeyValue::new("kind", self.0.map_or("unknown", Kind::label))]
    }
}

/// How a request ended, and why.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Ended {
    outcome: &'static str,
    reason: &'static str,
}

impl Ended {
    /// Not an outcome of ours: nobody waited for one.
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

impl Labels for Ended {
    fn all() -> Vec<Self> {
        let ended = |(outcome, reason)| Self { outcome, reason };
        let strays = [Failure::NotFound, Failure::MethodNotAllowed].map(Outcome::Failed);
        let strays = strays.map(|outcome| Self::of(&outcome));
        let all = Outcome::labels().into_iter().map(ended);
        all.filter(|ended| !strays.contains(ended))
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
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Delivered(pub(super) bool);

impl Labels for Delivered {
    fn all() -> Vec<Self> {
        vec![Self(true), Self(false)]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let outcome = if self.0 { "delivered" } else { "failed" };
        vec![KeyValue::new("outcome", outcome)]
    }
}

/// What let a webhook in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
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
            KeyValue::new("scheme", self.scheme.label()),
            KeyValue::new("key_index", self.index.to_string()),
        ]
    }
}

/// Why a webhook was not let in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Refused(&'static str);

impl Refused {
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Failed(Failure::Origin(error, _)) => Some(Self(error.label())),
            _ => None,
        }
    }
}

impl Labels for Refused {
    fn all() -> Vec<Self> {
        OriginError::ALL.map(|error| Self(error.label())).to_vec()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![KeyValue::new("reason", self.0)]
    }
}

/// The listening ports.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Port {
    /// `PORT`.
    Webhooks,
    /// `METRICS_PORT`.
    Operators,
}

impl Labels for Port {
    fn all() -> Vec<Self> {
        vec![Self::Webhooks, Self::Operators]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let port = match self {
            Self::Webhooks => "webhooks",
            Self::Operators => "operators",
        };
        vec![KeyValue::new("port", port)]
    }
}
