//! Exports spans to a collector with OTLP over HTTP. Owns the exporter, the HTTP client of its
//! thread and the sampler. What a span contains is in [`span`](super::span).

use std::collections::HashMap;
use std::future::{self, Future};
use std::pin::Pin;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::http_client::{self, HttpClientError};
use crate::limits::LIMITS;
use crate::proxy::Proxy;
use crate::tls::TlsError;

/// The settings of the exporter.
#[derive(Debug)]
pub struct Settings {
    /// The address that spans are posted to.
    pub endpoint: Url,
    /// The proxy of its address, if there is one.
    pub proxy: Option<Proxy>,
    /// Headers of every request to the collector, such as a token.
    pub headers: Vec<(String, SecretString)>,
    /// Which traces are sampled.
    pub sampler: Sampler,
}

/// Why spans cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(TlsError),
    /// The HTTP library rejected its settings.
    #[error("the HTTP client of the exporter rejected its settings")]
    Client,
    /// The operating system has no event queue left.
    #[error("failed to start the async runtime of the exporter: {0}")]
    Runtime(#[from] std::io::Error),
    /// The exporter rejected its settings.
    #[error(
        "the exporter of spans rejected its settings: {0}; check OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS"
    )]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Collects spans and posts them in batches from a separate thread, which sleeps while it has none.
pub(super) fn provider(
    settings: &Settings,
    resource: Resource,
) -> Result<SdkTracerProvider, ExportError> {
    let headers: HashMap<_, _> = settings
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
        .collect();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Poster::new(settings.proxy.as_ref())?)
        .with_endpoint(settings.endpoint.as_str())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(LIMITS.telemetry.export_timeout)
        .with_headers(headers)
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(settings.sampler.clone())
        .with_batch_exporter(exporter)
        .build())
}

/// The HTTP client of the exporter. The exporter's thread has no async runtime, so the client has
/// one, which runs only during a request: webhooks and spans do not wait for each other.
#[derive(Debug)]
struct Poster {
    client: reqwest::Client,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// Dropping a runtime would wait for a name look-up, which nothing can cancel and which may take half a
/// minute.
impl Drop for Poster {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Poster {
    fn new(proxy: Option<&Proxy>) -> Result<Self, ExportError> {
        let client = http_client::builder(&[], proxy).map_err(|error| match error {
            HttpClientError::Tls(error) => ExportError::Tls(error),
            HttpClientError::Build => ExportError::Client,
        })?;
        let client = client
            .timeout(LIMITS.telemetry.export_timeout)
            // Between two batches nothing runs that could notice a closed connection.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|_| ExportError::Client)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            client,
            runtime: Some(runtime),
        })
    }

    async fn post(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let response = self.client.execute(request.try_into()?).await?;
        let status = response.status();
        // Says how many spans were rejected; no collector sends a longer one.
        let body = http_body_util::Limited::new(
            reqwest::Body::from(response),
            LIMITS.telemetry.max_response_bytes,
        );
        let body = http_body_util::BodyExt::collect(body).await?.to_bytes();
        Ok(Response::builder().status(status).body(body)?)
    }
}

impl HttpClient for Poster {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let response = match &self.runtime {
            Some(runtime) => runtime.block_on(self.post(request)),
            None => Err("the exporter has stopped".into()),
        };
        Box::pin(future::ready(response))
    }
}
