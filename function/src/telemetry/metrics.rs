//! What is counted and measured. Owns the instruments, their names and the text that Prometheus
//! reads. Which labels they have is in [`labels`]; when something is counted is decided where it
//! happens, mostly in [`observe`](crate::http::telemetry_layer).
//!
//! The doc comment of an instrument is its help text, and with the labels it makes the table of
//! `monitoring/METRICS.md`.

use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use prometheus::{Registry, TextEncoder};

use crate::outcome::{Outcome, Report};
use crate::rocketchat::endpoint::Endpoint;
use crate::rocketchat::response::ApiError;

mod family;
pub mod labels;
mod process;

use family::{Count, Description, Distribution, Level};
use labels::http::{Called, InProgress, Served};
use labels::{Authentication, Delivered, Ended, Labels, Nothing, Port, Received, Refused};

/// Of a whole request, in seconds: a delivery has 5 s unless set otherwise, and GitLab hangs up
/// after 10.
const REQUEST_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Of one call to Rocket.Chat, in seconds: it has 1.5 s unless set otherwise.
const CALL_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5];

/// Of a body: pushes have some KiB, and the limit is 25 MiB.
const BODY_BYTES: &[f64] = &[
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    26_214_400.0,
];

/// Not distributed.
const NO_BOUNDS: &[f64] = &[];

