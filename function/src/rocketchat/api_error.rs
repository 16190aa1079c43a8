//! Why a call to Rocket.Chat failed. Owns the closed list of errors, their labels and advice, and what
//! each says about retries, the message and the server. Which response is which error is decided in
//! [`response`](super::response).

use std::time::Duration;

use super::reachability::Unreachable;
use crate::connect_cause::{ConnectCause, Server};

/// Why a call failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ApiError {
    /// No connection was established, so nothing was sent. Contains the cause.
    Connect(ConnectCause),
    /// No complete response in time; the call may have been applied.
    Timeout,
    /// The connection closed before the complete response; the call may have been applied.
    Reset,
    /// The response is too long or not JSON; the call may have been applied.
    Unreadable,
    /// 408 or 425: the server or a proxy asks to retry.
    TryAgain,
    /// 5xx, from the server or a proxy; the call may have been applied.
    ServerError,
    /// A 2xx that does not confirm the request; the call may have been applied.
    Unconfirmed,
    /// 429: too many calls, usually because the account lacks the role bot. Contains the time until
    /// the limit resets, if sent.
    RateLimited(Option<Duration>),
    /// A JSON object with 400 or another 4xx, or a 2xx without success: also the response to an id that is already
    /// stored.
    Refused,
    /// A refusal that names why the account cannot write to the recipient.
    Unreachable(Unreachable),
    /// The message is longer than the server allows.
    TooLong,
    /// 401: the token or the user id is wrong.
    Unauthorized,
    /// 403: the account lacks a permission.
    Forbidden,
    /// Rocket.Chat asks for a second factor, which a token can be exempted from.
    TotpRequired,
    /// 407: a proxy asks for credentials.
    ProxyAuth,
    /// 4xx from a program other than Rocket.Chat, or a proxy opens no tunnel to it.
    ProxyRefused,
    /// 404 or 405: the URL is not that of Rocket.Chat.
    NotFound,
    /// 3xx: never followed, because that would send the token to another server.
    Redirected,
}

impl ApiError {
    /// Every error that has its own label, for documentation tables and for metric series that are created at startup.
    pub const ALL: [Self; 30] = [
        Self::Connect(ConnectCause::Dns),
        Self::Connect(ConnectCause::Refused),
        Self::Connect(ConnectCause::Unreachable),
        Self::Connect(ConnectCause::CertificateUntrusted),
        Self::Connect(ConnectCause::CertificateUnusable),
        Self::Connect(ConnectCause::CertificateName),
        Self::Connect(ConnectCause::CertificateExpired),
        Self::Connect(ConnectCause::NotTls),
        Self::Connect(ConnectCause::TlsRefused),
        Self::Connect(ConnectCause::ClientCertificate),
        Self::Connect(ConnectCause::TlsExpected),
        Self::Connect(ConnectCause::Proxy),
        Self::Connect(ConnectCause::ProxyCertificate),
        Self::Connect(ConnectCause::Other),
        Self::Timeout,
        Self::Reset,
        Self::Unreadable,
        Self::TryAgain,
        Self::ServerError,
        Self::Unconfirmed,
        Self::RateLimited(None),
        Self::Refused,
        Self::TooLong,
        Self::Unauthorized,
        Self::Forbidden,
        Self::TotpRequired,
        Self::ProxyAuth,
        Self::ProxyRefused,
        Self::NotFound,
        Self::Redirected,
    ];

