//! Why a call to GitLab's API failed. Owns the closed list of errors, their labels and advice. Which response
//! is which error is decided in [`response`](super::response).

use std::fmt;
use std::time::Duration;

use crate::connect_cause::{ConnectCause, Server};

/// Why a call failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ApiError {
    /// No connection was established, so nothing was sent. Contains the cause.
    Unreachable(ConnectCause),
    /// No complete response in time, or the connection closed before; the call may have been applied.
    Timeout,
    /// 5xx, 408 or 425, from GitLab or a proxy; the call may have been applied.
    Unavailable,
    /// 401: the token is wrong or has expired.
    Unauthorized,
    /// 403: the token lacks a scope.
    Scope,
    /// 403: the account lacks a role.
    Forbidden,
    /// 404 of GitLab: the object does not exist, or the account cannot see it.
    NotFound,
    /// The account is Maintainer of no project.
    NoProject,
    /// 404 or another refusal by a program that is not GitLab's API.
    NotTheApi,
    /// 429. Contains the time until the limit resets, if sent.
    RateLimited(Option<Duration>),
    /// 400, 409, 413 or 422: GitLab refused the request. Contains the reason.
    Refused(Refusal),
    /// 407, or a proxy opens no tunnel to GitLab.
    Proxy,
    /// 3xx: never followed, because that would send the token to another server.
    Redirected,
    /// The response is longer than what is read.
    TooLarge,
    /// The response is not what GitLab's API returns.
    Unreadable,
}

/// Why GitLab refused a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The project has as many webhooks as its plan allows, 100 by default.
    HookLimit,
    /// The address of the webhook is not allowed.
    Url,
    /// The branch filter is not valid.
    BranchFilter,
    /// The signing token is not valid.
    SigningToken,
    /// An event cannot be resent because its webhook is disabled.
    HookDisabled,
    /// An event cannot be resent because its webhook has another address now.
    UrlChanged,
    /// Any other reason.
    Other,
}

impl ApiError {
    /// The label in logs and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unreachable(cause) => cause.label(),
            Self::Timeout => "timeout",
            Self::Unavailable => "server_error",
            Self::Unauthorized => "unauthorized",
            Self::Scope => "insufficient_scope",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::NoProject => "no_project",
            Self::NotTheApi => "not_the_api",
            Self::RateLimited(_) => "rate_limited",
            Self::Refused(refusal) => refusal.label(),
            Self::Proxy => "proxy",
            Self::Redirected => "redirected",
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
        }
    }

    /// What happened and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unreachable(cause) => cause.advice(Server::GitLab),
            Self::Timeout => {
                "GitLab did not respond in time; check its load, and firewalls and network policies on the way"
            }
            Self::Unavailable => {
                "GitLab or a proxy in front of it reported an error; check its log, and run the command again"
            }
            Self::Unauthorized => {
                "GitLab does not accept GITLAB_API_TOKEN: it is wrong, expired or revoked; create another one with the scope api"
            }
            Self::Scope => "GITLAB_API_TOKEN lacks a scope; create a token with the scope api",
            Self::Forbidden => {
                "the account of GITLAB_API_TOKEN lacks a role; give it the role Maintainer in the project, or use the token of an administrator for system hooks"
            }
            Self::NotFound => {
                "GitLab knows no such project or group, or the account of GITLAB_API_TOKEN cannot see it; check its path in HOOKS, and give the account the role Maintainer"
            }
            Self::NoProject => {
                "the account of GITLAB_API_TOKEN is Maintainer of no project; give it this role, or name projects or groups in HOOKS"
            }
            Self::NotTheApi => {
                "found no API of GitLab at GITLAB_URL; check the address, and any proxy in front of GitLab"
            }
            Self::RateLimited(_) => {
                "GitLab limits the rate of calls; run the command again later, or raise the limit in GitLab"
            }
            Self::Refused(refusal) => refusal.advice(),
            Self::Proxy => {
                "a proxy opened no connection to GitLab; check the credentials in the setting of the proxy, such as HTTPS_PROXY, and its log, or add the host in GITLAB_URL to NO_PROXY"
            }
            Self::Redirected => {
                "GITLAB_URL responds with a redirect; set it to the address that the redirect points to"
            }
            Self::TooLarge => {
                "GitLab returns more than is read: 1,000 webhooks, 10,000 projects or 32 MiB in one response; declare fewer projects in HOOKS"
            }
            Self::Unreadable => {
                "the response is not valid for GitLab; check GITLAB_URL and any proxy in front of GitLab"
            }
        }
    }

    /// Whether every further call would fail for the same reason.
    pub fn concerns_all_calls(self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Unauthorized
            | Self::Scope
            | Self::NotTheApi
            | Self::Proxy
            | Self::Redirected => true,
            Self::Timeout
            | Self::Unavailable
            | Self::Forbidden
            | Self::NotFound
            | Self::NoProject
            | Self::RateLimited(_)
            | Self::Refused(_)
            | Self::TooLarge
            | Self::Unreadable => false,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.advice())
    }
}

impl Refusal {
    fn label(self) -> &'static str {
        match self {
            Self::HookLimit => "hook_limit",
            Self::Url => "invalid_url",
            Self::BranchFilter => "invalid_branch_filter",
            Self::SigningToken => "invalid_signing_token",
            Self::HookDisabled => "hook_disabled",
            Self::UrlChanged => "url_changed",
            Self::Other => "refused",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::HookLimit => {
                "the project has as many webhooks as GitLab allows, 100 by default; remove one in GitLab under Settings, Webhooks"
            }
            Self::Url => {
                "GitLab does not allow the address of the webhook; if it is in GitLab's own network, allow it under Admin, Settings, Network, Outbound requests"
            }
            Self::BranchFilter => {
                "GitLab does not accept branch_filter; write a branch, or a pattern with *, such as release/*"
            }
            Self::SigningToken => {
                "GitLab does not accept the first key of GITLAB_SIGNING_KEYS; use whsec_ and the base64 of 32 random bytes"
            }
            Self::HookDisabled => {
                "GitLab has disabled the webhook after failures, and resends nothing until a test succeeds"
            }
            Self::UrlChanged => {
                "the event was sent to another address, so GitLab does not resend it"
            }
            Self::Other => {
                "GitLab refused the request; check HOOKS, and that GitLab is version 17.4 or later"
            }
        }
    }
}
