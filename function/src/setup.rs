//! `webhook-app setup`: from two addresses to the first message. Owns what is done in which order, and when
//! setup refuses to go on: [`next()`] decides from what is known already, so that a run that was interrupted
//! anywhere continues, and a second run only reads. Everything here is pure; calls are made in
//! [`cli`](crate::cli), and the webhook is compared in [`hooks`](crate::hooks).

mod bot;
mod call;
mod known;
mod next;
mod outbound;
mod output;
mod refusal;
mod secret_file;
mod secrets;
mod wishes;
mod words;

pub(crate) use call::{Call, Mark};
pub(crate) use known::{Account, GitLabFacts, Known, Line, Lookup, Recipient, TOKEN_NAME};
pub(crate) use next::next;
pub(crate) use outbound::OutboundRules;
pub(crate) use output::{kustomization, secret_manifest};
pub(crate) use secret_file::{HookSecretState, SecretFile};
pub(crate) use secrets::{password, random_key};
pub(crate) use wishes::{Output, Wishes};
pub(crate) use words::line;
