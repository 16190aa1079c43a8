//! Measures what the README promises on the real program and prints one table: bar, what was done,
//! figure, verdict. Owns the list of bars and the exit code; each bar is a file of its own.
//!
//! `prove [short|normal|long] [BAR…]` runs all bars or those that are named, such as `R3 S1`. The
//! program under test is the `webhook-app` beside this one. A bar whose tool is missing counts as
//! broken unless one of the words is `allow-missing`.

#![expect(
    clippy::expect_used,
    reason = "what cannot be set up fails its bar, with the expectation as its text"
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

mod bar;
mod canary;
mod dice;
mod load;
mod product;
mod proxy;
mod sockets;

mod faults;
mod kills;
mod outages;
mod overload;
mod restarts;
mod simulation;
mod soak;

mod authentication;
mod bombs;
mod http1;
mod http2;
mod secrets;
mod signatures;
mod slow_clients;
mod strings;

mod fuzzing;
mod mutants;

use bar::{Bar, Size};

/// In the order in which they run: the quick ones first, the secrets after all that could leak them.
const BARS: &[Bar] = &[
    Bar::new("R2", simulation::prove),
    Bar::new("R3", kills::prove),
    Bar::new("R4", faults::prove),
    Bar::new("R5", soak::prove),
    Bar::new("R6", outages::prove),
    Bar::new("R7", restarts::prove),
    Bar::new("R8", overload::prove),
    Bar::new("S1", slow_clients::prove),
    Bar::new("S2", fuzzing::prove),
    Bar::new("S4", strings::prove),
    Bar::new("S6", http1::prove),
    Bar::new("S7", signatures::prove),
    Bar::new("S8", authentication::prove),
    Bar::new("S9", http2::prove),
    Bar::new("S10", bombs::prove),
    Bar::new("S11", secrets::prove),
    Bar::new("C3", mutants::prove),
];

/// What cannot be measured before there is a durable hand-off.
const WAITING: &[(&str, &str)] = &[
    (
        "R3",
        "kills while the hand-off is under way, and in /deliver",
    ),
    (
        "R4",
        "the same faults with a hand-off that works, refuses or is gone",
    ),
    (
        "R6",
        "100 % delivered after an outage without a resend; the drain rate",
    ),
];

/// Bars that are quick enough for every change, and so are tests.
const TESTED: &[(&str, &str)] = &[
    ("R1", "every way through the machine of one delivery"),
    (
        "S3",
        "JSONTestSuite, and bodies of our own, to the running server",
    ),
    ("S5", "markup in every field, by Rocket.Chat's own parser"),
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
        .find(|name| !BARS.iter().any(|bar| bar.id == ***name))
    {
        let known: Vec<_> = BARS.iter().map(|bar| bar.id).collect();
        eprintln!("expected short, normal, long or bars of {known:?}, found {unknown}");
        return ExitCode::from(64);
    }
    let chosen = BARS
        .iter()
        .filter(|bar| named.is_empty() || named.iter().any(|name| *name == bar.id));
    let rows: Vec<_> = chosen
        .map(|bar| bar.run(size.unwrap_or(Size::Normal)))
        .collect();
    bar::print_table(&rows, TESTED, WAITING);
    let may_miss_tools = arguments.iter().any(|word| word == ALLOW_MISSING);
    if rows.iter().all(|row| row.holds(may_miss_tools)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
