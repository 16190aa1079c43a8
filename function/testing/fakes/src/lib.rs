//! Stand-ins for the two outside systems: a strict Rocket.Chat that refuses what the real one refuses, and a GitLab that signs and posts deliveries.
//! For tests, for the demonstration and for clusters without the real ones; no part of the product depends on it.
//! Start with [`rocketchat::FakeRocketChat`] and [`gitlab::Delivery`]; [`exchange`] is the plain HTTP call beneath the latter.

pub mod exchange;
pub mod gitlab;
pub mod rocketchat;
mod settings;

pub use settings::settings;
