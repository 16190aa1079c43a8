//! Messages that Rocket.Chat does not confirm: a broker keeps them, sends them back, and each is stored once.

use std::time::{Duration, Instant};

use fakes::broker::{Event, FakeBroker, Next};
use fakes::exchange::Response;
use fakes::gitlab::Delivery;
use fakes::rocketchat::{Away, FakeRocketChat, Fault, Route};
use serde_json::json;
use webhook_app::limits::LIMITS;

use crate::harness::{
    Harness, MESSAGE_ID_SECRET, Setting, assert_delivered, assert_problem, push, recorded,
};

/// A function with a broker behind it.
struct Setup {
    harness: Harness,
    broker: FakeBroker,
}

impl Setup {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[Setting<'_>]) -> Self {
        let broker = FakeBroker::start().await;
        let url = broker.url();
        let all = [&[("K_SINK", url.as_str()), MESSAGE_ID_SECRET], settings].concat();
        let harness = Harness::with(&all).await;
        Self { harness, broker }
    }

    /// Posts a delivery that is handed off; returns its event.
    async fn handed_off(&self, delivery: &Delivery) -> Event {
        let answer = self.harness.post(delivery).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.json()["status"], "handed_off");
        self.broker.take()
    }

    /// The event of a push that was handed off in an outage that has ended.
    async fn kept(&self) -> Event {
        self.harness.break_chat();
        let event = self.handed_off(&push()).await;
        self.harness.fix_chat().await;
        event
    }

    /// Sends an event back.
    async fn deliver(&self, event: &Event) -> Response {
        let answer = FakeBroker::deliver(event, &self.harness.function.url("/deliver")).await;
        answer.expect("is answered")
    }

    async fn metric(&self, series: &str) -> Option<String> {
        let page = self
            .harness
            .function
            .request("GET", "/metrics")
            .await
            .text();
        let line = page.lines().find(|line| line.starts_with(series));
        line.and_then(|line| line.rsplit(' ').next())
            .map(str::to_owned)
    }

    fn finish(self) -> Vec<String> {
        assert!(self.broker.is_empty(), "an event is left");
        self.harness.finish()
    }
}

