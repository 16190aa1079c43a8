//! Outgoing HTTP proxies: which calls go through one, what is reported if it refuses, and that its credentials
//! appear in no output.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fakes::gitlab::FakeGitLab;
use fakes::https::{Certificate, Https};
use fakes::rocketchat::FakeRocketChat;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::harness::{
    Function, Setting, assert_delivered, assert_problem, program, push, settings,
};

/// Distinctive, so that a search finds a leak.
const PASSWORD: &str = "canary-proxy-1f0c9e";

/// A proxy that answers for every host with one server.
struct FakeProxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl FakeProxy {
    /// Connects every call to the server at `url`, or answers it with `refusal`.
    async fn to(url: &str, refusal: Option<&'static str>) -> Self {
        Self::refusing(url, refusal, usize::MAX).await
    }

    /// Answers only so many connections with `refusal`.
    async fn refusing(url: &str, refusal: Option<&'static str>, mut refusals: usize) -> Self {
        let upstream = url.split("://").nth(1).expect("has a host").to_owned();
        let upstream = upstream.replace("localhost", "127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("has one").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        #[expect(
            clippy::disallowed_methods,
            reason = "the proxy runs in the background of a test, and its handle aborts the task"
        )]
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let refusal = refusal.filter(|_| refusals > 0);
                refusals = refusals.saturating_sub(1);
                connections.spawn(serve(stream, upstream.clone(), refusal, Arc::clone(&seen)));
            }
        });
        Self { port, heads, task }
    }

    /// Its address with credentials.
    fn address(&self) -> String {
        format!("http://robin:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// The heads of the first request of each connection.
    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("is not poisoned").clone()
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut client: TcpStream,
    upstream: String,
    refusal: Option<&'static str>,
    seen: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let is_tunnel = text.starts_with("CONNECT ");
    let is_export = text.contains("/v1/traces");
    seen.lock().expect("is not poisoned").push(text);
    if is_export {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        client.write_all(answer).await?;
        // The body.
        let mut rest = [0; 4096];
        while client.read(&mut rest).await? > 0 {}
        return Ok(());
    }
    if let Some(status) = refusal {
        let page = format!("HTTP/1.1 {status}\r\ncontent-length: 13\r\n\r\n<html></html>");
        return client.write_all(page.as_bytes()).await;
    }
    let mut server = TcpStream::connect(upstream).await?;
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    } else {
        server.write_all(&head).await?;
    }
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

fn assert_no_credentials(output: &str) {
    let encoded = BASE64_STANDARD.encode(format!("robin:{PASSWORD}"));
    assert!(!output.contains(PASSWORD), "{output}");
    assert!(!output.contains(&encoded), "{output}");
}

/// Posts one webhook, and looks for credentials in every output; returns its status and reason.
async fn reason(chat: &FakeRocketChat, overrides: &[Setting<'_>]) -> String {
    let function = Function::start(chat, overrides);
    let answer = function.post(&push()).await;
    let metrics = function.request("GET", "/metrics").await.text();
    let token = chat.auth_token().to_owned();
    // The proxy runs on this thread, and spans are exported at the end.
    let finish = move || function.finish(&token).join("\n");
    let output = tokio::task::spawn_blocking(finish).await.expect("ends");
    assert_no_credentials(&(answer.text() + &metrics + &output));
    if answer.status == 200 {
        assert_delivered(&answer);
        return String::new();
    }
    let reason = answer.json()["reason"]
        .as_str()
        .expect("is a text")
        .to_owned();
    assert_problem(&answer, 503, &reason);
    reason
}

async fn https(chat: &FakeRocketChat) -> Https {
    let https = Https::in_front_of(&chat.url(), Certificate::OtherHost, Duration::ZERO).await;
    https.expect("openssl is installed")
}

#[tokio::test]
async fn calls_over_tls_go_through_a_tunnel_of_the_proxy() {
    let chat = FakeRocketChat::start().await;
    let https = https(&chat).await;
    let proxy = FakeProxy::to(&https.url(), None).await;
    let address = proxy.address();
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let overrides = [
            ("ROCKETCHAT_URL", "https://elsewhere.example"),
            ("ROCKETCHAT_CA", https.authority()),
            (name, address.as_str()),
        ];

        assert_eq!(reason(&chat, &overrides).await, "");

        chat.take_message();
        let heads = proxy.heads();
        let head = heads.last().expect("was called");
        assert!(head.starts_with("CONNECT elsewhere.example:443 "), "{head}");
        let credentials = BASE64_STANDARD.encode(format!("robin:{PASSWORD}"));
        assert!(head.contains(&credentials), "{head}");
        assert!(!head.contains(chat.auth_token()));
    }
    chat.finish();
}

#[tokio::test]
async fn calls_and_spans_without_tls_are_forwarded_by_the_proxy() {
    let chat = FakeRocketChat::start().await;
    let proxy = FakeProxy::to(&chat.url(), None).await;
    let address = proxy.address();
    let overrides = [
        ("ROCKETCHAT_URL", "http://chat.example.org"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://collector.example.org:4318",
        ),
        ("HTTP_PROXY", address.as_str()),
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
    ];

    assert_eq!(reason(&chat, &overrides).await, "");

    chat.take_message();
    let heads = proxy.heads().join("\n");
    for expected in [
        "POST http://chat.example.org/api/v1/im.create ",
        "POST http://collector.example.org:4318/v1/traces ",
    ] {
        assert!(heads.contains(expected), "{heads}");
    }
    chat.finish();
}

#[tokio::test]
async fn a_host_in_no_proxy_and_this_machine_are_called_directly() {
    let chat = FakeRocketChat::start().await;
    let proxy = FakeProxy::to(&chat.url(), None).await;
    let address = proxy.address();
    let proxied = ("HTTP_PROXY", address.as_str());
    assert_eq!(reason(&chat, &[proxied]).await, "");
    chat.take_message();
    let url = ("ROCKETCHAT_URL", "http://chat.invalid");
    let limit = ("DELIVERY_TIMEOUT_SECONDS", "1");
    for name in ["NO_PROXY", "no_proxy"] {
        let excluded = (name, "localhost,.invalid");
        let reason = reason(&chat, &[proxied, excluded, url, limit]).await;
        assert_eq!(reason, "dns");
    }
    assert_eq!(proxy.heads(), [""; 0]);
    chat.finish();
}

/// The settings for calls to this URL through this proxy.
fn through<'a>(proxy: &'a str, url: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("ROCKETCHAT_URL", url),
        ("HTTP_PROXY", proxy),
        ("HTTPS_PROXY", proxy),
    ]
}

