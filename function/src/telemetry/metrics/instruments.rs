//! The instruments. Owns their names, units, help texts and buckets, and creates series at zero.
//! Which series an instrument has follows from its [`labels`](super::labels); when it is recorded is
//! in [`metrics`](super).
//!
//! The table in `monitoring/METRICS.md` contains the help texts.

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};

use super::labels::http::{ClientRequest, ServerRequest, WebhookRequest};
use super::labels::{
    Authentication, DeliveryOutcome, EventKind, HandOffLabel, Labels, MessageOutcome, NoLabels,
    Port, RedeliveryLabel, UnreachableCause, VerificationFailure,
};
use crate::limits::LIMITS;

/// Buckets for requests, in seconds: a delivery has a time limit of 5 s by default, and GitLab
/// disconnects after 10 s.
const REQUEST_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Buckets for calls to Rocket.Chat, in seconds: the timeout of a response is 1.5 s by default, and
/// connecting may take longer.
const CALL_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 5.0];

/// Buckets for bodies, in bytes: pushes have a few KiB, and the limit is 25 MiB.
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

/// The instruments; each help text says what it measures.
#[derive(Debug)]
pub(super) struct Instruments {
    pub(super) received: Counter<u64>,
    pub(super) active_requests: UpDownCounter<i64>,
    pub(super) request_duration: Histogram<f64>,
    pub(super) body_size: Histogram<f64>,
    pub(super) deliveries: Counter<u64>,
    pub(super) delivery_duration: Histogram<f64>,
    pub(super) retries: Counter<u64>,
    pub(super) rate_limit_waits: Counter<u64>,
    pub(super) truncated_recipients: Counter<u64>,
    pub(super) redacted_recipients: Counter<u64>,
    pub(super) unreachable_recipients: Counter<u64>,
    pub(super) unreachable_configuration: Gauge<u64>,
    pub(super) template_failures: Counter<u64>,
    pub(super) broker: BrokerInstruments,
    pub(super) authentications: Counter<u64>,
    pub(super) signature_failures: Counter<u64>,
    pub(super) call_duration: Histogram<f64>,
    pub(super) connection_cap_hits: Counter<u64>,
}

/// The instruments of notifications that a broker keeps.
#[derive(Debug)]
pub(super) struct BrokerInstruments {
    pub(super) hand_offs: Counter<u64>,
    pub(super) redeliveries: Counter<u64>,
    pub(super) dead_letters: Counter<u64>,
}

