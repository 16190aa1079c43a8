//! The labels of incoming requests and outgoing calls, with the names of OpenTelemetry's semantic
//! conventions. Owns which methods, routes and statuses have their own series; all other labels
//! are in [`labels`](super).
//!
//! Two labels that the conventions require are left out: `server.address` of calls, because the
//! settings name the only chat server, and the status of its responses, because a response with
//! status 200 may contain an error; `error.type` is the meaning of a response.

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

/// A webhook whose route and status do not matter. The scheme is `http`, because TLS ends at the
/// ingress.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::telemetry::metrics) struct WebhookRequest;

impl Labels for WebhookRequest {
    fn all() -> Vec<Self> {
        vec![Self]
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![KeyValue::new(METHOD, "POST"), KeyValue::new(SCHEME, "http")]
    }
}

/// The methods that have their own series; the conventions call the others `_OTHER`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
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

/// The routes that accept webhooks, and notifications that come back from a broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RouteLabel {
    /// `/webhook`.
    Webhook,
    /// `/`.
    Root,
    /// `/deliver`.
    Redelivery,
    /// `/dead-letters`.
    DeadLetters,
}

impl RouteLabel {
    const WEBHOOKS: [Self; 2] = [Self::Webhook, Self::Root];
    const FROM_BROKER: [Self; 2] = [Self::Redelivery, Self::DeadLetters];
    const ALL: [Self; 4] = [
        Self::Webhook,
        Self::Root,
        Self::Redelivery,
        Self::DeadLetters,
    ];

    /// Its path in the router.
    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Webhook => "/webhook",
            Self::Root => "/",
            Self::Redelivery => "/deliver",
            Self::DeadLetters => "/dead-letters",
        }
    }

    /// The label of a route; `None` if it accepts neither.
    pub(crate) fn of(route: &str) -> Option<Self> {
        // The slash at the end of the second path of webhooks makes no other series.
        let route = match route.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        Self::ALL
            .into_iter()
            .find(|route_label| route_label.route() == route)
    }
}

/// A request and the status of its response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ServerRequest {
    /// Its method.
    pub method: Method,
    /// Its route, if it has a label.
    pub route_label: Option<RouteLabel>,
    /// The status of its response; `None` if the client disconnected before.
    pub status: Option<u16>,
}

impl ServerRequest {
    /// Whether it is a webhook.
    pub(crate) fn is_webhook(self) -> bool {
        let route = self.route_label;
        self.method == Method::Post
            && route.is_some_and(|route| RouteLabel::WEBHOOKS.contains(&route))
    }

    /// Whether it is an event that the broker gave up.
    pub(crate) fn is_dead_letter(self) -> bool {
        self.method == Method::Post && self.route_label == Some(RouteLabel::DeadLetters)
    }

    /// Whether it is a notification that comes back from a broker.
    pub(crate) fn is_redelivery(self) -> bool {
        self.method == Method::Post && self.route_label == Some(RouteLabel::Redelivery)
    }

    fn webhooks() -> impl Iterator<Item = Self> {
        let failures = Failure::every().into_iter().map(|failure| failure.status());
        let rejections = failures.filter(|status| !matches!(status, 404 | 405));
        let statuses = [200, 202, 204].into_iter().chain(rejections).map(Some);
        statuses.chain([None]).flat_map(|status| {
            RouteLabel::WEBHOOKS.map(|route_label| Self {
                method: Method::Post,
                route_label: Some(route_label),
                status,
            })
        })
    }

    fn from_broker() -> impl Iterator<Item = Self> {
        let failures = Failure::every().into_iter();
        let statuses = failures.map(|failure| failure.status_for_broker());
        let statuses = [200, 202, 204].into_iter().chain(statuses).map(Some);
        statuses.chain([None]).flat_map(|status| {
            RouteLabel::FROM_BROKER.map(|route_label| Self {
                method: Method::Post,
                route_label: Some(route_label),
                status,
            })
        })
    }
}

impl Labels for ServerRequest {
    fn all() -> Vec<Self> {
        let rejected = |method, route_label, status| Self {
            method,
            route_label,
            status: Some(status),
        };
        let not_found = Method::ALL.map(|method| rejected(method, None, 404));
        // `GET /` is the index.
        let not_allowed = [
            rejected(Method::Get, Some(RouteLabel::Webhook), 405),
            rejected(Method::Other, Some(RouteLabel::Webhook), 405),
            rejected(Method::Other, Some(RouteLabel::Root), 405),
            rejected(Method::Get, Some(RouteLabel::Redelivery), 405),
            rejected(Method::Other, Some(RouteLabel::Redelivery), 405),
            rejected(Method::Get, Some(RouteLabel::DeadLetters), 405),
            rejected(Method::Other, Some(RouteLabel::DeadLetters), 405),
        ];
        Self::webhooks()
            .chain(Self::from_broker())
            .chain(not_found)
            .chain(not_allowed)
            .collect()
    }

    /// The usual results. `webhook_deliveries_total` has the others from the start.
    fn initial() -> Vec<Self> {
        let usual = [Some(200), Some(204), Some(401), Some(503), None];
        let usual = usual.map(|status| Self {
            method: Method::Post,
            route_label: Some(RouteLabel::Webhook),
            status,
        });
        usual.to_vec()
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
        let method = Some(KeyValue::new(METHOD, self.method.label()));
        let scheme = Some(KeyValue::new(SCHEME, "http"));
        let sorted = [error, method, status, route, scheme];
        sorted.into_iter().flatten().collect()
    }
}

/// A call to Rocket.Chat and the meaning of its response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::telemetry::metrics) struct ClientRequest {
    pub(in crate::telemetry::metrics) endpoint: Endpoint,
    pub(in crate::telemetry::metrics) error: Option<&'static str>,
}

impl Labels for ClientRequest {
    fn all() -> Vec<Self> {
        let errors = ApiError::ALL.map(|error| Some(error.label()));
        let of = |error| Endpoint::DELIVERING.map(|endpoint| Self { endpoint, error });
        errors.into_iter().chain([None]).flat_map(of).collect()
    }

    /// Successful and rate-limited calls, which `monitoring/METRICS.md` queries.
    fn initial() -> Vec<Self> {
        let rate_limited = ApiError::RateLimited(None).label();
        let of = |error| Endpoint::DELIVERING.map(|endpoint| Self { endpoint, error });
        [None, Some(rate_limited)]
            .into_iter()
            .flat_map(of)
            .collect()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let error = self.error.map(|error| KeyValue::new(ERROR, error));
        let method = Some(KeyValue::new(METHOD, self.endpoint.method()));
        let template = Some(KeyValue::new("url.template", self.endpoint.path()));
        [error, method, template].into_iter().flatten().collect()
    }
}
