//! Checks that everything that the manifests read from the function exists in the running program: paths, series and
//! labels. Owns the parsing of the selectors in queries.

use std::collections::BTreeMap;

use crate::program::Program;
use crate::rendered::{Rendered, list, overlay, rendered, text};
use crate::scaling::{keda_query, rules};

/// The labels that Prometheus adds to each series of a target.
const TARGET: &[&str] = &["job", "namespace", "pod", "service"];

/// A sample: its name, its labels, its value.
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: String,
}

/// The series and the conditions on labels that a query selects, as in `name{label!="value"}`.
#[derive(Debug)]
struct Selector {
    name: String,
    conditions: Vec<(String, bool, String)>,
}

#[tokio::test]
async fn the_running_program_has_every_series_and_label_that_autoscaling_reads() {
    let program = Program::start(&[("METRICS_PORT", "0")]).await;
    let samples = parse(&program.scrape("/metrics").await);

    for selector in selectors() {
        let family: Vec<_> = samples
            .iter()
            .filter(|sample| sample.name == selector.name)
            .collect();
        assert!(!family.is_empty(), "{selector:?}");
        for (label, _, value) in selector.of_the_program() {
            let has =
                |sample: &&Sample| sample.labels.get(label).is_some_and(|found| found == value);
            assert!(
                family
                    .iter()
                    .all(|sample| sample.labels.contains_key(label)),
                "{selector:?}"
            );
            assert!(
                family.iter().any(has),
                "no series has {label}={value:?}: {selector:?}"
            );
        }
    }
}

#[tokio::test]
async fn accepted_webhooks_scale_and_rejected_ones_do_not() {
    let program = Program::start(&[("METRICS_PORT", "0")]).await;
    let count = async || {
        let samples = parse(&program.scrape("/metrics").await);
        let counts = selectors()
            .into_iter()
            .filter(|selector| selector.name.ends_with("_total"));
        let sums: Vec<_> = counts.map(|selector| selector.sum(&samples)).collect();
        assert_eq!(sums.len(), 2, "the adapter and KEDA");
        assert!(sums.windows(2).all(|pair| pair[0] == pair[1]), "{sums:?}");
        sums[0]
    };
    assert_eq!(count().await, 0);

    assert_eq!(program.post("/webhook", false).await, 401);
    let after_rejected = count().await;
    assert_eq!(program.post("/webhook", true).await, 200);

    assert_eq!(after_rejected, 0);
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn the_monitors_scrape_a_path_that_each_packaging_serves() {
    let monitors = rendered!("monitoring");
    let service = monitors.one("monitoring.coreos.com/ServiceMonitor");
    let pod = monitors.named("monitoring.coreos.com/PodMonitor", "webhook-app");
    let cases = [
        ("METRICS_PORT", "0", text(service, "/spec/endpoints/0/path")),
        (
            "K_SERVICE",
            "webhook-app",
            text(pod, "/spec/podMetricsEndpoints/0/path"),
        ),
    ];
    for (setting, value, path) in cases {
        let program = Program::start(&[(setting, value)]).await;
        assert!(
            program
                .scrape(path)
                .await
                .contains("webhooks_received_total"),
            "{setting}"
        );
    }
}

#[tokio::test]
async fn the_public_routes_lead_to_paths_that_accept_webhooks() {
    let gateway = rendered!("k8s-base/gateway");
    let openshift = rendered!(overlay("openshift"));
    let program = Program::start(&[]).await;
    let mut paths = paths_of(&gateway);
    paths.push(text(
        openshift.one("route.openshift.io/Route"),
        "/spec/path",
    ));

    assert_eq!(paths, ["/webhook", "/webhook/", "/webhook"]);
    for path in paths {
        assert_eq!(program.post(path, true).await, 200, "{path}");
    }
}

fn paths_of(gateway: &Rendered) -> Vec<&str> {
    let route = gateway.one("gateway.networking.k8s.io/HTTPRoute");
    let rules = list(route, "/spec/rules");
    let matches = rules.iter().flat_map(|rule| list(rule, "/matches"));
    matches.map(|each| text(each, "/path/value")).collect()
}

/// The selectors of the adapter's rules and of KEDA's queries.
fn selectors() -> Vec<Selector> {
    let rules = rules().into_iter().map(|rule| rule.series_query);
    let queries = rules.chain([keda_query(0), keda_query(1)]);
    queries.map(|query| Selector::parse(&query)).collect()
}

impl Selector {
    /// The only selector of a query.
    fn parse(query: &str) -> Self {
        assert_eq!(query.matches('{').count(), 1, "{query}");
        let (before, rest) = query.split_once('{').expect("a selector");
        let is_in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = before.rfind(|c| !is_in_name(c)).map_or(0, |end| end + 1);
        let (conditions, _) = rest.split_once('}').expect("its end");
        let condition = |text: &str| {
            let (label, value) = text.split_once('=').expect("label=value");
            let (label, is_equal) = label
                .strip_suffix('!')
                .map_or((label, true), |label| (label, false));
            (
                label.to_owned(),
                is_equal,
                value.trim_matches('"').to_owned(),
            )
        };
        Self {
            name: before[start..].to_owned(),
            conditions: conditions.split(',').map(condition).collect(),
        }
    }

    /// The conditions on labels that the program writes itself.
    fn of_the_program(&self) -> impl Iterator<Item = &(String, bool, String)> {
        let conditions = self.conditions.iter();
        conditions.filter(|(label, _, _)| !TARGET.contains(&label.as_str()))
    }

    /// The sum of the selected counters.
    fn sum(&self, samples: &[Sample]) -> u64 {
        let is_selected = |sample: &&Sample| {
            let meets = |(label, is_equal, value): &(String, bool, String)| {
                (sample.labels.get(label) == Some(value)) == *is_equal
            };
            sample.name == self.name && self.of_the_program().all(meets)
        };
        let count = |sample: &Sample| sample.value.parse::<u64>().expect("an integer");
        samples.iter().filter(is_selected).map(count).sum()
    }
}

/// The samples of the text format. No label value of the function contains a comma.
fn parse(text: &str) -> Vec<Sample> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let pairs = labels.trim_end_matches('}').split(',');
        let pair = |pair: &str| {
            let (label, value) = pair.split_once('=')?;
            Some((label.to_owned(), value.trim_matches('"').to_owned()))
        };
        Sample {
            name: name.to_owned(),
            labels: pairs.filter_map(pair).collect(),
            value: value.to_owned(),
        }
    };
    lines.map(sample).collect()
}
