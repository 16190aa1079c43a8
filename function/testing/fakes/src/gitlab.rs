//! GitLab as the sender of webhooks: the headers and body of a delivery, and its signature.
//! For the receiving side of notifications see [`crate::rocketchat`].

mod delivery;
mod oversized;
mod signature;

pub use crate::exchange::Response;
pub use delivery::{Delivery, SAMPLE_KEY, SAMPLE_SHA};
pub use oversized::Oversized;
pub use signature::sign;
