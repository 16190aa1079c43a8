//! GitLab as the sender of webhooks: what it puts into a delivery and how it signs it.
//! Nothing here receives anything; see [`crate::rocketchat`] for the other side.

mod delivery;
mod signature;

pub use crate::exchange::Answer;
pub use delivery::{Delivery, SAMPLE_KEY, SAMPLE_SHA};
pub use signature::sign;
