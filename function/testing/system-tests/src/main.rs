//! Measures what the README promises on the real program and prints one table: check, what was done,
//! figure, verdict. Owns the list of checks and the exit code; each check is a file of its own.
//!
//! `prove [short|normal|long] [BAR…]` runs all checks or those that are named, such as `crash slow-clients`. The
//! program under test is the `webhook-app` beside this one. A check whose tool is missing counts as
//! broken unless one of the words is `allow-missing`.

#![expect(
    clippy::expect_used,
    reason = "what cannot be set up fails its check, with the expectation as its text"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table and the progress are for people"
)]
#![expect(
    clippy::too_many_lines,
    reason = "a table of cases is as long as there are cases"
)]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "shares, percentiles and statistics of counts that are far from any limit"
)]

use std::process::ExitCode;

mod check;
mod load;
mod proxy;
mod rng;
mod secret_scan;
mod sockets;
mod sut;

mod crash;
mod faults;
mod outages;
mod overload;
mod restarts;
mod simulation;
mod soak;

mod authentication;
mod corpus;
mod http1;
mod http2;
mod large_bodies;
mod secrets;
mod signatures;
mod slow_clients;

mod fuzzing;
mod mutants;

use check::{Check, Size};

/// In the order in which they run: the quick ones first, the secrets after all that could leak them.
const CHECKS: &[Check] = &[
    Check::new("simulation", simulation::check),
    Check::new("crash", crash::check),
    Check::new("faults", faults::check),
    Check::new("soak", soak::check),
    Check::new("outage", outages::check),
    Check::new("rolling-restart", restarts::check),
    Check::new("overload", overload::check),
    Check::new("slow-clients", slow_clients::check),
    Check::new("fuzz", fuzzing::check),
    Check::new("text-corpus", corpus::check),
    Check::new("http1", http1::check),
    Check::new("signatures", signatures::check),
    Check::new("authentication", authentication::check),
    Check::new("http2", http2::check),
    Check::new("large-bodies", large_bodies::check),
    Check::new("secrets", secrets::check),
    Check::new("mutants", mutants::check),
];

/// What cannot be measured before there is a durable hand-off.
const WAITING: &[(&str, &str)] = &[
    (
        "crash",
        "kills while the hand-off is under way, and in /deliver",
    ),
    (
        "faults",
        "the same faults with a hand-off that works, refuses or is gone",
    ),
    (
        "outage",
        "100 % delivered after an outage without a resend; the drain rate",
    ),
];

/// Bars that are quick enough for every change, and so are tests.
const TESTED: &[(&str, &str)] = &[
    (
        "send-machine",
        "every way through the machine of one delivery",
    ),
    (
        "json-suite",
        "JSONTestSuite, and bodies of our own, to the running server",
    ),
    (
        "markup",
        "markup in every field, by Rocket.Chat's own parser",
    ),
];

/// With this word a missing tool breaks nothing.
const ALLOW_MISSING: &str = "allow-missing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = arguments.iter().find_map(|word| Size::named(word));
    let named: Vec<&String> = arguments
        .iter()
        .filter(|word| Size::named(word).is_none() && *word != ALLOW_MISSING)
        .collect();
    if let Some(unknown) = named
        .iter()
        .find(|name| !CHECKS.iter().any(|check| check.id == ***name))
    {
        let known: Vec<_> = CHECKS.iter().map(|check| check.id).collect();
        eprintln!("expected short, normal, long or checks of {known:?}, found {unknown}");
        return ExitCode::from(64);
    }
    let chosen = CHECKS
        .iter()
        .filter(|check| named.is_empty() || named.iter().any(|name| *name == check.id));
    let rows: Vec<_> = chosen
        .map(|check| check.run(size.unwrap_or(Size::Normal)))
        .collect();
    check::print_table(&rows, TESTED, WAITING);
    let may_miss_tools = arguments.iter().any(|word| word == ALLOW_MISSING);
    if rows.iter().all(|row| row.holds(may_miss_tools)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
