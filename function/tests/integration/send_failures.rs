//! Failures of the chat server and the response to GitLab for each, on real sockets.

use std::time::{Duration, Instant};

use fakes::rocketchat::{FakeRocketChat, Fault, Route};

use crate::harness::{Function, Harness, assert_delivered, assert_problem, push};

/// Posts one webhook while every call to `route` fails; returns status, reason, retry-after and the number of calls.
async fn response_to(route: Route, fault: Fault) -> (u16, String, Option<String>, usize) {
    println!("{route:?} {fault:?}");
    let harness = Harness::with(&[("DELIVERY_TIMEOUT_SECONDS", "1")]).await;
    harness.chat.inject_fault_always(route, fault);
    let started = Instant::now();
    let answer = harness.post(&push()).await;
    assert!(
        started.elapsed() < Duration::from_millis(1500),
        "{:?}",
        started.elapsed()
    );
    let calls = harness.chat.calls(route);
    let retry_after = answer.header("retry-after").map(str::to_owned);
    let reason = answer.json()["reason"]
        .as_str()
        .expect("has a reason")
        .to_owned();
    assert_problem(&answer, 503, &reason);
    harness.finish();
    (answer.status, reason, retry_after, calls)
}

/// Asserts that there were so many calls. On a busy machine the time may be over before the last retry; `send_machine`
/// counts retries in virtual time.
fn assert_retried(called: usize, calls: usize) {
    let at_least = calls.min(2);
    assert!((at_least..=calls).contains(&called), "{called} of {calls}");
}

#[tokio::test]
async fn a_persistent_fault_is_reported_with_its_reason() {
    let minute = Duration::from_mins(1);
    let cases = [
        // Transient errors are retried twice in this time.
        (Fault::Status(500), "server_error", 3),
        (Fault::Status(502), "server_error", 3),
        (Fault::Status(503), "server_error", 3),
        (Fault::Status(504), "server_error", 3),
        (Fault::Status(408), "try_again", 3),
        (Fault::Status(425), "try_again", 3),
        (Fault::HangUp { insert: false }, "reset", 3),
        (
            Fault::ResetAfter {
                bytes: 0,
                insert: false,
            },
            "reset",
            3,
        ),
        (
            Fault::ResetAfter {
                bytes: 30,
                insert: false,
            },
            "reset",
            3,
        ),
        (Fault::NotJson, "unreadable", 3),
        (
            Fault::Slow {
                delay: minute,
                insert_first: false,
            },
            "timeout",
            1,
        ),
        // A proxy may send these during a rollout; in this time they are retried once.
        (Fault::Status(401), "unauthorized", 2),
        (Fault::Status(404), "not_found", 2),
        (Fault::Status(405), "not_found", 2),
        // Errors that an operator must fix are not retried.
        (Fault::Status(403), "forbidden", 1),
        (Fault::Status(413), "proxy_refused", 1),
        (
            Fault::Redirect("http://127.0.0.1:9/elsewhere".to_owned()),
            "redirected",
            1,
        ),
        (Fault::SuccessFalse, "refused", 1),
        (Fault::Status(400), "refused", 1),
        // A rate limit beyond the deadline is not waited for.
        (Fault::RateLimited { reset_in: minute }, "rate_limited", 1),
    ];
    for (fault, reason, calls) in cases {
        let (_, found, retry_after, called) = response_to(Route::SendMessage, fault).await;
        assert_eq!(found, reason);
        assert_retried(called, calls);
        let seconds: u64 = retry_after
            .expect("says when")
            .parse()
            .expect("is a number");
        let expected = if reason == "rate_limited" {
            58..=61
        } else {
            30..=30
        };
        assert!(expected.contains(&seconds), "{seconds}");
    }
}

#[tokio::test]
async fn a_room_that_cannot_be_created_is_reported_with_its_reason() {
    let cases = [
        (Fault::Status(503), "server_error", 3),
        (Fault::HangUp { insert: false }, "reset", 3),
        (Fault::Status(401), "unauthorized", 2),
        (Fault::Status(403), "forbidden", 1),
        // Simultaneous calls for a new room are refused, so these are repeated once.
        (Fault::Status(400), "refused", 2),
        (Fault::SuccessFalse, "refused", 2),
        (Fault::Status(404), "not_found", 2),
    ];
    for (fault, reason, calls) in cases {
        let (_, found, _, called) = response_to(Route::CreateDirectMessage, fault).await;
        assert_eq!(found, reason);
        assert_retried(called, calls);
    }
}

