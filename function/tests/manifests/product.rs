//! What the manifests assume about the function and its `Config` does not contain: the names of series, its paths
//! and its limits.

/// The default of `PORT`.
pub(crate) const PORT: u64 = 8080;

/// Seconds that the drain may take after the lame duck period, beside one delivery.
pub(crate) const DRAIN_RESERVE_SECONDS: u64 = 1;

/// The default of `LAME_DUCK_SECONDS` where `K_SERVICE` is not set.
pub(crate) const LAME_DUCK_SECONDS: u64 = 5;

/// GitLab's timeout for a webhook.
pub(crate) const GITLAB_SECONDS: u64 = 10;

/// The public path of the webhook.
pub(crate) const WEBHOOK: &str = "/webhook";

/// Series that exist from the start.
pub(crate) const SERIES: &[&str] = &["http_server_active_requests", "webhooks_received_total"];
