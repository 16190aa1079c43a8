//! Rejected requests: failed verification, unusable bodies, unknown paths. None of them sends a message.

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;

use crate::harness::{Function, Harness, TOKEN, assert_delivered, assert_problem, push, recorded};

/// A valid key that the function does not know.
const OTHER_KEY: &str = "whsec_Y2FuYXJ5LWtleS1jYW5hcnkta2V5LWNhbmFyeS1rZXk=";

fn with_token(token: &str) -> Delivery {
    Delivery::push_sample().token(token)
}

#[tokio::test]
async fn a_webhook_without_a_valid_signature_is_rejected() {
    let harness = Harness::start().await;
    let body = Delivery::push_sample().body().to_vec();
    let cases = [
        ("no signature", Delivery::push_sample(), "missing_signature"),
        ("a token instead", with_token(TOKEN), "missing_signature"),
        (
            "another key",
            Delivery::push_sample().signed_with(OTHER_KEY),
            "wrong_signature",
        ),
        (
            "no timestamp",
            push().without("webhook-timestamp"),
            "bad_timestamp",
        ),
        ("no id", push().without("webhook-id"), "bad_id"),
        (
            "another id",
            push().without("webhook-id").header("webhook-id", "other"),
            "wrong_signature",
        ),
        ("too old", push().at(1_700_000_000), "stale"),
        ("in the future", push().at(99_999_999_999), "stale"),
        ("below zero", push().at(i64::MIN), "bad_timestamp"),
        (
            "two signatures headers",
            push().header("webhook-signature", "v1,AAAA"),
            "repeated_header",
        ),
        (
            "two ids",
            push().header("webhook-id", "other"),
            "repeated_header",
        ),
        (
            "another version",
            push()
                .without("webhook-signature")
                .header("webhook-signature", "v2,AAAA"),
            "unusable_signature",
        ),
        (
            "not base64",
            push()
                .without("webhook-signature")
                .header("webhook-signature", "v1,!"),
            "unusable_signature",
        ),
        (
            "not text",
            push()
                .without("webhook-signature")
                .header("webhook-signature", [0xff, 0xfe]),
            "unusable_signature",
        ),
        (
            "not UTF-8 id",
            push().without("webhook-id").header("webhook-id", [0xff]),
            "bad_id",
        ),
    ];
    for (case, delivery, reason) in cases {
        println!("{case}");
        assert_problem(&harness.post(&delivery).await, 401, reason);
    }
    let mut forged = body;
    forged.push(b' ');
    let signed = push();
    let headers = signed.headers();
    let answer =
        fakes::exchange::exchange("POST", &harness.function.url("/webhook"), &headers, &forged)
            .await;
    assert_problem(&answer.expect("is answered"), 401, "wrong_signature");
    harness.finish();
}

/// The detail of a rejection, which never contains what was sent.
async fn detail(harness: &Harness, delivery: &Delivery, reason: &str) -> String {
    let answer = harness.post(delivery).await;
    assert_problem(&answer, 401, reason);
    assert!(!answer.text().contains("canary"), "{}", answer.text());
    answer.json()["detail"]
        .as_str()
        .expect("is text")
        .to_owned()
}

