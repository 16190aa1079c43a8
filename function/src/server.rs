//! The lifecycle of the server: startup, serving, graceful shutdown. Owns signals, ports and the order of
//! the shutdown. Routes are in [`router`](crate::http::router).

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time;
use url::Url;

use crate::bootstrap::{self, SetupError};
use crate::config::{Config, Platform};
use crate::dead_letters::Folder;
use crate::exit::print_error;
use crate::http::health::Readiness;
use crate::http::listener;
use crate::http::router::{admin, direct_only, metrics, router};
use crate::http::webhook::AppState;
use crate::limits::LIMITS;
use crate::recipient_check;
use crate::rocketchat::Username;
use crate::sign_in_check;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::labels::Port;
use crate::telemetry::otlp::ExportError;

/// Serves until a signal, then shuts down gracefully.
pub(crate) fn serve(config: Config, warnings: &[String]) -> ExitCode {
    let telemetry = match bootstrap::telemetry(&config, warnings) {
        Ok(telemetry) => telemetry,
        Err(error) => return failed(&StartError::Traces(error)),
    };
    // One thread: two threads have a fifth less throughput on one core, and replicas use further cores.
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            telemetry.finish();
            return failed(&StartError::Io("start the async runtime", error));
        }
    };
    let result = runtime.block_on(run(config, &telemetry));
    // Dropping it would wait for a name look-up, which nothing can cancel and which may take longer than
    // the grace period.
    runtime.shutdown_background();
    telemetry.finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &StartError) -> ExitCode {
    print_error(&format!("failed to {error}\n"));
    ExitCode::FAILURE
}

/// Why the server failed to start; each text follows "failed to".
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("{0}: {1}")]
    Io(&'static str, #[source] io::Error),
    #[error("open port {0}: {1}; choose another one with PORT or METRICS_PORT")]
    Port(u16, #[source] io::Error),
    #[error("set up the client of Rocket.Chat: {0}")]
    Client(#[from] SetupError),
    #[error("set up the export of spans: {0}")]
    Traces(#[from] ExportError),
}

async fn run(config: Config, telemetry: &Telemetry) -> Result<(), StartError> {
    let signals = Signals::new().map_err(|error| StartError::Io("listen for signals", error))?;
    let webhooks = open(config.port)?;
    let admin_listener = config.metrics_port.map(open).transpose()?;
    let drain = config.delivery_timeout + LIMITS.shutdown.drain_reserve;
    let (lame_duck, idle_timeout) = (config.lame_duck, config.idle_timeout);
    let readiness = Readiness::default();
    let (rocketchat, checks_sign_in) = (config.rocketchat.url.clone(), config.checks_sign_in);
    let platform = config.platform;
    let state = Arc::new(bootstrap::state(config, telemetry)?);
    let mut app = router(Arc::clone(&state), &readiness, telemetry);
    if admin_listener.is_none() {
        let metrics = metrics(telemetry);
        app = app.merge(match platform {
            Platform::Knative => direct_only(metrics),
            Platform::Other => metrics,
        });
    }
    let (stop, stopped) = watch::channel(());
    let on_stop = || {
        let mut stopped = stopped.clone();
        async move { stopped.changed().await }
    };
    log_start(&webhooks, admin_listener.as_ref(), &rocketchat, &state);
    readiness.set(true);
    let serving_webhooks = async {
        let on_limit = || telemetry.metrics.connection_cap_hit(Port::Webhooks);
        let is_drained =
            listener::serve(webhooks, app, idle_timeout, on_limit, on_stop(), drain).await;
        if !is_drained {
            tracing::warn!("shut down before all requests had finished");
        }
    };
    let serving_admin = async {
        if let Some(listener) = admin_listener {
            let on_limit = || telemetry.metrics.connection_cap_hit(Port::Admin);
            let app = admin(&readiness, telemetry);
            listener::serve_admin(listener, app, idle_timeout, on_limit, on_stop()).await;
        }
    };
    let signing_in = async {
        if checks_sign_in {
            sign_in_check::run(&state).await;
        }
    };
    let checking = async {
        let checks = async { tokio::join!(signing_in, recipient_check::run(&state, telemetry)) };
        tokio::select! {
            _ = checks => {}
            _ = on_stop() => {}
        }
    };
    let stopping = signals.stop(&readiness, lame_duck, stop);
    tokio::join!(serving_webhooks, serving_admin, checking, stopping);
    tracing::info!("stopped");
    Ok(())
}

fn open(port: u16) -> Result<TcpListener, StartError> {
    listener::listen(port).map_err(|error| StartError::Port(port, error))
}

/// Logs where webhooks are received, how they are authenticated and where messages go.
fn log_start(
    webhooks: &TcpListener,
    admin_listener: Option<&TcpListener>,
    rocketchat: &Url,
    state: &AppState,
) {
    let address = webhooks.local_addr().ok();
    let metrics = admin_listener.and_then(|listener| listener.local_addr().ok());
    let routing = &state.notifier.routing;
    let recipient = routing.only_recipient().map(Username::as_str);
    let rules = recipient.is_none().then(|| routing.rule_count());
    let broker = state.hand_off.as_ref();
    let folder = state.dead_letters.as_ref();
    let folder = folder.map(|dead_letters| &dead_letters.folder);
    if let Some(Err(error)) = folder.map(Folder::try_writing) {
        tracing::error!("{error}; no dead letter can be stored");
    }
    tracing::info!(
        address = address.map(|address| address.to_string()),
        path = "/webhook",
        scheme = state.verifier.label(),
        rocketchat = rocketchat.as_str(),
        recipient = recipient.map(|name| format!("@{name}")),
        rules,
        broker = broker.map(|broker| broker.sink.receiver.address()),
        dead_letters = folder.map(Folder::to_string),
        port = address.map_or(0, |address| address.port()),
        metrics_port = metrics.map(|address| address.port()),
        version = env!("CARGO_PKG_VERSION"),
        "listening"
    );
}

/// The signals that stop the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for a signal, then for the lame-duck time while readiness fails, and then stops the listeners.
    ///
    /// Ctrl-C, or a second signal, stops them immediately.
    async fn stop(mut self, readiness: &Readiness, lame_duck: Duration, stop: watch::Sender<()>) {
        let terminated = self.next().await;
        readiness.set(false);
        tracing::info!(lame_duck_seconds = lame_duck.as_secs(), "stopping");
        if terminated {
            let _ = time::timeout(lame_duck, self.next()).await;
        }
        let _ = stop.send(());
    }

    /// Whether the next signal is SIGTERM.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => false,
        }
    }
}
