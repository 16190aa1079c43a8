//! GitLab's REST API: projects, their webhooks and the log of what these sent, read at versions 17.4 to 19.
//! Calls are made by [`client`]; what a response means is decided in [`response`]. Webhooks that GitLab sends
//! are in [`gitlab`](crate::gitlab); what is decided about webhooks is in [`hooks`](crate::hooks).

mod client;
mod connection;
mod error;
mod hook;
mod hook_event;
mod hook_fields;
mod hook_owner;
mod project;
mod response;
mod server;
mod trigger;

pub use client::{Client, Page};
pub use connection::ClientError;
pub use error::{ApiError, Refusal};
pub use hook::{AlertStatus, Hook};
pub use hook_event::HookEvent;
pub use hook_fields::{HookFields, HookSecret};
pub use hook_owner::HookOwner;
pub use project::{Project, ProjectRef, User, Version};
pub use server::{ApiToken, GitLabServer};
pub use trigger::{Trigger, Triggers};
