//! An entry of GitLab's log as an [`Attempt`]. Owns which fields of a recorded body say what it is about, and which
//! attempts are tests. What attempts mean together is decided in [`log`](super::log).

use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;
use url::Url;

use super::backfill::{Object, commit_or_empty};
use super::log::{Answer, Attempt, Content};
use crate::gitlab::timestamp::unix_seconds;
use crate::gitlab_api::HookEvent;

/// The reason in a response of the function that a resend cannot mend.
const REDACTED: &str = "recipient_redacted";

/// Reads an entry of the log of the hook with this URL. Pushes by `reconcile_user` are tests.
pub(crate) fn attempt(event: &HookEvent, url: &Url, reconcile_user: Option<&str>) -> Attempt {
    let key = event.request_header("Idempotency-Key");
    let key = key.or_else(|| event.request_header("webhook-id"));
    let seconds = event.unix_seconds();
    // Very old GitLab versions do not record the URL.
    let is_other = !event.url.is_empty() && Url::parse(&event.url).is_ok_and(|own| own != *url);
    let recorded = recorded(event.request_data.as_deref().map_or("", |data| data.get()));
    Attempt {
        id: event.id,
        key: key.filter(|key| !key.is_empty()).map(str::to_owned),
        trigger: event.trigger.clone(),
        answer: Answer::parse(&event.response_status),
        at: seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
        content: if is_other {
            Content::OtherUrl
        } else if is_test(&event.trigger, &recorded, reconcile_user) {
            Content::Test
        } else if recorded.oversize == Some(true) {
            Content::Oversize
        } else {
            Content::Recorded(recorded.object(seconds))
        },
        redacted: event.response_body.contains(REDACTED),
    }
}

fn is_test(trigger: &str, body: &Recorded, reconcile_user: Option<&str>) -> bool {
    let is_push = body.object_kind.as_deref() == Some("push");
    let user = body.user_username.as_deref().unwrap_or_default();
    let is_own = is_push && reconcile_user.is_some_and(|own| own.eq_ignore_ascii_case(user));
    trigger.contains("test") || is_own
}

/// The fields of a recorded body that name its object; none of them for what is no body of GitLab.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Recorded {
    oversize: Option<bool>,
    object_kind: Option<String>,
    user_username: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    before: Option<String>,
    after: Option<String>,
    object_attributes: Option<Attributes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<u64>,
    iid: Option<u64>,
    status: Option<String>,
    action: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

fn recorded(body: &str) -> Recorded {
    let is_object = body.trim_ascii_start().starts_with('{');
    let read = is_object.then(|| serde_json::from_str(body).ok());
    read.flatten().unwrap_or_default()
}

impl Recorded {
    /// `None` for kinds that backfill does not know. `sent` is the Unix time of the attempt.
    fn object(self, sent: Option<u64>) -> Option<Object> {
        match self.object_kind.as_deref()? {
            "push" | "tag_push" => Some(Object::Push {
                reference: self.reference?,
                before: commit_or_empty(self.before),
                after: commit_or_empty(self.after),
                at: sent,
            }),
            "pipeline" => {
                let attributes = self.object_attributes?;
                Some(Object::Pipeline {
                    id: attributes.id?,
                    status: attributes.status?,
                })
            }
            "merge_request" => {
                let attributes = self.object_attributes?;
                let action = attributes.action?;
                let changed = match action.as_str() {
                    "open" => attributes.created_at,
                    _ => attributes.updated_at,
                };
                Some(Object::MergeRequest {
                    iid: attributes.iid?,
                    at: unix_seconds(&changed?)?,
                    action,
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const PUSH: &str =
        include_str!("../../tests/integration/fixtures/gitlab/push_of_a_new_branch.json");

    fn hook() -> Url {
        Url::parse("https://hooks.example.org/webhook").expect("is an address")
    }

    fn read(request_data: &str, response_body: &str) -> Attempt {
        let data: serde_json::Value = serde_json::from_str(request_data).expect("is JSON");
        let event = json!({
            "id": 7, "url": hook().as_str(), "trigger": "push_hooks", "response_status": "503", "created_at": "2016-08-12T15:26:29.123Z",
            "request_headers": { "idempotency-key": "k" }, "request_data": data,
            "response_body": response_body,
        });
        let event: HookEvent = serde_json::from_value(event).expect("is an entry");
        attempt(&event, &hook(), Some("reconciler"))
    }

    #[test]
    fn an_entry_is_about_the_object_of_its_body() {
        let found = read(PUSH, r#"{"reason":"recipient_redacted"}"#);
        assert_eq!(
            (found.key.as_deref(), found.answer),
            (Some("k"), Answer::Status(503))
        );
        let push = Object::Push {
            reference: "refs/heads/feature/landing-legs".to_owned(),
            before: String::new(),
            after: "122c597083bd438b7f6d72af75d0259488996477".to_owned(),
            at: Some(1_471_015_589),
        };
        assert_eq!(found.content, Content::Recorded(Some(push)));
        assert!(found.redacted);
        assert_eq!(read(r#"{"oversize":true}"#, "").content, Content::Oversize);
        let test = PUSH.replace("\"robin\"", "\"reconciler\"");
        assert_eq!(read(&test, "").content, Content::Test);
        for other in [
            "{}",
            "[]",
            "null",
            "\"a\"",
            r#"{"object_kind":"note"}"#,
            r#"{"object_kind":7}"#,
        ] {
            assert_eq!(read(other, "").content, Content::Recorded(None), "{other}");
        }
    }

    #[test]
    fn a_broken_body_has_no_object() {
        for length in 0..PUSH.len() - 2 {
            let Some(part) = PUSH.get(..length) else {
                continue;
            };
            assert!(recorded(part).object(None).is_none(), "{length}");
        }
        for broken in [
            "[".repeat(100_000),
            "{\"a\":".repeat(100_000),
            format!(
                r#"{{"object_kind":"push","ref":"{}"}}"#,
                "x".repeat(1_000_000)
            ),
            r#"{"object_kind":"pipeline","object_kind":"push","object_attributes":[1]}"#.to_owned(),
        ] {
            let _ = recorded(&broken).object(None);
        }
    }

    proptest! {
        #[test]
        fn random_text_is_no_object(text in ".*", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = recorded(&text).object(None);
            let _ = recorded(&String::from_utf8_lossy(&bytes)).object(None);
            let _ = Answer::parse(&text);
        }
    }
}