#[tokio::test]
async fn a_transient_fault_is_retried_and_the_webhook_is_delivered() {
    let second = Duration::from_secs(1);
    let passing = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(408),
        Fault::HangUp { insert: false },
        Fault::ResetAfter {
            bytes: 0,
            insert: false,
        },
        Fault::NotJson,
        Fault::RateLimited { reset_in: second },
        Fault::Status(401),
        Fault::Status(404),
        Fault::Slow {
            delay: second,
            insert_first: false,
        },
    ];
    for fault in passing {
        println!("{fault:?}");
        let harness = Harness::start().await;
        harness.chat.inject_fault(Route::SendMessage, fault);
        assert_delivered(&harness.post(&push()).await);
        harness.chat.take_message();
        harness.finish();
    }
}

#[tokio::test]
async fn retry_after_has_a_limit_whatever_the_rate_limit_announces() {
    let harness = Harness::start().await;
    let reset_in = Duration::from_hours(24 * 365);
    let limited = Fault::RateLimited { reset_in };
    harness
        .chat
        .inject_fault_always(Route::SendMessage, limited);
    let answer = harness.post(&push()).await;
    assert_problem(&answer, 503, "rate_limited");
    assert_eq!(answer.header("retry-after"), Some("3600"));
    harness.finish();
}

#[tokio::test]
async fn an_unknown_recipient_is_reported_with_advice() {
    let harness = Harness::with(&[("ROCKETCHAT_RECIPIENT", "nobody")]).await;
    harness.chat.expect_violation();
    let answer = harness.post(&push()).await;
    assert_problem(&answer, 503, "unreachable");
    assert!(
        answer.text().contains("does not exist on Rocket.Chat"),
        "{}",
        answer.text()
    );
    harness.finish();
}

#[tokio::test]
async fn no_message_is_sent_to_a_room_without_the_recipient() {
    let builder = FakeRocketChat::builder().drops_unknown_users();
    let chat = builder.start().await.expect("listens");
    let function = Function::start(&chat, &[("ROCKETCHAT_RECIPIENT", "nobody")]);
    assert_problem(&function.post(&push()).await, 503, "unreachable");
    assert_eq!(chat.calls(Route::SendMessage), 0);
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_wrong_auth_token_is_reported_and_not_shown() {
    let harness = Harness::with(&[("ROCKETCHAT_AUTH_TOKEN", "canary-wrong-token")]).await;
    harness.chat.expect_violation();
    let answer = harness.post(&push()).await;
    assert_problem(&answer, 503, "unauthorized");
    assert!(
        answer.text().contains("ROCKETCHAT_AUTH_TOKEN"),
        "{}",
        answer.text()
    );
    let output = harness.finish();
    assert!(
        !output
            .iter()
            .any(|line| line.contains("canary-wrong-token")),
        "{output:#?}"
    );
}

#[tokio::test]
async fn without_the_bot_role_the_limit_of_ten_messages_per_minute_is_reported() {
    let chat = FakeRocketChat::builder()
        .roles(&["user"])
        .start()
        .await
        .expect("listens");
    let function = Function::start(&chat, &[]);
    let mut delivered = 0;
    let mut limited = 0;
    for _ in 0..12 {
        let answer = function.post(&push()).await;
        if answer.status == 200 {
            delivered += 1;
        } else {
            assert_problem(&answer, 503, "rate_limited");
            assert!(answer.text().contains("role bot"), "{}", answer.text());
            limited += 1;
        }
    }
    assert_eq!((delivered, limited), (10, 2));
    chat.mark_all_read();
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_refusal_that_names_its_cause_is_reported_with_it() {
    for (text, label) in [
        ("room_is_blocked", "blocked_room"),
        ("You_have_been_muted", "muted_account"),
        ("room_is_archived", "archived_room"),
    ] {
        let chat = FakeRocketChat::start().await;
        let refusal = Fault::Response {
            status: 400,
            content_type: "application/json",
            body: format!(r#"{{"success":false,"error":"{text}"}}"#),
        };
        chat.inject_fault_always(Route::SendMessage, refusal);
        let function = Function::start(&chat, &[]);
        let answer = function.post(&push()).await;
        assert_problem(&answer, 503, "unreachable");
        assert!(answer.text().contains(text), "{}", answer.text());
        assert_eq!(chat.calls(Route::SendMessage), 1);
        let metrics = function.request("GET", "/metrics").await.text();
        let series = format!("webhook_recipients_unreachable_total{{reason=\"{label}\"}} 1\n");
        assert!(metrics.contains(&series), "{metrics}");
        let output = function.finish(chat.auth_token());
        assert!(output.iter().any(|line| line.contains(text)), "{output:#?}");
        chat.finish();
    }
}