#[tokio::test]
async fn the_detail_of_a_rejection_differs_by_its_reason() {
    let harness = Harness::start().await;
    let other = Delivery::push_sample().signed_with(OTHER_KEY);
    let stale = detail(&harness, &push().at(1_700_000_000), "stale").await;
    assert!(
        stale.contains("found 2023-11-14T22:13:20Z, which is "),
        "{stale}"
    );
    assert!(
        stale.contains(" s behind: the clock here shows 20"),
        "{stale}"
    );
    insta::assert_snapshot!(detail(&harness, &other, "wrong_signature").await, @"no key of GITLAB_SIGNING_KEYS made this signature; set the signing token of the webhook there, and check that no proxy changes the body");
    insta::assert_snapshot!(detail(&harness, &with_token("canary"), "missing_signature").await, @"expected a signature, found only X-Gitlab-Token; set the signing token of the webhook in GitLab (19.0 and later), or set GITLAB_WEBHOOK_TOKENS instead of GITLAB_SIGNING_KEYS");
    insta::assert_snapshot!(detail(&harness, &Delivery::push_sample(), "missing_signature").await, @"expected webhook-id, webhook-timestamp and webhook-signature, found no signature; set the signing token of the webhook in GitLab (19.0 and later)");
    harness.finish();

    let harness = Harness::with(&[
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", TOKEN),
    ])
    .await;
    insta::assert_snapshot!(detail(&harness, &push(), "missing_token").await, @"expected X-Gitlab-Token, found none, but it carries a signature: set GITLAB_SIGNING_KEYS to the signing token of the webhook instead of GITLAB_WEBHOOK_TOKENS");
    insta::assert_snapshot!(detail(&harness, &Delivery::push_sample(), "missing_token").await, @"expected X-Gitlab-Token with one of GITLAB_WEBHOOK_TOKENS, found none; set the secret token of the webhook in GitLab");
    insta::assert_snapshot!(detail(&harness, &with_token("canary"), "wrong_token").await, @"X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS; set one of them as the secret token of the webhook in GitLab");
    harness.finish();
}

#[tokio::test]
async fn a_webhook_with_a_token_that_contains_spaces_is_accepted() {
    let token = "a secret with spaces";
    let chat = FakeRocketChat::start().await;
    let settings = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", token),
    ];
    let function = Function::start(&chat, &settings);
    assert_delivered(&function.post(&with_token(token)).await);
    let half = function.post(&with_token("a secret with")).await;
    assert_problem(&half, 401, "wrong_token");
    chat.mark_all_read();
    let lines = function.finish(chat.auth_token());
    assert!(!lines.join("\n").contains(token), "{lines:?}");
    chat.finish();
}

#[tokio::test]
async fn a_token_that_the_setting_splits_at_its_comma_is_explained() {
    let tokens = format!("{TOKEN},rest-of-the-canary-token");
    let settings = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", &*tokens),
    ];
    let harness = Harness::with(&settings).await;
    let split = detail(&harness, &with_token(&tokens), "wrong_token").await;
    insta::assert_snapshot!(split, @"X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS: it contains a comma, and the setting is split at commas; write each token on its own line, or use GITLAB_WEBHOOK_TOKENS_FILE");
    let other = detail(&harness, &with_token("canary,other"), "wrong_token").await;
    assert!(!other.contains("comma"), "{other}");
    harness.finish();

    // With a line break, the same value is also one token.
    let line = format!("{tokens}\n");
    let [keys, _] = settings;
    let harness = Harness::with(&[keys, ("GITLAB_WEBHOOK_TOKENS", &line)]).await;
    for token in [&*tokens, TOKEN] {
        assert_delivered(&harness.post(&with_token(token)).await);
        harness.chat.take_message();
    }
    let other = format!("{TOKEN},another-canary");
    insta::assert_snapshot!(detail(&harness, &with_token(&other), "wrong_token").await, @"X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS: it contains a comma, and the only line of the setting is split at commas; write each token on its own line");
    harness.finish();

    let halves = format!("{TOKEN}\nanother-canary-token");
    let harness = Harness::with(&[keys, ("GITLAB_WEBHOOK_TOKENS", &halves)]).await;
    insta::assert_snapshot!(detail(&harness, &with_token(&tokens), "wrong_token").await, @"X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS: it contains a comma, and the setting has only the part before or after one; write the whole token on its line");
    harness.finish();

    let lines = format!("{tokens}\nanother-canary-token");
    let harness = Harness::with(&[keys, ("GITLAB_WEBHOOK_TOKENS", &lines)]).await;
    assert_delivered(&harness.post(&with_token(&tokens)).await);
    harness.chat.take_message();
    let half = detail(&harness, &with_token(TOKEN), "wrong_token").await;
    assert!(!half.contains("comma"), "{half}");
    harness.finish();
}

