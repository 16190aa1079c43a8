//! The program for AWS Lambda, behind each supported gateway.

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::{Value, json};

use crate::harness::{TOKEN, check_output, command, push, read, settings};
use crate::runtime_api::RuntimeApi;

/// Wraps a delivery as one kind of gateway does.
type Gateway = fn(&Delivery) -> Value;

#[tokio::test]
async fn an_event_from_every_gateway_is_delivered() {
    let gateways: [(&str, Gateway); 6] = [
        ("function URL", function_url),
        ("HTTP API with a stage", http_api),
        ("REST API", rest_api),
        ("load balancer", load_balancer),
        ("load balancer, many values", load_balancer_many_values),
        ("base64", in_base64),
    ];
    for (gateway, event) in gateways {
        let lambda = Lambda::start().await;
        let answer = lambda.invoke(event(&push())).await;
        assert_eq!(answer["statusCode"], 200, "{gateway}: {answer}");
        assert!(
            !answer.to_string().contains("connection"),
            "{gateway}: {answer}"
        );
        assert_eq!(body(&answer)["status"], "delivered", "{gateway}: {answer}");
        lambda.chat.take_message();
        lambda.finish();
    }
}

#[tokio::test]
async fn a_warm_function_reuses_the_room() {
    let lambda = Lambda::start().await;
    for delivery in 1..=3 {
        let answer = lambda.invoke(function_url(&push())).await;
        assert_eq!(answer["statusCode"], 200, "{delivery}: {answer}");
        lambda.chat.take_message();
    }
    assert_eq!(lambda.chat.calls(Route::CreateDirectMessage), 1);
    lambda.finish();
}

#[tokio::test]
async fn the_message_is_stored_when_the_response_is_sent() {
    let lambda = Lambda::start().await;
    let answer = lambda.invoke(function_url(&push())).await;
    let id = body(&answer)["message_id"].as_str().map(str::to_owned);
    assert_eq!(lambda.chat.inserts(&id.expect("has an id")), 1);
    lambda.chat.take_message();
    lambda.finish();
}

#[tokio::test]
async fn a_redelivery_after_a_cold_start_sends_no_second_message() {
    let delivery = push();
    let first = Lambda::start().await;
    let once = first.invoke(function_url(&delivery)).await;
    let chat = first.stop();
    let second = Lambda::with(chat, &[]).await;
    let twice = second.invoke(function_url(&delivery)).await;
    assert_eq!(body(&once)["message_id"], body(&twice)["message_id"]);
    second.chat.take_message();
    second.finish();
}

#[tokio::test]
async fn a_connection_closed_while_the_function_was_frozen_loses_no_message() {
    let lambda = Lambda::start().await;
    lambda
        .chat
        .inject_fault(Route::SendMessage, Fault::CloseAfterResponse);
    lambda.invoke(function_url(&push())).await;
    lambda.chat.take_message();
    let answer = lambda.invoke(function_url(&push())).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    lambda.chat.take_message();
    lambda.finish();
}

#[tokio::test]
async fn an_unsigned_webhook_is_answered_with_401() {
    let lambda = Lambda::start().await;
    for event in [function_url, rest_api, load_balancer] {
        let answer = lambda.invoke(event(&Delivery::push_sample())).await;
        assert_eq!(answer["statusCode"], 401, "{answer}");
        assert_eq!(body(&answer)["reason"], "missing_signature", "{answer}");
    }
    lambda.finish();
}

/// Repeats a header, as the gateways report it.
fn repeat(event: &mut Value, gateway: &str, name: &str, second: &str) {
    let first = event["headers"][name].as_str().unwrap_or_default();
    let both = [first.to_owned(), second.to_owned()];
    if gateway == "REST API" {
        event["headers"][name] = json!(second);
        event["multiValueHeaders"][name] = json!(both);
    } else {
        event["headers"][name] = json!(both.join(","));
    }
}

