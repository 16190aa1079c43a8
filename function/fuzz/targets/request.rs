//! Any bytes on a connection, through hyper, the router and the handlers up to the call to an unreachable chat
//! server; and their lines as headers for verification, including headers that hyper would reject. No request is
//! authenticated, and no response is a server error.

#![no_main]

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use axum::Router;
use http::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};
use webhook_app::http::health::Readiness;
use webhook_app::http::router::router;
use webhook_app::config::Config;
use webhook_app::gitlab::verification::Verifier;
use webhook_app::gitlab::webhook_token::WebhookToken;
use webhook_app::gitlab::signature::SigningKey;
use webhook_app::bootstrap;
use webhook_app::telemetry::Telemetry;

/// In no corpus, so no input contains the token or a signature made with the key.
const KEY: &str = "whsec_yDkkAVbHFXlXWcQvcHVQ5cTzyEN9EBXDVQPpcGv6yVQ=";
const TOKEN: &str = "a-token-that-is-in-no-corpus-58a7";

thread_local! {
    static SERVER: OnceCell<(Runtime, Router)> = const { OnceCell::new() };
}

fn server() -> (Runtime, Router) {
    let settings = [
        ("GITLAB_WEBHOOK_TOKENS", TOKEN),
        ("ROCKETCHAT_URL", "http://127.0.0.1:9"),
        ("ROCKETCHAT_USER_ID", "bot"),
        ("ROCKETCHAT_AUTH_TOKEN", "token"),
        ("ROCKETCHAT_RECIPIENT", "alice"),
        ("LOG_LEVEL", "off"),
    ];
    let settings: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (config, _) = Config::load(&settings, &|_| Err(io::ErrorKind::NotFound.into())).expect("is valid");
    let runtime = Builder::new_current_thread().enable_all().build().expect("is built");
    let router = runtime.block_on(async {
        let telemetry = Telemetry::start(&config.telemetry).expect("is started");
        let function = bootstrap::state(config, &telemetry).expect("is built");
        router(Arc::new(function), &Readiness::default(), &telemetry)
    });
    (runtime, router)
}

fuzz_target!(|bytes: &[u8]| {
    verify(bytes);
    SERVER.with(|cell| {
        let (runtime, router) = cell.get_or_init(server);
        runtime.block_on(serve(router.clone(), bytes));
    });
});

/// No headers pass verification without the key or the token.
fn verify(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let key = SigningKey::parse(KEY).expect("is a key");
    let token = WebhookToken::parse(TOKEN).expect("is a token");
    let verifiers = [
        Verifier::Signature(vec![key.clone()]),
        Verifier::Token(vec![token.clone()]),
        Verifier::SignatureOrToken(vec![key], vec![token]),
    ];
    for verifier in verifiers {
        let result = verifier.verify_headers(&headers, 1_781_200_000).and_then(|unverified| unverified.verify_body(bytes));
        assert!(result.is_err());
    }
}

async fn serve(router: Router, bytes: &[u8]) {
    let (mut client, server) = tokio::io::duplex(64 * 1024);
    let connection = http1::Builder::new().serve_connection(TokioIo::new(server), TowerToHyperService::new(router));
    let exchange = async {
        // All bytes are written immediately and none follow, so nothing waits for a timeout.
        let _ = client.write_all(&bytes[..bytes.len().min(60_000)]).await;
        let _ = client.shutdown().await;
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer).await;
        answer
    };
    let (_, answer) = tokio::join!(connection, exchange);
    let text = String::from_utf8_lossy(&answer);
    assert!(!text.starts_with("HTTP/1.1 5") && !text.contains("\"status\":\"delivered\""));
}