#[tokio::test]
async fn any_configured_key_is_accepted() {
    let keys = format!("{OTHER_KEY},\n{SAMPLE_KEY}");
    let harness = Harness::with(&[("GITLAB_SIGNING_KEYS", &keys)]).await;
    for key in [SAMPLE_KEY, OTHER_KEY] {
        assert_delivered(
            &harness
                .post(&Delivery::push_sample().signed_with(key))
                .await,
        );
        harness.chat.take_message();
    }
    let both = Delivery::push_sample()
        .signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        .signed_with(OTHER_KEY);
    assert_delivered(&harness.post(&both).await);
    harness.chat.take_message();
    harness.finish();
}

#[tokio::test]
async fn a_webhook_without_a_valid_token_is_rejected() {
    let tokens = format!("old-{TOKEN},{TOKEN}");
    let harness = Harness::with(&[
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", &tokens),
    ])
    .await;
    let near_miss = &TOKEN[..TOKEN.len() - 1];
    let cases = [
        ("none", Delivery::push_sample(), "missing_token"),
        ("empty", with_token(""), "wrong_token"),
        ("near miss", with_token(near_miss), "wrong_token"),
        ("longer", with_token(&format!("{TOKEN}x")), "wrong_token"),
        (
            "other case",
            with_token(&TOKEN.to_uppercase()),
            "wrong_token",
        ),
        ("huge", with_token(&"x".repeat(8000)), "wrong_token"),
        (
            "not UTF-8",
            Delivery::push_sample().token([0xff, 0xfe]),
            "wrong_token",
        ),
        (
            "twice",
            with_token(TOKEN).header("X-Gitlab-Token", TOKEN),
            "repeated_header",
        ),
        ("a signature instead", push(), "missing_token"),
    ];
    for (case, delivery, reason) in cases {
        println!("{case}");
        assert_problem(&harness.post(&delivery).await, 401, reason);
    }
    for token in [TOKEN, &format!("old-{TOKEN}")] {
        assert_delivered(&harness.post(&with_token(token)).await);
        harness.chat.take_message();
    }
    harness.finish();
}

#[tokio::test]
async fn with_accept_token_too_a_token_suffices_but_a_wrong_signature_is_rejected() {
    let settings = [
        ("GITLAB_WEBHOOK_TOKENS", TOKEN),
        ("ACCEPT_TOKEN_TOO", "true"),
    ];
    let harness = Harness::with(&settings).await;
    for delivery in [
        push(),
        with_token(TOKEN),
        push().token(TOKEN),
        push().token("wrong"),
    ] {
        assert_delivered(&harness.post(&delivery).await);
        harness.chat.take_message();
    }
    let forged = Delivery::push_sample().signed_with(OTHER_KEY).token(TOKEN);
    assert_problem(&harness.post(&forged).await, 401, "wrong_signature");
    assert_problem(
        &harness.post(&with_token("wrong")).await,
        401,
        "wrong_token",
    );
    harness.finish();
}

#[tokio::test]
async fn without_authentication_every_webhook_is_accepted_and_the_log_warns() {
    let harness = Harness::with(&[
        ("GITLAB_SIGNING_KEYS", ""),
        ("ALLOW_UNAUTHENTICATED", "true"),
    ])
    .await;
    assert_delivered(&harness.post(&Delivery::push_sample()).await);
    harness.chat.take_message();
    let output = harness.finish();
    assert!(
        output
            .iter()
            .any(|line| line.contains("every client that can connect can send messages")),
        "{output:#?}"
    );
}

#[tokio::test]
async fn a_webhook_without_an_idempotency_key_is_rejected_unless_allowed() {
    let token_mode = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", TOKEN),
    ];
    let keyless = with_token(TOKEN)
        .without("Idempotency-Key")
        .without("webhook-id");
    let harness = Harness::with(&token_mode).await;
    assert_problem(&harness.post(&keyless).await, 400, "missing_key");
    harness.finish();

    let [one, two] = token_mode;
    let harness = Harness::with(&[one, two, ("ACCEPT_MISSING_IDEMPOTENCY_KEY", "true")]).await;
    let first = harness.post(&keyless).await;
    assert_delivered(&first);
    harness.chat.take_message();
    assert_eq!(
        harness.post(&keyless).await.json()["message_id"],
        first.json()["message_id"],
        "the same content gives the same key"
    );
    harness.finish();
}

