//! The HTTP client for Rocket.Chat's API, through which all messages are sent. Owns
//! URLs, headers, time limits and the connection pool. What a response means is decided in
//! [`response`]; which call comes next, in [`machine`](crate::send::machine).

use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;
use tower::util::MapFutureLayer;
use url::Url;

use super::connecting::{self, CallTime};
use super::endpoint::Endpoint;
use super::exchange::exchange;
use super::reachability::{self, Unreachable};
use super::request;
use super::response::{self, ApiError, ApiResponse, ErrorBody, StoredMessage};
use super::room_lookup::{self, RoomLookup};
use super::server_headers::ServerHeaders;
use super::{Credentials, MessageId, RoomId, Username};
use crate::http_client::{self, HttpClientError};
use crate::limits::LIMITS;
use crate::proxy::Proxy;
use crate::tls::TlsError;

mod address;
mod administration;
mod headers;

use address::{endpoint_url, url_of, with_query};

/// Calls one Rocket.Chat server as one account.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    /// Whether connections are those to a proxy.
    via_proxy: bool,
    create_room: Url,
    send_message: Url,
    get_message: Url,
    update_message: Url,
    me: Url,
    user_info: Url,
    room_info: Url,
    /// Address of the server, for the calls of administrators.
    base: Url,
}

/// The time limits and the headers of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallOptions<'a> {
    /// Time limits until the response has been read.
    pub(crate) within: CallTime,
    /// Headers in addition to those of the account, such as the trace context.
    pub(crate) headers: &'a HeaderMap,
}

/// The result of a call and its duration, from its start until the response has been read.
#[derive(Debug)]
pub(crate) struct Timed<T> {
    /// What the response means.
    pub(crate) result: Result<T, ApiError>,
    /// The duration.
    pub(crate) elapsed: Duration,
    /// What Rocket.Chat says about an error, shortened and escaped. Only `webhook-app check` prints it.
    pub(crate) error_text: Option<String>,
}

/// An account as the server describes it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Account {
    /// The username.
    pub(crate) username: String,
    /// Roles such as `user` and `bot`; empty if the server does not send them.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
}

