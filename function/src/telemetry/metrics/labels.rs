//! The labels of every instrument. Owns which series there are: each type lists all of its values,
//! and nothing from outside can become one. What the instruments are is in [`metrics`](super).
//!
//! Names follow OpenTelemetry's semantic conventions for HTTP. Two labels they ask for are left out:
//! `server.address` of calls, since there is one chat server and the settings name it, and statuses
//! of its answers, since a 200 may be a refusal; `error.type` says what an answer meant.

use std::fmt::Debug;
use std::hash::Hash;

use opentelemetry::KeyValue;

use crate::gitlab::event::Kind;
use crate::gitlab::origin::{OriginError, Scheme};
use crate::outcome::{Failure, Outcome};
use crate::rocketchat::reply::Fault;
use crate::rocketchat::route::Route;

/// The labels of one series.
pub(super) trait Labels: Copy + Debug + Eq + Hash {
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

const METHOD: &str = "http.request.method";
const ROUTE: &str = "http.route";
const SCHEME: &str = "url.scheme";
const STATUS: &str = "http.response.status_code";
const ERROR: &str = "error.type";

/// A webhook, before anything is known of it. The scheme is ours: TLS ends before us.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct UnderWay;

impl Labels for UnderWay {
    fn all() -> Vec<Self> {
        vec![Self]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![KeyValue::new(METHOD, "POST"), KeyValue::new(SCHEME, "http")]
    }
}

/// The methods that are told apart; conventions call the others `_OTHER`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// Any other.
    Other,
}

impl Method {
    const ALL: [Self; 3] = [Self::Get, Self::Post, Self::Other];

    fn label(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Other => "_OTHER",
        }
    }
}

/// The routes that take webhooks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Entrance {
    /// `/webhook`.
    Webhook,
    /// `/`.
    Root,
}

impl Entrance {
    const ALL: [Self; 2] = [Self::Webhook, Self::Root];

    /// As the router has it.
    pub fn route(self) -> &'static str {
        match self {
            Self::Webhook => "/webhook",
            Self::Root => "/",
        }
    }

    /// That of a route which takes webhooks.
    pub fn of(route: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|entrance| entrance.route() == route)
    }
}

/// A request and how it was answered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Served {
    /// Its method.
    pub method: Method,
    /// Its route, unless there is none.
    pub entrance: Option<Entrance>,
    /// The status of its answer, if there was time for one.
    pub status: Option<u16>,
}

impl Served {
    /// Whether it was taken for a webhook.
    pub fn is_webhook(self) -> bool {
        self.method == Method::Post && self.entrance.is_some()
    }

    fn webhooks() -> impl Iterator<Item = Self> {
        let failures = Failure::every().into_iter().map(|failure| failure.status());
        let answers = failures.filter(|status| !matches!(status, 404 | 405));
        let statuses = [200, 204].into_iter().chain(answers).map(Some);
        statuses.chain([None]).flat_map(|status| {
            Entrance::ALL.map(|entrance| Self {
                method: Method::Post,
                entrance: Some(entrance),
                status,
            })
        })
    }
}

impl Labels for Served {
    fn all() -> Vec<Self> {
        let refused = |method, entrance, status| Self {
            method,
            entrance,
            status: Some(status),
        };
        let lost = Method::ALL.map(|method| refused(method, None, 404));
        // GET / tells what this is.
        let wrong = [
            refused(Method::Get, Some(Entrance::Webhook), 405),
            refused(Method::Other, Some(Entrance::Webhook), 405),
            refused(Method::Other, Some(Entrance::Root), 405),
        ];
        Self::webhooks().chain(lost).chain(wrong).collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let route = self
            .entrance
            .map(|entrance| KeyValue::new(ROUTE, entrance.route()));
        let status = self
            .status
            .map(|status| KeyValue::new(STATUS, i64::from(status)));
        let error = match self.status {
            None => Some(KeyValue::new(ERROR, "disconnected")),
            Some(status) if status >= 500 => Some(KeyValue::new(ERROR, status.to_string())),
            Some(_) => None,
        };
        let always = [
            KeyValue::new(METHOD, self.method.label()),
            KeyValue::new(SCHEME, "http"),
        ];
        let sometimes = [route, status, error].into_iter().flatten();
        always.into_iter().chain(sometimes).collect()
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
            Scheme::Open => 1,
            Scheme::Signature | Scheme::Token => crate::config::MAX_SECRETS,
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

/// A call to Rocket.Chat and what its answer meant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Called {
    pub(super) route: Route,
    pub(super) fault: Option<&'static str>,
}

impl Labels for Called {
    fn all() -> Vec<Self> {
        let faults = Fault::ALL.map(|fault| Some(fault.label()));
        let of = |fault| Route::DELIVERING.map(|route| Self { route, fault });
        faults.into_iter().chain([None]).flat_map(of).collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let always = [
            KeyValue::new(METHOD, self.route.method()),
            KeyValue::new("url.template", self.route.path()),
        ];
        let fault = self.fault.map(|fault| KeyValue::new(ERROR, fault));
        always.into_iter().chain(fault).collect()
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
