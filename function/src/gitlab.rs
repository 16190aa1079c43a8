//! GitLab's side: what a delivery is, how it proves its origin, and which event it carries.
//! Owns the protocol of GitLab's webhooks, read at versions 16 to 19. Knows neither the chat
//! server nor HTTP frameworks; everything here is pure.

pub mod event;
pub mod idempotency_key;
pub mod kind;
pub mod signature;
pub mod verification;

pub mod attributes;
pub mod cloud_event;
pub mod commit;
mod lenient;
pub mod meta;
pub mod participants;
pub mod project;
pub mod status;
mod text;

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
pub mod system_hook;
pub mod vulnerability;
pub mod wiki_page;
