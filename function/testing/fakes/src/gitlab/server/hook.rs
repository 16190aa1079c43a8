//! A webhook: its settings, how it is shown, and when it is disabled.
//! Source: `app/models/concerns/web_hooks/{hook,auto_disabling}.rb` and `lib/api/entities/{hook,project_hook}.rb`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Trigger;
use crate::clock::iso;

/// Failures in a row that are forgiven.
const TEMPORARILY: u32 = 3;
/// With one more failure than these in a row, a hook is disabled until somebody tests it.
const PERMANENTLY: u32 = 39;
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// To whom a hook belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Project(u64),
    System,
}

#[derive(Clone)]
pub(super) struct Hook {
    pub(super) id: u64,
    pub(super) owner: Owner,
    pub(super) url: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) created_at: Duration,
    pub(super) triggers: Vec<Trigger>,
    pub(super) ssl_verification: bool,
    pub(super) branch_filter: Option<String>,
    pub(super) branch_filter_strategy: String,
    pub(super) template: Option<String>,
    pub(super) token: Option<String>,
    pub(super) signing_token: Option<String>,
    pub(super) custom_headers: Vec<(String, String)>,
    pub(super) url_variables: Vec<(String, String)>,
    pub(super) failures: u32,
    pub(super) disabled_until: Option<Duration>,
}

impl Hook {
    /// With the defaults of the database: push events and SSL verification are on. A system hook also has
    /// `repository_update_events` on (`app/models/hooks/system_hook.rb`) and push events off.
    pub(super) fn new(id: u64, owner: Owner, now: Duration) -> Self {
        let trigger = match owner {
            Owner::Project(_) => Trigger::Push,
            Owner::System => Trigger::RepositoryUpdate,
        };
        Self {
            id,
            owner,
            url: String::new(),
            name: None,
            description: None,
            created_at: now,
            triggers: vec![trigger],
            ssl_verification: true,
            branch_filter: None,
            branch_filter_strategy: "wildcard".to_owned(),
            template: None,
            token: None,
            signing_token: None,
            custom_headers: Vec::new(),
            url_variables: Vec::new(),
            failures: 0,
            disabled_until: None,
        }
    }

    /// The URL with its variables filled in.
    pub(super) fn address(&self) -> String {
        let variables = self.url_variables.iter();
        variables.fold(self.url.clone(), |url, (name, value)| {
            url.replace(&format!("{{{name}}}"), value)
        })
    }

    /// Only hooks of projects are disabled, so a system hook never is (`ENABLED_HOOK_TYPES`).
    pub(super) fn alert_status(&self, now: Duration) -> &'static str {
        if matches!(self.owner, Owner::System) {
            "executable"
        } else if self.failures > PERMANENTLY {
            "disabled"
        } else if self.failures > TEMPORARILY && self.disabled_until.is_some_and(|at| at >= now) {
            "temporarily_disabled"
        } else {
            "executable"
        }
    }

    pub(super) fn is_executable(&self, now: Duration) -> bool {
        self.alert_status(now) == "executable"
    }

    /// As after so many failures that no time enables it.
    pub(super) fn disable(&mut self) {
        self.failures = PERMANENTLY + 1;
    }

    /// Counts a failure. One that happens while the hook is disabled, as of a test, changes nothing.
    pub(super) fn failed(&mut self, now: Duration) {
        if matches!(self.owner, Owner::System) || !self.is_executable(now) {
            return;
        }
        let doublings = self.failures.saturating_sub(TEMPORARILY);
        self.failures += 1;
        if self.failures > TEMPORARILY {
            let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
            self.disabled_until = Some(now + pause.min(LONGEST_PAUSE));
        }
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.disabled_until = None;
    }

    /// Whether the push to this ref is wanted; other events are not filtered (`active_hook_filter.rb`).
    pub(super) fn wants_ref(&self, trigger: Trigger, body: &Value) -> bool {
        let filter = self.branch_filter.as_deref().unwrap_or_default();
        if trigger != Trigger::Push || filter.is_empty() {
            return true;
        }
        let name = body["ref"].as_str().unwrap_or_default();
        let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
        match self.branch_filter_strategy.as_str() {
            "all_branches" => true,
            "wildcard" => matches_wildcard(filter, branch),
            // Regular expressions are only compared as texts.
            _ => filter == branch,
        }
    }

    /// As the API shows it. Secrets are never shown; `in_list` leaves out what lists leave out (`lib/api/project_hooks.rb`).
    pub(super) fn json(&self, now: Duration, signing: bool, in_list: bool) -> Value {
        let mut shown = json!({
            "id": self.id,
            "url": self.url,
            "name": self.name,
            "description": self.description,
            "created_at": iso(self.created_at),
            "enable_ssl_verification": self.ssl_verification,
            "alert_status": self.alert_status(now),
            "disabled_until": self.disabled_until.map(iso),
            "push_events_branch_filter": self.branch_filter,
            "branch_filter_strategy": self.branch_filter_strategy,
            "custom_webhook_template": self.template,
        });
        let Value::Object(fields) = &mut shown else {
            return shown;
        };
        for trigger in Trigger::ALL {
            let has_it = match self.owner {
                Owner::Project(_) => true,
                Owner::System => trigger.is_for_system_hooks(),
            };
            if has_it {
                fields.insert(
                    trigger.field().to_owned(),
                    self.triggers.contains(&trigger).into(),
                );
            }
        }
        self.add_optional(fields, signing, in_list);
        shown
    }

    fn add_optional(&self, fields: &mut Map<String, Value>, signing: bool, in_list: bool) {
        if let Owner::Project(project) = self.owner {
            fields.insert("project_id".to_owned(), project.into());
        }
        let keys = |pairs: &[(String, String)]| -> Value {
            pairs.iter().map(|(key, _)| json!({ "key": key })).collect()
        };
        if !in_list || matches!(self.owner, Owner::System) {
            fields.insert("url_variables".to_owned(), keys(&self.url_variables));
            fields.insert("custom_headers".to_owned(), keys(&self.custom_headers));
        }
        // Both came with signing tokens, in GitLab 19.0 (`doc/api/system_hooks.md`).
        if signing {
            fields.insert("token_present".to_owned(), self.token.is_some().into());
            let signed = self.signing_token.is_some().into();
            fields.insert("signing_token_present".to_owned(), signed);
        }
    }
}

/// `*` stands for any text, also an empty one and one with slashes.
fn matches_wildcard(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let starts = text.char_indices().map(|(at, _)| at);
    let mut starts = starts.chain([text.len()]);
    starts.any(|at| matches_wildcard(rest, &text[at..]))
}
