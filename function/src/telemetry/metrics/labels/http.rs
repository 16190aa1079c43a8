//! The labels of requests that come in and of calls that go out, named as OpenTelemetry's semantic
//! conventions name them. Owns which methods, routes and statuses are told apart; all other labels
//! are in [`labels`](super).
//!
//! Two labels the conventions ask for are left out: `server.address` of calls, since there is one
//! chat server and the settings name it, and the statuses of its answers, since a 200 may be a
//! refusal; `error.type` says what an answer meant.

use opentelemetry::KeyValue;

use super::Labels;
use crate::outcome::Failure;
use crate::rocketchat::reply::Fault;
use crate::rocketchat::route::Route;

const METHOD: &str = "http.request.method";
const ROUTE: &str = "http.route";
const SCHEME: &str = "url.scheme";
const STATUS: &str = "http.response.status_code";
const ERROR: &str = "error.type";

/// A webhook, before anything is known of it. The scheme is ours: TLS ends before us.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::telemetry::metrics) struct UnderWay;

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

/// A call to Rocket.Chat and what its answer meant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::telemetry::metrics) struct Called {
    pub(in crate::telemetry::metrics) route: Route,
    pub(in crate::telemetry::metrics) fault: Option<&'static str>,
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
