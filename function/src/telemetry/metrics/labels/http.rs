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
use crate::rocketchat::endpoint::Endpoint;
use crate::rocketchat::response::ApiError;

const METHOD: &str = "http.request.method";
const ROUTE: &str = "http.route";
const SCHEME: &str = "url.scheme";
const STATUS: &str = "http.response.status_code";
const ERROR: &str = "error.type";

/// A webhook, before anything is known of it. The scheme is ours: TLS ends before us.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::telemetry::metrics) struct InProgress;

impl Labels for InProgress {
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
pub enum RouteLabel {
    /// `/webhook`.
    Webhook,
    /// `/`.
    Root,
}

impl RouteLabel {
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
            .find(|route_label| route_label.route() == route)
    }
}

/// A request and how it was answered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Served {
    /// Its method.
    pub method: Method,
    /// Its route, unless there is none.
    pub route_label: Option<RouteLabel>,
    /// The status of its answer, if there was time for one.
    pub status: Option<u16>,
}

impl Served {
    /// Whether it was taken for a webhook.
    pub fn is_webhook(self) -> bool {
        self.method == Method::Post && self.route_label.is_some()
    }

    fn webhooks() -> impl Iterator<Item = Self> {
        let failures = Failure::every().into_iter().map(|failure| failure.status());
        let answers = failures.filter(|status| !matches!(status, 404 | 405));
        let statuses = [200, 204].into_iter().chain(answers).map(Some);
        statuses.chain([None]).flat_map(|status| {
            RouteLabel::ALL.map(|route_label| Self {
                method: Method::Post,
                route_label: Some(route_label),
                status,
            })
        })
    }
}

impl Labels for Served {
    fn all() -> Vec<Self> {
        let refused = |method, route_label, status| Self {
            method,
            route_label,
            status: Some(status),
        };
        let lost = Method::ALL.map(|method| refused(method, None, 404));
        // GET / tells what this is.
        let wrong = [
            refused(Method::Get, Some(RouteLabel::Webhook), 405),
            refused(Method::Other, Some(RouteLabel::Webhook), 405),
            refused(Method::Other, Some(RouteLabel::Root), 405),
        ];
        Self::webhooks().chain(lost).chain(wrong).collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let route = self
            .route_label
            .map(|route_label| KeyValue::new(ROUTE, route_label.route()));
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
    pub(in crate::telemetry::metrics) route: Endpoint,
    pub(in crate::telemetry::metrics) error: Option<&'static str>,
}

impl Labels for Called {
    fn all() -> Vec<Self> {
        let errors = ApiError::ALL.map(|error| Some(error.label()));
        let of = |error| Endpoint::DELIVERING.map(|route| Self { route, error });
        errors.into_iter().chain([None]).flat_map(of).collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let always = [
            KeyValue::new(METHOD, self.route.method()),
            KeyValue::new("url.template", self.route.path()),
        ];
        let error = self.error.map(|error| KeyValue::new(ERROR, error));
        always.into_iter().chain(error).collect()
    }
}
