//! Check `memory`: the memory that a body needs, whatever it contains. Owns the bars, and which bodies
//! are held in memory at the same time; the oversized values are in `fakes`.

use std::path::Path;
use std::time::Duration;

use fakes::gitlab::{Delivery, Oversized, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time;
use webhook_app::gitlab::kind::Kind;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::templates::example;

use crate::check::{CheckReport, Size, run};
use crate::rng::Rng;
use crate::sut::{Settings, Sut, post, push};

const MIB: usize = 1 << 20;

/// Most memory that one body may need, as a multiple of its length, on top of the idle program.
const MAX_RATIO: f64 = 3.0;

/// Most resident memory with any bodies at the same time, in bytes.
const MAX_RESIDENT: u64 = 128_000_000;

/// Rules and templates that read every list and text of an event.
const RULES: &str = "users:\n  nobody: alice\nothers: drop\nrules:\n  - {name: all, to: [actor, author, committer, assignees, reviewers, '@alice'], continue: true}\n  - {name: failed, event: pipeline, status: [failed, fixed], to: '@alice'}\n";
const TEMPLATE: &str = "{{ kind }} {{ title | upper }} {{ text }} {{ actor }} {{ project }} {{ ref }} {{ assignees | join(', ') }} {{ reviewers }} {{ failed_jobs | sort }} {{ default_message }}";

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    run(measure(size))
}

/// The highest use of memory so far.
#[derive(Default)]
struct Worst {
    ratio: f64,
    line: String,
}

async fn measure(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let plain = Settings::with(&chat).set("ACCEPT_CLOUDEVENTS", true);
    let configured = plain
        .clone()
        .set("ROCKETCHAT_RECIPIENT", "")
        .set("ROUTES", RULES)
        .set("MESSAGES", TEMPLATE);
    let documents = documents();
    let bodies = chosen(size, Oversized::all(&documents));
    let envelopes = Oversized::envelopes(&documents[0].to_string());
    let bytes = size.of(20, 8, 20) * MIB;
    let mut worst = Worst::default();
    let mut lines = Vec::new();
    let mut count = 0;
    for (name, settings) in [("default", &plain), ("rules and templates", &configured)] {
        if size == Size::Short && name == "default" {
            continue;
        }
        let mut sut = Sut::start(settings);
        let _ = sut.post(&push("first")).await;
        let idle = sut.resident_kib();
        for body in bodies.iter().chain(&envelopes) {
            let length = bytes + body.body(0).len();
            let (delivery, url) = if body.kind == "CloudEvent" {
                (structured(body.body(bytes)), base(&sut))
            } else {
                let delivery = Delivery::new(hook(&body.kind), body.body(bytes));
                (delivery.signed_with(SAMPLE_KEY), sut.url())
            };
            sut.reset_peak();
            let response = time::timeout(Duration::from_secs(10), post(&delivery, &url)).await;
            let status = response.map(|response| response.map(|response| response.status));
            let answered = status.as_ref().ok().and_then(|status| status.as_ref().ok());
            let peak = sut.peak_kib();
            let ratio = peak.saturating_sub(idle) as f64 * 1024.0 / length as f64;
            let line = format!(
                "{name}: {} {} as {}: {} MiB, peak {} MB, {ratio:.2} × the body (status {})",
                body.kind,
                body.field,
                body.value,
                length / MIB,
                peak * 1024 / 1_000_000,
                answered.map_or_else(|| "none".to_owned(), ToString::to_string)
            );
            report.expect(matches!(status, Ok(Ok(_))) && sut.is_running(), || {
                format!("no response: {line}")
            });
            report.expect(ratio <= MAX_RATIO, || line.clone());
            if ratio > worst.ratio {
                worst = Worst {
                    ratio,
                    line: line.clone(),
                };
            }
            lines.push((ratio, line));
            count += 1;
        }
        chat.mark_all_read();
    }
    let mix = mixed(&plain, &envelopes[..size.of(2, 5, 5)]).await;
    report.expect(mix <= MAX_RESIDENT, || {
        format!(
            "bodies at the same time: {} MB resident, expected at most {} MB",
            mix / 1_000_000,
            MAX_RESIDENT / 1_000_000
        )
    });
    if size != Size::Short {
        lines.sort_by(|one, other| other.0.total_cmp(&one.0));
        for (_, line) in lines.iter().take(40) {
            eprintln!("  {line}");
        }
    }
    report.workload(format!(
        "{count} bodies of {} MiB, each with one oversized value; then bodies for the whole budget at once",
        bytes / MIB
    ));
    report.measurement(format!(
        "worst: {}; at once: {} MB resident",
        worst.line,
        mix / 1_000_000
    ));
    report
}

