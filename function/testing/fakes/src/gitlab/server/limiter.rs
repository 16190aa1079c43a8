//! The two limits on requests: that of an endpoint, and that of all requests of a user.
//! Source: `lib/gitlab/application_rate_limiter.rb` for the first, of which the windows are minutes of the clock and refused
//! requests count too; the documentation "User and IP rate limits" for the second.

use std::collections::HashMap;
use std::time::Duration;

use super::reply::Reply;
use crate::clock::http_date;

/// The limits of `web_hook_event_resend` and `web_hook_test`, for each project and user.
const ENDPOINT_LIMIT: u32 = 5;
const PERIOD: u64 = 60;

/// An endpoint with a separate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    Resend,
    Test,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Endpoint(Endpoint, u64, u64),
    User(u64),
}

#[derive(Default)]
pub(super) struct Limiter {
    /// The minute of the clock, and how many requests there were in it.
    windows: HashMap<Key, (u64, u32)>,
}

impl Limiter {
    /// Counts a request of a user to an endpoint of a project.
    pub(super) fn endpoint(
        &mut self,
        endpoint: Endpoint,
        project: u64,
        user: u64,
        now: Duration,
    ) -> Result<(), Reply> {
        let count = self.count(Key::Endpoint(endpoint, project, user), now);
        if count > ENDPOINT_LIMIT {
            return Err(Reply::too_many_requests());
        }
        Ok(())
    }

    /// Counts a request of a user, against the limit of all requests in a minute.
    pub(super) fn user(&mut self, user: u64, limit: u32, now: Duration) -> Result<(), Reply> {
        let observed = self.count(Key::User(user), now);
        if observed > limit {
            return Err(throttled(limit, observed, now));
        }
        Ok(())
    }

    fn count(&mut self, key: Key, now: Duration) -> u32 {
        let minute = now.as_secs() / PERIOD;
        let window = self.windows.entry(key).or_default();
        if window.0 != minute {
            *window = (minute, 0);
        }
        window.1 += 1;
        window.1
    }
}

fn throttled(limit: u32, observed: u32, now: Duration) -> Reply {
    let reset = (now.as_secs() / PERIOD + 1) * PERIOD;
    let reply = Reply {
        status: 429,
        headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
        body: "Retry later\n".to_owned(),
    };
    reply
        .with_header("RateLimit-Limit", limit.to_string())
        .with_header("RateLimit-Name", "throttle_authenticated_api")
        .with_header("RateLimit-Observed", observed.to_string())
        .with_header("RateLimit-Remaining", "0")
        .with_header("RateLimit-Reset", reset.to_string())
        .with_header("RateLimit-ResetTime", http_date(Duration::from_secs(reset)))
        .with_header("Retry-After", (reset - now.as_secs()).to_string())
}
