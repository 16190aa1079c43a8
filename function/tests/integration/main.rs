//! Integration tests: the real binary, real sockets, and a fake Rocket.Chat that rejects what the real
//! server rejects. Modules are listed in suggested reading order.

#![expect(
    clippy::expect_used,
    reason = "a failed expectation fails the test, and its text says what was expected"
)]
#![expect(clippy::print_stdout, reason = "tests print which case they run")]

mod harness;
mod skipped;
#[cfg(feature = "lambda")]
mod runtime_api;

mod dead_letters;
mod deliveries;
mod exactly_once;
mod message_ids;
mod messages;
mod message_style;
mod rejections;
mod routing;
mod rule_conditions;
mod rule_changes;
mod rule_mentions;
mod rule_warnings;
mod generated_rules;
mod rule_words;
mod attributes;
mod content_keys;
mod send_failures;
mod templates;
mod template_blocks;
mod template_markup;
mod plan_warnings;
mod recipients;
mod sent_again;

mod cloud_events;
mod fixed_pipelines;
mod guessed_ids;
mod hand_off;
mod live_pipelines;
mod reconcile;
mod model_check;
mod send_machine;

mod command_line;
mod configuration;
mod gitlab_settings;
mod check;
mod hooks;
mod connection_errors;
mod proxies;
mod connections;
#[cfg(feature = "lambda")]
mod lambda;
mod lifecycle;
mod log_output;
mod slow_clients;

mod exposition;
mod metrics;
mod metrics_page;
mod outcomes;
mod prometheus;
mod traces;

mod markup;
mod inert;
mod mutated_payloads;
mod properties;
mod shared_data;
mod sign_in;

mod docs;
mod installation;
mod tidy;