#[tokio::test]
async fn a_proxy_that_refuses_is_reported_as_the_cause() {
    let chat = FakeRocketChat::start().await;
    for (refusal, expected) in [
        ("407 Proxy Authentication Required", "proxy_auth"),
        ("403 Forbidden", "proxy_refused"),
    ] {
        let proxy = FakeProxy::to(&chat.url(), Some(refusal)).await;
        let address = proxy.address();
        for url in ["http://chat.example.org", "https://chat.example.org"] {
            let overrides = through(&address, url);
            assert_eq!(reason(&chat, &overrides).await, expected, "{url}");
        }
    }
    let closed = format!("http://robin:{PASSWORD}@127.0.0.1:9");
    for url in ["http://chat.example.org", "https://chat.example.org"] {
        let overrides = [
            ("ROCKETCHAT_URL", url),
            ("HTTP_PROXY", &closed),
            ("HTTPS_PROXY", &closed),
            ("DELIVERY_TIMEOUT_SECONDS", "1"),
        ];
        assert_eq!(reason(&chat, &overrides).await, "proxy_connect", "{url}");
    }
    chat.finish();
}

/// Posts one webhook, and asserts its reason and that no call was repeated.
async fn assert_not_retried(chat: &FakeRocketChat, overrides: &[Setting<'_>], reason: &str) {
    let function = Function::start(chat, overrides);

    let answer = function.post(&push()).await;

    assert_problem(&answer, 503, reason);
    let metrics = function.request("GET", "/metrics").await.text();
    let retries = "webhook_delivery_retries_total 0";
    assert!(metrics.contains(retries), "{metrics}");
    function.finish(chat.auth_token());
}

#[tokio::test]
async fn a_refusal_of_a_proxy_is_not_retried() {
    let chat = FakeRocketChat::start().await;
    for (refusal, reason) in [
        ("407 Proxy Authentication Required", "proxy_auth"),
        ("403 Forbidden", "proxy_refused"),
        ("401 Unauthorized", "proxy_refused"),
    ] {
        let proxy = FakeProxy::to(&chat.url(), Some(refusal)).await;
        let address = proxy.address();
        for url in ["http://chat.example.org", "https://chat.example.org"] {
            let overrides = through(&address, url);
            assert_not_retried(&chat, &overrides, reason).await;
        }
    }
    chat.finish();
}

#[tokio::test]
async fn a_tunnel_to_a_port_without_tls_is_reported_as_such() {
    let chat = FakeRocketChat::start().await;
    let proxy = FakeProxy::to(&chat.url(), None).await;
    let address = proxy.address();
    let overrides = [
        ("ROCKETCHAT_URL", "https://chat.example.org:3000"),
        ("HTTPS_PROXY", address.as_str()),
    ];
    assert_not_retried(&chat, &overrides, "not_tls").await;
    chat.finish();
}

#[tokio::test]
async fn a_proxy_that_fails_sees_no_credentials_of_the_account() {
    let chat = FakeRocketChat::start().await;
    let proxy = FakeProxy::to(&chat.url(), Some("503 Service Unavailable")).await;
    let address = proxy.address();
    let credentials = BASE64_STANDARD.encode(format!("robin:{PASSWORD}"));
    let overrides = [
        ("ROCKETCHAT_URL", "https://chat.example.org"),
        ("HTTPS_PROXY", address.as_str()),
        ("DELIVERY_TIMEOUT_SECONDS", "1"),
    ];

    assert_eq!(reason(&chat, &overrides).await, "proxy_connect");

    for head in proxy.heads() {
        let start = "CONNECT chat.example.org:443 HTTP/1.1\r\n";
        assert!(head.starts_with(start), "{head}");
        assert!(head.contains(&credentials), "{head}");
        assert!(!head.contains(chat.auth_token()), "{head}");
        assert!(!head.contains(chat.user_id()), "{head}");
    }
    chat.finish();
}

#[tokio::test]
async fn a_proxy_that_fails_for_a_moment_is_asked_again() {
    let chat = FakeRocketChat::start().await;
    let https = https(&chat).await;
    // Two calls, and the question for the status after each.
    let refusal = Some("503 Service Unavailable");
    let proxy = FakeProxy::refusing(&https.url(), refusal, 4).await;
    let address = proxy.address();
    let overrides = [
        ("ROCKETCHAT_URL", "https://elsewhere.example"),
        ("ROCKETCHAT_CA", https.authority()),
        ("HTTPS_PROXY", address.as_str()),
    ];

    assert_eq!(reason(&chat, &overrides).await, "");

    chat.take_message();
    chat.finish();
}

#[tokio::test]
async fn the_certificate_of_a_proxy_is_not_taken_for_that_of_the_server() {
    let chat = FakeRocketChat::start().await;
    let server = https(&chat).await;
    let proxy = FakeProxy::to(&server.url(), None).await;
    let plain = format!("http://127.0.0.1:{}", proxy.port);
    for (certificate, authority, expected) in [
        (Certificate::Expired, "its own", "proxy_certificate"),
        (Certificate::OtherHost, "its own", "proxy_certificate"),
        (Certificate::Valid, "the server's", "proxy_certificate"),
        // The proxy is accepted, and the server is not.
        (Certificate::Valid, "its own", "certificate_untrusted"),
    ] {
        let front = Https::in_front_of(&plain, certificate, Duration::ZERO).await;
        let front = front.expect("openssl is installed");
        let address = front.url();
        let authority = match authority {
            "its own" => front.authority(),
            _ => server.authority(),
        };
        for url in ["https://elsewhere.example", "http://elsewhere.example"] {
            if expected != "proxy_certificate" && url.starts_with("http://") {
                continue;
            }
            let overrides = [
                ("ROCKETCHAT_URL", url),
                ("ROCKETCHAT_CA", authority),
                ("HTTP_PROXY", &address),
                ("HTTPS_PROXY", &address),
            ];
            assert_eq!(
                reason(&chat, &overrides).await,
                expected,
                "{certificate:?} {url}"
            );
        }
    }
    chat.finish();
}

#[tokio::test]
async fn an_unusable_proxy_is_reported_with_all_other_errors() {
    let chat = FakeRocketChat::start().await;
    let mut settings = settings(&chat);
    for (name, value) in [
        (
            "HTTPS_PROXY",
            format!("socks5://robin:{PASSWORD}@proxy:1080"),
        ),
        ("http_proxy", format!("http://robin:{PASSWORD}@proxy/path")),
        ("HTTP_PROXY", format!("http:robin:{PASSWORD}@proxy:3128")),
        ("LOG_LEVEL", "loud".to_owned()),
    ] {
        settings.insert(name.to_owned(), value);
    }

    let output = program(&settings).output().expect("runs");

    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_no_credentials(&text);
    for expected in [
        "- HTTPS_PROXY: expected the address of an HTTP proxy, such as",
        "- http_proxy: expected the address of an HTTP proxy without a path",
        "- HTTP_PROXY: expected the address of an HTTP proxy, such as http://proxy.example.org:3128, found no // after its scheme",
        "- LOG_LEVEL: ",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    chat.finish();
}

#[tokio::test]
async fn calls_to_gitlab_go_through_the_proxy_and_show_no_credentials() {
    let gitlab = FakeGitLab::start().await;
    for (refusal, code, expected) in [
        (None, 2, "acme/rocket  create  push"),
        (
            Some("407 Proxy Authentication Required"),
            1,
            "a proxy opened no connection to GitLab; check the credentials",
        ),
        (
            Some("503 Service Unavailable"),
            1,
            "GitLab or a proxy in front of it reported an error",
        ),
    ] {
        let proxy = FakeProxy::to(&gitlab.url(), refusal).await;
        let settings = [
            ("GITLAB_URL", "http://gitlab.example.org"),
            ("GITLAB_API_TOKEN", gitlab.token()),
            ("GITLAB_WEBHOOK_TOKENS", "canary-webhook-token"),
            ("HOOKS", "[{project: acme/rocket, triggers: push}]"),
            ("WEBHOOK_URL", "https://webhooks.example.org/webhook"),
            ("HTTP_PROXY", &proxy.address()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let run = move || {
            let mut program = program(&settings.into());
            program.args(["hooks", "plan"]).output().expect("runs")
        };
        let output = tokio::task::spawn_blocking(run).await.expect("ends");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(
            !said.contains(PASSWORD) && !said.contains(gitlab.token()),
            "{said}"
        );
        assert!(!proxy.heads().is_empty());
    }
}