#[tokio::test]
async fn a_repeated_header_is_rejected_behind_every_gateway_as_by_the_server() {
    let signed = Lambda::start().await;
    let secret = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", TOKEN),
    ];
    let secret = Lambda::with(FakeRocketChat::start().await, &secret).await;
    let gateways: [(&str, Gateway); 3] = [
        ("function URL", function_url),
        ("HTTP API", http_api),
        ("REST API", rest_api),
    ];
    let with_token = || Delivery::push_sample().token(TOKEN);
    let cases = [
        (&signed, "webhook-signature", push(), "repeated_header"),
        (&signed, "webhook-id", push(), "repeated_header"),
        (&signed, "webhook-timestamp", push(), "repeated_header"),
        (&signed, "x-gitlab-event", push(), "bad_headers"),
        (&signed, "content-type", push(), "media_type"),
        (&secret, "x-gitlab-token", with_token(), "repeated_header"),
        (&secret, "idempotency-key", with_token(), "missing_key"),
    ];
    for (gateway, event) in gateways {
        for (lambda, name, delivery, reason) in &cases {
            let mut event = event(delivery);
            // The valid value is the last one, which a REST API shows as the only one.
            let valid = event["headers"][*name]
                .as_str()
                .expect("is sent")
                .to_owned();
            event["headers"][*name] = json!("v1,AAAA");
            repeat(&mut event, gateway, name, &valid);
            let answer = lambda.invoke(event).await;
            assert_eq!(
                body(&answer)["reason"],
                *reason,
                "{gateway} {name}: {answer}"
            );
        }
    }
    signed.finish();
    secret.finish();
}

#[tokio::test]
async fn an_unsupported_event_is_answered_with_204() {
    let lambda = Lambda::start().await;
    let issue = Delivery::new("Wiki Page Hook", r#"{"object_kind":"unheard_of"}"#);
    let answer = lambda
        .invoke(function_url(&issue.signed_with(SAMPLE_KEY)))
        .await;
    assert_eq!(answer["statusCode"], 204, "{answer}");
    lambda.finish();
}

#[tokio::test]
async fn an_unknown_path_is_answered_with_404_in_any_stage() {
    let lambda = Lambda::start().await;
    for path in ["/prod/elsewhere", "/production/webhook", "/", "/%00", ""] {
        let mut event = http_api(&push());
        event["rawPath"] = json!(path);
        let answer = lambda.invoke(event).await;
        // The stage alone is the root, which accepts webhooks too.
        let expected = if path.len() < 2 { 200 } else { 404 };
        assert_eq!(answer["statusCode"], expected, "{path}: {answer}");
    }
    lambda.chat.mark_all_read();
    lambda.finish();
}

#[tokio::test]
async fn a_function_timeout_that_is_too_short_logs_a_warning() {
    let lambda = Lambda::start().await;
    lambda.api.invoke(function_url(&push()), in_ms(3_000)).await;
    lambda.chat.take_message();
    let output = lambda.finish();
    let warned = |line: &&String| line.contains("the timeout of this Lambda function is shorter");
    assert_eq!(output.iter().filter(warned).count(), 1, "{output:#?}");
}

#[test]
fn started_outside_of_lambda_it_names_the_server_program() {
    let output = program(&BTreeMap::from(
        [
            ("ALLOW_UNAUTHENTICATED", "true"),
            ("ROCKETCHAT_URL", "https://chat.example.org"),
            ("ROCKETCHAT_USER_ID", "bot"),
            ("ROCKETCHAT_AUTH_TOKEN", "token"),
            ("ROCKETCHAT_RECIPIENT", "alice"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    ))
    .output()
    .expect("runs");
    assert_eq!(output.status.code(), Some(64));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"webhook-app: expected the variable AWS_LAMBDA_RUNTIME_API, which AWS Lambda sets, found none; outside of Lambda run webhook-app instead");
}

#[test]
fn invalid_settings_exit_with_64() {
    let output = program(&BTreeMap::new()).output().expect("runs");
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8_lossy(&output.stderr);
    for name in ["GITLAB_SIGNING_KEYS", "ROCKETCHAT_URL"] {
        assert!(text.contains(name), "{text}");
    }
}

/// A running Lambda function, its chat server and its Runtime API.
struct Lambda {
    chat: FakeRocketChat,
    api: RuntimeApi,
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Lambda {
    async fn start() -> Self {
        Self::with(FakeRocketChat::start().await, &[]).await
    }

    async fn with(chat: FakeRocketChat, overrides: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start().await;
        let mut settings = settings(&chat);
        let from_lambda = [
            ("AWS_LAMBDA_RUNTIME_API", api.address()),
            ("AWS_LAMBDA_FUNCTION_NAME", "webhook-app"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ];
        for (name, value) in from_lambda.iter().chain(overrides) {
            if value.is_empty() {
                settings.remove(*name);
            } else {
                settings.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        let mut child = program(&settings).spawn().expect("the program starts");
        let output = Arc::default();
        let out = child.stdout.take().expect("is piped");
        let error = child.stderr.take().expect("is piped");
        let readers = vec![read(out, &output, None), read(error, &output, None)];
        Self {
            chat,
            api,
            child,
            output,
            readers,
        }
    }

    /// Invokes the function with a deadline that leaves enough time.
    async fn invoke(&self, event: Value) -> Value {
        self.api.invoke(event, in_ms(10_000)).await
    }

    /// Kills the process, because Lambda sends no signal either, and runs the final checks.
    fn finish(self) -> Vec<String> {
        let output = Arc::clone(&self.output);
        self.stop().finish();
        Arc::into_inner(output)
            .and_then(|output| output.into_inner().ok())
            .expect("has no other reader")
    }

    /// Kills the process but returns the chat server, which keeps running.
    fn stop(mut self) -> FakeRocketChat {
        self.child.kill().expect("is running");
        self.child.wait().expect("can be waited for");
        for reader in self.readers {
            reader.join().expect("reads to the end");
        }
        check_output(
            &self.output.lock().expect("no reader panics"),
            self.chat.auth_token(),
        );
        self.api.finish();
        self.chat
    }
}

fn program(settings: &BTreeMap<String, String>) -> Command {
    command(env!("CARGO_BIN_EXE_webhook-app-lambda"), settings)
}

fn in_ms(ms: u64) -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    u64::try_from(now.as_millis()).expect("is not that late") + ms
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default()
}

fn headers(delivery: &Delivery) -> BTreeMap<String, String> {
    let headers = delivery.headers().into_iter();
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8(value).expect("is ASCII");
        (name.to_ascii_lowercase(), value)
    });
    headers.collect()
}

fn many_values(delivery: &Delivery) -> BTreeMap<String, [String; 1]> {
    let headers = headers(delivery).into_iter();
    headers.map(|(name, value)| (name, [value])).collect()
}

fn text(delivery: &Delivery) -> &str {
    std::str::from_utf8(delivery.body()).expect("is UTF-8")
}

/// A function URL: the second payload format, without a stage.
fn function_url(delivery: &Delivery) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/webhook",
        "rawQueryString": "",
        "headers": headers(delivery),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "abcdefghij",
            "http": {
                "method": "POST",
                "path": "/webhook",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "GitLab/19.3.0",
            },
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
            "time": "20/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1_795_168_800_000_u64,
        },
        "body": text(delivery),
        "isBase64Encoded": false,
    })
}