macro_rules! instruments {
    ($($(#[doc = $help:literal])+ $field:ident: $family:ident<$labels:ty> = $name:literal, $unit:literal, $bounds:ident;)+) => {
        /// The instruments, with a handle for each of their series.
        #[derive(Debug)]
        pub struct Metrics {
            $($(#[doc = $help])+ $field: $family<$labels>,)+
            exposition: Option<Exposition>,
        }

        impl Metrics {
            fn new(meter: &Meter, exposition: Option<Exposition>) -> Self {
                Self {
                    $($field: $family::make(meter, &Description {
                        name: $name,
                        unit: $unit,
                        help: concat!($($help),+).trim_start(),
                        bounds: $bounds,
                    }),)+
                    exposition,
                }
            }

            fn show(&self) {
                $(self.$field.show();)+
            }

            /// How many series an instrument has.
            fn series(instrument: &str) -> usize {
                match instrument {
                    $($name => <$labels as Labels>::all().len(),)+
                    _ => SERIES_OF_PROCESS,
                }
            }
        }
    };
}

instruments! {
    /// Webhooks that arrived, by kind of event; `unknown` were turned away before their kind was known.
    received: Count<Received> = "webhooks.received", "{webhook}", NO_BOUNDS;
    /// Webhooks under way. Neither health nor scrapes are counted.
    in_progress: Level<InProgress> = "http.server.active_requests", "{request}", NO_BOUNDS;
    /// Time from the headers of a request to its answer. Neither health nor scrapes are measured.
    request_duration: Distribution<Served> = "http.server.request.duration", "s", REQUEST_SECONDS;
    /// Length of the bodies that were read to their end.
    body_size: Distribution<InProgress> = "http.server.request.body.size", "By", BODY_BYTES;
    /// What became of webhooks, by reason: of `aborted` ones the sender went away before the answer.
    deliveries: Count<Ended> = "webhook.deliveries", "{webhook}", NO_BOUNDS;
    /// Time it took to bring a message to its recipient, or to give up; waiting for a turn included.
    delivery_duration: Distribution<Delivered> = "webhook.delivery.duration", "s", REQUEST_SECONDS;
    /// Calls to Rocket.Chat that were made again.
    retries: Count<Nothing> = "webhook.delivery.retries", "{call}", NO_BOUNDS;
    /// Pauses that Rocket.Chat's rate limit asked for; the role `bot` is missing.
    rate_limit_waits: Count<Nothing> = "webhook.delivery.rate_limit_waits", "{pause}", NO_BOUNDS;
    /// Webhooks let in, by the key or token that fitted, counted from 0: tells when an old one is no longer used.
    authentications: Count<Authentication> = "webhook.authentications", "{webhook}", NO_BOUNDS;
    /// Webhooks not let in, for their signature or token.
    signature_failures: Count<Refused> = "webhook.signature.failures", "{webhook}", NO_BOUNDS;
    /// Time of calls to Rocket.Chat. Without `error_type` they did what was asked; with `rate_limited` the server answered 429.
    call_duration: Distribution<Called> = "http.client.request.duration", "s", CALL_SECONDS;
    /// Times a port had all the connections it may have, so that the next one had to wait.
    connection_cap_hits: Count<Port> = "http.server.connection_cap_hits", "{wait}", NO_BOUNDS;
}

/// Of an instrument that tells of the process itself.
const SERIES_OF_PROCESS: usize = 1;

/// What gathers the series and writes them down.
#[derive(Debug)]
struct Exposition {
    registry: Registry,
    /// Its readers end with it.
    _provider: SdkMeterProvider,
}

impl Metrics {
    /// Counts and measures for Prometheus.
    pub fn prometheus(resource: Resource) -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build();
        let Ok(exporter) = exporter else {
            // A registry of its own has no other collector to be in conflict with.
            return Self::silent();
        };
        let provider = SdkMeterProvider::builder()
            .with_reader(exporter)
            .with_resource(resource)
            // The library reserves room for two thousand of each at start unless it is told.
            .with_view(|instrument: &Instrument| {
                let series = Self::series(instrument.name());
                let limited = Stream::builder().with_cardinality_limit(series);
                limited.build().ok()
            })
            .build();
        let meter = provider.meter(env!("CARGO_PKG_NAME"));
        process::observe(&meter);
        let exposition = Exposition {
            registry,
            _provider: provider,
        };
        Self::new(&meter, Some(exposition))
    }

    /// Counts nothing.
    pub fn silent() -> Self {
        let provider = SdkMeterProvider::builder().build();
        Self::new(&provider.meter(env!("CARGO_PKG_NAME")), None)
    }

    /// Whether there is anything to read.
    pub fn is_counting(&self) -> bool {
        self.exposition.is_some()
    }

    /// All series as text of Prometheus' version 0.0.4; `None` where nothing is counted.
    pub fn render(&self) -> Option<String> {
        let exposition = self.exposition.as_ref()?;
        self.show();
        let mut text = String::with_capacity(64 * 1024);
        let event_kinds = exposition.registry.gather();
        TextEncoder::new()
            .encode_utf8(&event_kinds, &mut text)
            .ok()?;
        Some(text)
    }

    /// A webhook begins.
    pub(crate) fn begin(&self) {
        self.in_progress.add(InProgress, 1);
    }

    /// A webhook is no longer under way, however it ended.
    pub(crate) fn end(&self) {
        self.in_progress.add(InProgress, -1);
    }

    /// A request that was answered.
    pub(crate) fn answered(&self, request: Served, report: &Report, elapsed: Duration) {
        self.request_duration.record(request, elapsed.as_secs_f64());
        if request.is_webhook() {
            self.received.add(Received(report.kind), 1);
            self.deliveries.add(Ended::of(&report.outcome), 1);
            self.webhook(report);
        }
    }

    fn webhook(&self, report: &Report) {
        if let Some(length) = report.body_bytes {
            #[expect(clippy::cast_precision_loss, reason = "a body has at most 25 MiB")]
            self.body_size.record(InProgress, length as f64);
        }
        if let (Some(scheme), Some(index)) = (report.scheme, report.key_index) {
            self.authentications
                .add(Authentication { scheme, index }, 1);
        }
        if let Some(refused) = Refused::of(&report.outcome) {
            self.signature_failures.add(refused, 1);
        }
        if let Some(elapsed) = report.delivery_time {
            let outcome = Delivered(matches!(report.outcome, Outcome::Delivered { .. }));
            self.delivery_duration
                .record(outcome, elapsed.as_secs_f64());
        }
        if report.effort.retries > 0 {
            self.retries.add(Nothing, report.effort.retries);
            self.rate_limit_waits
                .add(Nothing, report.effort.rate_limit_waits);
        }
    }

    /// A webhook whose sender did not wait for the answer.
    pub(crate) fn aborted(&self, request: Served, elapsed: Duration) {
        self.request_duration.record(request, elapsed.as_secs_f64());
        self.received.add(Received(None), 1);
        self.deliveries.add(Ended::ABORTED, 1);
    }

    /// A call to Rocket.Chat. Those of `webhook-app check` are not measured: nobody reads them.
    pub(crate) fn called(&self, route: Endpoint, error: Option<ApiError>, elapsed: Duration) {
        if !Endpoint::DELIVERING.contains(&route) {
            return;
        }
        let call = Called {
            route,
            error: error.map(ApiError::label),
        };
        self.call_duration.record(call, elapsed.as_secs_f64());
    }

    /// A connection has to wait for another one to end.
    pub(crate) fn connection_cap_hit(&self, port: Port) {
        self.connection_cap_hits.add(port, 1);
    }
}