#[tokio::test]
async fn what_rocket_chat_does_not_confirm_is_kept_by_the_broker_and_stored_once() {
    let setup = Setup::start().await;
    setup.harness.break_chat();
    let delivery = push();
    let started = Instant::now();
    let event = setup.handed_off(&delivery).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(event.attribute("type"), Some("webhook-app.notification.v1"));
    // Rocket.Chat is still away: the broker sends the event again.
    let answer = setup.deliver(&event).await;
    assert_problem(&answer, 503, "server_error");
    assert_eq!(Next::after(Some(answer.status)), Next::Again);
    setup.harness.fix_chat().await;
    for _ in 0..2 {
        let answer = setup.deliver(&event).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b""[..]));
    }
    let message = setup.harness.chat.take_message();
    assert!(
        message.text.contains("pushed to `main`"),
        "{}",
        message.text
    );
    // GitLab's resend finds the message.
    let answer = setup.harness.post(&delivery).await;
    assert_delivered(&answer);
    assert_eq!(answer.json()["found"], true);
    assert_eq!(answer.json()["message_id"], message.id);
    for (series, expected) in [
        (r#"webhook_hand_offs_total{result="accepted"}"#, "1"),
        (r#"webhook_redeliveries_total{result="done"}"#, "2"),
        (r#"webhook_redeliveries_total{result="again"}"#, "1"),
        (
            r#"webhook_deliveries_total{outcome="handed_off",reason="server_error"}"#,
            "1",
        ),
        (
            r#"webhook_deliveries_total{outcome="delivered",reason="found"}"#,
            "1",
        ),
    ] {
        assert_eq!(
            setup.metric(series).await.as_deref(),
            Some(expected),
            "{series}"
        );
    }
    let started = format!(r#""broker":"{}""#, setup.broker.url());
    let output = setup.finish().join("\n");
    for expected in ["webhook handed off to the broker", started.as_str()] {
        assert!(output.contains(expected), "{output}");
    }
}

#[tokio::test]
async fn each_recipient_is_handed_off_alone_and_permanent_refusals_never_are() {
    let routes = "rules: [{to: ['@alice', '@bob', '@nobody']}]";
    let setup = Setup::with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", routes)]).await;
    setup
        .harness
        .chat
        .inject_fault_always(Route::SendMessage, Fault::Status(503));
    let answer = setup.harness.post(&push()).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    insta::assert_json_snapshot!(answer.json(), @r##"
        {
          "deliveries": [
            {
              "handed_off": true,
              "reason": "server_error",
              "recipient": "@alice"
            },
            {
              "handed_off": true,
              "reason": "server_error",
              "recipient": "@bob"
            },
            {
              "reason": "unreachable",
              "recipient": "@nobody"
            }
          ],
          "reason": "server_error",
          "status": "handed_off"
        }
        "##);
    setup.harness.fix_chat().await;
    for _ in 0..2 {
        assert_eq!(setup.deliver(&setup.broker.take()).await.status, 200);
    }
    let messages = [(); 2].map(|()| setup.harness.chat.take_message());
    let mut recipients = messages.map(|message| message.recipient);
    recipients.sort();
    assert_eq!(recipients, ["alice", "bob"]);
    setup.finish();
}

#[tokio::test]
async fn a_broker_that_does_not_store_it_makes_the_webhook_fail() {
    let setup = Setup::start().await;
    setup.harness.break_chat();
    // A full queue.
    setup.broker.refuse_always(Some(503));
    let answer = setup.harness.post(&push()).await;
    assert_problem(&answer, 503, "server_error");
    setup.broker.refuse_always(Some(400));
    let answer = setup.harness.post(&push()).await;
    assert_problem(&answer, 503, "server_error");
    for (series, expected) in [
        (r#"webhook_hand_offs_total{result="accepted"}"#, "0"),
        (r#"webhook_hand_offs_total{result="unavailable"}"#, "1"),
        (r#"webhook_hand_offs_total{result="refused"}"#, "1"),
    ] {
        assert_eq!(
            setup.metric(series).await.as_deref(),
            Some(expected),
            "{series}"
        );
    }
    // It restarts meanwhile: the call is repeated.
    setup.broker.refuse_always(None);
    setup.broker.refuse_next(&[503, 429]);
    setup.handed_off(&push()).await;
    setup.finish();
}

#[tokio::test]
async fn in_an_outage_one_delivery_at_a_time_asks_rocket_chat_and_the_others_go_to_the_broker_at_once()
 {
    let setup = Setup::start().await;
    assert_delivered(&setup.harness.post(&push()).await);
    setup.harness.chat.take_message();
    setup
        .harness
        .chat
        .away(Duration::from_mins(10), Away::Silent)
        .await;
    let first = (0..5).map(|_| push()).collect::<Vec<_>>();
    let answers =
        futures_util::future::join_all(first.iter().map(|delivery| setup.harness.post(delivery)));
    for answer in answers.await {
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    let started = Instant::now();
    let later = (0..20).map(|_| push()).collect::<Vec<_>>();
    let later = futures_util::future::join_all(later.iter().map(async |delivery| {
        let answer = setup.harness.post(delivery).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.json()["reason"], "timeout");
        started.elapsed()
    }))
    .await;
    // A probe waits for its response for 1.5 s, and the next one begins a second later.
    let probes = later.iter().filter(|took| took.as_millis() >= 1500);
    assert!(probes.count() <= 2, "{later:?}");
    assert_eq!(setup.broker.len(), 25);
    for _ in 0..25 {
        setup.broker.take();
    }
    setup.finish();
}

#[tokio::test]
async fn a_new_process_in_an_outage_hands_off_after_the_first_call() {
    let setup = Setup::start().await;
    setup
        .harness
        .chat
        .away(Duration::from_mins(10), Away::Silent)
        .await;
    let started = Instant::now();
    let all = (0..10).map(|_| push()).collect::<Vec<_>>();
    let posts = all.iter().map(|delivery| setup.harness.post(delivery));
    for answer in futures_util::future::join_all(posts).await {
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    // The timeout of one call is 1.5 s, and that of a delivery 5 s.
    assert!(started.elapsed() < Duration::from_millis(3500));
    for _ in 0..10 {
        setup.broker.take();
    }
    setup.finish();
}

#[tokio::test]
async fn only_events_with_our_signature_are_sent() {
    let setup = Setup::start().await;
    let event = setup.kept().await;
    let forged = |change: &dyn Fn(&mut Event)| {
        let mut forged = event.clone();
        change(&mut forged);
        forged
    };
    let text = String::from_utf8(event.data.clone()).expect("is text");
    for forged in [
        forged(&|event| event.data = text.replace("alice", "bob").into_bytes()),
        forged(&|event| event.data = Vec::new()),
        forged(&|event| event.data = vec![b'['; 100_000]),
        forged(&|event| event.data = vec![0xff; 10]),
        forged(&|event| {
            event
                .attributes
                .retain(|(name, _)| name != "webhookappsignature");
        }),
        forged(&|event| event.attributes.retain(|(name, _)| name != "time")),
        forged(&|event| event.attributes.retain(|(name, _)| name != "id")),
    ] {
        let answer = setup.deliver(&forged).await;
        assert_problem(&answer, 401, "unsigned_event");
        assert_eq!(Next::after(Some(answer.status)), Next::DeadLetter);
    }
    let huge = forged(&|event| event.data = vec![b'x'; 300_000]);
    assert_problem(&setup.deliver(&huge).await, 413, "too_large");
    let structured =
        forged(&|event| event.content_type = "application/cloudevents+json".to_owned());
    assert_problem(&setup.deliver(&structured).await, 415, "media_type");
    assert_eq!(
        setup
            .metric(r#"webhook_redeliveries_total{result="dead_letter"}"#)
            .await
            .as_deref(),
        Some("9")
    );
    assert_eq!(setup.deliver(&event).await.status, 200);
    setup.harness.chat.take_message();
    setup.finish();
}

#[tokio::test]
async fn a_function_without_a_broker_takes_nothing_back() {
    let setup = Setup::start().await;
    setup.harness.break_chat();
    let event = setup.handed_off(&push()).await;
    let other = Harness::with(&[MESSAGE_ID_SECRET]).await;
    let answer = FakeBroker::deliver(&event, &other.function.url("/deliver")).await;
    assert_problem(&answer.expect("is answered"), 404, "unknown_path");
    other.finish();
    setup.finish();
}

#[tokio::test]
async fn a_changed_secret_still_verifies_what_the_former_one_signed() {
    let setup = Setup::start().await;
    setup.harness.break_chat();
    let event = setup.handed_off(&push()).await;
    let url = setup.broker.url();
    let new = "new-of-the-tests-0123456789abcdefghijk";
    let both = format!("{new},{}", MESSAGE_ID_SECRET.1);
    for (secret, expected) in [(both.as_str(), 200), (new, 401)] {
        let other = Harness::with(&[("SINK_URL", &url), ("MESSAGE_ID_SECRET", secret)]).await;
        let answer = FakeBroker::deliver(&event, &other.function.url("/deliver")).await;
        assert_eq!(answer.expect("is answered").status, expected);
        if expected == 200 {
            other.chat.take_message();
        }
        other.finish();
    }
    setup.finish();
}

#[tokio::test]
async fn confidential_events_are_handed_off_only_if_their_rule_says_so() {
    let mut payload = crate::routing::example("issue");
    payload["event_type"] = json!("confidential_issue");
    payload["object_attributes"]["confidential"] = json!(true);
    let delivery = recorded("Confidential Issue Hook", &payload.to_string());
    for (hand_off, expected) in [("", 503), ("    hand_off: true\n", 202)] {
        let routes = format!("rules:\n  - confidential: true\n{hand_off}    to: '@alice'\n");
        let setup = Setup::with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", &routes)]).await;
        setup.harness.break_chat();
        let answer = setup.harness.post(&delivery).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
        if expected == 202 {
            setup.broker.take();
        }
        setup.finish();
    }
}

#[tokio::test]
async fn what_the_broker_cannot_mend_becomes_a_dead_letter() {
    let setup = Setup::start().await;
    let event = setup.kept().await;
    setup.harness.chat.rename_user("alice", "alicia");
    let answer = setup.deliver(&event).await;
    assert_problem(&answer, 422, "unreachable");
    setup.finish();
}

/// A function with a broker that forgets what is refused, as Knative's for RabbitMQ, and a service that stores dead
/// letters in place of it.
async fn with_dead_letter_sink() -> (Setup, FakeBroker) {
    let sink = FakeBroker::start().await;
    let setup = Setup::with(&[("DEAD_LETTER_SINK", &sink.url())]).await;
    (setup, sink)
}

#[tokio::test]
async fn what_a_broker_would_forget_is_put_aside_before_it_does() {
    let (setup, sink) = with_dead_letter_sink().await;
    let event = setup.kept().await;
    setup.harness.chat.rename_user("alice", "alicia");
    let answer = setup.deliver(&event).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b""[..]));
    assert_eq!(Next::on_rabbitmq(Some(answer.status)), Next::Forget);
    let dead = sink.take();
    assert_eq!(dead.attribute("knativeerrorcode"), Some("422"));
    assert_eq!(dead.data, event.data);
    for (name, value) in &event.attributes {
        assert_eq!(dead.attribute(name), Some(value.as_str()), "{name}");
    }
    let series = r#"webhook_redeliveries_total{result="put_aside"}"#;
    assert_eq!(setup.metric(series).await.as_deref(), Some("1"));
    let output = setup.finish().join("\n");
    assert!(
        output.contains("message put aside as a dead letter"),
        "{output}"
    );
}

/// An address of another function in place of the service for dead letters.
#[tokio::test]
async fn an_event_does_not_go_round_among_functions() {
    let (setup, sink) = with_dead_letter_sink().await;
    let event = setup.kept().await;
    let deliver = setup.harness.function.url("/deliver");
    let other = [
        ("SINK_URL", setup.broker.url()),
        ("DEAD_LETTER_SINK", deliver),
        (MESSAGE_ID_SECRET.0, MESSAGE_ID_SECRET.1.to_owned()),
    ];
    let other = other
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let other = Harness::with(&other).await;
    for chat in [&setup.harness.chat, &other.chat] {
        chat.rename_user("alice", "alicia");
    }
    let answer = FakeBroker::deliver(&event, &other.function.url("/deliver")).await;
    assert_problem(&answer.expect("is answered"), 503, "not_put_aside");
    assert!(sink.is_empty());
    other.finish();
    setup.finish();
}

#[tokio::test]
async fn an_event_comes_back_until_its_dead_letter_is_stored() {
    let (setup, sink) = with_dead_letter_sink().await;
    let event = setup.kept().await;
    setup.harness.chat.rename_user("alice", "alicia");
    // The volume is full; the service refuses it; the service is gone.
    for status in [503, 401] {
        sink.refuse_always(Some(status));
        let answer = setup.deliver(&event).await;
        assert_problem(&answer, 503, "not_put_aside");
        assert_eq!(Next::on_rabbitmq(Some(answer.status)), Next::Again);
    }
    sink.refuse_always(None);
    assert!(sink.is_empty());
    sink.refuse_next(&[503, 429]);
    assert_eq!(setup.deliver(&event).await.status, 200);
    sink.take();
    drop(sink);
    assert_problem(&setup.deliver(&event).await, 503, "not_put_aside");
    let output = setup.finish().join("\n");
    assert!(
        output.contains("a message that cannot be delivered is not stored as a dead letter"),
        "{output}"
    );
}

#[tokio::test]
async fn only_signed_events_that_a_later_attempt_cannot_deliver_are_put_aside() {
    let (setup, sink) = with_dead_letter_sink().await;
    let event = setup.kept().await;
    let mut forged = event.clone();
    forged.data.push(b' ');
    assert_problem(&setup.deliver(&forged).await, 401, "unsigned_event");
    let mut huge = event.clone();
    huge.data = vec![b' '; LIMITS.hand_off.max_bytes + 1];
    assert_problem(&setup.deliver(&huge).await, 413, "too_large");
    let mut structured = event.clone();
    structured.content_type = "application/cloudevents+json".to_owned();
    assert_problem(&setup.deliver(&structured).await, 415, "media_type");
    setup.harness.break_chat();
    assert_problem(&setup.deliver(&event).await, 503, "server_error");
    setup.harness.fix_chat().await;
    assert_eq!(setup.deliver(&event).await.status, 200);
    setup.harness.chat.take_message();
    assert!(sink.is_empty());
    setup.finish();
}

#[tokio::test]
async fn an_account_without_permission_and_a_rate_limit_are_tried_again() {
    let setup = Setup::start().await;
    let event = setup.kept().await;
    for (status, expected, reason) in [(401, 503, "unauthorized"), (403, 503, "forbidden")] {
        setup.harness.fix_chat().await;
        setup
            .harness
            .chat
            .inject_fault_always(Route::SendMessage, Fault::Status(status));
        setup
            .harness
            .chat
            .inject_fault_always(Route::CreateDirectMessage, Fault::Status(status));
        let answer = setup.deliver(&event).await;
        assert_problem(&answer, expected, reason);
    }
    setup.harness.fix_chat().await;
    let reset_in = Duration::from_hours(1);
    let limited = Fault::RateLimited { reset_in };
    let chat = &setup.harness.chat;
    chat.inject_fault_always(Route::SendMessage, limited);
    assert_problem(&setup.deliver(&event).await, 429, "rate_limited");
    setup.harness.fix_chat().await;
    assert_eq!(setup.deliver(&event).await.status, 200);
    setup.harness.chat.take_message();
    setup.finish();
}

#[tokio::test]
async fn events_carry_the_trace_and_the_attributes_of_the_configuration() {
    let overrides = r#"{"extensions":{"team":"rockets"}}"#;
    let setup = Setup::with(&[("K_CE_OVERRIDES", overrides)]).await;
    setup.harness.break_chat();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = setup.handed_off(&push().header("traceparent", trace)).await;
    assert_eq!(event.attribute("team"), Some("rockets"));
    let parent = event.attribute("traceparent").expect("has a parent");
    assert!(
        parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
        "{parent}"
    );
    setup.finish();
}

#[tokio::test]
async fn wrong_settings_are_reported_together() {
    let chat = FakeRocketChat::start().await;
    let settings = [
        ("SINK_URL", "http://one.example.org/"),
        ("K_SINK", "http://two.example.org/"),
        ("K_CE_OVERRIDES", r#"{"extensions":{"id":"1"}}"#),
        ("DELIVERY_TIMEOUT_SECONDS", "1"),
    ];
    let mut all = crate::harness::settings(&chat);
    all.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let output = crate::harness::program(&all).output().expect("runs");
    let text = String::from_utf8_lossy(&output.stderr);
    insta::assert_snapshot!(text, @r##"
        webhook-app: invalid configuration: 3 errors, 2 warnings
        - SINK_URL: expected the same address as in K_SINK, found another one; remove SINK_URL
        - K_CE_OVERRIDES: expected names of extensions of 1 to 20 lower-case letters and digits that are not attributes of the event itself, found "{\"extensions\":{\"id\":\"1\"}}"
        - DELIVERY_TIMEOUT_SECONDS: expected at least 2 with SINK_URL, because the last second is for the broker
        - warning: SINK_URL starts with http://, so messages that are handed off can be read on the way; use https://, or an address within the cluster
        - warning: SINK_URL: is set without MESSAGE_ID_SECRET, so a new ROCKETCHAT_AUTH_TOKEN makes the messages in the broker undeliverable; set MESSAGE_ID_SECRET
        see webhook-app --help for all settings
        "##);
}

#[tokio::test]
async fn a_fix_that_comes_back_before_its_failure_waits_for_it() {
    let rule = "rules: [{event: pipeline, status: [failed, fixed], to: '@alice'}]";
    let setup = Setup::with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rule)]).await;
    setup.harness.break_chat();
    let failure = setup.handed_off(&pipeline("failed")).await;
    let fix = setup.handed_off(&pipeline("success")).await;
    setup.harness.fix_chat().await;
    assert_problem(&setup.deliver(&fix).await, 503, "early_fix");
    assert_eq!(setup.deliver(&failure).await.status, 200);
    assert!(
        setup
            .harness
            .chat
            .take_message()
            .text
            .contains(" failed on ")
    );
    assert_eq!(setup.deliver(&fix).await.status, 200);
    assert!(
        setup
            .harness
            .chat
            .take_message()
            .text
            .contains(" passed again on ")
    );
    setup.finish();
}

#[tokio::test]
async fn a_live_pipeline_shows_its_last_state_in_whatever_order_its_events_come_back() {
    let setup = Setup::with(&[("LIVE_PIPELINES", "true")]).await;
    setup.harness.break_chat();
    let running = setup.handed_off(&pipeline("running")).await;
    let passed = setup.handed_off(&pipeline("success")).await;
    assert_ne!(running.attribute("id"), passed.attribute("id"));
    setup.harness.fix_chat().await;
    assert_eq!(setup.deliver(&passed).await.status, 200);
    let message = setup.harness.chat.take_message();
    assert_eq!(setup.deliver(&running).await.status, 200);
    let stored = setup.harness.chat.messages();
    let stored = stored.iter().find(|stored| stored.id == message.id);
    assert!(stored.is_some_and(|stored| stored.text.contains(" passed on ")));
    setup.finish();
}

/// A pipeline for one commit, which is running or has ended.
fn pipeline(status: &str) -> Delivery {
    let mut body = crate::routing::example("pipeline");
    let attributes = &mut body["object_attributes"];
    attributes["status"] = json!(status);
    if status == "running" {
        attributes["finished_at"] = json!(null);
    }
    recorded("Pipeline Hook", &body.to_string())
}
