//! One delivery of a GitLab webhook: headers, body and the call itself.
//! Starts as GitLab 19.3 would send it; each builder method changes one thing.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};

use super::signature::sign;
use crate::exchange::{Answer, exchange};

/// A valid signing key for samples: `whsec_` and 32 bytes. Never a real secret.
pub const SAMPLE_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The commit that [`Delivery::push_sample`] brings.
pub const SAMPLE_SHA: &str = "3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b";

const SAMPLE_PUSH: &str = include_str!("push_sample.json");

/// A delivery in the making; every builder method takes and returns it.
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
    /// A push of one commit ([`SAMPLE_SHA`]) to `main` of `acme/rocket`; neither signed nor with a token.
    pub fn push_sample() -> Self {
        Self::new("Push Hook", SAMPLE_PUSH)
    }

    /// A delivery of any event, such as `Push Hook`, with a fresh id.
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

    /// Sets `Idempotency-Key` and `webhook-id`, which survive a resend.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Signs with a `whsec_` key; a second call adds a second signature, as during a change of keys.
    #[must_use]
    pub fn signed_with(mut self, key: &str) -> Self {
        self.signing_keys.push(key.to_owned());
        self
    }

    /// Sends the plain secret in `X-Gitlab-Token`.
    #[must_use]
    pub fn token(mut self, token: impl AsRef<[u8]>) -> Self {
        self.token = Some(token.as_ref().to_vec());
        self
    }

    /// Fixes the signed timestamp, in seconds since 1970; without it each post carries the present.
    #[must_use]
    pub fn at(mut self, unix_seconds: i64) -> Self {
        self.at = Some(unix_seconds);
        self
    }

    /// Adds a header beside the others, even of a name that is there already.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.added.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Leaves out every header of this name that GitLab itself would send.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.removed.push(name.to_owned());
        self
    }

    /// Replaces the body; the signature follows it.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The bytes that are sent and signed.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// One attempt as bytes up to the body, for senders that no library would be. Announces no length
    /// unless a header does.
    pub fn head(&self) -> String {
        let lines = self
            .headers()
            .into_iter()
            .map(|(name, value)| format!("{name}: {}\r\n", String::from_utf8_lossy(&value)));
        let lines: String = lines.collect();
        format!("POST /webhook HTTP/1.1\r\nHost: test\r\n{lines}\r\n")
    }

    /// All headers of one attempt; the attempt's own UUIDs are fresh each time.
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
        headers.retain(|(name, _)| !self.leaves_out(name));
        let own = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        own.chain(self.added.clone()).collect()
    }

    /// Posts the delivery once, on a connection of its own, and waits for the answer.
    ///
    /// # Panics
    /// When there is no answer; see [`Self::try_post_to`] for a result instead.
    pub async fn post_to(&self, url: &str) -> Answer {
        match self.try_post_to(url).await {
            Ok(answer) => answer,
            Err(error) => panic!("no answer to the delivery from {url}: {error}"),
        }
    }

    /// Posts the delivery once; fails when the address is malformed or the connection breaks.
    pub async fn try_post_to(&self, url: &str) -> std::io::Result<Answer> {
        exchange("POST", url, &self.headers(), &self.body).await
    }

    /// A command for a shell that posts this delivery; needs only `curl`.
    ///
    /// A signature is good for as long as the receiver tolerates its timestamp; a token stays good.
    pub fn curl(&self, url: &str) -> String {
        let mut command = vec![format!("curl -i {}", quoted(url))];
        for (name, value) in self.headers() {
            // What curl sends by itself, or what matters to nobody at a desk.
            if !matches!(name.as_str(), "Accept" | "Connection" | "User-Agent") {
                let header = format!("{name}: {}", String::from_utf8_lossy(&value));
                command.push(format!("-H {}", quoted(&header)));
            }
        }
        let body = String::from_utf8_lossy(&self.body);
        command.push(format!("--data-binary {}", quoted(&body)));
        command.join(" \\\n  ")
    }

    fn leaves_out(&self, name: &str) -> bool {
        let mut removed = self.removed.iter();
        removed.any(|removed| removed.eq_ignore_ascii_case(name))
    }
}

/// For a POSIX shell: single quotes, and each single quote inside as `'\''`.
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
