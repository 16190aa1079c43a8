//! Checks that all autoscaling agrees: the HPA, KEDA and Knative's HPA class, the adapter's rules in both files, and
//! the series that the function exports.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::product::SERIES;
use crate::rendered::{at, file, kustomize, list, number, rendered, text, yaml_file};

const VALUES: &str = "monitoring/prometheus-metrics-adaptor-values.yaml";
const CONFIG: &str = "monitoring/standalone/adapter/config.yaml";

/// A rule as prometheus-adapter parses it; unknown fields are rejected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Rule {
    series_query: String,
    resources: Resources,
    name: Name,
    metrics_query: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resources {
    overrides: BTreeMap<String, Override>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    resource: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    matches: String,
    #[serde(rename = "as")]
    new: String,
}

#[test]
fn the_chart_and_the_standalone_adapter_have_the_same_rules() {
    let (values, config) = (yaml_file(VALUES), yaml_file(CONFIG));

    assert_eq!(at(&values, "/rules/custom"), at(&config, "/rules"));
    assert_eq!(*at(&values, "/rules/default"), false);
}

#[test]
fn the_chart_and_the_standalone_adapter_have_the_same_relist_interval() {
    let rendered = rendered!("monitoring/standalone");
    let container = at(
        rendered.one("apps/Deployment"),
        "/spec/template/spec/containers/0",
    );
    let interval = yaml_file(VALUES)["metricsRelistInterval"].clone();

    let argument = format!(
        "--metrics-relist-interval={}",
        interval.as_str().expect("a text")
    );

    assert!(
        list(container, "/args")
            .iter()
            .any(|given| **given == argument)
    );
}

#[test]
fn every_rule_renames_a_series_that_the_function_exports() {
    for rule in rules() {
        let series = rule
            .name
            .matches
            .trim_start_matches('^')
            .trim_end_matches('$');
        assert!(SERIES.contains(&series), "{series}");
        assert!(
            rule.series_query.starts_with(&format!("{series}{{")),
            "{rule:?}"
        );
        for label in ["namespace", "pod"] {
            assert!(
                rule.series_query.contains(&format!("{label}!=\"\"")),
                "{rule:?}"
            );
            assert_eq!(rule.resources.overrides[label].resource, label);
        }
        assert!(
            rule.metrics_query
                .contains("<<.Series>>{<<.LabelMatchers>>}"),
            "{rule:?}"
        );
        assert!(rule.metrics_query.contains("by (<<.GroupBy>>)"), "{rule:?}");
    }
}

#[test]
fn a_counter_is_queried_as_a_rate_and_a_gauge_is_not() {
    for rule in rules() {
        let is_counter = rule.series_query.contains("_total{");
        assert_eq!(rule.metrics_query.contains("rate("), is_counter, "{rule:?}");
    }
}

#[test]
fn the_window_of_a_rate_covers_four_scrapes() {
    let rendered = rendered!("monitoring");
    let monitor = rendered.one("monitoring.coreos.com/ServiceMonitor");

    let scrape = seconds(text(monitor, "/spec/endpoints/0/interval"));

    let window = rules()
        .iter()
        .any(|rule| rule.metrics_query.contains("[1m]"));
    assert!(window && scrape * 4 <= 60, "{scrape} s");
    assert!(seconds(text(&yaml_file(VALUES), "/metricsRelistInterval")) >= 2 * scrape);
}

#[test]
fn the_hpa_scales_the_deployment_by_the_adapters_metrics() {
    let rendered = rendered!("k8s-base");
    let hpa = rendered.one("autoscaling/HorizontalPodAutoscaler");
    let deployment = rendered.one("apps/Deployment");

    for field in ["/metadata/name", "/kind", "/apiVersion"] {
        let target = format!(
            "/spec/scaleTargetRef/{}",
            field.rsplit('/').next().expect("a name")
        );
        assert_eq!(at(hpa, &target), at(deployment, field));
    }
    let offered: Vec<_> = rules().into_iter().map(|rule| rule.name.new).collect();
    assert_eq!(pod_metrics(hpa), offered);
}

#[test]
fn only_one_autoscaler_sets_the_replicas() {
    for folder in ["k8s-base", "function/tests/manifests/overlays/keda"] {
        let rendered = rendered!(folder);
        let deployment = rendered.one("apps/Deployment");
        let owners = [
            "autoscaling/HorizontalPodAutoscaler",
            "keda.sh/ScaledObject",
        ];

        let owners = owners
            .iter()
            .map(|kind| rendered.every(kind).len())
            .sum::<usize>();

        assert!(deployment.pointer("/spec/replicas").is_none(), "{folder}");
        assert_eq!(owners, 1, "{folder}");
    }
}