impl BrokerInstruments {
    fn new(meter: &Meter) -> Self {
        Self {
            hand_offs: meter
                .u64_counter("webhook.hand_offs")
                .with_unit("{notification}")
                .with_description("Undelivered notifications by what the broker said; `accepted` if it has stored them.")
                .build(),
            redeliveries: meter
                .u64_counter("webhook.redeliveries")
                .with_unit("{notification}")
                .with_description("Notifications that came back from the broker; it sends them `again`, puts them aside as `dead_letter`, or forgets them because they are `put_aside` by `DEAD_LETTER_SINK`.")
                .build(),
            dead_letters: meter
                .u64_counter("webhook.dead_letters")
                .with_unit("{notification}")
                .with_description("Notifications that the broker gave up and that this process has stored.")
                .build(),
        }
    }
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        Self {
            received: meter
                .u64_counter("webhooks.received")
                .with_unit("{webhook}")
                .with_description("Received webhooks by kind of event; `unknown` if rejected before parsing.")
                .build(),
            active_requests: meter
                .i64_up_down_counter("http.server.active_requests")
                .with_unit("{request}")
                .with_description("Webhooks in progress. Health checks and scrapes are not counted.")
                .build(),
            request_duration: meter
                .f64_histogram("http.server.request.duration")
                .with_unit("s")
                .with_description("Time from the headers of a request to its response. Health checks and scrapes are not measured.")
                .with_boundaries(REQUEST_SECONDS.to_vec())
                .build(),
            body_size: meter
                .f64_histogram("http.server.request.body.size")
                .with_unit("By")
                .with_description("Size of the bodies that were read completely.")
                .with_boundaries(BODY_BYTES.to_vec())
                .build(),
            deliveries: meter
                .u64_counter("webhook.deliveries")
                .with_unit("{webhook}")
                .with_description("Webhooks by outcome and reason; `aborted` if the client disconnected before the response.")
                .build(),
            delivery_duration: meter
                .f64_histogram("webhook.delivery.duration")
                .with_unit("s")
                .with_description("Time to deliver a message or to give up, including the wait for a free slot.")
                .with_boundaries(REQUEST_SECONDS.to_vec())
                .build(),
            retries: meter
                .u64_counter("webhook.delivery.retries")
                .with_unit("{call}")
                .with_description("Retries of calls to Rocket.Chat.")
                .build(),
            rate_limit_waits: meter
                .u64_counter("webhook.delivery.rate_limit_waits")
                .with_unit("{pause}")
                .with_description("Pauses because of Rocket.Chat's rate limit; the account lacks the role `bot`.")
                .build(),
            truncated_recipients: meter
                .u64_counter("webhook.recipients.truncated")
                .with_unit("{recipient}")
                .with_description(format!(
                    "Recipients that were not notified, because an event has at most {}; a text whose end was not read for mentions counts as one.",
                    LIMITS.routing.max_recipients
                ))
                .build(),
            redacted_recipients: meter
                .u64_counter("webhook.recipients.redacted")
                .with_unit("{recipient}")
                .with_description("Recipients that got no message, because GitLab redacts email addresses in the webhooks that it sends again; the log names their rules.")
                .build(),
            unreachable_recipients: meter
                .u64_counter("webhook.recipients.unreachable")
                .with_unit("{recipient}")
                .with_description("Recipients that got no message, because Rocket.Chat says that they cannot receive any.")
                .build(),
            unreachable_configuration: meter
                .u64_gauge("webhook.configuration.unreachable_recipients")
                .with_unit("{recipient}")
                .with_description("Users and rooms that the configuration names and that cannot receive messages; the log names them.")
                .build(),
            template_failures: meter
                .u64_counter("webhook.template.failures")
                .with_unit("{webhook}")
                .with_description("Events whose template failed, so that the built-in message was used.")
                .build(),
            broker: BrokerInstruments::new(meter),
            authentications: meter
                .u64_counter("webhook.authentications")
                .with_unit("{webhook}")
                .with_description("Authenticated webhooks, by index of the key or token, from 0; shows when an old one is no longer used.")
                .build(),
            signature_failures: meter
                .u64_counter("webhook.signature.failures")
                .with_unit("{webhook}")
                .with_description("Webhooks rejected because of their signature or token.")
                .build(),
            call_duration: meter
                .f64_histogram("http.client.request.duration")
                .with_unit("s")
                .with_description("Time of calls to Rocket.Chat; successful calls have no `error_type`, and `rate_limited` is status 429.")
                .with_boundaries(CALL_SECONDS.to_vec())
                .build(),
            connection_cap_hits: meter
                .u64_counter("http.server.connection_cap_hits")
                .with_unit("{wait}")
                .with_description("Times that a port reached its limit of connections, so that the next connection had to wait.")
                .build(),
        }
    }

    /// Creates series, at zero where nothing was recorded.
    pub(super) fn create(&self, series: Series) {
        series.count::<EventKind>(&self.received);
        for labels in WebhookRequest::all() {
            self.active_requests.add(0, &labels.attributes());
        }
        series.measure::<ServerRequest>(&self.request_duration);
        series.measure::<WebhookRequest>(&self.body_size);
        series.count::<DeliveryOutcome>(&self.deliveries);
        series.measure::<MessageOutcome>(&self.delivery_duration);
        series.count::<NoLabels>(&self.retries);
        series.count::<NoLabels>(&self.rate_limit_waits);
        series.count::<NoLabels>(&self.truncated_recipients);
        series.count::<NoLabels>(&self.redacted_recipients);
        series.count::<UnreachableCause>(&self.unreachable_recipients);
        series.count::<NoLabels>(&self.template_failures);
        series.count::<HandOffLabel>(&self.broker.hand_offs);
        series.count::<RedeliveryLabel>(&self.broker.redeliveries);
        series.count::<NoLabels>(&self.broker.dead_letters);
        series.count::<Authentication>(&self.authentications);
        series.count::<VerificationFailure>(&self.signature_failures);
        series.measure::<ClientRequest>(&self.call_duration);
        series.count::<Port>(&self.connection_cap_hits);
    }
}

/// Which series are created before something is recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Series {
    /// Those that exist from the start.
    Initial,
    /// All that can ever exist, for the documentation.
    Every,
}

impl Series {
    fn labels<L: Labels>(self) -> Vec<L> {
        match self {
            Self::Initial => L::initial(),
            Self::Every => L::all(),
        }
    }

    fn count<L: Labels>(self, counter: &Counter<u64>) {
        for labels in self.labels::<L>() {
            counter.add(0, &labels.attributes());
        }
    }

    /// A histogram would count a recorded zero as a measurement. Binding creates the series without
    /// one; it remains when the handle is dropped.
    fn measure<L: Labels>(self, histogram: &Histogram<f64>) {
        for labels in self.labels::<L>() {
            drop(histogram.bind(&labels.attributes()));
        }
    }
}

/// Registers the counter of log lines, which is read at every scrape.
pub(super) fn observe_dropped_lines(
    meter: &Meter,
    dropped: impl Fn() -> u64 + Send + Sync + 'static,
) {
    meter
        .u64_observable_counter("webhook.log.lines.dropped")
        .with_unit("{line}")
        .with_description(
            "Log lines that were dropped, because standard output was not read in time.",
        )
        .with_callback(move |observer| observer.observe(dropped(), &[]))
        .build();
}
