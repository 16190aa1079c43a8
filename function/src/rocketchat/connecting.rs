//! The time limits of a call: one until its connection is established and one for its response.
//! Owns when the second one begins. Establishing a connection to a distant server may take longer
//! than a response ever should. Calls are made by [`client`](super::client).

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The time limits of one call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CallTime {
    /// From the start of the call to its end, whatever it waits for.
    pub total: Duration,
    /// From the time the call has a connection to its end.
    pub response: Duration,
}

tokio::task_local! {
    static PHASE: Arc<Mutex<Phase>>;
}

/// What a call is waiting for.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Connection,
    /// Contains the time from which on it has had a connection.
    Response(Instant),
}

/// Runs `establish`, which opens a connection for the call in progress.
pub(super) fn track<F: Future>(establish: F) -> impl Future<Output = F::Output> {
    let phase = PHASE.try_with(Arc::clone).ok();
    let enter = move |next| {
        if let Some(phase) = &phase {
            *lock(phase) = next;
        }
    };
    enter(Phase::Connection);
    async move {
        let established = establish.await;
        enter(Phase::Response(Instant::now()));
        established
    }
}

/// A call did not end in time. Its request may have arrived, even if it seemed to wait for a
/// connection: it may have been sent over another one that became free.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Elapsed;

/// Runs a call within its time limits.
pub(super) async fn limited<F: Future>(time: CallTime, call: F) -> Result<F::Output, Elapsed> {
    let started = Instant::now();
    let phase = Arc::new(Mutex::new(Phase::Response(started)));
    let until = |phase| match phase {
        Phase::Connection => started + time.total,
        Phase::Response(since) => (since + time.response).min(started + time.total),
    };
    let mut call = pin!(PHASE.scope(Arc::clone(&phase), call));
    let mut timer = pin!(sleep_until(until(Phase::Response(started))));
    poll_fn(|context| {
        if let Poll::Ready(output) = call.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        let phase = *lock(&phase);
        if timer.deadline() != until(phase) {
            timer.as_mut().reset(until(phase));
        }
        timer.as_mut().poll(context).map(|()| Err(Elapsed))
    })
    .await
}

fn lock(phase: &Mutex<Phase>) -> MutexGuard<'_, Phase> {
    phase.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const TIME: CallTime = CallTime {
        total: Duration::from_secs(4),
        response: Duration::from_secs(1),
    };

    async fn call(connect: u64, respond: u64) -> (Result<(), Elapsed>, u128) {
        let started = Instant::now();
        let call = async {
            track(sleep(Duration::from_millis(connect))).await;
            sleep(Duration::from_millis(respond)).await;
        };
        let result = limited(TIME, call).await;
        (result, started.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_of_the_response_begins_with_the_connection() {
        assert_eq!(call(0, 900).await, (Ok(()), 900));
        assert_eq!(call(2000, 900).await, (Ok(()), 2900));
        assert_eq!(call(2000, 1100).await, (Err(Elapsed), 3000));
        assert_eq!(call(3500, 900).await, (Err(Elapsed), 4000));
        assert_eq!(call(4500, 0).await, (Err(Elapsed), 4000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_on_an_open_connection_has_the_limit_of_the_response() {
        let started = Instant::now();
        let result = limited(TIME, sleep(Duration::from_secs(9))).await;
        assert_eq!(result, Err(Elapsed));
        assert_eq!(started.elapsed(), TIME.response);
    }
}
