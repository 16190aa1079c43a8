//! Reads bodies within limits. Owns that one body does not exceed its size and time, and that all bodies
//! together do not exceed the memory budget. Parsing them is in [`gitlab`](crate::gitlab).

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{self, Instant};

use crate::limits::LIMITS;
use crate::outcome::Failure;

const KIB: usize = 1024;

/// The limits that all bodies share.
#[derive(Clone, Debug)]
pub struct BodyLimit {
    /// One permit per KiB.
    budget: Arc<Semaphore>,
    /// One permit per body that has the longer timeout.
    slow: Arc<Semaphore>,
}

impl Default for BodyLimit {
    fn default() -> Self {
        Self {
            budget: Arc::new(Semaphore::new(LIMITS.bodies.budget_bytes / KIB)),
            slow: Arc::new(Semaphore::new(LIMITS.bodies.max_slow)),
        }
    }
}

/// A complete body; dropping it returns its memory to the budget.
#[derive(Debug)]
pub struct LimitedBody {
    bytes: Vec<u8>,
    permits: Option<OwnedSemaphorePermit>,
}

impl LimitedBody {
    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyLimit {
    /// Reads a body of at most `max_bytes`, of a request whose headers ended at `started`.
    pub async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        started: Instant,
        max_bytes: usize,
    ) -> Result<LimitedBody, Failure> {
        let declared = declared_length(headers);
        if declared > max_bytes {
            return Err(Failure::TooLarge { max_bytes });
        }
        let slow = self.slow.try_acquire();
        let timeout = slow
            .as_ref()
            .map_or(LIMITS.bodies.timeout_under_load, |_| LIMITS.bodies.timeout);
        let body = self.collect(declared, body, max_bytes);
        time::timeout_at(started + timeout, body)
            .await
            .unwrap_or(Err(Failure::TooSlow))
    }

    async fn collect(
        &self,
        declared: usize,
        mut body: Body,
        max_bytes: usize,
    ) -> Result<LimitedBody, Failure> {
        let mut limited = LimitedBody {
            bytes: Vec::new(),
            permits: None,
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::BrokenBody)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let length = limited.bytes.len() + data.len();
            if length > max_bytes {
                return Err(Failure::TooLarge { max_bytes });
            }
            self.reserve(&mut limited, length, declared).await?;
            limited.bytes.extend_from_slice(&data);
        }
        Ok(limited)
    }

    /// Reserves memory for what has arrived and not for `Content-Length`, which a client can set to any
    /// value.
    async fn reserve(
        &self,
        limited: &mut LimitedBody,
        length: usize,
        declared: usize,
    ) -> Result<(), Failure> {
        let reserved = limited
            .permits
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        if length <= reserved * KIB {
            return Ok(());
        }
        // Doubling limits how often a small body is copied; the declared length makes the last step exact.
        let wanted = (length * 2).clamp(KIB, LIMITS.bodies.max_bytes);
        let size = if (length..wanted).contains(&declared) {
            declared
        } else {
            wanted
        };
        let missing = u32::try_from(size.div_ceil(KIB).saturating_sub(reserved))
            .map_err(|_| Failure::Overloaded)?;
        let more = Arc::clone(&self.budget).acquire_many_owned(missing);
        let more = time::timeout(LIMITS.bodies.max_wait, more)
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(Failure::Overloaded)?;
        match &mut limited.permits {
            Some(permits) => permits.merge(more),
            permits => *permits = Some(more),
        }
        let capacity = if size > LIMITS.bodies.small_bytes {
            LIMITS.bodies.large_capacity_bytes
        } else {
            size
        };
        limited
            .bytes
            .reserve_exact(capacity.saturating_sub(limited.bytes.len()));
        Ok(())
    }
}

/// The header `Content-Length`, or 0 for a chunked body. hyper has already rejected ambiguous headers.
fn declared_length(headers: &HeaderMap) -> usize {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    length.map_or(0, |length| length.parse().unwrap_or(usize::MAX))
}
