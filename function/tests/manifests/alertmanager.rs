//! A real Alertmanager with `monitoring/alertmanager/raw`, in front of strict fakes of Rocket.Chat and PagerDuty. Skipped
//! where the program is not installed and `REQUIRE_TOOLS` is not set. That both forms of the configuration agree is here too.

use std::future::Future;
use std::time::Duration;

use fakes::alertmanager::{Alertmanager, post};
use fakes::pagerduty::FakePagerDuty;
use fakes::rocketchat::{FakeRocketChat, Message};
use serde_json::{Value, json};

use crate::rendered::{at, file, list, text, yaml_file};
use crate::skipped::report_skipped;

const RAW: &str = "monitoring/alertmanager/raw/alertmanager.yaml";
const OBJECT: &str = "monitoring/alertmanager/alertmanagerconfig/alertmanagerconfig.yaml";
const RULES: &[&str] = &["webhook-app", "neighbours"];

/// The three programs of one test.
struct Receivers {
    alertmanager: Alertmanager,
    chat: FakeRocketChat,
    pagerduty: FakePagerDuty,
}

impl Receivers {
    async fn start(name: &str) -> Option<Self> {
        let chat = FakeRocketChat::start().await;
        chat.add_private_room("alerts", &[chat.username(), "alice"]);
        let started = FakePagerDuty::start_on("127.0.0.1:0").await;
        let pagerduty = started.expect("a port is free");
        let folder = format!("webhook-app-alerts-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        match Alertmanager::start(&file(RAW), folder, &chat, &pagerduty).await {
            Ok(alertmanager) => Some(Self {
                alertmanager,
                chat,
                pagerduty,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                report_skipped(
                    "alertmanager is not installed; go install github.com/prometheus/alertmanager/cmd/alertmanager@v0.31.1",
                );
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Posts alerts as Prometheus does.
    async fn post(&self, alerts: &[&Value]) {
        let posted = post(&self.alertmanager.url(), &json!(alerts)).await;
        posted.expect("is accepted");
    }

    /// The next message and the next event.
    async fn both(&self) -> (Message, Value) {
        (self.message().await, self.event().await)
    }

    async fn message(&self) -> Message {
        self.within_a_minute(self.chat.next_message()).await
    }

    async fn event(&self) -> Value {
        self.within_a_minute(self.pagerduty.next()).await
    }

    /// Fails with the log of Alertmanager, which says what it did instead.
    async fn within_a_minute<T>(&self, arrives: impl Future<Output = T>) -> T {
        let waited = tokio::time::timeout(Duration::from_mins(1), arrives).await;
        waited.unwrap_or_else(|_| panic!("nothing arrived: {}", self.alertmanager.log()))
    }
}

/// The text of a rule, with numbers where Prometheus puts the values and labels of the alert.
fn expanded(text: &str) -> String {
    let mut parts = text.split("{{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (_, after) = part.split_once("}}").expect("a template ends");
        text + "3" + after
    })
}

/// An alert with the labels and annotations of its rule, as Prometheus sends it.
fn alert(name: &str) -> Value {
    let groups = RULES.iter().flat_map(|file| {
        let rules = yaml_file(&format!("monitoring/rules/{file}.yaml"));
        list(&rules, "/spec/groups")
            .into_iter()
            .cloned()
            .collect::<Vec<_>>()
    });
    let rules = groups.flat_map(|group| {
        list(&group, "/rules")
            .into_iter()
            .cloned()
            .collect::<Vec<_>>()
    });
    let rule = rules.into_iter().find(|rule| rule["alert"] == name);
    let rule = rule.expect("there is such an alert");
    let mut labels = at(&rule, "/labels").clone();
    labels["alertname"] = name.into();
    labels["namespace"] = "webhook-app".into();
    let annotations = at(&rule, "/annotations").as_object();
    let annotations = annotations.expect("is an object").iter();
    let annotations: Value = annotations
        .map(|(name, text)| (name.clone(), expanded(text.as_str().expect("is text"))))
        .collect();
    json!({"labels": labels, "annotations": annotations})
}

#[tokio::test]
async fn an_alert_arrives_at_both_receivers() {
    let Some(receivers) = Receivers::start("both").await else {
        return;
    };
    let mut dead_letters = alert("WebhookAppDeadLetters");
    // Alertmanager reads a detail as YAML: a line with a colon would become an object, whose texts are templates.
    let hostile =
        text(&dead_letters, "/annotations/description").to_owned() + " Look: {{ nothing }}";
    dead_letters["annotations"]["description"] = hostile.into();

    receivers.post(&[&dead_letters]).await;

    let (message, event) = receivers.both().await;
    assert_eq!(message.recipient, "#alerts");
    let runbook = text(&dead_letters, "/annotations/runbook_url");
    let description = text(&dead_letters, "/annotations/description");
    assert_eq!(
        message.attachments,
        Some(json!([{
            "title": "warning: The broker has given messages up",
            "title_link": runbook,
            "text": format!("{description}\nWebhookAppDeadLetters in webhook-app · [runbook]({runbook})"),
            "color": "#ef6c00",
        }]))
    );
    assert_eq!(event["event_action"], "trigger");
    assert_eq!(event["payload"]["severity"], "warning");
    assert_eq!(
        event["payload"]["summary"],
        "The broker has given messages up"
    );
    assert_eq!(
        event["links"],
        json!([{"href": runbook, "text": "runbook"}])
    );
    assert_eq!(
        event["payload"]["custom_details"]["description"],
        format!("{description}\nWebhookAppDeadLetters")
    );
}

#[tokio::test]
async fn an_alert_that_ends_is_resolved_at_both_receivers() {
    let Some(receivers) = Receivers::start("resolved").await else {
        return;
    };
    let mut dead_letters = alert("WebhookAppDeadLetters");
    receivers.post(&[&dead_letters]).await;
    let (_, triggered) = receivers.both().await;

    dead_letters["startsAt"] = "2026-01-01T00:00:00Z".into();
    dead_letters["endsAt"] = "2026-01-01T01:00:00Z".into();
    receivers.post(&[&dead_letters]).await;

    let (message, event) = receivers.both().await;
    let attachment = &message.attachments.expect("has one")[0];
    assert_eq!(
        attachment["title"],
        "resolved: The broker has given messages up"
    );
    assert_eq!(attachment["color"], "#2e7d32");
    assert_eq!(event["event_action"], "resolve");
    assert_eq!(event["dedup_key"], triggered["dedup_key"]);
}

#[tokio::test]
async fn rocketchat_down_is_sent_to_pagerduty_alone_and_silences_its_consequences() {
    let Some(receivers) = Receivers::start("down").await else {
        return;
    };
    let down = alert("RocketchatDown");
    let consequences = ["WebhookAppDeliveryBudgetFast", "RabbitmqMessagesWait"].map(alert);
    let other = alert("WebhookAppTemplateFailing");

    receivers.post(&[&down]).await;
    let event = receivers.event().await;
    receivers.post(&[&consequences[0], &consequences[1]]).await;
    // Its group is sent after theirs would have been.
    receivers.post(&[&other]).await;

    assert_eq!(event["payload"]["class"], "RocketchatDown");
    assert_eq!(event["payload"]["severity"], "critical");
    let message = receivers.message().await;
    let title = &message.attachments.expect("has one")[0]["title"];
    assert_eq!(title, "warning: A message template fails");
    let classes: Vec<_> = [receivers.event().await, event]
        .iter()
        .map(|event| event["payload"]["class"].clone())
        .collect();
    assert_eq!(classes, ["WebhookAppTemplateFailing", "RocketchatDown"]);
    assert_eq!(receivers.pagerduty.take(), None);
}

#[tokio::test]
async fn the_watchdog_arrives_at_its_receiver_alone_and_again() {
    let Some(receivers) = Receivers::start("watchdog").await else {
        return;
    };

    receivers.post(&[&alert("WebhookAppWatchdog")]).await;

    let waiting = async {
        while receivers.pagerduty.heartbeats() < 2 {
            tokio::task::yield_now().await;
        }
    };
    receivers.within_a_minute(waiting).await;
    assert_eq!(receivers.pagerduty.take(), None);
    assert!(receivers.chat.messages().is_empty());
}

/// The names differ in their case: `send_resolved` and `sendResolved`.
#[test]
fn the_object_of_the_operator_says_the_same_as_the_raw_configuration() {
    let (raw, object) = (yaml_file(RAW), yaml_file(OBJECT));
    let spec = at(&object, "/spec");

    let matchers = |list: Vec<&Value>| -> Vec<String> {
        let text = |matcher: &Value, field: &str| matcher[field].as_str().unwrap_or("").to_owned();
        list.into_iter()
            .map(|it| match it.as_str() {
                Some(raw) => raw.to_owned(),
                None => format!(
                    "{}{}\"{}\"",
                    text(it, "name"),
                    text(it, "matchType"),
                    text(it, "value")
                ),
            })
            .collect()
    };
    let routes = |routes: Vec<&Value>, camel: bool| -> Vec<Value> {
        let name = |snake: &'static str, other: &'static str| if camel { other } else { snake };
        routes
            .into_iter()
            .map(|route| {
                json!([
                    route["receiver"],
                    matchers(list(route, "/matchers")),
                    route[name("group_wait", "groupWait")],
                    route[name("group_interval", "groupInterval")],
                    route[name("repeat_interval", "repeatInterval")],
                ])
            })
            .collect()
    };
    assert_eq!(
        routes(list(&raw, "/route/routes"), false),
        routes(list(spec, "/route/routes"), true)
    );
    for (snake, camel) in [
        ("group_by", "groupBy"),
        ("group_wait", "groupWait"),
        ("group_interval", "groupInterval"),
        ("repeat_interval", "repeatInterval"),
        ("receiver", "receiver"),
    ] {
        assert_eq!(raw["route"][snake], spec["route"][camel], "{snake}");
    }
    let inhibitions = |rules: Vec<&Value>, source: &str, target: &str| -> Vec<Value> {
        rules
            .into_iter()
            .map(|rule| {
                json!([
                    matchers(list(rule, source)),
                    matchers(list(rule, target)),
                    rule["equal"]
                ])
            })
            .collect()
    };
    assert_eq!(
        inhibitions(
            list(&raw, "/inhibit_rules"),
            "/source_matchers",
            "/target_matchers"
        ),
        inhibitions(list(spec, "/inhibitRules"), "/sourceMatch", "/targetMatch")
    );
    for (index, receiver) in list(&raw, "/receivers").into_iter().enumerate() {
        let other = &spec["receivers"][index];
        assert_eq!(receiver["name"], other["name"]);
        for (snake, camel) in [
            ("title", "title"),
            ("text", "text"),
            ("color", "color"),
            ("title_link", "titleLink"),
            ("channel", "channel"),
        ] {
            assert_eq!(
                receiver["rocketchat_configs"][0][snake], other["rocketchatConfigs"][0][camel],
                "{snake}"
            );
        }
        for (snake, camel) in [
            ("description", "description"),
            ("severity", "severity"),
            ("source", "source"),
            ("class", "class"),
            ("component", "component"),
            ("send_resolved", "sendResolved"),
        ] {
            assert_eq!(
                receiver["pagerduty_configs"][0][snake], other["pagerdutyConfigs"][0][camel],
                "{snake}"
            );
        }
    }
}
