//! `make alert-test`: sends one alert through a real Alertmanager and says what arrived at each receiver.
//! With an address, it is sent to the Alertmanager there, whose metrics say what its receivers accepted; without one, a
//! program `alertmanager` is started with the configuration of this repository in front of the fakes of both receivers.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fakes::alertmanager::{Alertmanager, post};
use fakes::exchange::exchange;
use fakes::pagerduty::FakePagerDuty;
use fakes::rocketchat::FakeRocketChat;
use serde_json::{Value, json};

const CONFIG: &str = "monitoring/alertmanager/raw/alertmanager.yaml";

const USAGE: &str = "\
Sends one alert through Alertmanager and says what arrived.

usage: alert-test [URL]

  URL  of an Alertmanager, such as http://localhost:9093; without it, one is
       started from PATH with monitoring/alertmanager/raw/alertmanager.yaml
";

/// Longer than `group_wait` of the configuration.
const LIMIT: Duration = Duration::from_mins(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("--help" | "-h") => print(USAGE),
        Some(url) if url.starts_with('-') => Err(io::Error::other(USAGE)),
        Some(url) => through(url).await,
        None => through_fakes().await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn alert() -> Value {
    json!([{
        "labels": {
            "alertname": "WebhookAppAlertTest",
            "namespace": "webhook-app",
            "service": "webhook-app",
            "severity": "warning",
        },
        "annotations": {
            "summary": "This is a test of the alerts of webhook-app",
            "description": "Somebody ran make alert-test. Nothing is to be done.",
            "runbook_url": "https://gitlab.example.org/team/webhook-app/-/blob/main/monitoring/README.md",
        },
    }])
}

async fn through_fakes() -> io::Result<()> {
    let config = std::fs::read_to_string(CONFIG)?;
    let chat = FakeRocketChat::builder().start().await?;
    chat.add_private_room("alerts", &[chat.username(), "alice"]);
    let pagerduty = FakePagerDuty::start_on("127.0.0.1:0").await?;
    let folder = std::env::temp_dir().join(format!("alert-test-{}", std::process::id()));
    let started = Alertmanager::start(&config, folder, &chat, &pagerduty).await;
    let alertmanager = started.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other(
            "expected the program alertmanager in PATH, found none; install it with: go install github.com/prometheus/alertmanager/cmd/alertmanager@v0.31.1",
        ),
        _ => error,
    })?;
    post(&alertmanager.url(), &alert()).await?;
    let message = tokio::time::timeout(LIMIT, chat.next_message()).await;
    let event = tokio::time::timeout(LIMIT, pagerduty.next()).await;
    let shown = match &message {
        Ok(message) => format!(
            "arrived in {}: {:#}",
            message.recipient,
            message.attachments.clone().unwrap_or_default()
        ),
        Err(_) => "nothing arrived".to_owned(),
    };
    print(&format!("Rocket.Chat: {shown}\n"))?;
    let mut event = event.ok();
    if let Some(event) = &mut event {
        event["routing_key"] = "…".into();
    }
    let shown = event
        .as_ref()
        .map_or("nothing arrived".to_owned(), |event| {
            format!("arrived: {event:#}")
        });
    print(&format!("PagerDuty: {shown}\n"))?;
    chat.mark_all_read();
    if message.is_err() || event.is_none() {
        return Err(io::Error::other("expected the alert at both receivers"));
    }
    Ok(())
}

/// Its counters before and after show what the receivers have accepted.
async fn through(url: &str) -> io::Result<()> {
    let before = counters(url).await?;
    post(url, &alert()).await?;
    print("sent; waiting for group_wait of the configuration\n")?;
    let started = Instant::now();
    let mut pause = tokio::time::interval(Duration::from_secs(1));
    let changed = loop {
        pause.tick().await;
        let changed: Vec<_> = counters(url)
            .await?
            .into_iter()
            .filter(|(series, value)| before.get(series) != Some(value))
            .collect();
        let sent = changed
            .iter()
            .filter(|(series, _)| series.starts_with(SENT))
            .count();
        if sent >= 2 || started.elapsed() > LIMIT {
            break changed;
        }
    };
    if changed.is_empty() {
        return Err(io::Error::other(
            "no receiver got anything; is there a route for service=webhook-app?",
        ));
    }
    for (series, value) in &changed {
        print(&format!("{series} is now {value}\n"))?;
    }
    let has_failed = changed.iter().any(|(series, _)| series.starts_with(FAILED));
    if has_failed {
        return Err(io::Error::other(
            "a receiver refused the alert; the log of Alertmanager says why",
        ));
    }
    print(
        "look for the message in Rocket.Chat and for the incident in PagerDuty; it resolves in five minutes\n",
    )
}

const SENT: &str = "alertmanager_notifications_total{";
const FAILED: &str = "alertmanager_notifications_failed_total{";

/// The counters of notifications by series.
async fn counters(url: &str) -> io::Result<BTreeMap<String, String>> {
    let url = format!("{}/metrics", url.trim_end_matches('/'));
    let text = exchange("GET", &url, &[], b"").await?.text();
    let lines = text
        .lines()
        .filter(|line| line.starts_with(SENT) || line.starts_with(FAILED));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    Ok(pairs
        .map(|(series, value)| (series.to_owned(), value.to_owned()))
        .collect())
}

fn print(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(problem: &str) {
    eprintln!("{problem}");
}
