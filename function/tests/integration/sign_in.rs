//! The check of the credentials after startup, and the log line that says what was started.

use std::time::{Duration, Instant};

use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::Value;

use crate::harness::{Function, Harness, Setting, TOKEN};

const FAILED: &str = "failed to sign in to Rocket.Chat";

/// Asks for other things until a log line contains `text`.
async fn wait_for(function: &Function, text: &str) {
    let started = Instant::now();
    let is_logged = || function.output().iter().any(|line| line.contains(text));
    while !is_logged() && started.elapsed() < Duration::from_secs(20) {
        let _ = function.request("GET", "/healthz").await;
    }
    assert!(is_logged(), "{:#?}", function.output());
}

#[tokio::test]
async fn a_wrong_token_is_a_warning_before_the_first_webhook() {
    let chat = FakeRocketChat::start().await;
    let function = Function::start(&chat, &[("ROCKETCHAT_AUTH_TOKEN", "canary-wrong")]);
    wait_for(&function, FAILED).await;
    assert_eq!(function.request("GET", "/readyz").await.status, 200);
    let output = function.finish(chat.auth_token());
    let warnings: Vec<_> = output.iter().filter(|line| line.contains(FAILED)).collect();
    assert_eq!(warnings.len(), 1, "{output:#?}");
    let warning: Value = serde_json::from_str(warnings[0]).expect("is JSON");
    assert_eq!(
        (&warning["level"], &warning["reason"]),
        (&"warn".into(), &"unauthorized".into())
    );
    assert!(!warnings[0].contains("canary"), "{}", warnings[0]);
    chat.finish();
}

#[tokio::test]
async fn only_a_process_that_lives_long_signs_in_after_startup() {
    let nobody = ("ROCKETCHAT_RECIPIENT", "nobody");
    // The look-up of the recipient marks the time at which the account would have been checked.
    let checked = "a recipient in the configuration cannot receive messages";
    let cases: [(&[Setting], usize); 3] = [
        (&[nobody], 1),
        (&[nobody, ("K_SERVICE", "webhook-app")], 0),
        (&[nobody, ("ACCEPT_CLOUDEVENTS", "true")], 0),
    ];
    for (settings, calls) in cases {
        let chat = FakeRocketChat::start().await;
        let function = Function::start(&chat, settings);
        if calls > 0 {
            wait_for(&function, "signed in to Rocket.Chat").await;
        }
        wait_for(&function, checked).await;
        assert_eq!(chat.calls(Route::Me), calls, "{settings:?}");
        function.finish(chat.auth_token());
        chat.finish();
    }
}

#[tokio::test]
async fn the_first_log_line_says_where_webhooks_arrive_and_where_messages_go() {
    let rules = ("ROUTES", "rules: [{to: '@alice'}, {to: '@bob'}]");
    let cases: [(&[Setting], Value, Value, &str); 2] = [
        (&[], "@alice".into(), Value::Null, "signature"),
        (
            &[
                ("ROCKETCHAT_RECIPIENT", ""),
                rules,
                ("GITLAB_SIGNING_KEYS", ""),
                ("GITLAB_WEBHOOK_TOKENS", TOKEN),
            ],
            Value::Null,
            2.into(),
            "token",
        ),
    ];
    for (settings, recipient, rules, scheme) in cases {
        let harness = Harness::with(settings).await;
        let url = format!("{}/", harness.chat.url());
        let output = harness.finish();
        let lines = output
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut lines = lines.filter(|line: &Value| line["message"] == "listening");
        let line = lines.next().expect("is logged");
        let port = line["port"].to_string();
        let address = line["address"].as_str().unwrap_or_default();
        assert!(address.ends_with(&format!(":{port}")), "{line}");
        assert_eq!(line["path"], "/webhook");
        assert_eq!(line["rocketchat"], url);
        assert_eq!(
            (&line["recipient"], &line["rules"]),
            (&recipient, &rules),
            "{line}"
        );
        assert_eq!(line["scheme"], scheme);
    }
}
