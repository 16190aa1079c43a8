//! GitLab's side: what a delivery is, how it proves its origin, and which event it carries.
//! Owns the protocol of GitLab's webhooks, read at versions 16 to 19. Knows neither the chat
//! server nor HTTP frameworks; everything here is pure.

pub mod delivery_id;
pub mod event;
pub mod kind;
pub mod origin;
pub mod signature;

pub mod circumstances;
pub mod cloud_event;
pub mod commit;
mod lax;
pub mod people;
pub mod project;
pub mod scene;
pub mod status;
mod wire;

pub mod administration;
pub mod deployment;
pub mod emoji;
pub mod expiring_token;
pub mod feature_flag;
pub mod issue;
pub mod job;
pub mod member;
pub mod merge_request;
pub mod milestone;
pub mod note;
pub mod pipeline;
pub mod push;
pub mod release;
pub mod repository_update;
pub mod vulnerability;
pub mod wiki_page;
