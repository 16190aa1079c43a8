//! Posts webhooks at a constant rate, without waiting for responses, and records the outcome of each.
//! The checks decide what is posted and where to.

use std::time::{Duration, Instant};

use fakes::gitlab::Delivery;
use tokio::task::JoinSet;
use tokio::time::{self, MissedTickBehavior};

use crate::sut::post;

/// One posted webhook and its response.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) delivery: Delivery,
    /// When it was posted, since the start of the load.
    pub(crate) at: Duration,
    /// The response status; 0 if there was no response.
    pub(crate) status: u16,
    pub(crate) took: Duration,
}

impl Attempt {
    /// Whether the response confirmed that the message is stored.
    pub(crate) fn is_accepted(&self) -> bool {
        self.status == 200
    }
}

/// Posts for `lasting`: `rate` times per second, `next` returns the deliveries to post and their URLs.
pub(crate) async fn constant_rate(
    rate: u64,
    lasting: Duration,
    mut next: impl FnMut(u64) -> Vec<(Delivery, String)>,
) -> Vec<Attempt> {
    let started = Instant::now();
    let mut ticks = time::interval(Duration::from_secs(1) / u32::try_from(rate).unwrap_or(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut in_flight = JoinSet::new();
    let mut attempts = Vec::new();
    for number in 0..rate * lasting.as_secs() {
        ticks.tick().await;
        for (delivery, url) in next(number) {
            in_flight.spawn(send(delivery, url, started));
        }
        while let Some(attempt) = in_flight.try_join_next() {
            attempts.extend(attempt.ok());
        }
    }
    while let Some(attempt) = in_flight.join_next().await {
        attempts.extend(attempt.ok());
    }
    attempts
}

async fn send(delivery: Delivery, url: String, started: Instant) -> Attempt {
    let began = Instant::now();
    let response = time::timeout(Duration::from_secs(20), post(&delivery, &url)).await;
    let status = response
        .ok()
        .and_then(Result::ok)
        .map_or(0, |response| response.status);
    Attempt {
        delivery,
        at: began - started,
        status,
        took: began.elapsed(),
    }
}

/// Posts each delivery again until it is accepted, up to 5 times; returns how many never were.
pub(crate) async fn resend(attempts: &[Attempt], url: &str) -> usize {
    let mut failed = 0;
    for attempt in attempts {
        let mut tries = 0;
        loop {
            let response = post(&attempt.delivery, url).await;
            if response.is_ok_and(|response| response.status == 200) {
                break;
            }
            tries += 1;
            if tries == 5 {
                failed += 1;
                break;
            }
        }
    }
    failed
}

/// The percentile `share` (0 to 100) of these durations.
pub(crate) fn percentile(times: impl Iterator<Item = Duration>, share: usize) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    let index = times.len() * share / 100;
    times
        .get(index.min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
