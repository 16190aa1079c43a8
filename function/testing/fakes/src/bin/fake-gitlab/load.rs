//! Sends deliveries at a constant rate, without waiting for earlier responses, each on a new connection as GitLab does.
//! Each delivery pushes a different commit, so that the stored messages can be matched to the deliveries.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use fakes::gitlab::{Delivery, PROJECT, Response, SAMPLE_KEY, SAMPLE_SHA, Trigger};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::stats::Stats;

/// GitLab's timeout for webhooks.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A valid key that webhook-app is not configured with.
const OTHER_KEY: &str = "whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// How a delivery is authenticated.
#[derive(Clone, Copy)]
pub(crate) enum Proof {
    /// A signature with the sample key.
    Signed,
    /// A signature with another key.
    Forged,
    /// No signature.
    None,
}

/// Who sends a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// This program.
    Load,
    /// The fake GitLab, which records it in the event log of each hook.
    GitLab,
}

/// Which deliveries to send, where and at what rate.
pub(crate) struct Load {
    to: String,
    pub(crate) sender: Sender,
    /// The `Host` header, if it differs from the URL.
    pub(crate) host: Option<String>,
    /// The number of deliveries.
    pub(crate) count: u64,
    /// The time from one delivery to the next; `None` sends all at once.
    interval: Option<Duration>,
    pub(crate) proof: Proof,
    /// The minimum size of a body, in bytes.
    pub(crate) bytes: usize,
    /// The URL of the fake Rocket.Chat, to count the stored messages at the end.
    pub(crate) chat: Option<String>,
}

/// A delivery that was sent, and its response.
pub(crate) struct Attempt {
    pub(crate) sha: String,
    /// The error says why there is no response.
    pub(crate) response: Result<Response, String>,
    pub(crate) duration: Duration,
}

impl Load {
    /// One signed push of the default size.
    pub(crate) fn single(to: String, sender: Sender) -> Self {
        Self {
            to,
            sender,
            host: None,
            count: 1,
            interval: None,
            proof: Proof::Signed,
            bytes: 0,
            chat: None,
        }
    }

    /// Sends `rate` deliveries per second for this many seconds.
    pub(crate) fn set_rate(&mut self, rate: u32, seconds: u64) {
        self.count = u64::from(rate) * seconds;
        self.interval = Some(Duration::from_secs(1) / rate.max(1));
    }

    /// Sends all deliveries, waits for the responses, and counts them.
    pub(crate) async fn run(&self) -> Result<Stats, String> {
        let mut in_flight = JoinSet::new();
        let mut ticks = interval(self.interval.unwrap_or(Duration::from_nanos(1)));
        for _ in 0..self.count {
            if self.interval.is_some() {
                ticks.tick().await;
            }
            let (delivery, sha) = self.delivery();
            in_flight.spawn(attempt(delivery, sha, self.to.clone(), self.sender));
        }
        let attempts = in_flight.join_all().await;
        Stats::of(&attempts, self.chat.as_deref()).await
    }

    fn delivery(&self) -> (Delivery, String) {
        let (mut delivery, sha) = push(self.proof);
        if self.bytes > delivery.body().len() {
            // Trailing white space keeps the body valid JSON.
            let mut body = delivery.body().to_vec();
            body.resize(self.bytes, b' ');
            delivery = delivery.with_body(body);
        }
        if let Some(host) = &self.host {
            delivery = delivery.header("Host", host);
        }
        (delivery, sha)
    }
}

/// A push of a new random commit, and its SHA.
pub(crate) fn push(proof: Proof) -> (Delivery, String) {
    let sample = Delivery::push_sample();
    let sha = random_sha();
    let body = String::from_utf8_lossy(sample.body()).replace(SAMPLE_SHA, &sha);
    let delivery = sample.with_body(body);
    let delivery = match proof {
        Proof::Signed => delivery.signed_with(SAMPLE_KEY),
        Proof::Forged => delivery.signed_with(OTHER_KEY),
        Proof::None => delivery,
    };
    (delivery, sha)
}

async fn attempt(delivery: Delivery, sha: String, to: String, sender: Sender) -> Attempt {
    let started = Instant::now();
    let response = match sender {
        Sender::GitLab => happen(&delivery, &to).await,
        Sender::Load => match timeout(TIMEOUT, delivery.try_post_to(&to)).await {
            Ok(response) => response.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no response within {} s", TIMEOUT.as_secs())),
        },
    };
    Attempt {
        sha,
        response,
        duration: started.elapsed(),
    }
}

/// Lets the push happen on the fake GitLab, which has its own timeout. The response is that to its first hook.
async fn happen(delivery: &Delivery, gitlab: &str) -> Result<Response, String> {
    let body: Value = serde_json::from_slice(delivery.body()).map_err(|error| error.to_string())?;
    let happened = json!({ "project": PROJECT, "trigger": Trigger::Push.field(), "body": body });
    let url = format!("{gitlab}/inspect/happen");
    let answer = exchange("POST", &url, &[], happened.to_string().as_bytes()).await;
    let answer = answer.map_err(|error| error.to_string())?;
    let attempts: Value =
        serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    let Some(first) = attempts.get(0) else {
        return Err("dropped: no hook has the trigger and is enabled".to_owned());
    };
    let status = first["status"].as_u64();
    let status = status.and_then(|status| u16::try_from(status).ok());
    Ok(Response {
        status: status.ok_or("internal error")?,
        headers: Vec::new(),
        body: Vec::new(),
    })
}

fn random_sha() -> String {
    let mut bytes = [0_u8; 20];
    let filled = SystemRandom::new().fill(&mut bytes);
    assert!(filled.is_ok(), "the operating system provides random bytes");
    let mut text = String::new();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
