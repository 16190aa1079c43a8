//! One delivery of a GitLab webhook: headers, body, and posting it.
//! The default is what GitLab 19.3 sends; each builder method changes one thing.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};

use super::signature::sign;
use crate::exchange::{Response, exchange};

/// A valid signing key for tests: `whsec_` and 32 bytes in base64. Not a secret.
pub const SAMPLE_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The head commit of [`Delivery::push_sample`].
pub const SAMPLE_SHA: &str = "3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b";

const SAMPLE_PUSH: &str = include_str!("push_sample.json");

/// A delivery and its builder.
#[derive(Clone, Debug)]
pub struct Delivery {
    event: String,
    body: Vec<u8>,
    id: String,
    at: Option<i64>,
    signing_keys: Vec<String>,
    token: Option<Vec<u8>>,
    added: Vec<(String, Vec<u8>)>,
    removed: Vec<String>,
}

impl Delivery {
    /// A push of one commit ([`SAMPLE_SHA`]) to `main` of `acme/rocket`; without a signature or a token.
    pub fn push_sample() -> Self {
        Self::new("Push Hook", SAMPLE_PUSH)
    }

    /// A delivery of any event, such as `Push Hook`, with a new random id.
    pub fn new(event: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            event: event.to_owned(),
            body: body.into(),
            id: random_uuid(),
            at: None,
            signing_keys: Vec::new(),
            token: None,
            added: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// Sets `Idempotency-Key` and `webhook-id`, which stay the same when GitLab resends a delivery.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Signs with a `whsec_` key; a second call adds a second signature, as during key rotation.
    #[must_use]
    pub fn signed_with(mut self, key: &str) -> Self {
        self.signing_keys.push(key.to_owned());
        self
    }

    /// Sends this secret token in `X-Gitlab-Token`.
    #[must_use]
    pub fn token(mut self, token: impl AsRef<[u8]>) -> Self {
        self.token = Some(token.as_ref().to_vec());
        self
    }

    /// Sets the signed timestamp, in Unix seconds; the default is the current time of each post.
    #[must_use]
    pub fn at(mut self, unix_seconds: i64) -> Self {
        self.at = Some(unix_seconds);
        self
    }

    /// Appends a header, even if one of this name exists.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.added.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Removes the headers of this name that GitLab sends by default.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.removed.push(name.to_owned());
        self
    }

    /// Replaces the body; the signature covers the new one.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The bytes that are sent and signed.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The request head of one attempt, for tests that write to a socket. It has no `Content-Length`
    /// unless a header sets one.
    pub fn head(&self) -> String {
        let lines = self
            .headers()
            .into_iter()
            .map(|(name, value)| format!("{name}: {}\r\n", String::from_utf8_lossy(&value)));
        let lines: String = lines.collect();
        format!("POST /webhook HTTP/1.1\r\nHost: test\r\n{lines}\r\n")
    }

    /// All headers of one attempt; the UUIDs of the attempt are new each time.
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let timestamp = self.at.unwrap_or_else(unix_seconds).to_string();
        let mut headers = vec![
            ("Content-Type", b"application/json".to_vec()),
            ("User-Agent", b"GitLab/19.3.0".to_vec()),
            ("Idempotency-Key", self.id.clone().into_bytes()),
            ("X-Gitlab-Event", self.event.clone().into_bytes()),
            ("X-Gitlab-Webhook-UUID", random_uuid().into_bytes()),
            ("X-Gitlab-Instance", b"https://gitlab.example.org".to_vec()),
            ("X-Gitlab-Event-UUID", random_uuid().into_bytes()),
            ("webhook-id", self.id.clone().into_bytes()),
            ("webhook-timestamp", timestamp.clone().into_bytes()),
            ("Accept", b"*/*".to_vec()),
            ("Connection", b"close".to_vec()),
        ];
        if !self.signing_keys.is_empty() {
            let keys = self.signing_keys.iter();
            let signatures: Vec<_> = keys
                .map(|key| sign(key, &self.id, &timestamp, &self.body))
                .collect();
            headers.push(("webhook-signature", signatures.join(" ").into_bytes()));
        }
        if let Some(token) = &self.token {
            headers.push(("X-Gitlab-Token", token.clone()));
        }
        headers.retain(|(name, _)| !self.is_removed(name));
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        headers.chain(self.added.clone()).collect()
    }

    /// Posts the delivery once, on a new connection, and waits for the response.
    ///
    /// # Panics
    /// If there is no response; [`Self::try_post_to`] returns a `Result` instead.
    pub async fn post_to(&self, url: &str) -> Response {
        match self.try_post_to(url).await {
            Ok(response) => response,
            Err(error) => panic!("no response from {url}: {error}"),
        }
    }

    /// Posts the delivery once; fails if the URL is malformed or the connection breaks.
    pub async fn try_post_to(&self, url: &str) -> std::io::Result<Response> {
        exchange("POST", url, &self.headers(), &self.body).await
    }

    /// A shell command that posts this delivery with `curl`.
    ///
    /// A signature is valid for as long as the receiver accepts its timestamp; a token does not expire.
    pub fn curl(&self, url: &str) -> String {
        let mut command = vec![format!("curl -i {}", quoted(url))];
        for (name, value) in self.headers() {
            // Headers that curl adds itself, or that do not matter to the receiver.
            if !matches!(name.as_str(), "Accept" | "Connection" | "User-Agent") {
                let header = format!("{name}: {}", String::from_utf8_lossy(&value));
                command.push(format!("-H {}", quoted(&header)));
            }
        }
        let body = String::from_utf8_lossy(&self.body);
        command.push(format!("--data-binary {}", quoted(&body)));
        command.join(" \\\n  ")
    }

    fn is_removed(&self, name: &str) -> bool {
        let mut removed = self.removed.iter();
        removed.any(|removed| removed.eq_ignore_ascii_case(name))
    }
}

/// Quotes for a POSIX shell: in single quotes, with each single quote inside as `'\''`.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// A random UUID (version 4) as text.
fn random_uuid() -> String {
    let mut bytes = [0_u8; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    assert!(filled.is_ok(), "the system gives random bytes");
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}