#[test]
fn keda_cannot_be_built_without_the_hpa_that_it_replaces() {
    let Some(outcome) = kustomize("k8s-base/components/keda") else {
        return;
    };

    let error = outcome.expect_err("no HPA to remove");

    assert!(error.contains("HorizontalPodAutoscaler"), "{error}");
}

#[test]
fn keda_scales_as_the_hpa_does() {
    let plain = rendered!("k8s-base");
    let hpa = plain.one("autoscaling/HorizontalPodAutoscaler");
    let rendered = rendered!("function/tests/manifests/overlays/keda");
    let scaled = rendered.one("keda.sh/ScaledObject");
    let same = [
        ("/spec/minReplicaCount", "/spec/minReplicas"),
        ("/spec/maxReplicaCount", "/spec/maxReplicas"),
        (
            "/spec/advanced/horizontalPodAutoscalerConfig/behavior",
            "/spec/behavior",
        ),
        (
            "/spec/triggers/0/metadata/threshold",
            "/spec/metrics/0/pods/target/averageValue",
        ),
        (
            "/spec/triggers/1/metadata/threshold",
            "/spec/metrics/1/pods/target/averageValue",
        ),
    ];
    for (keda, plain) in same {
        assert_eq!(at(scaled, keda), at(hpa, plain), "{keda}");
    }
    let cpu = number(hpa, "/spec/metrics/2/resource/target/averageUtilization");
    assert_eq!(
        text(scaled, "/spec/triggers/2/metadata/value"),
        cpu.to_string()
    );
    for (trigger, series) in [(1, SERIES[0]), (0, SERIES[1])] {
        let query = text(scaled, &format!("/spec/triggers/{trigger}/metadata/query"));
        assert!(query.contains(&format!("{series}{{")), "{query}");
    }
}

#[test]
fn knatives_hpa_class_scales_by_the_same_metric_and_target() {
    let plain = rendered!("k8s-base");
    let hpa = plain.one("autoscaling/HorizontalPodAutoscaler");
    let rendered = rendered!("function/tests/manifests/overlays/hpa-class");
    let service = rendered.one("serving.knative.dev/Service");
    let annotation = |name| {
        let pointer =
            format!("/spec/template/metadata/annotations/autoscaling.knative.dev~1{name}");
        text(service, &pointer).to_owned()
    };

    assert_eq!(annotation("metric"), pod_metrics(hpa)[0]);
    assert_eq!(
        annotation("target"),
        text(hpa, "/spec/metrics/0/pods/target/averageValue")
    );
    assert_eq!(
        annotation("max-scale"),
        number(hpa, "/spec/maxReplicas").to_string()
    );
}

#[test]
fn the_standalone_adapter_queries_the_standalone_prometheus_and_registers_custom_metrics_only() {
    let rendered = rendered!("monitoring/standalone");

    let service = rendered.one("/Service");
    let registered = rendered.one("apiregistration.k8s.io/APIService");

    assert_eq!(
        text(registered, "/metadata/name"),
        "v1beta1.custom.metrics.k8s.io"
    );
    for field in ["name", "namespace"] {
        assert_eq!(
            registered["spec"]["service"][field],
            service["metadata"][field]
        );
    }
    let address = "http://prometheus-operated.monitoring.svc:9090";
    let deployment = rendered.one("apps/Deployment").to_string();
    assert!(deployment.contains(&format!("--prometheus-url={address}")));
    assert!(file("k8s-base/components/keda/scaledobject.yaml").contains(address));
}

fn rules() -> Vec<Rule> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        rules: Vec<Rule>,
    }
    let config: Config = serde_saphyr::from_str(&file(CONFIG)).expect("the adapter's form");
    config.rules
}

/// The names of an HPA's metrics that are about pods.
fn pod_metrics(hpa: &Value) -> Vec<String> {
    let metrics = list(hpa, "/spec/metrics");
    let names = metrics
        .iter()
        .filter_map(|metric| metric.pointer("/pods/metric/name"));
    names
        .map(|name| name.as_str().expect("a text").to_owned())
        .collect()
}

fn seconds(duration: &str) -> u64 {
    duration.trim_end_matches('s').parse().expect("seconds")
}
