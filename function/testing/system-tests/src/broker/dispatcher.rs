//! Sends events from the queue to webhook-app. Owns the retries, which are those of a Trigger of Knative with
//! `backoffPolicy: exponential`; which response leads to what is in [`Next`].

use std::time::Duration;

use fakes::broker::{FakeBroker, Next};
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicRejectOptions};
use tokio::task::JoinSet;
use tokio::time;

use super::message;
use super::queue::Queue;

/// `parallelism`: events that are sent at the same time.
const AT_ONCE: u16 = 20;

/// `retry`
const RETRIES: u32 = 12;

/// `backoffDelay`, before the first retry; it doubles with each one.
const BACKOFF_DELAY: Duration = Duration::from_millis(100);

/// `timeout`
const TIMEOUT: Duration = Duration::from_secs(15);

/// Pause before it connects again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Sends all events of the queue to `target`, for ever.
pub(super) async fn run(queue: &Queue, target: &str) {
    loop {
        if let Ok((_session, mut consumer)) = queue.consume(AT_ONCE).await {
            let mut in_progress = JoinSet::new();
            while let Some(Ok(delivery)) = consumer.next().await {
                in_progress.spawn(dispatch(delivery, target.to_owned()));
                while in_progress.try_join_next().is_some() {}
            }
            // What is still in progress cannot be acknowledged any more. RabbitMQ gives it to the next consumer.
        }
        time::sleep(RECONNECT_PAUSE).await;
    }
}

async fn dispatch(delivery: Delivery, target: String) {
    let event = message::event(&delivery);
    for retry in 0..=RETRIES {
        let response = time::timeout(TIMEOUT, FakeBroker::deliver(&event, &target)).await;
        let status = response.ok().and_then(Result::ok);
        match Next::after(status.map(|response| response.status)) {
            Next::Forget => {
                // If this fails, RabbitMQ sends the event again, and webhook-app finds its message.
                let _sent_again = delivery.ack(BasicAckOptions::default()).await;
                return;
            }
            Next::Again => time::sleep(BACKOFF_DELAY * 2_u32.pow(retry)).await,
            Next::DeadLetter => break,
        }
    }
    let dead_letter = BasicRejectOptions { requeue: false };
    let _sent_again = delivery.reject(dead_letter).await;
}
