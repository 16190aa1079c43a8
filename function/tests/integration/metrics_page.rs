//! The tables of `monitoring/METRICS.md`, which list every exported series and are written by `make tables`.

use std::fmt::Write as _;

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

#[tokio::test]
async fn the_tables_list_every_series() {
    let harness = Harness::start().await;
    let answer = harness.function.request("GET", "/metrics").await;
    let expected = tables(&Exposition::parse(&answer.text()));
    block("monitoring/METRICS.md", "metrics", &expected);
    harness.finish();
}
