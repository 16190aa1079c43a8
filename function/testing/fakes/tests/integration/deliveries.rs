//! Deliveries of the fake GitLab: headers, signatures and posting.

use std::process::Command;

use fakes::gitlab::{Delivery, SAMPLE_KEY, SAMPLE_SHA, sign};
use fakes::rocketchat::FakeRocketChat;

fn value(delivery: &Delivery, name: &str) -> Option<String> {
    let headers = delivery.headers();
    let found = headers
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| String::from_utf8(value).expect("text"))
}

#[test]
fn a_sample_carries_what_gitlab_sends() {
    let delivery = Delivery::push_sample().id("one");

    let cases = [
        ("Content-Type", "application/json"),
        ("User-Agent", "GitLab/19.3.0"),
        ("Idempotency-Key", "one"),
        ("webhook-id", "one"),
        ("X-Gitlab-Event", "Push Hook"),
        ("Connection", "close"),
    ];
    for (name, expected) in cases {
        assert_eq!(value(&delivery, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(value(&delivery, "webhook-signature"), None);
    assert_eq!(value(&delivery, "X-Gitlab-Token"), None);
    let body: serde_json::Value =
        serde_json::from_slice(delivery.body()).expect("the sample is JSON");
    assert_eq!(body["checkout_sha"], SAMPLE_SHA);
}

#[test]
fn the_signature_covers_id_timestamp_and_body() {
    let delivery = Delivery::new("Push Hook", "{}")
        .id("one")
        .at(1_781_200_000)
        .signed_with(SAMPLE_KEY);

    let signed = value(&delivery, "webhook-signature").expect("a signature");

    assert_eq!(signed, sign(SAMPLE_KEY, "one", "1781200000", b"{}"));
    for other in [
        delivery.clone().id("two"),
        delivery.clone().at(1_781_200_001),
        delivery.clone().with_body("{ }"),
    ] {
        assert_ne!(value(&other, "webhook-signature").as_ref(), Some(&signed));
    }
}

#[test]
fn key_rotation_gives_two_signatures() {
    let other = "whsec_HxAeHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE=";
    let delivery = Delivery::push_sample()
        .signed_with(SAMPLE_KEY)
        .signed_with(other);

    let signatures = value(&delivery, "webhook-signature").expect("signatures");

    let signatures: Vec<_> = signatures.split(' ').collect();
    assert_eq!(signatures.len(), 2);
    assert!(signatures.iter().all(|one| one.starts_with("v1,")));
}

#[test]
fn a_resend_keeps_the_key_and_changes_the_attempt() {
    let delivery = Delivery::push_sample();

    let keys = [(); 2].map(|()| value(&delivery, "Idempotency-Key"));
    let attempts = [(); 2].map(|()| value(&delivery, "X-Gitlab-Webhook-UUID"));

    assert_eq!(keys[0], keys[1]);
    assert_ne!(attempts[0], attempts[1]);
}

#[test]
fn headers_can_be_added_and_removed() {
    let delivery = Delivery::push_sample()
        .token("secret")
        .header("X-Gitlab-Token", "other")
        .without("user-agent");

    let headers = delivery.headers();
    let tokens: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name == "X-Gitlab-Token")
        .map(|(_, value)| value.as_slice())
        .collect();

    assert_eq!(tokens, [b"secret".as_slice(), b"other"]);
    assert_eq!(value(&delivery, "User-Agent"), None);
}

#[tokio::test]
async fn a_post_returns_the_response() {
    let chat = FakeRocketChat::start().await;
    chat.expect_violation();

    let url = format!("{}/api/v1/webhook", chat.url());
    let response = Delivery::push_sample().post_to(&url).await;

    assert_eq!(response.status, 404);
    assert_eq!(response.json()["error"], "Resource not found");
    chat.finish();
}

#[test]
fn the_curl_command_is_quoted_for_a_shell() {
    let delivery = Delivery::push_sample().token("it's $HOME");

    let command = delivery.curl("http://127.0.0.1:8080/webhook");

    // A shell function named curl prints the arguments instead of sending them.
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{command}");
    let output = Command::new("sh").args(["-c", &script]).output();
    let output = output.expect("a shell").stdout;
    let seen = String::from_utf8(output).expect("text");
    assert!(seen.contains("\nX-Gitlab-Token: it's $HOME\n"), "{seen}");
    assert!(
        seen.contains("\"description\": \"It's a rocket\""),
        "{seen}"
    );
    let body = String::from_utf8_lossy(delivery.body());
    assert!(seen.contains(&*body), "{seen}");
}
