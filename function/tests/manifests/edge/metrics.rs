//! A real Prometheus scrapes Envoy, and answers through it: what the alerts and the dashboard of the edge query is there.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use regex::Regex;
use serde_json::Value;

use super::client::request;
use super::envoy::{CREDENTIALS, Envoy, PROMETHEUS, WEBHOOKS};
use crate::rendered::{list, yaml_file};
use crate::skipped::report_skipped;

/// From the start to the series of histograms, which Envoy writes after five seconds.
const LIMIT: Duration = Duration::from_mins(1);

struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Prometheus {
    /// Scrapes Envoy; its files are in Envoy's folder. `None` if it is not installed.
    fn start(envoy: &Envoy, address: &str) -> Option<Self> {
        let target = envoy.address("metrics");
        let config = format!(
            "scrape_configs:\n- job_name: envoy\n  scrape_interval: 500ms\n  scrape_timeout: 500ms\n  metrics_path: /stats/prometheus\n  static_configs: [{{targets: ['{target}']}}]\n"
        );
        let file = envoy.folder.join("prometheus.yml");
        fs::write(&file, config).expect("can be written");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                envoy.folder.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if child.is_err() {
            report_skipped("prometheus is not installed; Debian has it in the package prometheus");
        }
        child.ok().map(Self)
    }
}

/// The selectors of series of Envoy in the queries of the rules and of the dashboard, with what the dashboard has for its variables.
fn selectors() -> BTreeSet<String> {
    let rules = yaml_file("monitoring/rules/edge.yaml");
    let groups = list(&rules, "/spec/groups");
    let rules = groups.iter().flat_map(|group| list(group, "/rules"));
    let mut queries: Vec<_> = rules
        .filter_map(|rule| rule["expr"].as_str().map(str::to_owned))
        .collect();
    let dashboard = yaml_file("monitoring/edge-dashboard.yaml");
    let files = dashboard["data"].as_object().expect("has files");
    for file in files.values() {
        let parsed: Value = serde_json::from_str(file.as_str().expect("is text")).expect("is JSON");
        expressions(&parsed, &mut queries);
    }
    let selector = Regex::new(r"envoy_\w+\{[^}]*\}").expect("is one");
    queries
        .iter()
        .flat_map(|query| selector.find_iter(query))
        .map(|found| {
            let found = found.as_str().replace("$envoy", "envoy");
            found
                .replace("$listener", "https-.*")
                .replace("$cluster", "httproute/.*")
        })
        .collect()
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let ("expr", Some(query)) = (name.as_str(), field.as_str()) {
                    found.push(query.to_owned());
                }
                expressions(field, found);
            }
        }
        Value::Array(members) => members.iter().for_each(|member| expressions(member, found)),
        _ => {}
    }
}

/// The number of series of a query, asked through Envoy with the password.
async fn count(envoy: &Envoy, query: &str) -> Option<String> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let path = format!("/api/v1/query?query=count({query})");
    let mut client = envoy.connect(PROMETHEUS).await;
    let response = client
        .exchange(&request("GET", PROMETHEUS, &path, CREDENTIALS))
        .await;
    if response.status != 200 {
        return None;
    }
    let start = response.body.find('{')?;
    let end = response.body.rfind('}')?;
    let answer: Value = serde_json::from_str(&response.body[start..=end]).ok()?;
    answer["data"]["result"][0]["value"][1]
        .as_str()
        .map(str::to_owned)
}

#[tokio::test]
async fn a_real_prometheus_has_every_series_that_the_alerts_and_the_dashboard_query() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    let address = listener.local_addr().expect("has one").to_string();
    drop(listener);
    let Some(envoy) = Envoy::in_front_of(&[("prometheus", &address)]).await else {
        return;
    };
    let Some(_prometheus) = Prometheus::start(&envoy, &address) else {
        return;
    };
    assert_eq!(envoy.get(PROMETHEUS, "/-/ready", "").await.status, 401);
    // One request of each class that the dashboard shows: a success and an error.
    assert_eq!(envoy.get(WEBHOOKS, "/webhook", "").await.status, 200);
    assert_eq!(envoy.get(WEBHOOKS, "/none", "").await.status, 404);
    let selectors = selectors();
    assert!(selectors.len() > 12, "{selectors:#?}");

    let started = Instant::now();
    for selector in &selectors {
        while count(&envoy, selector).await.is_none() {
            assert!(started.elapsed() < LIMIT, "no series: {selector}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    // What the dashboard calls a listener is one that people or GitLab use.
    let names = count(&envoy, r#"envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix=~"https-webhooks|https-pages|http"}"#).await;
    assert!(names.is_some());
    let others = count(&envoy, r#"group by (envoy_http_conn_manager_prefix) (envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix!~"https-webhooks|https-pages|http|admin.*"})"#).await;
    assert_eq!(others, None);
    let url = format!("http://{}/stats/prometheus", envoy.address("metrics"));
    let exposed = exchange("GET", &url, &[], b"").await.expect("is answered");
    assert_eq!(exposed.status, 200);
}