/// The bundled examples and the recorded payloads, one kind after the other.
fn documents() -> Vec<Value> {
    let examples = Kind::known().filter_map(example).map(str::to_owned);
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/integration/fixtures/gitlab");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut recorded: Vec<_> = files.map(|file| file.path()).collect();
    recorded.sort();
    let recorded = recorded
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok());
    let texts = examples.chain(recorded);
    texts
        .filter_map(|text| serde_json::from_str(&text).ok())
        .collect()
}

/// All bodies in the long form; otherwise those that needed most memory before lists and texts had a
/// bound, and a share of the others.
fn chosen(size: Size, all: Vec<Oversized>) -> Vec<Oversized> {
    const KNOWN: &[(&str, &str, &str)] = &[
        ("push", "/commits", "list of {}"),
        ("push", "/commits", "list of its empty entry"),
        ("push", "/user_id", "text of control characters"),
        ("push", "/after", "text with an escape"),
        ("push", "/ref", "text with an escape"),
        ("pipeline", "/builds", "list of {}"),
        ("merge_request", "/assignees", "list of its empty entry"),
        ("repository_update", "/changes", "list of {}"),
    ];
    let share = size.of(400, 6, 1);
    let mut rng = Rng::seeded(7);
    let mut is_chosen = |body: &Oversized| {
        let is_known =
            KNOWN.contains(&(body.kind.as_str(), body.field.as_str(), body.value.as_str()));
        rng.below(share) == 0 || is_known
    };
    all.into_iter().filter(|body| is_chosen(body)).collect()
}

/// The header for this kind, which selects how a body is parsed first.
fn hook(kind: &str) -> &'static str {
    match kind {
        "push" => "Push Hook",
        "tag_push" => "Tag Push Hook",
        _ => "System Hook",
    }
}

fn structured(body: Vec<u8>) -> Delivery {
    Delivery::new("Push Hook", body)
        .without("Content-Type")
        .header("Content-Type", "application/cloudevents+json")
}

/// Posts bodies for more than the whole budget at the same time, and in other rounds holds bodies
/// until the deadline while others are parsed. The highest resident memory, in bytes.
async fn mixed(settings: &Settings, envelopes: &[Oversized]) -> u64 {
    let sut = Sut::start(settings);
    for envelope in envelopes {
        // With a third body of 25 MiB, these use the whole budget.
        let rest = LIMITS.bodies.budget_bytes - 50 * MIB;
        let held = [
            hold(&sut, 25 * MIB - 2048).await,
            hold(&sut, rest - 4096).await,
        ];
        let body = structured(envelope.body(25 * MIB - 4096));
        let mut senders = JoinSet::new();
        for _ in 0..4 {
            let (delivery, url) = (body.clone(), base(&sut));
            senders.spawn(async move {
                let _ = time::timeout(Duration::from_secs(10), post(&delivery, &url)).await;
            });
        }
        senders.join_all().await;
        drop(held);
    }
    sut.peak_kib() * 1024
}

fn base(sut: &Sut) -> String {
    format!("http://127.0.0.1:{}/", sut.port)
}

/// A connection that has sent all of a body but its last byte.
async fn hold(sut: &Sut, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", sut.port))
        .await
        .expect("connects");
    let head = Delivery::new("Push Hook", "")
        .signed_with(SAMPLE_KEY)
        .head();
    let head = head.replacen(
        "\r\n\r\n",
        &format!("\r\nContent-Length: {}\r\n\r\n", bytes + 1),
        1,
    );
    stream.write_all(head.as_bytes()).await.expect("is sent");
    let _ = time::timeout(Duration::from_secs(2), stream.write_all(&vec![b' '; bytes])).await;
    let _ = time::timeout(Duration::from_millis(1), stream.read(&mut [0])).await;
    stream
}
