//! A stateless function that receives GitLab webhooks and sends messages with the commit SHA to
//! Rocket.Chat, to users directly or to rooms. Each message is stored once, because its id follows from the delivery; a webhook is
//! answered with success only when its messages are stored or a broker keeps them; unauthenticated requests are rejected.
//!
//! # Map
//!
//! Data flows one way, and the pure core knows neither of its ends:
//!
//! ```text
//!  shell (async, I/O)             core (pure)                                     shell
//!
//!  http::listener
//!  http::router
//!  http::webhook ───────────────► gitlab::verification   is it authentic?
//!                                 gitlab::event          what happened?
//!                                 notifier::routing      who is notified?
//!                                 notifier::message      with which text?
//!                                 notifier::templates    or from a template?
//!                      Notification
//!                                 send::machine          what to do next? ───────► send::sender
//!                                 rocketchat::response   what does the reply mean?  ◄─ rocketchat::client
//!                                 hand_off::event        not confirmed? ─────────► hand_off::sink
//!  http::redelivery ◄──────────────────────────────────────────────── from the broker, later
//!  http::response ◄────────────── outcome                how did it end?
//!  http::telemetry_layer ◄─────── Report: metrics, a span and one log line
//! ```
//!
//! [`bootstrap`] wires the parts, `server` runs them until SIGTERM; on AWS, `lambda` replaces the
//! listener.
//!
//! Where to look first:
//!
//! | question | file |
//! |---|---|
//! | which file reads a kind of event | the table `event_kinds!` in [`gitlab`]: `tag_push` is in `push.rs`, `project` in `system_hook.rs` |
//! | which of its fields are read | that file in `gitlab/`, such as [`gitlab::pipeline`] |
//! | how its message is worded | the file of the same name in `notifier/message/` |
//! | when a rule matches | `notifier/routing/rule.rs` |
//! | what a template may use | `notifier/templates/context.rs` |
//! | when a call is retried | `send::retry`, depending on the error in [`rocketchat::response`], within the budget and the circuit breaker of [`send::ServerState`] |
//! | which status and reason a webhook is answered with | [`outcome`] |
//! | which settings exist | [`config::catalogue`] |
//! | how webhooks in GitLab are compared with `HOOKS` | [`hooks`] |
//! | which failed webhooks are sent again, and when | [`reconcile`] |
//! | which limits and timeouts exist | [`limits`] |
//!
//! # Glossary
//!
//! | term | meaning |
//! |---|---|
//! | webhook | one HTTP request that GitLab sends |
//! | delivery | one event that GitLab reports; a webhook and its resends are one delivery |
//! | [event](gitlab::event::Event) | what a webhook says, as one value |
//! | [kind](gitlab::kind::Kind) | the closed list of events: push, pipeline, note and so on |
//! | [attributes](gitlab::attributes::EventAttributes) | what rules and templates match on, in one form for all kinds |
//! | [verification](gitlab::verification) | checks that GitLab sent a webhook, by its signature or token |
//! | [idempotency key](gitlab::idempotency_key::IdempotencyKey) | names a delivery, the same for every resend |
//! | [notification](notifier::notification::Notification) | one message to one recipient, before it is sent |
//! | [message key](rocketchat::MessageKey) | names a message before its room is known |
//! | [message id](rocketchat::MessageId) | the id under which Rocket.Chat stores a message once |
//! | [routing rule](notifier::routing) | which events go to which recipients, and in which order rules are evaluated |
//! | [destination](rocketchat::Destination) | a user or a room |
//! | [precondition](notifier::notification::Notification::precondition) | messages of which one must exist already, such as the failure that a fix is about |
//! | [hand-off](hand_off) | a broker keeps a notification that was not delivered, and sends it back |
//! | [server state](send::ServerState) | the retry budget and the circuit breaker, which all deliveries of one process share |
//! | [circuit breaker](send::ServerState) | in an outage of Rocket.Chat, lets one call at a time test whether it responds again |
//! | [skip reason](notifier::SkipReason) | why an event has no message although nothing failed |
//!
//! # What is deliberately absent
//!
//! - No state outlives a request except the cache of rooms, the retry budget and the circuit breaker,
//!   and all of them can be lost at any time. Replicas do not communicate: the id of a message follows from the delivery, and Rocket.Chat
//!   stores one message per id.
//! - No work happens after the response: messages are stored, or kept by a broker, before GitLab gets a success.
//! - Only [`config`] reads the environment, only `rocketchat::client` and `hand_off::sink` call out for a webhook, only
//!   `gitlab_api` calls GitLab's API and only `reconcile::post` posts webhooks, for commands of an operator, only
//!   [`telemetry`] names exporters, and the core is not async and does not import the shell; the test `tidy.rs`
//!   enforces this.

pub mod http;
pub mod gitlab;
pub mod notifier;
pub mod send;
pub mod rocketchat;
pub mod hand_off;
pub mod dead_letters;
pub mod gitlab_api;
pub mod hooks;
mod hook_lookup;
mod hook_changes;
pub mod reconcile;
pub mod outcome;

mod setup;

pub mod bootstrap;
mod recipient_check;
mod sign_in_check;
mod server;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod config;
pub mod limits;
pub mod cli;
pub mod telemetry;

mod exit;
mod connect_cause;
mod derived_key;
mod digest;
mod file_descriptors;
mod http_client;
mod proxy;
mod suggestion;
mod tls;
mod yaml;
