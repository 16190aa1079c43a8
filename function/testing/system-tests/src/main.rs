//! System tests: runs checks against the release build of webhook-app and prints one table of the
//! results. Owns the list of checks, the command line and the exit code; each check is a file.
//!
//! `system-tests broker` is the broker of the check `hand-off`.
//! `system-tests [short|normal|long] [allow-missing] [CHECK…]` runs all checks or the named ones, such
//! as `crash slow-clients`. The program under test is the `webhook-app` in the same folder, or the one
//! that the environment variable `WEBHOOK_APP` names. A check whose tool is not installed fails the run unless `allow-missing` is given.

#![expect(
    clippy::expect_used,
    reason = "a panic in the setup fails its check, with the expectation as the text"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the program prints progress and the table"
)]
#![expect(clippy::too_many_lines, reason = "tables of test cases are long")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "ratios, percentiles and statistics of counts that are far below the limits"
)]

use std::process::ExitCode;

mod broker;
mod check;
mod deliveries;
mod load;
mod ports;
mod proxy;
mod rabbitmq;
mod rng;
mod secret_scan;
mod sockets;
mod sut;

mod blips;
mod crash;
mod deleted_messages;
mod faults;
mod first_contact;
mod guessed_ids;
mod hand_off;
mod ingress_reload;
mod hung_resolver;
mod outages;
mod overload;
mod reconcile;
mod restarts;
mod simulation;
mod soak;
mod unreachable;
mod stdout_stopped;

mod authentication;
mod corpus;
mod http1;
mod http2;
mod large_bodies;
mod memory;
mod secrets;
mod signatures;
mod slow_clients;

mod fuzzing;
mod mutants;

use check::{Check, Size};

/// In the order of execution: quick checks first; `secrets` runs late because it also reports on the
/// output of all checks before it.
const CHECKS: &[Check] = &[
    Check::new("simulation", simulation::check),
    Check::new("crash", crash::check),
    Check::new("faults", faults::check),
    Check::new("soak", soak::check),
    Check::new("outage", outages::check),
    Check::new("hand-off", hand_off::check),
    Check::new("reconcile", reconcile::check),
    Check::new("blips", blips::check),
    Check::new("ingress-reload", ingress_reload::check),
    Check::new("first-contact", first_contact::check),
    Check::new("unreachable", unreachable::check),
    Check::new("guessed-ids", guessed_ids::check),
    Check::new("deleted-messages", deleted_messages::check),
    Check::new("rolling-restart", restarts::check),
    Check::new("overload", overload::check),
    Check::new("stdout-stopped", stdout_stopped::check),
    Check::new("hung-resolver", hung_resolver::check),
    Check::new("slow-clients", slow_clients::check),
    Check::new("fuzz", fuzzing::check),
    Check::new("text-corpus", corpus::check),
    Check::new("http1", http1::check),
    Check::new("signatures", signatures::check),
    Check::new("authentication", authentication::check),
    Check::new("http2", http2::check),
    Check::new("large-bodies", large_bodies::check),
    Check::new("memory", memory::check),
    Check::new("secrets", secrets::check),
    Check::new("mutants", mutants::check),
];

/// Parts of checks that do not exist yet.
const NOT_YET: &[(&str, &str)] = &[];

/// Checks that are fast enough for every change, and so are part of `make test`.
const IN_MAKE_TEST: &[(&str, &str)] = &[
    (
        "send-machine",
        "all paths through the state machine of one message",
    ),
    (
        "json-suite",
        "JSONTestSuite and own bodies, posted to the running server",
    ),
    (
        "markup",
        "markup in every field, parsed by Rocket.Chat's parser",
    ),
];

/// This word on the command line accepts missing tools.
const ALLOW_MISSING: &str = "allow-missing";

/// The exit status of a wrong command line (`EX_USAGE`).
const USAGE_ERROR: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [broker::COMMAND, ..] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return check::run(broker::run(&arguments[1..]));
    }
    let size = arguments.iter().find_map(|word| Size::parse(word));
    let named: Vec<&String> = arguments
        .iter()
        .filter(|word| Size::parse(word).is_none() && *word != ALLOW_MISSING)
        .collect();
    if let Some(unknown) = named
        .iter()
        .find(|name| !CHECKS.iter().any(|check| check.id == ***name))
    {
        let known: Vec<_> = CHECKS.iter().map(|check| check.id).collect();
        let in_make_test: Vec<_> = IN_MAKE_TEST.iter().map(|(id, _)| *id).collect();
        eprintln!(
            "unknown argument {unknown}\nusage: system-tests [short|normal|long] [{ALLOW_MISSING}] [CHECK…]\nchecks: {}\npart of `make test`: {}",
            known.join(" "),
            in_make_test.join(" ")
        );
        return ExitCode::from(USAGE_ERROR);
    }
    let chosen = CHECKS
        .iter()
        .filter(|check| named.is_empty() || named.iter().any(|name| *name == check.id));
    let results: Vec<_> = chosen
        .map(|check| check.run(size.unwrap_or(Size::Normal)))
        .collect();
    check::print_table(&results, IN_MAKE_TEST, NOT_YET);
    let allow_missing = arguments.iter().any(|word| word == ALLOW_MISSING);
    let failed: Vec<_> = results
        .iter()
        .filter(|result| !result.passed(allow_missing))
        .collect();
    // Again, below the table, where a reader of a long log looks first.
    for result in &failed {
        result.print();
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
