//! Tests of the fakes, because the tests of webhook-app rely on them.
//! Each module covers one part: accounts, rooms, rejected calls, stored and deleted messages, injected faults, absences, deliveries, the API of GitLab, programs.
#![expect(
    clippy::expect_used,
    reason = "helper functions fail the test in the same way as assertions"
)]

mod absences;
mod accounts;
mod administration;
mod client;
mod deleted;
mod deliveries;
mod duplicates;
mod faults;
mod gitlab_access;
mod gitlab_client;
mod gitlab_events;
mod gitlab_hooks;
mod gitlab_limits;
mod gitlab_lists;
mod gitlab_webhooks;
mod https;
mod limits;
mod pagerduty;
mod posting;
mod program;
mod rejections;
mod rooms;
mod sending;
