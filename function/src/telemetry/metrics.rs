//! The metrics of this process. Owns when each instrument is recorded, and the text that Prometheus
//! scrapes. Names and help texts are in `instruments`, labels in [`labels`]. The
//! [telemetry layer](crate::http::telemetry_layer) calls most of the methods.

use std::collections::BTreeSet;
use std::sync::{Mutex, Once};
use std::time::Duration;

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream};
use prometheus::{Registry, TextEncoder};

use crate::limits::LIMITS;
use crate::notifier::PlanWarning;
use crate::outcome::{Outcome, Report};
use crate::rocketchat::Destination;
use crate::rocketchat::endpoint::Endpoint;
use crate::rocketchat::response::ApiError;

mod instruments;
pub(crate) mod labels;
mod process;
mod recipients;

use instruments::Instruments;
pub use instruments::Series;
use labels::http::{ClientRequest, ServerRequest, WebhookRequest};
use labels::{
    Authentication, DeliveryOutcome, EventKind, Labels, MessageOutcome, NoLabels, Port,
    RedeliveryLabel, VerificationFailure,
};

/// Records metrics of webhooks and of the calls that are made for them.
#[derive(Debug)]
pub struct Metrics {
    instruments: Instruments,
    exposition: Option<Exposition>,
    /// Recipients that the configuration names and that cannot receive messages.
    unreachable: Mutex<BTreeSet<Destination>>,
}

/// Gathers all series and renders them.
#[derive(Debug)]
struct Exposition {
    registry: Registry,
    /// Creates the initial series at the first scrape: they would delay the first webhook of a cold start.
    series: Once,
    /// Dropping it stops the exporter.
    _provider: SdkMeterProvider,
}

impl Metrics {
    /// Metrics for Prometheus. `dropped_lines` returns how many log lines were dropped.
    pub fn prometheus(
        resource: Resource,
        dropped_lines: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build();
        let Ok(exporter) = exporter else {
            // Fails only if the registry already has an exporter, and this one is new.
            return Self::silent();
        };
        let provider = SdkMeterProvider::builder()
            .with_reader(exporter)
            .with_resource(resource)
            .with_view(|_: &Instrument| {
                let limited = Stream::builder().with_cardinality_limit(LIMITS.telemetry.max_series);
                limited.build().ok()
            })
            .build();
        let meter = provider.meter(env!("CARGO_PKG_NAME"));
        process::observe(&meter);
        instruments::observe_dropped_lines(&meter, dropped_lines);
        let instruments = Instruments::new(&meter);
        // An alert needs a value before the first change.
        let unreachable = &instruments.unreachable_configuration;
        unreachable.record(0, &NoLabels.listed());
        Self {
            instruments,
            exposition: Some(Exposition {
                registry,
                series: Once::new(),
                _provider: provider,
            }),
            unreachable: Mutex::default(),
        }
    }

    /// Metrics that are recorded nowhere.
    pub fn silent() -> Self {
        let provider = SdkMeterProvider::builder().build();
        Self {
            instruments: Instruments::new(&provider.meter(env!("CARGO_PKG_NAME"))),
            exposition: None,
            unreachable: Mutex::default(),
        }
    }

    /// Whether metrics are recorded.
    pub fn is_counting(&self) -> bool {
        self.exposition.is_some()
    }

    /// The series in Prometheus' text format 0.0.4; `None` if metrics are disabled.
    pub fn render(&self) -> Option<String> {
        self.render_with(Series::Initial)
    }

    pub(super) fn render_with(&self, series: Series) -> Option<String> {
        let exposition = self.exposition.as_ref()?;
        exposition
            .series
            .call_once(|| self.instruments.create(series));
        let mut text = String::with_capacity(64 * 1024);
        let families = exposition.registry.gather();
        TextEncoder::new().encode_utf8(&families, &mut text).ok()?;
        Some(text)
    }

    /// Records that a webhook has arrived.
    pub(crate) fn begin(&self) {
        self.add_active_requests(1);
    }

    /// Records that a webhook is no longer handled, however it ended.
    pub(crate) fn end(&self) {
        self.add_active_requests(-1);
    }

