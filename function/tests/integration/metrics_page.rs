//! The list of series in `monitoring/METRICS.md` against the ones that are there.

use std::fmt::Write as _;

use crate::exposition::Exposition;
use crate::harness::Harness;

const PAGE: &str = include_str!("../../../monitoring/METRICS.md");

/// The two tables as the page must have them.
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

#[tokio::test]
async fn the_page_lists_every_series() {
    let harness = Harness::start().await;
    let answer = harness.function.request("GET", "/metrics").await;
    let expected = tables(&Exposition::parse(&answer.text()));
    let (_, rest) = PAGE
        .split_once("<!-- metrics: begin -->\n")
        .expect("begins");
    let (found, _) = rest.split_once("<!-- metrics: end -->").expect("ends");
    assert!(
        found == expected,
        "copy this into monitoring/METRICS.md:\n{expected}"
    );
    harness.finish();
}
