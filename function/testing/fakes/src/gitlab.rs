//! GitLab as the sender of webhooks: the headers and body of a delivery, and its signature; and GitLab as a server with a REST
//! API, webhooks and their event logs.
//! For the receiving side of notifications see [`crate::rocketchat`].

mod delivery;
mod oversized;
mod server;
mod signature;

pub use crate::exchange::Response;
pub use delivery::{Delivery, SAMPLE_KEY, SAMPLE_SHA};
pub use oversized::Oversized;
pub use server::{Access, Attempt, Builder, FakeGitLab, PROJECT, RecordedRequest, Scope, Trigger};
pub use signature::sign;
