//! How much of the bodies under way may be in memory. Owns the size limit of one body, the budget
//! of all of them and the time a body may take. What a body says is read elsewhere.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{self, Instant};

use crate::outcome::Failure;

/// The largest body GitLab sends (`REQUEST_BODY_SIZE_LIMIT`, read at 17.8), in bytes.
pub const MAX_BODY_BYTES: usize = 25 * 1024 * 1024;

/// All bodies in memory together, in KiB: two of the largest and many of the usual.
const BUDGET_KIB: usize = 64 * 1024;

/// The longest wait for other bodies to leave memory.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// From the end of the headers to the end of the body. A deadline, not a pause between bytes: one
/// byte every two seconds must not keep a connection for ever.
const BODY_DEADLINE: Duration = Duration::from_secs(3);

/// The same while [`UNHURRIED`] others are being read: a thousand slow ones must not keep the place of
/// a webhook. GitLab's are mostly a few KiB, and wait in the kernel when their headers are read.
const BODY_DEADLINE_WHEN_CROWDED: Duration = Duration::from_secs(1);

/// Bodies that may take the longer time, at once.
const UNHURRIED: usize = 64;

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
            budget: Arc::new(Semaphore::new(BUDGET_KIB)),
            unhurried: Arc::new(Semaphore::new(UNHURRIED)),
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
        if declared > MAX_BODY_BYTES {
            return Err(Failure::TooLarge);
        }
        let unhurried = self.unhurried.try_acquire();
        let deadline = unhurried
            .as_ref()
            .map_or(BODY_DEADLINE_WHEN_CROWDED, |_| BODY_DEADLINE);
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
            if length > MAX_BODY_BYTES {
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
        let wanted = (length * 2).clamp(KIB, MAX_BODY_BYTES);
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
        let more = time::timeout(MAX_WAIT, more)
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
