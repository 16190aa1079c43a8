//! A function that receives GitLab webhooks and sends the commit SHA to a Rocket.Chat user as a
//! direct message: exactly once, never lost once accepted, nobody let in without the secret.
//!
//! # Map
//!
//! Data flows one way, and the pure middle knows neither of its ends:
//!
//! ```text
//!  shell (async, I/O)            core (pure)                        shell
//!
//!  serve ─ app ─ webhook ───────► gitlab::origin   is it GitLab?
//!                                 gitlab::event    what happened?
//!                                 routes           who hears of it?
//!                                 message, words    what is said?
//!                                 delivery         what to do next? ─► sender ─► rocketchat::client
//!  answer ◄── outcome  how did it end? ◄────────── rocketchat::reply  what does the answer mean?
//!  observe ◄─ counts, a span and one log line for it
//! ```
//!
//! On AWS, `lambda` stands where `serve` stands here.
//!
//! # What is deliberately absent
//!
//! - No state outlives a request but the rooms of recipients and the retry budget, and both may
//!   be lost at any time. Replicas need not know of each other: the id of a message follows from the
//!   delivery, and the chat server stores one message per id.
//! - Nothing is done after the answer: the message is stored before GitLab hears of success.
//! - Only `config` reads the environment, only `rocketchat::client` calls out for a webhook, only
//!   `telemetry` names exporters, and `async` stays out of the core; a test holds the sources to it.

pub mod bootstrap;
pub mod cli;
pub mod config;
mod digest;
mod exit;
pub mod gitlab;
pub mod http;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod notifier;
pub mod outcome;
pub mod rocketchat;
pub mod send;
pub mod server;
pub mod telemetry;
mod tls;
mod yaml;
