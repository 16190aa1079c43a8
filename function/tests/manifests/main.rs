//! Checks that the manifests, rendered by `kubectl kustomize`, agree with each other and with the function.
//! Schemas and checkov run in the script `check` beside this file; the end-to-end tests use a cluster. Without
//! `kubectl` each test reports that it was skipped, or fails if `REQUIRE_TOOLS=1` is set.

#![expect(
    clippy::expect_used,
    reason = "a failed expectation in a helper fails the test"
)]

mod rendered;
mod skipped;

mod calls;
mod program;
mod sandbox;
mod answers;

mod agreement;
mod alertmanager;
mod components;
mod copied;
mod call_checks;
mod compose;
mod connections;
mod deploy;
mod dry_run;
mod edge;
mod eventing;
mod exposition;
mod instances;
mod examples;
mod gitlab;
mod knative;
mod lifetime;
mod monitoring;
mod network_policies;
mod ownership;
mod references;
mod portable;
mod prerequisites;
mod reconcile;
mod repeatable;
mod remote;
mod restricted;
mod rocketchat;
mod scaling;
mod settings;
mod versions;
