//! The fields of a webhook that are written. Owns their names in the API. A field that is left out keeps its
//! value.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::Triggers;

/// Fields to write.
#[derive(Clone, Debug, Default)]
pub struct HookFields {
    /// The address. GitLab requires it, and forgets the secrets if it changes.
    pub url: String,
    /// The name that GitLab shows.
    pub name: Option<&'static str>,
    /// Triggers to switch on.
    pub on: Triggers,
    /// Triggers to switch off, as GitLab switches push on for a new webhook.
    pub off: Triggers,
    /// Whether GitLab verifies the certificate of the address.
    pub ssl_verification: Option<bool>,
    /// The branches whose pushes it receives, a pattern with `*`.
    pub branch_filter: Option<String>,
    /// The secret.
    pub secret: Option<HookSecret>,
}

/// What GitLab proves with that it sent a webhook; its debug output is a placeholder.
#[derive(Clone, Debug)]
pub enum HookSecret {
    /// Signs each webhook, from GitLab 19 on.
    SigningToken(SecretString),
    /// Is sent with each webhook.
    Token(SecretString),
}

impl HookFields {
    /// The body of a request.
    pub(crate) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("url", self.url.clone().into());
        if let Some(name) = self.name {
            set("name", name.into());
        }
        for trigger in self.on.iter() {
            set(trigger.field(), true.into());
        }
        for trigger in self.off.iter() {
            set(trigger.field(), false.into());
        }
        if let Some(verification) = self.ssl_verification {
            set("enable_ssl_verification", verification.into());
        }
        if let Some(filter) = &self.branch_filter {
            set("push_events_branch_filter", filter.clone().into());
            set("branch_filter_strategy", "wildcard".into());
        }
        match &self.secret {
            Some(HookSecret::SigningToken(token)) => {
                set("signing_token", token.expose_secret().into());
            }
            Some(HookSecret::Token(token)) => {
                set("token", token.expose_secret().into());
            }
            None => {}
        }
        Value::Object(fields)
    }
}
