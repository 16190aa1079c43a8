//! A webhook as the API returns it. Owns which of its fields are read. GitLab never returns its secrets, only,
//! from version 19 on, whether there are any.

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{Trigger, Triggers};
use crate::gitlab::timestamp;

/// A webhook.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Map<String, Value>")]
pub struct Hook {
    /// Its ID, which never changes.
    pub id: u64,
    /// Its address, as GitLab writes it.
    pub url: String,
    /// The triggers that are on.
    pub triggers: Triggers,
    /// The triggers that this GitLab knows, on or off.
    pub known_triggers: Triggers,
    /// Whether GitLab verifies the certificate of the address.
    pub ssl_verification: bool,
    /// The branches whose pushes it receives, if they are filtered.
    pub branch_filter: Option<String>,
    /// How the filter is read: `wildcard`, `regex` or `all_branches`.
    pub branch_filter_strategy: Option<String>,
    /// Whether GitLab sends to it.
    pub alert_status: AlertStatus,
    /// Until when GitLab does not, as a Unix time.
    pub disabled_until: Option<u64>,
    /// Whether it has a secret token; `None` before GitLab 19, which does not say.
    pub token_present: Option<bool>,
    /// Whether it has a signing token; `None` before GitLab 19, which has none.
    pub signing_token_present: Option<bool>,
}

/// Whether GitLab sends to a webhook.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AlertStatus {
    /// It does.
    Executable,
    /// After failures, not for a while.
    TemporarilyDisabled,
    /// After many failures, not until a test succeeds.
    Disabled,
}

impl Hook {
    /// Whether it sends to this address.
    pub fn sends_to(&self, url: &Url) -> bool {
        Url::parse(&self.url).is_ok_and(|own| own == *url)
    }
}

impl TryFrom<Map<String, Value>> for Hook {
    type Error = &'static str;

    fn try_from(fields: Map<String, Value>) -> Result<Self, &'static str> {
        let text = |name| fields.get(name).and_then(Value::as_str);
        let flag = |name| fields.get(name).and_then(Value::as_bool);
        let all = || Trigger::ALL.iter().copied();
        let is_on = |trigger: &Trigger| flag(trigger.field()) == Some(true);
        let is_known = |trigger: &Trigger| flag(trigger.field()).is_some();
        let id = fields.get("id").and_then(Value::as_u64);
        Ok(Self {
            id: id.ok_or("expected the ID of a webhook")?,
            url: text("url")
                .ok_or("expected the address of a webhook")?
                .to_owned(),
            triggers: all().filter(is_on).collect(),
            known_triggers: all().filter(is_known).collect(),
            ssl_verification: flag("enable_ssl_verification").unwrap_or(true),
            branch_filter: text("push_events_branch_filter")
                .filter(|filter| !filter.is_empty())
                .map(str::to_owned),
            branch_filter_strategy: text("branch_filter_strategy").map(str::to_owned),
            alert_status: match text("alert_status") {
                Some("temporarily_disabled") => AlertStatus::TemporarilyDisabled,
                Some("disabled") => AlertStatus::Disabled,
                _ => AlertStatus::Executable,
            },
            disabled_until: text("disabled_until").and_then(timestamp::unix_seconds),
            token_present: flag("token_present"),
            signing_token_present: flag("signing_token_present"),
        })
    }
}
