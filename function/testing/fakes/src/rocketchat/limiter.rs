//! The rate limiter: ten calls per minute and route, counted in memory, as the real server does by default.
//! The real one also counts per client address, of which there is only one here.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Route;
use super::reply::Reply;
use crate::clock::epoch_milliseconds;

const CALLS: u32 = 10;
const PERIOD: Duration = Duration::from_mins(1);

#[derive(Default)]
pub(super) struct Limiter {
    windows: HashMap<Route, Window>,
}

struct Window {
    opened: Instant,
    calls: u32,
}

/// The three headers of every response of a limited route.
pub(super) type LimitHeaders = [(&'static str, String); 3];

impl Limiter {
    /// Counts a call. Returns the headers for its response, or the rejection if the limit is exceeded.
    pub(super) fn count(&mut self, route: Route) -> Result<LimitHeaders, Reply> {
        let now = Instant::now();
        let window = self.windows.entry(route).or_insert(Window {
            opened: now,
            calls: 0,
        });
        if now.duration_since(window.opened) >= PERIOD {
            *window = Window {
                opened: now,
                calls: 0,
            };
        }
        window.calls += 1;
        let reset_in = PERIOD.saturating_sub(now.duration_since(window.opened));
        if window.calls > CALLS {
            return Err(rejection(reset_in));
        }
        Ok(headers(CALLS - window.calls, reset_in))
    }
}

/// The response to a call above the limit.
pub(super) fn rejection(reset_in: Duration) -> Reply {
    let mut reply = Reply::too_many_requests(reset_in.as_secs_f64().ceil().max(0.0));
    reply.headers.extend(headers(0, reset_in));
    reply
}

fn headers(remaining: u32, reset_in: Duration) -> LimitHeaders {
    [
        ("x-ratelimit-limit", CALLS.to_string()),
        ("x-ratelimit-remaining", remaining.to_string()),
        (
            "x-ratelimit-reset",
            epoch_milliseconds(reset_in).to_string(),
        ),
    ]
}
