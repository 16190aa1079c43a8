//! Any bytes on a connection: through hyper, the routes and everything behind them, up to the call
//! to a chat server that is not there. Nobody is let in, and nothing answers with a bug of ours.

#![no_main]

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};
use webhook_app::admission::Admission;
use webhook_app::app::{Readiness, app};
use webhook_app::config::Config;
use webhook_app::courier::Courier;
use webhook_app::rocketchat::client::Client;
use webhook_app::telemetry::Telemetry;
use webhook_app::webhook::Function;

thread_local! {
    static WORLD: OnceCell<(Runtime, Router)> = const { OnceCell::new() };
}

fn world() -> (Runtime, Router) {
    let settings = [
        ("GITLAB_WEBHOOK_TOKENS", "a-token-that-is-in-no-corpus-58a7"),
        ("ROCKETCHAT_URL", "http://127.0.0.1:9"),
        ("ROCKETCHAT_USER_ID", "bot"),
        ("ROCKETCHAT_AUTH_TOKEN", "token"),
        ("ROCKETCHAT_RECIPIENT", "alice"),
        ("LOG_LEVEL", "off"),
    ];
    let settings: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (config, _) = Config::load(&settings, &|_| Err(io::ErrorKind::NotFound.into())).expect("is right");
    let runtime = Builder::new_current_thread().enable_all().build().expect("is built");
    let limit = Duration::from_secs(1);
    let chat = config.rocketchat;
    let router = runtime.block_on(async {
        let telemetry = Telemetry::start(&config.telemetry).expect("is started");
        let metrics = Arc::clone(&telemetry.metrics);
        let client = Client::new(&chat.url, &chat.credentials, &chat.authorities, limit, metrics).expect("is built");
        let function = Function {
            guard: config.guard,
            courier: Courier::new(client, chat.credentials.user_id, chat.recipient, limit),
            admission: Admission::default(),
            accept_missing_key: false,
        };
        app(Arc::new(function), &Readiness::default(), &telemetry)
    });
    (runtime, router)
}

fuzz_target!(|bytes: &[u8]| {
    WORLD.with(|cell| {
        let (runtime, router) = cell.get_or_init(world);
        runtime.block_on(talk(router.clone(), bytes));
    });
});

async fn talk(router: Router, bytes: &[u8]) {
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let connection = http1::Builder::new().serve_connection(TokioIo::new(theirs), TowerToHyperService::new(router));
    let client = async {
        // Everything is there at once and nothing follows, so nothing waits for a deadline.
        let _ = ours.write_all(&bytes[..bytes.len().min(60_000)]).await;
        let _ = ours.shutdown().await;
        let mut answer = Vec::new();
        let _ = ours.read_to_end(&mut answer).await;
        answer
    };
    let (_, answer) = tokio::join!(connection, client);
    let text = String::from_utf8_lossy(&answer);
    assert!(!text.starts_with("HTTP/1.1 5") && !text.contains("\"status\":\"delivered\""));
}