    /// The label in logs and metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Connect(cause) => cause.label(),
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Unreadable => "unreadable",
            Self::TryAgain => "try_again",
            Self::ServerError => "server_error",
            Self::Unconfirmed => "unconfirmed",
            Self::RateLimited(_) => "rate_limited",
            Self::Refused | Self::Unreachable(_) => "refused",
            Self::TooLong => "too_long",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::TotpRequired => "totp_required",
            Self::ProxyAuth => "proxy_auth",
            Self::ProxyRefused => "proxy_refused",
            Self::NotFound => "not_found",
            Self::Redirected => "redirected",
        }
    }

    /// What to check, to follow "could not deliver the message: ".
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Connect(cause) => cause.advice(Server::RocketChat),
            Self::Timeout => {
                "Rocket.Chat did not respond in time; check its load, and firewalls and network policies on the way"
            }
            Self::Reset => {
                "the connection to Rocket.Chat closed before the response was complete; if ROCKETCHAT_URL starts with http:// and the port expects TLS, use https://"
            }
            Self::Unreadable => {
                "the response is not valid for Rocket.Chat; check ROCKETCHAT_URL and any proxy in front of it"
            }
            Self::TryAgain | Self::ServerError => {
                "Rocket.Chat or a proxy in front of it reported an error; check its log"
            }
            Self::Unconfirmed => "Rocket.Chat did not confirm the message",
            Self::RateLimited(_) => {
                "Rocket.Chat, or a proxy in front of it, limits the rate of calls; give the account the role bot, or raise the limit of the proxy"
            }
            Self::Refused => {
                "Rocket.Chat rejected the request; check the recipient and the roles of the account with `webhook-app check --send`, which shows the error"
            }
            Self::Unreachable(cause) => cause.advice(),
            Self::TooLong => {
                "the message is longer than Rocket.Chat allows; raise Message_MaxAllowedSize to its default of 5000, or shorten the template in MESSAGES"
            }
            Self::Unauthorized => {
                "Rocket.Chat does not accept ROCKETCHAT_USER_ID with ROCKETCHAT_AUTH_TOKEN; check both"
            }
            Self::Forbidden => "the account lacks a permission; give it the roles user and bot",
            Self::TotpRequired => {
                "Rocket.Chat asks for a second factor; create a personal access token with \"Ignore Two Factor Authentication\" and set ROCKETCHAT_AUTH_TOKEN to it"
            }
            Self::ProxyAuth => {
                "a proxy asks for credentials, or does not accept those in its address; write the right ones into the setting of the proxy, such as HTTPS_PROXY=http://user:password@proxy.example.org:3128, let the proxy accept Basic authentication, the only one that this program has, or add the host in ROCKETCHAT_URL to NO_PROXY"
            }
            Self::ProxyRefused => {
                "a proxy or firewall in front of Rocket.Chat refused the call with an answer of its own; look at its log, and let it pass the API of Rocket.Chat without a login of its own, or add the host in ROCKETCHAT_URL to NO_PROXY"
            }
            Self::NotFound => "found no Rocket.Chat at ROCKETCHAT_URL; check the address",
            Self::Redirected => {
                "ROCKETCHAT_URL responds with a redirect; set it to the address that the redirect points to"
            }
        }
    }

    /// Whether the call may have been applied despite the error.
    pub(crate) fn may_have_been_applied(self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::Reset
                | Self::Unreadable
                | Self::ServerError
                | Self::Unconfirmed
                | Self::Refused
                | Self::Unreachable(_)
                // A response of a port for TLS, or of a proxy, does not show what was done before.
                | Self::Connect(ConnectCause::TlsExpected)
                | Self::ProxyRefused
        )
    }

    /// When a retry may succeed.
    pub(crate) fn retry_policy(self) -> RetryPolicy {
        match self {
            Self::Connect(cause) if cause.is_permanent() => RetryPolicy::Never,
            Self::Connect(_)
            | Self::Timeout
            | Self::Reset
            | Self::Unreadable
            | Self::TryAgain
            | Self::ServerError
            | Self::Unconfirmed => RetryPolicy::UntilDeadline,
            Self::RateLimited(_) => RetryPolicy::AfterReset,
            Self::Unauthorized | Self::NotFound => RetryPolicy::Briefly,
            Self::Refused
            | Self::Unreachable(_)
            | Self::TooLong
            | Self::Forbidden
            | Self::TotpRequired
            | Self::ProxyAuth
            | Self::ProxyRefused
            | Self::Redirected => RetryPolicy::Never,
        }
    }

    /// What the error says about the server; `None` if another program may have sent it, such as
    /// a proxy during a rollout.
    pub(crate) fn server_is_up(self) -> Option<bool> {
        match self {
            Self::Connect(_)
            | Self::Timeout
            | Self::Reset
            | Self::Unreadable
            | Self::TryAgain
            | Self::ServerError => Some(false),
            Self::Unconfirmed
            | Self::RateLimited(_)
            | Self::Refused
            | Self::Unreachable(_)
            | Self::TooLong
            | Self::TotpRequired => Some(true),
            Self::Unauthorized
            | Self::Forbidden
            | Self::ProxyAuth
            | Self::ProxyRefused
            | Self::NotFound
            | Self::Redirected => None,
        }
    }
}

/// When a failed call is repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RetryPolicy {
    /// As long as there is time.
    UntilDeadline,
    /// When the rate limit is reset, if there is time then.
    AfterReset,
    /// A few times, because a proxy may report this error during a rollout.
    Briefly,
    /// Never, because a person must act first.
    Never,
}
