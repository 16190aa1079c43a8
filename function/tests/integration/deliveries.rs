//! Messages as the chat server stores them: one recorded payload per case, and the message it produces.

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use serde_json::Value;

use crate::harness::{Harness, assert_delivered, recorded};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/gitlab/", $name, ".json"))
    };
}

/// Posts a payload; returns the text of the message and the SHA in the response.
async fn deliver(event: &str, body: &str) -> (String, String) {
    let harness = Harness::start().await;
    let answer = harness.post(&recorded(event, body)).await;
    assert_delivered(&answer);
    let message = harness.chat.take_message();
    assert_eq!(message.id, answer.json()["message_id"]);
    assert_eq!(message.recipient, "alice");
    assert_eq!(message.mentions, [""; 0], "no user is mentioned");
    harness.finish();
    let sha = answer.json()["sha"].as_str().expect("is text").to_owned();
    (message.text, sha)
}

async fn text(event: &str, body: &str) -> String {
    deliver(event, body).await.0
}

#[tokio::test]
async fn a_push_message_names_the_commit_the_branch_and_the_user() {
    let (text, sha) = deliver("Push Hook", fixture!("push_with_more_commits_than_listed")).await;
    insta::assert_snapshot!(text, @r#"
        📥 [9c0abe51](https://gitlab.example.org/acme/rocket/-/commit/9c0abe51c6e6655d81de2d044d4fb194931f058c) · [23 commits](https://gitlab.example.org/acme/rocket/-/compare/b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74...9c0abe51c6e6655d81de2d044d4fb194931f058c) pushed to `main` in **acme/rocket** by Robin Example
        [9c0abe51](https://gitlab.example.org/acme/rocket/-/commit/9c0abe51c6e6655d81de2d044d4fb194931f058c) Light the engines in order · Kim Sample
        [d0f631ca](https://gitlab.example.org/acme/rocket/-/commit/d0f631ca1ddba8db3bcfcb9e057cdc98d0379f1b) Cool the nozzle first · Ada Příkladová
        [122c5970](https://gitlab.example.org/acme/rocket/-/commit/122c597083bd438b7f6d72af75d0259488996477) Order the fuel lines · Kim Sample
        and [20 more](https://gitlab.example.org/acme/rocket/-/compare/b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74...9c0abe51c6e6655d81de2d044d4fb194931f058c)
        "#);
    insta::assert_snapshot!(sha, @"9c0abe51c6e6655d81de2d044d4fb194931f058c");
}

#[tokio::test]
async fn a_push_of_one_commit_shows_its_title_and_author() {
    let harness = Harness::start().await;
    assert_delivered(&harness.post(&crate::harness::push()).await);
    insta::assert_snapshot!(harness.chat.take_message().text, @r#"
        📥 [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) pushed to `main` in **acme/rocket** by Robin Example
        Light the engines in order
        "#);
    harness.finish();
}

#[tokio::test]
async fn a_new_branch_is_called_new() {
    insta::assert_snapshot!(text("Push Hook", fixture!("push_of_a_new_branch")).await, @r#"
        🌱 [122c5970](https://gitlab.example.org/acme/rocket/-/commit/122c597083bd438b7f6d72af75d0259488996477) pushed as new branch `feature/landing-legs` in **acme/rocket** by Robin Example
        Order the fuel lines · Kim Sample
        "#);
}

#[tokio::test]
async fn a_new_branch_without_new_commits_shows_no_commit_count() {
    insta::assert_snapshot!(text("Push Hook", fixture!("push_of_a_new_branch_without_commits")).await, @"🌱 [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) pushed as new branch `release-2` in **acme/rocket** by Robin Example");
}

#[tokio::test]
async fn a_deleted_branch_shows_its_last_commit() {
    let (text, sha) = deliver("Push Hook", fixture!("push_that_deletes_a_branch")).await;
    insta::assert_snapshot!(text, @r#"
        🚮 Branch `feature/landing-legs` deleted in **acme/rocket** by Robin Example
        last commit [122c5970](https://gitlab.example.org/acme/rocket/-/commit/122c597083bd438b7f6d72af75d0259488996477)
        "#);
    insta::assert_snapshot!(sha, @"122c597083bd438b7f6d72af75d0259488996477");
}

#[tokio::test]
async fn a_branch_reset_to_an_older_commit_shows_no_commit_count() {
    insta::assert_snapshot!(text("Push Hook", fixture!("push_that_goes_back")).await, @r#"
        ⏪ [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) is now the head of `main` in **acme/rocket**, reset by Robin Example
        [what was taken back](https://gitlab.example.org/acme/rocket/-/compare/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b...b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74)
        "#);
}

#[tokio::test]
async fn a_sha256_repository_has_longer_commit_ids() {
    let (text, sha) = deliver("Push Hook", fixture!("push_in_a_sha256_repository")).await;
    insta::assert_snapshot!(text, @r#"
        📥 [a1fce436](https://gitlab.example.org/acme/rocket/-/commit/a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa) pushed to `main` in **acme/rocket** by Robin Example
        Count in bigger numbers · Kim Sample
        "#);
    assert_eq!(sha.len(), 64);
}

#[tokio::test]
async fn the_newest_commit_is_the_head_regardless_of_list_order() {
    insta::assert_snapshot!(text("Push Hook", fixture!("push_whose_head_is_not_listed_last")).await, @r#"
        📥 [9c0abe51](https://gitlab.example.org/acme/rocket/-/commit/9c0abe51c6e6655d81de2d044d4fb194931f058c) · [3 commits](https://gitlab.example.org/acme/rocket/-/compare/b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74...9c0abe51c6e6655d81de2d044d4fb194931f058c) pushed to `main` in **acme/rocket** by Robin Example
        [9c0abe51](https://gitlab.example.org/acme/rocket/-/commit/9c0abe51c6e6655d81de2d044d4fb194931f058c) Light the engines in order · Kim Sample
        [594e519a](https://gitlab.example.org/acme/rocket/-/commit/594e519ae499312b29433b7dd8a97ff068defcba) Merged from elsewhere
        [122c5970](https://gitlab.example.org/acme/rocket/-/commit/122c597083bd438b7f6d72af75d0259488996477) Order the fuel lines · Kim Sample
        "#);
}

#[tokio::test]
async fn missing_names_are_omitted() {
    insta::assert_snapshot!(text("Push Hook", fixture!("push_without_names")).await, @r#"
        📥 [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) pushed to `main` in **acme/rocket**
        Light the engines in order
        "#);
}

#[tokio::test]
async fn a_system_hook_is_identified_by_its_event_name() {
    insta::assert_snapshot!(text("System Hook", fixture!("system_hook_push_without_object_kind")).await, @r#"
        📥 [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) pushed to `main` in **acme/rocket** by Robin Example
        Light the engines in order
        "#);
}

#[tokio::test]
async fn an_annotated_tag_shows_the_commit_not_the_tag_object() {
    let (text, sha) = deliver("Tag Push Hook", fixture!("tag_push_of_an_annotated_tag")).await;
    insta::assert_snapshot!(text, @r#"
        🔖 [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) tagged `v2.0.0` in **acme/rocket** by Robin Example
        “Second stage”
        "#);
    insta::assert_snapshot!(sha, @"3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b");
}

#[tokio::test]
async fn a_lightweight_tag_has_no_message() {
    insta::assert_snapshot!(text("Tag Push Hook", fixture!("tag_push_of_a_lightweight_tag")).await, @"🔖 [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) tagged `nightly` in **acme/rocket** by Robin Example");
}

#[tokio::test]
async fn a_moved_tag_is_called_moved() {
    insta::assert_snapshot!(text("Tag Push Hook", fixture!("tag_push_that_moves_a_tag")).await, @"🔖 [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) is now tag `nightly` in **acme/rocket**, moved by Robin Example");
}

#[tokio::test]
async fn a_deleted_tag_shows_the_object_it_pointed_to() {
    insta::assert_snapshot!(text("Tag Push Hook", fixture!("tag_push_that_deletes_a_tag")).await, @r#"
        🚮 Tag `v2.0.0` deleted in **acme/rocket** by Robin Example
        it pointed to `ba25430b4afeca36af4c5228898a479774322214`
        "#);
}

#[tokio::test]
async fn markup_in_a_payload_is_shown_as_plain_text() {
    insta::assert_snapshot!(text("Push Hook", fixture!("push_full_of_markup")).await, @r#"
        📥 `aaa94026` pushed to `＠all'evil'#general` in `acme/＠all` by `＠here [x](https://evil.example) *…`
        `fix: '＠all' https://evil.example ＃general :boom: $$x$$ ||s|| ＠robin` · `>＠all`
        by `＠here [x](https://evil.example) *bold*` · commit `aaa9402664f1a41f40ebbc52c9993eb66aeb3666`
        "#);
}

#[tokio::test]
async fn the_body_determines_the_kind_not_the_header() {
    for event in [
        "Push Hook",
        "Tag Push Hook",
        "Pipeline Hook",
        "",
        "Nonsense",
    ] {
        let text = text(event, fixture!("tag_push_of_a_lightweight_tag")).await;
        assert!(text.contains("tagged `nightly`"), "{event}: {text}");
    }
}

#[tokio::test]
async fn every_documented_path_accepts_webhooks() {
    let harness = Harness::start().await;
    for path in ["/webhook", "/webhook/", "/"] {
        let delivery = Delivery::push_sample().signed_with(SAMPLE_KEY);
        assert_delivered(&delivery.post_to(&harness.function.url(path)).await);
        harness.chat.take_message();
    }
    harness.finish();
}

#[tokio::test]
async fn an_unsupported_event_is_answered_with_204_and_a_reason() {
    let harness = Harness::start().await;
    for (event, body) in [
        ("System Hook", r#"{"event_name":"unheard_of"}"#),
        ("Some New Hook", r#"{"object_kind":"unheard_of"}"#),
        (
            "Push Hook",
            r#"{"text":"a custom template has replaced the body"}"#,
        ),
        ("Push Hook", "[1,2,3]"),
        ("Push Hook", "null"),
    ] {
        let answer = harness.post(&recorded(event, body)).await;
        assert_eq!(answer.status, 204, "{body}: {}", answer.text());
        assert_eq!(
            answer.header("webhook-app-reason"),
            Some("unhandled_kind"),
            "{body}"
        );
        assert_eq!(answer.body, b"", "{body}");
    }
    harness.finish();
}

#[tokio::test]
async fn a_skipped_event_is_answered_with_204_and_its_reason() {
    let harness = Harness::start().await;
    for (hook, body, reason) in [
        ("Issue Hook", fixture!("issue_updated"), "minor_update"),
        (
            "Issue Hook",
            fixture!("issue_with_an_unknown_action"),
            "unknown_action",
        ),
        (
            "Confidential Issue Hook",
            fixture!("issue_opened"),
            "confidential",
        ),
        (
            "Confidential Note Hook",
            fixture!("note_that_is_internal"),
            "confidential",
        ),
        (
            "Note Hook",
            fixture!("note_by_gitlab_itself"),
            "system_note",
        ),
        ("Pipeline Hook", fixture!("pipeline_running"), "not_final"),
    ] {
        let answer = harness.post(&recorded(hook, body)).await;
        assert_eq!(answer.status, 204, "{reason}: {}", answer.text());
        assert_eq!(answer.header("webhook-app-reason"), Some(reason));
    }
    harness.finish();
}

#[tokio::test]
async fn an_event_without_a_commit_is_delivered_without_one() {
    let harness = Harness::start().await;
    let answer = harness
        .post(&recorded("Issue Hook", fixture!("issue_opened")))
        .await;
    assert_delivered(&answer);
    assert_eq!(answer.json()["sha"], Value::Null);
    let text = harness.chat.take_message().text;
    assert!(text.contains("opened in **acme/rocket**"), "{text}");
    harness.finish();
}

#[tokio::test]
async fn an_incomplete_event_is_answered_with_204_and_a_reason() {
    let harness = Harness::start().await;
    for (hook, body) in [
        ("Issue Hook", r#"{"object_kind":"issue"}"#),
        ("Member Hook", r#"{"event_name":"user_add_to_group"}"#),
        (
            "Pipeline Hook",
            r#"{"object_kind":"pipeline","object_attributes":{}}"#,
        ),
    ] {
        let answer = harness.post(&recorded(hook, body)).await;
        assert_eq!(answer.status, 204, "{body}: {}", answer.text());
        assert_eq!(answer.header("webhook-app-reason"), Some("incomplete"));
    }
    harness.finish();
}

#[tokio::test]
async fn each_webhook_logs_one_line() {
    let harness = Harness::start().await;
    assert_delivered(
        &harness
            .post(&crate::harness::push().id("one-delivery"))
            .await,
    );
    harness.chat.take_message();
    let output = harness.finish();
    let lines: Vec<Value> = output
        .iter()
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect();
    let about: Vec<_> = lines
        .iter()
        .filter(|line| line["delivery_id"] == "one-delivery")
        .collect();
    assert_eq!(about.len(), 1, "{output:#?}");
    insta::assert_json_snapshot!(about[0], { ".timestamp" => "…", ".duration_ms" => "…" }, @r#"
        {
          "delivery_id": "one-delivery",
          "duration_ms": "…",
          "key_index": 0,
          "kind": "push",
          "level": "info",
          "message": "webhook delivered",
          "message_id": "glcae762e653bfa142688c1ad8ec7f67c0",
          "outcome": "delivered",
          "project": "acme/rocket",
          "reason": "sent",
          "sha": "3f2c9d7b",
          "status": 200,
          "timestamp": "…"
        }
        "#);
}
