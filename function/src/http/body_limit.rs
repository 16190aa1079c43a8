//! How much of the bodies under way may be in memory. Owns the size limit of one body, the budget
//! of all of them and the time a body may take. What a body says is read elsewhere.

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

/// Lets bodies into memory as long as there is room.
#[derive(Clone, Debug)]
pub struct BodyLimit {
    budget: Arc<Semaphore>,
    unhurried: Arc<Semaphore>,
}

impl Default for BodyLimit {
    fn default() -> Self {
        Self {
            budget: Arc::new(Semaphore::new(LIMITS.bodies.budget_bytes / KIB)),
            unhurried: Arc::new(Semaphore::new(LIMITS.bodies.max_slow)),
        }
    }
}

/// A whole body; its share of the budget is given back when it is dropped.
#[derive(Debug)]
pub struct Admitted {
    bytes: Vec<u8>,
    share: Option<OwnedSemaphorePermit>,
}

impl Admitted {
    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyLimit {
    /// Reads a whole body, of a request whose headers ended at `started`.
    pub async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        started: Instant,
    ) -> Result<Admitted, Failure> {
        let declared = declared_length(headers);
        if declared > LIMITS.bodies.max_bytes {
            return Err(Failure::TooLarge);
        }
        let unhurried = self.unhurried.try_acquire();
        let deadline = unhurried
            .as_ref()
            .map_or(LIMITS.bodies.timeout_under_load, |_| LIMITS.bodies.timeout);
        let whole = self.collect(declared, body);
        time::timeout_at(started + deadline, whole)
            .await
            .unwrap_or(Err(Failure::TooSlow))
    }

    async fn collect(&self, declared: usize, mut body: Body) -> Result<Admitted, Failure> {
        let mut admitted = Admitted {
            bytes: Vec::new(),
            share: None,
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::BrokenBody)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let length = admitted.bytes.len() + data.len();
            if length > LIMITS.bodies.max_bytes {
                return Err(Failure::TooLarge);
            }
            self.make_room(&mut admitted, length, declared).await?;
            admitted.bytes.extend_from_slice(&data);
        }
        Ok(admitted)
    }

    /// Grows the share with what has arrived, not with what was announced: an announcement costs
    /// its sender nothing.
    async fn make_room(
        &self,
        admitted: &mut Admitted,
        length: usize,
        declared: usize,
    ) -> Result<(), Failure> {
        if length <= admitted.bytes.capacity() {
            return Ok(());
        }
        // Doubling keeps the copying small; the announced length keeps the last step exact.
        let wanted = (length * 2).clamp(KIB, LIMITS.bodies.max_bytes);
        let capacity = if (length..wanted).contains(&declared) {
            declared
        } else {
            wanted
        };
        let held = admitted
            .share
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = u32::try_from(capacity.div_ceil(KIB).saturating_sub(held))
            .map_err(|_| Failure::Overloaded)?;
        let more = Arc::clone(&self.budget).acquire_many_owned(missing);
        let more = time::timeout(LIMITS.bodies.max_wait, more)
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(Failure::Overloaded)?;
        match &mut admitted.share {
            Some(share) => share.merge(more),
            share => *share = Some(more),
        }
        admitted
            .bytes
            .reserve_exact(capacity - admitted.bytes.len());
        Ok(())
    }
}

/// What the sender announces; 0 where it sends chunks. hyper has refused anything ambiguous.
fn declared_length(headers: &HeaderMap) -> usize {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    length.map_or(0, |length| length.parse().unwrap_or(usize::MAX))
}
