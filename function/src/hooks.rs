//! The webhooks that this program needs in GitLab: which ones are declared, and how a real one differs. Owns
//! the decisions; everything here is pure. Calls are made by [`gitlab_api`](crate::gitlab_api), the output is in
//! [`cli`](crate::cli).

mod activity;
mod declared;
mod plan;
mod secrets;
mod triggers;
mod vocabulary;

pub(crate) use activity::Activity;
pub(crate) use declared::{Declaration, DeclaredHook, Target, parse};
pub(crate) use plan::{Action, Change, Plan, Tense, Terms, changes, plan, words};
pub(crate) use secrets::WebhookSecrets;
pub(crate) use triggers::needed;
pub use triggers::trigger_rows;
pub(crate) use vocabulary::{PATH, address};
