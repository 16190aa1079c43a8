//! Exactly one message per delivery, whatever is lost, repeated or concurrent.

use std::time::{Duration, Instant};

use fakes::exchange::Response;
use fakes::rocketchat::{FakeRocketChat, Fault, Route};

use crate::harness::{Function, Harness, assert_delivered, assert_problem, push};

/// Asserts that the message of a delivery is stored once and that the response contains its id.
#[track_caller]
fn assert_one_message(chat: &FakeRocketChat, answer: &Response) {
    assert_delivered(answer);
    let message = chat.take_message();
    assert_eq!(answer.json()["message_id"], *message.id);
    assert_eq!(chat.inserts(&message.id), 1);
}

#[tokio::test]
async fn a_redelivery_sends_nothing_and_gets_the_same_response() {
    let harness = Harness::start().await;
    let delivery = push();
    let first = harness.post(&delivery).await;
    assert_one_message(&harness.chat, &first);
    let again = harness.post(&delivery).await;
    assert_eq!((again.status, again.json()), (200, first.json()));
    harness.finish();
}

#[tokio::test]
async fn a_restarted_function_recognises_a_redelivery() {
    let harness = Harness::start().await;
    let delivery = push();
    let first = harness.post(&delivery).await;
    assert_one_message(&harness.chat, &first);
    let other = Function::start(&harness.chat, &[]);
    let again = other.post(&delivery).await;
    assert_eq!((again.status, again.json()), (200, first.json()));
    other.finish(harness.chat.auth_token());
    harness.finish();
}

#[tokio::test]
async fn a_response_lost_after_the_insert_neither_loses_nor_duplicates_the_message() {
    let lost = [
        Fault::ResetAfter {
            bytes: 0,
            insert: true,
        },
        Fault::ResetAfter {
            bytes: 1,
            insert: true,
        },
        Fault::ResetAfter {
            bytes: 20,
            insert: true,
        },
        Fault::ResetAfter {
            bytes: 200,
            insert: true,
        },
        Fault::HangUp { insert: true },
        Fault::HalfClose,
        Fault::CloseAfterResponse,
        Fault::Slow {
            delay: Duration::from_secs(30),
            insert_first: true,
        },
        Fault::InsertThenStatus(500),
        Fault::InsertThenStatus(502),
        Fault::InsertThenStatus(504),
        Fault::InsertThenStatus(408),
        Fault::InsertThenStatus(400),
        Fault::Truncated,
        Fault::NonUtf8,
        Fault::Huge,
        Fault::LosesRace,
    ];
    for fault in lost {
        println!("{fault:?}");
        let harness = Harness::start().await;
        harness.chat.inject_fault(Route::SendMessage, fault);
        let answer = harness.post(&push()).await;
        assert_one_message(&harness.chat, &answer);
        harness.finish();
    }
}

#[tokio::test]
async fn ten_replicas_with_the_same_delivery_send_one_message() {
    let chat = FakeRocketChat::start().await;
    let replicas: Vec<_> = (0..10).map(|_| Function::start(&chat, &[])).collect();
    let delivery = push();
    let mut posts = tokio::task::JoinSet::new();
    for replica in &replicas {
        let (delivery, url) = (delivery.clone(), replica.url("/webhook"));
        posts.spawn(async move { delivery.post_to(&url).await });
    }
    let answers = posts.join_all().await;
    let message = chat.take_message();
    for answer in answers {
        assert_delivered(&answer);
        assert_eq!(answer.json()["message_id"], *message.id);
    }
    assert_eq!(chat.inserts(&message.id), 1);
    for replica in replicas {
        replica.finish(chat.auth_token());
    }
    chat.finish();
}

#[tokio::test]
async fn two_concurrent_inserts_store_one_message() {
    let harness = Harness::start().await;
    harness.chat.inject_fault(Route::SendMessage, Fault::Race);
    harness.chat.inject_fault(Route::SendMessage, Fault::Race);
    let delivery = push();
    let (one, two) = tokio::join!(harness.post(&delivery), harness.post(&delivery));
    assert_one_message(&harness.chat, &one);
    assert_eq!((two.status, two.json()), (200, one.json()));
    harness.finish();
}

#[tokio::test]
async fn the_message_is_looked_up_after_any_duplicate_error() {
    for text in [
        "E11000 duplicate key error",
        "unknown-error",
        "",
        "a text of a later version",
    ] {
        let harness = Harness::start().await;
        let delivery = push();
        assert_one_message(&harness.chat, &harness.post(&delivery).await);
        harness
            .chat
            .inject_fault(Route::SendMessage, Fault::DuplicateText(text.to_owned()));
        assert_delivered(&harness.post(&delivery).await);
        harness.finish();
    }
}

#[tokio::test]
async fn a_message_by_another_user_under_the_same_id_is_not_a_delivery() {
    for same_room in [true, false] {
        let harness = Harness::start().await;
        let fault = Fault::TakenBy {
            user: "bob",
            same_room,
        };
        harness.chat.inject_fault(Route::SendMessage, fault.clone());
        let delivery = push();
        let answer = harness.post(&delivery).await;
        assert_one_message(&harness.chat, &answer);
        assert_eq!(harness.post(&delivery).await.json(), answer.json());
        harness.chat.inject_fault_always(Route::SendMessage, fault);
        assert_problem(&harness.post(&push()).await, 503, "id_taken");
        harness.chat.mark_all_read();
        harness.finish();
    }
}

#[tokio::test]
async fn a_failed_delivery_is_sent_once_when_it_is_redelivered() {
    let harness = Harness::start().await;
    let delivery = push();
    harness
        .chat
        .inject_fault_always(Route::SendMessage, Fault::Status(503));
    assert_problem(&harness.post(&delivery).await, 503, "server_error");
    harness.chat.clear_faults();
    assert_one_message(&harness.chat, &harness.post(&delivery).await);
    assert_delivered(&harness.post(&delivery).await);
    harness.finish();
}

#[tokio::test]
async fn an_unreachable_chat_server_is_reported_before_the_deadline() {
    let harness = Harness::with(&[("ROCKETCHAT_URL", "http://127.0.0.1:9")]).await;
    let started = Instant::now();
    let answer = harness.post(&push()).await;
    assert_problem(&answer, 503, "connection_refused");
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert!(
        started.elapsed() < Duration::from_millis(5500),
        "{:?}",
        started.elapsed()
    );
    harness.finish();
}
