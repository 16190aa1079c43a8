//! A real Prometheus that scrapes the function. Owns the process and its queries; skipped where
//! Debian's package `prometheus` is not installed and `REQUIRE_TOOLS` is not set.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use serde_json::Value;

use crate::harness::{Harness, assert_delivered, push};
use crate::skipped::report_skipped;

/// From the start of Prometheus to its third scrape, on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);

struct Prometheus {
    child: Child,
    folder: PathBuf,
    address: String,
}

impl Prometheus {
    /// Scrapes `target` five times a second; `None` where there is no Prometheus.
    fn scraping(target: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("webhook-app-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("can be made");
        let config = format!(
            "scrape_configs:\n- job_name: function\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  static_configs: [{{targets: ['{target}']}}]\n"
        );
        let file = folder.join("prometheus.yml");
        fs::write(&file, config).expect("can be written");
        let address = free_address();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(child) = child else {
            report_skipped("prometheus is not installed; Debian has it in the package prometheus");
            return None;
        };
        let mut started = Self {
            child,
            folder,
            address,
        };
        started.wait();
        Some(started)
    }

    fn wait(&mut self) {
        let log = BufReader::new(self.child.stderr.take().expect("is piped"));
        let mut lines = log.lines().map_while(Result::ok);
        let ready = lines.any(|line| line.contains("Server is ready to receive web requests"));
        assert!(ready, "Prometheus did not start");
        // Its log must be read, or it stops when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
    }

    async fn query(&self, query: &str) -> Value {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let url = format!("http://{}/api/v1/query?query={query}", self.address);
        let answer = exchange("GET", &url, &[], b"").await;
        answer.expect("is answered").json()
    }

    /// The value of a query with one result.
    async fn value_of(&self, query: &str) -> Option<f64> {
        let answer = self.query(query).await;
        let value = answer["data"]["result"][0]["value"][1].as_str()?;
        value.parse().ok()
    }

    /// Whether a query is valid and finds any series.
    async fn finds_series(&self, query: &str) -> bool {
        let answer = self.query(query).await;
        let found = answer["data"]["result"].as_array().map(Vec::len);
        answer["status"] == "success" && found.is_some_and(|found| found > 0)
    }

    async fn until(&self, query: &str, expected: f64) {
        let started = Instant::now();
        loop {
            let value = self.value_of(query).await;
            if value.is_some_and(|value| (value - expected).abs() < f64::EPSILON) {
                return;
            }
            assert!(started.elapsed() < TIMEOUT, "{query}: {value:?}");
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Prometheus does not say which port it got, so a free one is chosen beforehand.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("has one").to_string()
}

/// The queries of `monitoring/METRICS.md`.
fn queries() -> impl Iterator<Item = &'static str> {
    let page = include_str!("../../../monitoring/METRICS.md");
    let (_, rows) = page.split_once("| question | query |").expect("has them");
    let rows = rows.split("\n\n").next().unwrap_or_default().lines();
    let queries = rows.filter_map(|row| row.split('`').nth(1));
    queries.inspect(|query| println!("{query}"))
}

#[tokio::test]
async fn a_real_prometheus_scrapes_the_function() {
    let harness = Harness::start().await;
    let target = harness.function.url("").replace("http://", "");
    let Some(prometheus) = Prometheus::scraping(&target) else {
        harness.finish();
        return;
    };
    // At zero before anything happens, so that the first webhook is an increase.
    prometheus
        .until(r#"webhooks_received_total{kind="push"}"#, 0.0)
        .await;
    assert_delivered(&harness.post(&push()).await);
    harness.chat.take_message();
    for (query, expected) in [
        (r#"webhooks_received_total{kind="push"}"#, 1.0),
        ("http_server_active_requests", 0.0),
        (
            r#"webhook_deliveries_total{outcome="delivered",reason="sent"}"#,
            1.0,
        ),
        (
            r#"webhook_delivery_duration_seconds_count{outcome="delivered"}"#,
            1.0,
        ),
        (r#"up{job="function"}"#, 1.0),
        (
            r#"count(increase(webhooks_received_total{kind="push"}[1m]) > 0)"#,
            1.0,
        ),
        (
            "scrape_samples_scraped - scrape_samples_post_metric_relabeling",
            0.0,
        ),
    ] {
        prometheus.until(query, expected).await;
    }
    for query in queries() {
        assert!(prometheus.finds_series(query).await, "{query}");
    }
    drop(prometheus);
    harness.finish();
}
