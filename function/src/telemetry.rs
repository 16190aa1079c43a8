//! What operators see of the process: metrics, traces and logs. Owns the choice of exporters and
//! their start and end. What is told of a webhook is decided in [`observe`](crate::http::telemetry_layer); each
//! of the three has a file of its own.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub mod log;
pub mod metrics;
pub mod otlp;
pub mod span;
pub mod trace;

use log::LogFormat;
use metrics::Metrics;
use tracing::level_filters::LevelFilter;

/// The longest wait for the last spans when the process ends. The collector may be gone, and
/// Kubernetes is waiting.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// What can be set.
#[derive(Debug)]
pub struct Settings {
    /// The least important lines that are logged.
    pub log_level: LevelFilter,
    /// How lines are written.
    pub log_format: LogFormat,
    /// Whether anything is counted; `/metrics` is not there otherwise.
    pub metrics: bool,
    /// Name of this service among others.
    pub service_name: String,
    /// Where spans go, if anywhere.
    pub traces: Option<otlp::Settings>,
}

/// Metrics and traces of this process.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// What is counted and measured.
    pub metrics: Arc<Metrics>,
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Logs from now on, counts, and exports spans if there is somewhere to export them to. Without
    /// that there are no spans and no ids for them.
    pub fn start(settings: &Settings) -> Result<Self, otlp::ExportError> {
        let resource = Resource::builder_empty()
            .with_service_name(settings.service_name.clone())
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let metrics = if settings.metrics {
            Metrics::prometheus(resource.clone())
        } else {
            Metrics::silent()
        };
        let traces = settings.traces.as_ref();
        let provider = traces
            .map(|traces| otlp::provider(traces, resource))
            .transpose()?;
        let lines = tracing_subscriber::registry()
            .with(log::lines(settings.log_level, settings.log_format))
            .with(provider.as_ref().map(span::layer));
        // A second call, as in a test, keeps the first subscriber.
        let _ = lines.try_init();
        std::panic::set_hook(Box::new(log::panic));
        Ok(Self {
            metrics: Arc::new(metrics),
            provider,
        })
    }

    /// Neither metrics nor traces, for commands that end at once.
    pub fn silent() -> Self {
        Self::counting(Metrics::silent())
    }

    fn counting(metrics: Metrics) -> Self {
        Self {
            metrics: Arc::new(metrics),
            provider: None,
        }
    }

    /// Metrics alone.
    #[cfg(test)]
    pub(crate) fn of_test() -> Self {
        Self::counting(Metrics::prometheus(Resource::builder_empty().build()))
    }

    /// Whether spans are exported.
    pub fn is_tracing(&self) -> bool {
        self.provider.is_some()
    }

    /// Sends what has not been sent yet and goes on. Blocks the thread it is called on, which suits a
    /// process that sleeps as soon as its answer is out.
    #[cfg(feature = "lambda")]
    pub fn flush(&self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.force_flush()
        {
            tracing::warn!(%error, "spans were lost");
        }
    }

    /// Sends what has not been sent yet. Blocks, so the runtime must have ended.
    pub fn finish(self) {
        if let Some(provider) = self.provider
            && let Err(error) = provider.shutdown_with_timeout(FLUSH_LIMIT)
        {
            tracing::warn!(%error, "the last spans were lost");
        }
    }
}