/// An HTTP API of API Gateway with a named stage, which prefixes the path.
fn http_api(delivery: &Delivery) -> Value {
    let mut event = function_url(delivery);
    event["rawPath"] = json!("/prod/webhook");
    event["requestContext"]["http"]["path"] = json!("/prod/webhook");
    event["requestContext"]["stage"] = json!("prod");
    event
}

/// A REST API of API Gateway: the first payload format.
fn rest_api(delivery: &Delivery) -> Value {
    json!({
        "resource": "/webhook",
        "path": "/webhook",
        "httpMethod": "POST",
        "headers": headers(delivery),
        "multiValueHeaders": many_values(delivery),
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "abcdefghij",
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "httpMethod": "POST",
            "identity": { "sourceIp": "192.0.2.1", "userAgent": "GitLab/19.3.0" },
            "path": "/prod/webhook",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "20/Nov/2026:10:00:00 +0000",
            "requestTimeEpoch": 1_795_168_800_000_u64,
            "resourceId": "123456",
            "resourcePath": "/webhook",
            "stage": "prod",
        },
        "body": text(delivery),
        "isBase64Encoded": false,
    })
}

/// A load balancer whose target group sends one value per header, the default.
fn load_balancer(delivery: &Delivery) -> Value {
    json!({
        "requestContext": { "elb": {
            "targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/webhook/50dc6c495c0c9188",
        } },
        "httpMethod": "POST",
        "path": "/webhook",
        "queryStringParameters": {},
        "headers": headers(delivery),
        "body": text(delivery),
        "isBase64Encoded": false,
    })
}

fn load_balancer_many_values(delivery: &Delivery) -> Value {
    let mut event = load_balancer(delivery);
    let members = event.as_object_mut().expect("is an object");
    members.remove("headers");
    members.remove("queryStringParameters");
    members.insert("multiValueHeaders".to_owned(), json!(many_values(delivery)));
    members.insert("multiValueQueryStringParameters".to_owned(), json!({}));
    event
}

fn in_base64(delivery: &Delivery) -> Value {
    let mut event = function_url(delivery);
    event["body"] = json!(BASE64_STANDARD.encode(delivery.body()));
    event["isBase64Encoded"] = json!(true);
    event
}
