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

#[cfg(test)]
mod tests {
    use super::*;

    /// As GitLab 19 returns it.
    const HOOK: &str = r#"{
        "id": 7, "url": "https://webhooks.example.org/webhook", "name": "webhook-app", "description": null,
        "created_at": "2026-11-28T10:00:00.000Z", "push_events": true, "tag_push_events": false,
        "merge_requests_events": false, "repository_update_events": false, "enable_ssl_verification": true,
        "alert_status": "temporarily_disabled", "disabled_until": "2026-11-28T14:03:00.000Z",
        "url_variables": [], "push_events_branch_filter": "", "branch_filter_strategy": "wildcard",
        "custom_webhook_template": null, "custom_headers": [], "project_id": 3, "pipeline_events": true,
        "token_present": false, "signing_token_present": true
    }"#;

    #[test]
    fn the_fields_of_a_webhook_are_read() {
        let hook: Hook = serde_json::from_str(HOOK).expect("is a webhook");
        assert_eq!(hook.triggers.to_string(), "push, pipeline");
        let off = hook.known_triggers.difference(hook.triggers).to_string();
        assert_eq!(off, "tag_push, merge_requests, repository_update");
        assert_eq!(hook.alert_status, AlertStatus::TemporarilyDisabled);
        assert_eq!(hook.disabled_until, Some(1_795_874_580));
        assert_eq!(hook.branch_filter, None);
        assert_eq!(hook.signing_token_present, Some(true));
        for url in [
            "https://webhooks.example.org/webhook",
            "https://WEBHOOKS.example.org:443/webhook",
        ] {
            assert!(hook.sends_to(&Url::parse(url).expect("is a URL")), "{url}");
        }
        for url in [
            "https://webhooks.example.org/webhook/",
            "http://webhooks.example.org/webhook",
        ] {
            assert!(!hook.sends_to(&Url::parse(url).expect("is a URL")), "{url}");
        }
    }

    #[test]
    fn fields_of_another_type_count_as_absent() {
        let text = r#"{"id": 7, "url": "x", "push_events": "yes", "alert_status": 3, "disabled_until": "soon"}"#;
        let hook: Hook = serde_json::from_str(text).expect("is a webhook");
        assert!(hook.known_triggers.is_empty());
        assert_eq!(hook.alert_status, AlertStatus::Executable);
        assert_eq!((hook.disabled_until, hook.token_present), (None, None));
    }

    #[test]
    fn what_is_no_webhook_is_an_error() {
        for end in 0..HOOK.len() {
            let _ = serde_json::from_str::<Hook>(&HOOK[..end]).expect_err("is cut off");
        }
        for text in [
            "[]",
            "{}",
            "7",
            r#"{"id": "7", "url": "x"}"#,
            r#"{"id": 7}"#,
            r#"{"id": -7, "url": "x"}"#,
        ] {
            assert!(serde_json::from_str::<Hook>(text).is_err(), "{text}");
        }
        let deep = format!(
            r#"{{"id": 7, "url": "x", "x": {}1{}}}"#,
            "[".repeat(9999),
            "]".repeat(9999)
        );
        assert!(serde_json::from_str::<Hook>(&deep).is_err());
    }
}