    fn add_active_requests(&self, change: i64) {
        let active_requests = &self.instruments.active_requests;
        active_requests.add(change, &WebhookRequest.listed());
    }

    /// Records a request that was answered.
    pub(crate) fn answered(&self, request: ServerRequest, report: &Report, elapsed: Duration) {
        self.record_duration(request, elapsed);
        if request.is_webhook() {
            self.count_webhook(
                EventKind(report.facts.kind),
                DeliveryOutcome::of(&report.outcome),
            );
            self.record_delivery(report);
            self.count_authentication(report);
        } else if request.is_dead_letter() && report.outcome == Outcome::DeadLetter {
            self.instruments
                .broker
                .dead_letters
                .add(1, &NoLabels.listed());
        } else if request.is_redelivery() {
            let result = RedeliveryLabel::of(report);
            self.instruments
                .broker
                .redeliveries
                .add(1, &result.listed());
            self.record_recipients(report);
        }
    }

    /// Records a webhook whose client disconnected before the response.
    pub(crate) fn aborted(&self, request: ServerRequest, elapsed: Duration) {
        self.record_duration(request, elapsed);
        self.count_webhook(EventKind(None), DeliveryOutcome::ABORTED);
    }

    fn record_duration(&self, request: ServerRequest, elapsed: Duration) {
        let duration = &self.instruments.request_duration;
        duration.record(elapsed.as_secs_f64(), &request.listed());
    }

    fn count_webhook(&self, kind: EventKind, outcome: DeliveryOutcome) {
        self.instruments.received.add(1, &kind.listed());
        self.instruments.deliveries.add(1, &outcome.listed());
    }

    fn record_delivery(&self, report: &Report) {
        let instruments = &self.instruments;
        if let Some(length) = report.facts.body_bytes {
            #[expect(clippy::cast_precision_loss, reason = "a body has at most 25 MiB")]
            let length = length as f64;
            instruments
                .body_size
                .record(length, &WebhookRequest.listed());
        }
        if let Some(elapsed) = report.send_time {
            let outcome = match report.outcome {
                Outcome::Delivered { .. } => MessageOutcome::Delivered,
                _ => MessageOutcome::Failed,
            };
            let duration = &instruments.delivery_duration;
            duration.record(elapsed.as_secs_f64(), &outcome.listed());
        }
        self.record_recipients(report);
        for warning in &report.facts.warnings {
            match warning {
                PlanWarning::RecipientsTruncated(count) => {
                    let count = u64::try_from(*count).unwrap_or(u64::MAX);
                    instruments
                        .truncated_recipients
                        .add(count, &NoLabels.listed());
                }
                // How many users the rest mentions is not known.
                PlanWarning::MentionsUnread => {
                    instruments.truncated_recipients.add(1, &NoLabels.listed());
                }
                PlanWarning::TemplateFailed => {
                    instruments.template_failures.add(1, &NoLabels.listed());
                }
                PlanWarning::UndatedPipeline | PlanWarning::OccurredAt(_) => {}
            }
        }
    }

    fn count_authentication(&self, report: &Report) {
        let instruments = &self.instruments;
        if let Some(authentication) = report.facts.authentication {
            let by = Authentication {
                scheme: authentication.scheme,
                index: authentication.key_index,
            };
            instruments.authentications.add(1, &by.listed());
        }
        if let Some(failure) = VerificationFailure::of(&report.outcome) {
            instruments.signature_failures.add(1, &failure.listed());
        }
    }

    /// Records a call to Rocket.Chat. Calls of `webhook-app check` are not recorded, because that command
    /// is not scraped.
    pub(crate) fn called(&self, endpoint: Endpoint, error: Option<ApiError>, elapsed: Duration) {
        if !Endpoint::DELIVERING.contains(&endpoint) {
            return;
        }
        let error = error.map(ApiError::label);
        let call = ClientRequest { endpoint, error };
        let duration = &self.instruments.call_duration;
        duration.record(elapsed.as_secs_f64(), &call.listed());
    }

    /// Records that a port has reached its limit of connections.
    pub(crate) fn connection_cap_hit(&self, port: Port) {
        self.instruments.connection_cap_hits.add(1, &port.listed());
    }
}
