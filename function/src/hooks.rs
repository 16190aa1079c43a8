//! The webhooks that this program needs in GitLab: which ones are declared, and how a real one differs. Owns
//! the decisions; everything here is pure. Calls are made by [`gitlab_api`](crate::gitlab_api), the output is in
//! [`cli`](crate::cli).

mod declared;
mod triggers;

pub(crate) use declared::{Declaration, DeclaredHook, Target, address, parse};
pub(crate) use triggers::{kinds, needed};