#[tokio::test]
async fn only_json_is_accepted() {
    let harness = Harness::start().await;
    let typed = |media_type: &str| {
        push()
            .without("Content-Type")
            .header("Content-Type", media_type)
    };
    for rejected in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        assert_problem(&harness.post(&typed(rejected)).await, 415, "media_type");
    }
    assert_problem(
        &harness.post(&push().without("Content-Type")).await,
        415,
        "media_type",
    );
    for encoding in ["gzip", "br", "gzip, identity"] {
        let answer = harness
            .post(&push().header("Content-Encoding", encoding))
            .await;
        assert_problem(&answer, 415, "content_encoding");
    }
    assert_delivered(
        &harness
            .post(&typed("Application/JSON; charset=utf-8"))
            .await,
    );
    harness.chat.take_message();
    harness.finish();
}

#[tokio::test]
async fn an_invalid_body_is_rejected_with_the_position_of_the_error() {
    let harness = Harness::start().await;
    let cases = [
        ("", "not_json", "line 1, column 0"),
        ("{", "not_json", "line 1, column 1"),
        ("{\"object_kind\":\"push\"", "not_json", "line 1, column 21"),
        ("{} x", "not_json", "line 1, column 4"),
        (r#"{"object_kind":7}"#, "unexpected_body", "`object_kind`"),
        (
            r#"{"object_kind":"push","object_kind":"push"}"#,
            "unexpected_body",
            "field",
        ),
        (r#"{"object_kind":"push"}"#, "unexpected_body", "`ref`"),
        (
            r#"{"object_kind":"push","ref":"refs/heads/main"}"#,
            "unexpected_body",
            "`project`",
        ),
        (
            r#"{"object_kind":"push","ref":"refs/heads/main","after":"main"}"#,
            "unexpected_body",
            "`after`",
        ),
        (
            r#"{"object_kind":"push","commits":[{"id":1}]}"#,
            "unexpected_body",
            "`commits[0].id`",
        ),
    ];
    // The header is a hint index the kind and does not change the result.
    let hooks = ["Push Hook", "System Hook"];
    for (hook, (body, reason, position)) in hooks
        .into_iter()
        .flat_map(|hook| cases.map(|case| (hook, case)))
    {
        println!("{hook} {body}");
        let answer = harness.post(&recorded(hook, body)).await;
        assert_problem(&answer, 400, reason);
        assert!(
            answer.json()["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains(position)),
            "{}",
            answer.text()
        );
    }
    let not_utf8 =
        push().with_body([b"{\"object_kind\":\"push\",\"x\":\"", &b"\xff"[..], b"\"}"].concat());
    assert_problem(&harness.post(&not_utf8).await, 400, "not_json");
    harness.finish();
}

#[tokio::test]
async fn unknown_paths_and_methods_are_rejected_and_never_redirected() {
    let harness = Harness::start().await;
    for path in [
        "/webhook//",
        "/webhooks",
        "/metrics/x",
        "/healthz/",
        "/a/b",
        "//",
    ] {
        assert_problem(
            &harness.function.request("GET", path).await,
            404,
            "unknown_path",
        );
    }
    for method in [
        "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW",
    ] {
        let answer = harness.function.request(method, "/webhook").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
    }
    assert_problem(&harness.function.request("PUT", "/").await, 405, "method");
    let index = harness.function.request("GET", "/").await;
    assert_eq!(
        (index.status, index.text().lines().count()),
        (200, 1),
        "{}",
        index.text()
    );
    assert!(
        index.text().contains(env!("CARGO_PKG_VERSION")),
        "{}",
        index.text()
    );
    harness.finish();
}
