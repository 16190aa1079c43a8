//! The settings of the commands that call GitLab's API, which receiving webhooks does not need. Owns their
//! names and descriptions.

use super::{Setting, setting};

/// The settings of the commands that call GitLab's API.
pub const GITLAB_API_SETTINGS: &[Setting] = &[
    setting(
        "GITLAB_URL",
        "address of GitLab, such as `https://gitlab.example.org`",
        "required",
    ),
    setting(
        "GITLAB_API_TOKEN",
        "access token with the scope `api` of an account that is Maintainer of the projects; keep it out of the pods that receive webhooks",
        "required",
    ),
    setting(
        "GITLAB_CA",
        "additional certificate authorities to trust for GitLab, in PEM format",
        "–",
    ),
    setting(
        "HOOKS",
        "webhooks in GitLab, in YAML: in which projects, with which triggers",
        "required",
    ),
    setting(
        "WEBHOOK_URL",
        "address to which webhooks in `HOOKS` send, such as `https://webhooks.example.org/webhook`",
        "required unless each has a `url`",
    ),
    setting(
        "RECONCILE_INTERVAL_SECONDS",
        "time between two rounds of `webhook-app reconcile`, 10–3600; its `METRICS_PORT` is 9090 by default",
        "60",
    ),
    setting(
        "RECONCILE_CURSOR_FILE",
        "absolute path of the file in which `webhook-app reconcile --direct` remembers what it has sent",
        "required with `--direct`",
    ),
];
