//! GitLab's side: what a delivery is, how it proves its origin, and which event it carries.
//! Owns the protocol of GitLab's webhooks, read at versions 16 to 19. Knows neither the chat
//! server nor HTTP frameworks; everything here is pure.

pub mod commit;
pub mod delivery_id;
pub mod event;
pub mod origin;
pub mod push;
pub mod signature;
mod wire;
