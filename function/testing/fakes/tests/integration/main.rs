//! Tests of the fakes, because the tests of webhook-app rely on them.
//! Each module covers one part: accounts, rooms, rejected calls, stored and deleted messages, injected faults, absences, deliveries, programs.
#![expect(
    clippy::expect_used,
    reason = "helper functions fail the test in the same way as assertions"
)]

mod absences;
mod accounts;
mod client;
mod deleted;
mod deliveries;
mod duplicates;
mod faults;
mod gitlab_client;
mod gitlab_hooks;
mod https;
mod limits;
mod program;
mod rejections;
mod rooms;
mod sending;