impl Client {
    /// Creates a client for the server at `base` without opening a connection.
    ///
    /// `authorities` are trusted in addition to the compiled-in ones. `limit` is the time limit of a
    /// delivery. Every connection is to `proxy`, if there is one.
    pub(crate) fn new(
        base: &Url,
        credentials: &Credentials,
        authorities: &[CertificateDer<'static>],
        proxy: Option<&Proxy>,
        limit: Duration,
    ) -> Result<Self, ClientError> {
        Self::with_headers(base, headers::of(credentials)?, authorities, proxy, limit)
    }

    /// Creates a client without an account, for the sign-in with a password.
    pub(crate) fn anonymous(
        base: &Url,
        authorities: &[CertificateDer<'static>],
        proxy: Option<&Proxy>,
        limit: Duration,
    ) -> Result<Self, ClientError> {
        Self::with_headers(base, headers::general(), authorities, proxy, limit)
    }

    fn with_headers(
        base: &Url,
        headers: HeaderMap,
        authorities: &[CertificateDer<'static>],
        proxy: Option<&Proxy>,
        limit: Duration,
    ) -> Result<Self, ClientError> {
        let http = http_client::builder(authorities, proxy)?
            .default_headers(headers)
            // Divided between the addresses of the server, so that each of them is tried.
            .connect_timeout(limit)
            .connector_layer(MapFutureLayer::new(connecting::track))
            .pool_max_idle_per_host(LIMITS.client.max_idle_connections)
            // So that the first bytes of such a response can be read.
            .http09_responses()
            .build()
            .map_err(|_| ClientError::Build)?;
        let url = |endpoint| endpoint_url(base, endpoint);
        Ok(Self {
            http,
            via_proxy: proxy.is_some(),
            create_room: url(Endpoint::CreateRoom),
            send_message: url(Endpoint::SendMessage),
            get_message: url(Endpoint::GetMessage),
            update_message: url(Endpoint::UpdateMessage),
            me: url(Endpoint::Me),
            user_info: url(Endpoint::UserInfo),
            room_info: url(Endpoint::RoomInfo),
            base: base.clone(),
        })
    }

    /// Creates or finds the direct message room with `recipient`.
    pub(crate) async fn create_room(
        &self,
        recipient: &Username,
        options: CallOptions<'_>,
    ) -> Timed<RoomId> {
        let body = request::create_room(recipient);
        let request = with_json(self.http.post(self.create_room.clone()), body);
        let read = |response: &ApiResponse| response::room(response, recipient);
        self.call(request, options, read).await
    }

    /// Sends `text` under `id`; the server stores at most one message per id.
    pub(crate) async fn send_message(
        &self,
        room: &RoomId,
        id: &MessageId,
        text: &str,
        options: CallOptions<'_>,
    ) -> Timed<()> {
        let body = request::send_message(room, id, text);
        let request = with_json(self.http.post(self.send_message.clone()), body);
        let read = |response: &ApiResponse| response::sent(response, id);
        self.call(request, options, read).await
    }

    /// Replaces the text of the bot's own message `id`. Rocket.Chat does not notify users of an
    /// edit.
    pub(crate) async fn update_message(
        &self,
        room: &RoomId,
        id: &MessageId,
        text: &str,
        options: CallOptions<'_>,
    ) -> Timed<()> {
        let body = request::update_message(room, id, text);
        let request = with_json(self.http.post(self.update_message.clone()), body);
        let read = |response: &ApiResponse| response::sent(response, id);
        self.call(request, options, read).await
    }

    /// Looks up the message `id`.
    pub(crate) async fn get_message(
        &self,
        id: &MessageId,
        options: CallOptions<'_>,
    ) -> Timed<StoredMessage> {
        let request = self
            .http
            .get(with_query(&self.get_message, "msgId", id.as_str()));
        let read = |response: &ApiResponse| response::found(response, id);
        self.call(request, options, read).await
    }

    /// The account that the credentials belong to.
    pub(crate) async fn me(&self, options: CallOptions<'_>) -> Timed<(Account, ServerHeaders)> {
        let request = self.http.get(self.me.clone());
        let read = |response: &ApiResponse, headers: &HeaderMap| {
            response::accepted(response).map(|account| (account, ServerHeaders::of(headers)))
        };
        self.call_with_headers(request, options, read).await
    }

    /// Whether the server says that `recipient` cannot receive messages, and why.
    pub(crate) async fn user_info(
        &self,
        recipient: &Username,
        options: CallOptions<'_>,
    ) -> Timed<Option<Unreachable>> {
        let url = with_query(&self.user_info, "username", recipient.as_str());
        self.call(self.http.get(url), options, reachability::of_user)
            .await
    }

    /// Whether the server says that the account cannot write in a room, and why.
    pub(crate) async fn room_info(
        &self,
        room: &RoomId,
        options: CallOptions<'_>,
    ) -> Timed<Option<Unreachable>> {
        let url = with_query(&self.room_info, "roomId", room.as_str());
        self.call(self.http.get(url), options, reachability::of_room)
            .await
    }

    /// The room with this id.
    pub(crate) async fn find_room(
        &self,
        room: &RoomId,
        options: CallOptions<'_>,
    ) -> Timed<RoomLookup> {
        let url = with_query(&self.room_info, "roomId", room.as_str());
        self.call(self.http.get(url), options, room_lookup::of)
            .await
    }

    /// The room with this name.
    pub(crate) async fn find_room_by_name(
        &self,
        name: &str,
        options: CallOptions<'_>,
    ) -> Timed<RoomLookup> {
        let url = with_query(&self.room_info, "roomName", name);
        self.call(self.http.get(url), options, room_lookup::of)
            .await
    }

    /// Makes one call and measures it. The result includes what the response means, because a 200
    /// may be a refusal.
    async fn call<T>(
        &self,
        request: RequestBuilder,
        options: CallOptions<'_>,
        read: impl FnOnce(&ApiResponse) -> Result<T, ApiError>,
    ) -> Timed<T> {
        let read = |response: &ApiResponse, _: &HeaderMap| read(response);
        self.call_with_headers(request, options, read).await
    }

    async fn call_with_headers<T>(
        &self,
        request: RequestBuilder,
        options: CallOptions<'_>,
        read: impl FnOnce(&ApiResponse, &HeaderMap) -> Result<T, ApiError>,
    ) -> Timed<T> {
        let started = Instant::now();
        let request = request.headers(options.headers.clone());
        let response = exchange(request, options.within, self.via_proxy).await;
        let mut error_text = None;
        let result = response.and_then(|(response, headers)| {
            let result = read(&response, &headers);
            if result.is_err() {
                error_text = ErrorBody::of(&response).escaped();
            }
            result
        });
        Timed {
            result,
            elapsed: started.elapsed(),
            error_text,
        }
    }
}

/// Why the client could not be created.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// TLS could not be configured.
    #[error(transparent)]
    Tls(TlsError),
    /// The token contains characters that a header cannot contain.
    #[error(
        "expected visible ASCII characters in ROCKETCHAT_AUTH_TOKEN; copy the personal access token again"
    )]
    Token,
    /// The HTTP library rejected its settings, or the user id cannot be a header.
    #[error("failed to build the HTTP client")]
    Build,
}

impl From<HttpClientError> for ClientError {
    fn from(error: HttpClientError) -> Self {
        match error {
            HttpClientError::Tls(error) => Self::Tls(error),
            HttpClientError::Build => Self::Build,
        }
    }
}

fn with_json(request: RequestBuilder, body: Vec<u8>) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body)
}
