//! Fakes of the external systems: a strict Rocket.Chat server that rejects what the real one rejects, a GitLab client that signs and posts deliveries, and a broker of CloudEvents.
//! Used by tests, by the demo and in test clusters; the webhook-app crate does not depend on it.
//! Start with [`rocketchat::FakeRocketChat`] and [`gitlab::Delivery`]; [`exchange`] is the HTTP client that deliveries use.

pub mod alertmanager;
pub mod broker;
mod clock;
pub mod exchange;
pub mod gitlab;
pub mod https;
pub mod pagerduty;
pub mod rocketchat;
mod settings;

pub use settings::settings;
