//! Tests of the program from outside: the real binary, real sockets, and a Rocket.Chat that refuses
//! what the real one refuses. The modules stand in suggested reading order.

#![expect(
    clippy::expect_used,
    reason = "what fails here fails a test, with the expectation as its text"
)]
#![expect(
    clippy::print_stdout,
    reason = "tests say what they skip and which case they are at"
)]

mod harness;
#[cfg(feature = "lambda")]
mod runtime_api;

mod deliveries;
mod exactly_once;
mod message_ids;
mod messages;
mod rejections;
mod routing;
mod attributes;
mod send_failures;
mod templates;
mod plan_warnings;

mod cloud_events;
mod fixed_pipelines;
mod live_pipelines;
mod model_check;
mod send_machine;

mod command_line;
mod configuration;
mod connections;
#[cfg(feature = "lambda")]
mod lambda;
mod lifecycle;
mod slow_clients;

mod exposition;
mod metrics;
mod metrics_page;
mod outcomes;
mod prometheus;
mod traces;

mod markup;
mod mutants;
mod properties;
mod shared_data;

mod docs;
mod tidy;
