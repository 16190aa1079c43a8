//! Metrics, traces and logs. Owns the choice of exporters, and when they start and stop. Each of the
//! three signals has its own file. What is recorded of a request is decided in `http::telemetry_layer`.

use std::sync::Arc;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod otlp;
pub(crate) mod span;
pub(crate) mod trace;

use log::LogFormat;
use log::output::LogOutput;
use metrics::Metrics;
pub use metrics::Series;
use tracing::level_filters::LevelFilter;

use crate::limits::LIMITS;

/// The settings of logs, metrics and traces.
#[derive(Debug)]
pub struct Settings {
    /// The lowest level that is logged.
    pub log_level: LevelFilter,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// Whether the output has colors: standard output is a terminal, and `NO_COLOR` is not set.
    pub color: bool,
    /// Whether a thread writes the log lines, so that requests do not wait for the reader of standard
    /// output.
    pub log_thread: bool,
    /// Whether metrics are recorded; without them, `/metrics` does not exist.
    pub metrics: bool,
    /// The name of this service in traces and metrics.
    pub service_name: String,
    /// Where spans are exported to; `None` disables them.
    pub traces: Option<otlp::Settings>,
}

/// Metrics and traces of this process.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// The metrics of this process.
    pub metrics: Arc<Metrics>,
    provider: Option<SdkTracerProvider>,
    log: LogOutput,
}

impl Telemetry {
    /// Starts logs, metrics and, if an exporter is configured, spans. Without an exporter no spans
    /// and no ids for them are created.
    pub fn start(settings: &Settings) -> Result<Self, otlp::ExportError> {
        let resource = resource(settings.service_name.clone());
        let log = if settings.log_thread {
            LogOutput::queued()
        } else {
            LogOutput::Direct
        };
        let metrics = if settings.metrics {
            let counted = log.clone();
            Metrics::prometheus(resource.clone(), move || counted.dropped())
        } else {
            Metrics::silent()
        };
        let traces = settings.traces.as_ref();
        let provider = traces
            .map(|traces| otlp::provider(traces, resource))
            .transpose()?;
        let lines = tracing_subscriber::registry()
            .with(log::lines(
                settings.log_level,
                settings.log_format,
                settings.color,
                log.clone(),
            ))
            .with(provider.as_ref().map(span::layer));
        // Tests call this twice; the first subscriber stays.
        let _ = lines.try_init();
        let panic_output = log.clone();
        std::panic::set_hook(Box::new(move |panic| log::panic(panic, &panic_output)));
        Ok(Self {
            metrics: Arc::new(metrics),
            provider,
            log,
        })
    }

    /// Neither metrics nor traces, for commands that exit at once.
    pub fn silent() -> Self {
        Self::counting(Metrics::silent())
    }

    fn counting(metrics: Metrics) -> Self {
        Self {
            metrics: Arc::new(metrics),
            provider: None,
            log: LogOutput::Direct,
        }
    }

    /// Only metrics.
    #[cfg(test)]
    pub(crate) fn of_test() -> Self {
        Self::counting(Metrics::prometheus(Resource::builder_empty().build(), || 0))
    }

    /// Whether spans are exported.
    pub fn is_tracing(&self) -> bool {
        self.provider.is_some()
    }

    /// Exports the spans that are still queued. Blocks the calling thread, which suits AWS Lambda: it
    /// freezes the process once the response is sent.
    #[cfg(feature = "lambda")]
    pub fn flush(&self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.force_flush()
        {
            tracing::warn!(%error, "failed to export spans");
        }
    }

    /// Exports the spans and writes the log lines that are still queued, and stops. Blocks, so the async
    /// runtime must have stopped; but not for long, because collectors and readers of logs may hang.
    pub fn finish(self) {
        if let Some(provider) = self.provider
            && let Err(error) = provider.shutdown_with_timeout(LIMITS.telemetry.flush_timeout)
        {
            tracing::warn!(%error, "failed to export the last spans");
        }
        self.log.flush();
    }
}

fn resource(service_name: String) -> Resource {
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    Resource::builder_empty()
        .with_service_name(service_name)
        .with_attribute(version)
        .build()
}

/// What `/metrics` serves before anything is recorded, or could ever serve, for the documentation.
pub fn exposition(series: Series) -> String {
    let resource = resource(env!("CARGO_PKG_NAME").to_owned());
    let metrics = Metrics::prometheus(resource, || 0);
    metrics.render_with(series).unwrap_or_default()
}
