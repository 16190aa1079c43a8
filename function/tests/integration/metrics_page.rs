//! The tables of `monitoring/METRICS.md`, which list every exported series and are written by `make tables`.

use std::fmt::Write as _;

use webhook_app::telemetry::{Series, exposition};

use crate::docs::block;
use crate::exposition::Exposition;
use crate::harness::Harness;

/// The two tables that the page must contain.
fn tables(exposition: &Exposition) -> String {
    let mut series = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    let mut labels = "| metric | label | values |\n|---|---|---|\n".to_owned();
    for (family, (kind, help)) in &exposition.families {
        let found = exposition.labels(family);
        let names: Vec<_> = found.keys().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(
            series,
            "| `{family}` | {kind} | {} | {help} |",
            names.join(", ")
        );
        for (name, values) in &found {
            let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            if values.len() > 1 {
                let _ = writeln!(labels, "| `{family}` | `{name}` | {} |", values.join(", "));
            }
        }
    }
    format!("{series}\n{labels}")
}

/// Counts without the metrics of the process, whose values differ between scrapes.
fn size(text: &str) -> (usize, usize) {
    let lines = text.lines().filter(|line| !line.starts_with("process_"));
    let bytes: usize = lines.clone().map(|line| line.len() + 1).sum();
    let series = lines.filter(|line| !line.starts_with('#')).count();
    (series, bytes.div_ceil(1000))
}

#[test]
fn the_tables_list_every_series() {
    let every = exposition(Series::Every);
    let expected = tables(&Exposition::parse(&every));
    block("monitoring/METRICS.md", "metrics", &expected);
}

#[test]
fn the_size_of_a_scrape_is_documented() {
    let (series, kilobytes) = size(&exposition(Series::Initial));
    let (most_series, most_kilobytes) = size(&exposition(Series::Every));
    let text = format!(
        "A scrape of a new process has {series} series ({kilobytes} KB), and no scrape has more than {most_series} ({most_kilobytes} KB), without the seven of the process.\n"
    );
    block("monitoring/METRICS.md", "metrics size", &text);
}

#[tokio::test]
async fn a_new_process_has_the_documented_series() {
    let harness = Harness::start().await;
    let answer = harness.function.request("GET", "/metrics").await;
    let found = Exposition::parse(&answer.text());
    let documented = exposition(Series::Initial);
    assert_eq!(found.series(), Exposition::parse(&documented).series());
    harness.finish();
}
