//! `webhook-app reconcile`: its arguments, its output, and the loop that serves metrics. Owns when a round begins and
//! what is printed or logged. What a round does is decided in [`reconcile`](crate::reconcile).

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time;

use crate::config;
use crate::config::gitlab::reconcile::ReconcileConfig;
use crate::exit::print_error;
use crate::http::health::Readiness;
use crate::http::listener;
use crate::http::router::admin_with;
use crate::limits::LIMITS;
use crate::reconcile::{Clock, Progress, Reconciler, Round, Run, RunError, Totals, exposition};
use crate::telemetry::Telemetry;

/// The options.
const OPTIONS: [&str; 4] = ["--once", "--direct", "--backfill", "--since"];

/// Parses the arguments after `reconcile`; an error says what was expected.
pub(super) fn parse(arguments: &[String]) -> Result<Run, String> {
    let mut run = Run::default();
    let mut backfill = false;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--once" => run.once = true,
            "--direct" => run.direct = true,
            "--backfill" => backfill = true,
            "--since" => {
                run.backfill = Some(duration(words.next().map_or("", String::as_str))?);
            }
            found => match found.strip_prefix("--since=") {
                Some(text) => run.backfill = Some(duration(text)?),
                None => {
                    return Err(format!(
                        "expected --once, --direct, --backfill or --since after reconcile, found {}{}",
                        super::echo(found),
                        super::advice(found, &OPTIONS).unwrap_or_else(super::general_advice)
                    ));
                }
            },
        }
    }
    match (backfill, run.backfill, run.once) {
        (true, None, _) => Err(
            "expected --since with --backfill, such as --backfill --since 2h: how long ago the pause of the hook began"
                .to_owned(),
        ),
        (false, Some(_), _) => Err("expected --backfill with --since".to_owned()),
        (true, _, false) => Err("expected --once with --backfill, because it fills in one pause".to_owned()),
        _ => Ok(run),
    }
}

/// At most as long as GitLab keeps its log, without which nobody knows what was delivered.
fn duration(text: &str) -> Result<Duration, String> {
    let allowed = LIMITS.reconcile.settle..=LIMITS.reconcile.log_age;
    let found = humantime::parse_duration(text).ok();
    found
        .filter(|found| allowed.contains(found))
        .ok_or_else(|| {
            format!(
                "expected a duration of 2m to 7d after --since, such as 2h, found {}",
                super::echo(text)
            )
        })
}

/// Runs the command. With --once, exits with 1 if something waits or is lost.
pub(super) fn run(run: Run) -> ExitCode {
    let read_file = |path: &str| std::fs::read_to_string(path);
    let posts = run.direct || run.backfill.is_some();
    let loaded = ReconcileConfig::load(&config::environment(), &read_file, run.direct, posts);
    let (config, warnings) = match loaded {
        Ok(loaded) => loaded,
        Err(errors) => return super::print_config_errors(&errors),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("start the async runtime: {error}")),
    };
    if run.once {
        for warning in warnings {
            print_error(&format!("warning: {warning}\n"));
        }
        let result = runtime.block_on(once(&config, run));
        runtime.shutdown_background();
        return match result {
            Ok(round) => {
                let _ = super::print(&super::printable(&round.summary()));
                if round.is_complete() {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                }
            }
            Err(error) => failed(&format!("reconcile: {error}")),
        };
    }
    let telemetry = match Telemetry::start(&config.telemetry) {
        Ok(telemetry) => telemetry,
        Err(error) => return failed(&format!("set up the export of spans: {error}")),
    };
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let result = runtime.block_on(serve(&config, run));
    runtime.shutdown_background();
    telemetry.finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &str) -> ExitCode {
    print_error(&super::printable(&format!("failed to {error}\n")));
    ExitCode::FAILURE
}

async fn once(config: &ReconcileConfig, run: Run) -> Result<Round, RunError> {
    let observe = |progress: &Progress| {
        if let Some(line) = progress.line() {
            let _ = super::print(&super::printable(&format!("{line}\n")));
        }
    };
    Reconciler::new(config, run, Clock::of_system(), observe)?
        .round()
        .await
}

/// Rounds until SIGTERM or Ctrl-C, which may interrupt one: the next process continues.
async fn serve(config: &ReconcileConfig, run: Run) -> Result<(), String> {
    let port = config.metrics_port;
    let listener = listener::listen(port).map_err(|error| {
        format!("open port {port}: {error}; choose another one with METRICS_PORT")
    })?;
    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let [Ok(mut terminate), Ok(mut interrupt)] = signals else {
        return Err("listen for signals".to_owned());
    };
    let readiness = Readiness::default();
    let page = Arc::new(Mutex::new(exposition(&Totals::default(), None)));
    let (stop, stopped) = watch::channel(());
    let serving = serve_metrics(listener, config, &readiness, Arc::clone(&page), stopped);
    let working = async {
        let result = tokio::select! {
            result = rounds(config, run, &readiness, &page) => result,
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        };
        readiness.set(false);
        let _ = stop.send(());
        result
    };
    let ((), result) = tokio::join!(serving, working);
    tracing::info!("stopped");
    result
}

async fn serve_metrics(
    listener: TcpListener,
    config: &ReconcileConfig,
    readiness: &Readiness,
    page: Arc<Mutex<String>>,
    mut stopped: watch::Receiver<()>,
) {
    let address = listener.local_addr().ok();
    tracing::info!(
        metrics_port = address.map(|address| address.port()),
        gitlab = config.gitlab.server.url.as_str(),
        interval_seconds = config.interval.as_secs(),
        version = env!("CARGO_PKG_VERSION"),
        "reconciling"
    );
    let is_counting = config.telemetry.metrics;
    let page = move || page.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let router = admin_with(readiness, is_counting.then_some(page));
    let idle = Duration::from_secs(LIMITS.connections.default_idle_timeout_seconds);
    let on_stop = async move { stopped.changed().await };
    listener::serve_admin(listener, router, idle, || {}, on_stop).await;
}

async fn rounds(
    config: &ReconcileConfig,
    run: Run,
    readiness: &Readiness,
    page: &Mutex<String>,
) -> Result<(), String> {
    let totals = Mutex::new(Totals::default());
    let count = |progress: &Progress| {
        lock(&totals).count(progress);
        log_progress(progress);
    };
    let reconciler = Reconciler::new(config, run, Clock::of_system(), count);
    let mut reconciler = reconciler.map_err(|error| format!("reconcile: {error}"))?;
    let mut named = BTreeSet::new();
    let mut last = None;
    loop {
        match reconciler.round().await {
            Ok(round) => {
                log_round(&round, &mut named);
                last = Some(round);
            }
            Err(error) => {
                lock(&totals).count_failed_round();
                tracing::error!("failed to reconcile: {error}");
            }
        }
        let text = exposition(&lock(&totals), last.as_ref());
        *lock(page) = text;
        readiness.set(true);
        time::sleep(config.interval).await;
    }
}

fn log_progress(progress: &Progress) {
    if let Some(line) = progress.line() {
        tracing::info!("{line}");
    }
}

/// Names everything that is lost or wrong once, and sums up a round that did something.
fn log_round(round: &Round, named: &mut BTreeSet<String>) {
    let problems = round.problems();
    named.retain(|problem| problems.contains(problem));
    for problem in problems {
        if named.insert(problem.clone()) {
            tracing::warn!("{problem}");
        }
    }
    if round.has_acted() {
        tracing::info!("{}", round.totals().trim_end());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
