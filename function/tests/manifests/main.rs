//! Whether the manifests agree with each other and with the function, over what `kubectl kustomize`
//! makes of them. Schemas and checkov are the business of the script `check` beside this file; a
//! cluster is asked by the end-to-end tests. Without `kubectl` each test says that it was skipped.

#![expect(clippy::expect_used, reason = "the helpers of tests fail as tests do")]

mod rendered;

mod product;

mod calls;
mod sandbox;

mod agreement;
mod deploy;
mod knative;
mod lifetime;
mod network_policies;
mod ownership;
mod restricted;
mod scaling;
mod settings;
mod verdicts;
