//! Property tests of hostile input: random, mutated, deeply nested and unusual bodies are parsed or rejected, and
//! nothing panics.

use std::sync::LazyLock;

use fakes::gitlab::Delivery;
use proptest::prelude::*;
use serde_json::{Value, json};
use webhook_app::limits::LIMITS;

use crate::harness::{Harness, assert_delivered, assert_problem, push, recorded};
use crate::markup::assert_harmless;
use crate::messages::{assert_laid_out, examples, pointers, render};

const HOOKS: [Option<&[u8]>; 4] = [
    None,
    Some(b"Push Hook"),
    Some(b"Tag Push Hook"),
    Some(b"\xff"),
];

/// Parses a body as every kind of hook; asserts that a message is harmless and within the limit.
fn read(body: &[u8]) {
    for hook in HOOKS {
        if let Ok((_, Ok(message))) = render(hook, body) {
            assert!(
                message.text.encode_utf16().count() <= LIMITS.texts.message,
                "too long: {}",
                message.text
            );
            assert_harmless(&message.text);
            assert_laid_out(&message);
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_parsed_or_rejected(body in prop::collection::vec(any::<u8>(), 0..512)) {
        read(&body);
    }

    #[test]
    fn a_changed_payload_is_parsed_or_rejected(
        at in 0usize..2000, byte in any::<u8>(), cut in 0usize..2000,
    ) {
        let mut body = Delivery::push_sample().body().to_vec();
        let at = at % body.len();
        body[at] = byte;
        read(&body);
        body.truncate(cut % body.len());
        read(&body);
    }

    #[test]
    fn any_text_in_any_field_stays_harmless(
        texts in prop::collection::vec(any::<String>(), 8), count in any::<u64>(),
    ) {
        read(payload(&texts, count).to_string().as_bytes());
    }

    #[test]
    fn any_markup_in_any_field_stays_harmless(
        texts in prop::collection::vec(markup(), 8), count in any::<u64>(),
    ) {
        read(payload(&texts, count).to_string().as_bytes());
    }

    #[test]
    fn any_value_in_any_field_of_any_kind_is_parsed_or_rejected(
        kind in any::<prop::sample::Index>(), field in any::<prop::sample::Index>(),
        value in prop_oneof![any_json(), any::<String>().prop_map(Value::from), markup().prop_map(Value::from)],
    ) {
        let mut payload = kind.get(&EXAMPLES).clone();
        let fields = pointers(&payload, "");
        *payload.pointer_mut(&fields[field.index(fields.len())]).expect("is there") = value;
        read(payload.to_string().as_bytes());
    }

    #[test]
    fn values_of_any_type_are_parsed_or_rejected(field in 0usize..20, value in any_json()) {
        let mut payload: Value = serde_json::from_slice(Delivery::push_sample().body()).expect("is JSON");
        let fields = payload.as_object_mut().expect("is an object");
        let name = fields.keys().nth(field % fields.len()).expect("is there").clone();
        fields.insert(name, value);
        read(payload.to_string().as_bytes());
    }
}

/// A push with these texts in its text fields.
fn payload(texts: &[String], count: u64) -> Value {
    let mut payload: Value =
        serde_json::from_slice(Delivery::push_sample().body()).expect("is JSON");
    payload["ref"] = json!(format!("refs/heads/{}", texts[0]));
    payload["user_name"] = json!(texts[1]);
    payload["project"]["path_with_namespace"] = json!(texts[2]);
    payload["project"]["web_url"] = json!(format!("https://gitlab.example.org/{}", texts[3]));
    payload["commits"][0]["title"] = json!(texts[4]);
    payload["commits"][0]["author"]["name"] = json!(texts[5]);
    payload["user_username"] = json!(texts[6]);
    payload["message"] = json!(texts[7]);
    payload["total_commits_count"] = json!(count);
    payload
}

/// Characters that the chat server's markup uses.
fn markup() -> impl Strategy<Value = String> {
    "[-`@#\\[\\]()<>|*_~:$\\\\/.a-c \n>]{0,40}"
}

/// One payload of every kind.
static EXAMPLES: LazyLock<Vec<Value>> = LazyLock::new(|| examples().into_values().collect());

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[tokio::test]
async fn unusual_json_is_answered_and_the_next_webhook_is_delivered() {
    let harness = Harness::start().await;
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let rejected = [
        "{\"a\":".repeat(100_000),
        "\u{feff}{}".to_owned(),
        "{'object_kind':'push'}".to_owned(),
        "{\"object_kind\":\"push\",}".to_owned(),
        "{\"object_kind\":\"\\ud800\"}".to_owned(),
        "NaN".to_owned(),
        "\0".to_owned(),
    ];
    for body in rejected {
        let answer = harness.post(&recorded("Push Hook", &body)).await;
        assert_problem(&answer, 400, "not_json");
    }
    let ignored = [
        // Unread values may be nested to any depth, because skipping them does not recurse.
        deep(100_000),
        format!("{{\"x\":{}}}", deep(1_000_000)),
        format!("{{\"x\":1{}}}", "0".repeat(1_000_000)),
        format!("{{{}\"z\":0}}", "\"a\":0,".repeat(1_000_000)),
        "{\"object_kind\":\"\"}".to_owned(),
        "{\"OBJECT_KIND\":\"push\"}".to_owned(),
        "\"push\"".to_owned(),
        "{\"object_kind\":\"push\\u0000\"}".to_owned(),
    ];
    for body in ignored {
        let answer = harness.post(&recorded("Push Hook", &body)).await;
        let start: String = body.chars().take(40).collect();
        assert_eq!(answer.status, 204, "{start}: {}", answer.text());
    }
    assert_delivered(&harness.post(&push()).await);
    harness.chat.take_message();
    harness.finish();
}
