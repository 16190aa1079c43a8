//! The calls to the broker and to the service that stores dead letters. Owns their client, their retries and what
//! a response means. Which notifications are handed off is decided in [`hand_off`](super).

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use rustls::pki_types::CertificateDer;
use tokio::time::{self, Instant};
use url::Url;

use super::event;
use super::{Extensions, HandOff, HandOffKeys};
use crate::http_client;
use crate::limits::LIMITS;
use crate::notifier::notification::Notification;
use crate::proxy::Proxy;
use crate::send::SinkError;

/// An address that accepts events.
#[derive(Clone, Debug)]
pub struct ReceiverSettings {
    /// Where events are posted.
    pub(crate) url: Url,
    /// The proxy of this address, if there is one.
    pub(crate) proxy: Option<Proxy>,
    /// Certificate authorities that are trusted in addition to the others.
    pub(crate) authorities: Vec<CertificateDer<'static>>,
}

/// The broker and what its events contain.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// The broker.
    pub(crate) receiver: ReceiverSettings,
    /// Attributes of every event.
    pub(crate) extensions: Extensions,
    /// The service that stores what cannot be delivered, if the broker does not put it aside.
    pub(crate) dead_letter_sink: Option<ReceiverSettings>,
}

/// Posts notifications to one broker, as events.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    pub(crate) receiver: Receiver,
    extensions: Extensions,
    keys: Arc<HandOffKeys>,
}

/// Posts events to one address.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    http: reqwest::Client,
    url: Url,
}

/// The client could not be created.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "failed to build the HTTP client for the broker: expected certificates of authorities in K_CA_CERTS and ROCKETCHAT_CA"
)]
pub struct SinkClientError;

impl Sink {
    /// Creates a client without opening a connection. `authorities` are trusted in addition to the compiled-in
    /// ones and those of the broker.
    pub(crate) fn new(
        settings: SinkSettings,
        keys: Arc<HandOffKeys>,
        authorities: &[CertificateDer<'static>],
    ) -> Result<Self, SinkClientError> {
        Ok(Self {
            receiver: Receiver::new(settings.receiver, authorities)?,
            extensions: settings.extensions,
            keys,
        })
    }

    /// Posts a notification until the broker has stored it or time is up. The ID of its event follows from its
    /// content, so that a repeated one can be recognized.
    pub(super) async fn send(
        &self,
        notification: &Notification,
        hand_off: &HandOff<'_>,
    ) -> Result<(), SinkError> {
        let event = event::write(
            notification,
            hand_off.received_at,
            &self.keys,
            hand_off.headers,
            &self.extensions,
        );
        let Some((headers, data)) = event else {
            return Err(SinkError::Refused);
        };
        let receiver = &self.receiver;
        receiver
            .post_until(&headers, &data, hand_off.deadline)
            .await
    }
}

impl Receiver {
    /// Creates a client without opening a connection. `authorities` are trusted in addition to the compiled-in
    /// ones and those of the settings.
    pub(crate) fn new(
        settings: ReceiverSettings,
        authorities: &[CertificateDer<'static>],
    ) -> Result<Self, SinkClientError> {
        let trusted = [authorities, &settings.authorities].concat();
        let http = http_client::builder(&trusted, settings.proxy.as_ref());
        let http = http
            .map_err(|_| SinkClientError)?
            .user_agent(concat!("webhook-app/", env!("CARGO_PKG_VERSION")))
            .pool_max_idle_per_host(LIMITS.client.max_idle_connections);
        Ok(Self {
            http: http.build().map_err(|_| SinkClientError)?,
            url: settings.url,
        })
    }

    /// Its address without what could be a secret, the query.
    pub(crate) fn address(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.into()
    }

    /// Whether it responds to a request without an event, which it may refuse.
    pub(crate) async fn responds(&self, within: Duration) -> bool {
        let request = self.http.request(Method::OPTIONS, self.url.clone());
        request.timeout(within).send().await.is_ok()
    }

    /// Posts an event until it is stored there or `deadline` has passed.
    pub(crate) async fn post_until(
        &self,
        headers: &HeaderMap,
        data: &[u8],
        deadline: Instant,
    ) -> Result<(), SinkError> {
        let mut last = SinkError::NoTime;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left < LIMITS.delivery.min_call {
                return Err(last);
            }
            last = match self.post(headers.clone(), data.to_vec(), left).await {
                Ok(()) => return Ok(()),
                Err(SinkError::Refused) => return Err(SinkError::Refused),
                Err(error) => error,
            };
            time::sleep(LIMITS.hand_off.retry_pause).await;
        }
    }

    async fn post(
        &self,
        headers: HeaderMap,
        data: Vec<u8>,
        within: Duration,
    ) -> Result<(), SinkError> {
        let request = self.http.post(self.url.clone()).headers(headers);
        let sent = request.body(data).timeout(within).send().await;
        match sent.map(|response| response.status().as_u16()) {
            Ok(200..300) => Ok(()),
            // The queue is full, or the broker restarts.
            Ok(408 | 425 | 429 | 500..) => Err(SinkError::Unavailable),
            Ok(_) => Err(SinkError::Refused),
            Err(_) => Err(SinkError::Unreachable),
        }
    }
}
