//! What the manifests may take for granted of the function and cannot read in its `Config`: the
//! names of its series, its paths, its limits. To be replaced by what the running binary shows.

/// The default of `PORT`.
pub(crate) const PORT: u64 = 8080;

/// Seconds that the drain may take after the lame duck: one delivery and a reserve.
pub(crate) const DRAIN_RESERVE_SECONDS: u64 = 1;

/// The default of `LAME_DUCK_SECONDS` where `K_SERVICE` is not set.
pub(crate) const LAME_DUCK_SECONDS: u64 = 5;

/// GitLab's patience.
pub(crate) const GITLAB_SECONDS: u64 = 10;

/// Path of the webhook that is public.
pub(crate) const WEBHOOK: &str = "/webhook";

/// Series that are there from the start, one sample for each closed label.
pub(crate) const SERIES: &[&str] = &["http_server_active_requests", "webhooks_received_total"];
