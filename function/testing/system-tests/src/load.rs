//! Many webhooks at a steady pace, whether answers come or not, and what became of each. Owns the
//! pace and the counting; where they go is the check's business.

use std::time::{Duration, Instant};

use fakes::gitlab::Delivery;
use tokio::task::JoinSet;
use tokio::time::{self, MissedTickBehavior};

use crate::sut::post;

/// One webhook and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    pub(crate) delivery: Delivery,
    /// When it was posted, from the start of the load.
    pub(crate) at: Duration,
    /// The status; 0 where no answer came.
    pub(crate) status: u16,
    pub(crate) took: Duration,
}

impl Shot {
    /// Whether GitLab was told that the message is stored.
    pub(crate) fn is_accepted(&self) -> bool {
        self.status == 200
    }
}

/// Posts `rate` webhooks a second for as long as asked; `next` makes each and says where it goes.
pub(crate) async fn steady(
    rate: u64,
    lasting: Duration,
    mut next: impl FnMut(u64) -> Vec<(Delivery, String)>,
) -> Vec<Shot> {
    let started = Instant::now();
    let mut pace = time::interval(Duration::from_secs(1) / u32::try_from(rate).unwrap_or(1));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = JoinSet::new();
    let mut shots = Vec::new();
    for number in 0..rate * lasting.as_secs() {
        pace.tick().await;
        for (delivery, url) in next(number) {
            under_way.spawn(shoot(delivery, url, started));
        }
        while let Some(shot) = under_way.try_join_next() {
            shots.extend(shot.ok());
        }
    }
    while let Some(shot) = under_way.join_next().await {
        shots.extend(shot.ok());
    }
    shots
}

async fn shoot(delivery: Delivery, url: String, started: Instant) -> Shot {
    let began = Instant::now();
    let answer = time::timeout(Duration::from_secs(20), post(&delivery, &url)).await;
    let status = answer
        .ok()
        .and_then(Result::ok)
        .map_or(0, |answer| answer.status);
    Shot {
        delivery,
        at: began - started,
        status,
        took: began.elapsed(),
    }
}

/// Posts each again until it is accepted, as a job that resends would; returns those that never were.
pub(crate) async fn resend(shots: &[Shot], url: &str) -> usize {
    let mut left = 0;
    for shot in shots {
        let mut tries = 0;
        loop {
            let answer = post(&shot.delivery, url).await;
            if answer.is_ok_and(|answer| answer.status == 200) {
                break;
            }
            tries += 1;
            if tries == 5 {
                left += 1;
                break;
            }
        }
    }
    left
}

/// The time that this share of a hundred of them stayed below.
pub(crate) fn percentile(times: impl Iterator<Item = Duration>, share: usize) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    let index = times.len() * share / 100;
    times
        .get(index.min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
