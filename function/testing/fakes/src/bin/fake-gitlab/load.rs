//! Deliveries sent on time, whatever becomes of the earlier ones: each on a connection of its own, as GitLab does.
//! Every delivery pushes a commit of its own, so that the chat stand-in's messages can be told apart.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use fakes::gitlab::{Answer, Delivery, SAMPLE_KEY, SAMPLE_SHA};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::stats::Stats;

/// How long GitLab waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A valid key, but not the one the function knows.
const OTHER_KEY: &str = "whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// What a delivery proves its origin with.
#[derive(Clone, Copy)]
pub(crate) enum Proof {
    /// A signature with the sample key.
    Signed,
    /// A signature with another key.
    Forged,
    /// Nothing.
    None,
}

/// What to send, and when.
pub(crate) struct Load {
    to: String,
    /// The `Host` header, where it is not the address.
    pub(crate) host: Option<String>,
    /// How many deliveries there are.
    pub(crate) count: u64,
    /// From one delivery to the next; none sends all at once.
    pause: Option<Duration>,
    pub(crate) proof: Proof,
    /// The least size of a body.
    pub(crate) bytes: usize,
    /// The chat stand-in's address; it is asked in the end what has arrived.
    pub(crate) chat: Option<String>,
}

/// One attempt: the commit it brought, and what came of it.
pub(crate) struct Attempt {
    pub(crate) sha: String,
    /// Why there is none, otherwise.
    pub(crate) answer: Result<Answer, String>,
    pub(crate) took: Duration,
}

impl Load {
    /// One signed push of the ordinary size.
    pub(crate) fn of_one(to: String) -> Self {
        Self {
            to,
            host: None,
            count: 1,
            pause: None,
            proof: Proof::Signed,
            bytes: 0,
            chat: None,
        }
    }

    /// As many as `rate` a second make in so many seconds.
    pub(crate) fn steady(&mut self, rate: u32, seconds: u64) {
        self.count = u64::from(rate) * seconds;
        self.pause = Some(Duration::from_secs(1) / rate.max(1));
    }

    /// Sends everything, waits for the answers, counts.
    pub(crate) async fn fire(&self) -> Result<Stats, String> {
        let mut under_way = JoinSet::new();
        let mut clock = interval(self.pause.unwrap_or(Duration::from_nanos(1)));
        for _ in 0..self.count {
            if self.pause.is_some() {
                clock.tick().await;
            }
            let (delivery, sha) = self.delivery();
            under_way.spawn(attempt(delivery, sha, self.to.clone()));
        }
        let attempts = under_way.join_all().await;
        Stats::of(&attempts, self.chat.as_deref()).await
    }

    fn delivery(&self) -> (Delivery, String) {
        let (mut delivery, sha) = push(self.proof);
        if self.bytes > delivery.body().len() {
            // White space after the value is still JSON.
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

/// A push of a commit that nobody has pushed before, and the commit.
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

async fn attempt(delivery: Delivery, sha: String, to: String) -> Attempt {
    let began = Instant::now();
    let answer = timeout(PATIENCE, delivery.try_post_to(&to)).await;
    let answer = match answer {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("silence for {} s", PATIENCE.as_secs())),
    };
    Attempt {
        sha,
        answer,
        took: began.elapsed(),
    }
}

fn random_sha() -> String {
    let mut bytes = [0_u8; 20];
    let filled = SystemRandom::new().fill(&mut bytes);
    assert!(filled.is_ok(), "the system gives random bytes");
    let mut text = String::new();
    for byte in bytes {
        // A String takes everything.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
