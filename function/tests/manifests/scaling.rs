//! Checks that all autoscaling agrees: the HPA, KEDA and Knative's HPA class, and the adapter's rules in both files. That
//! the function exports their series is in `exposition`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::rendered::{at, file, kustomize, list, number, overlay, rendered, text, yaml_file};

const VALUES: &str = "monitoring/prometheus-metrics-adaptor-values.yaml";
const CONFIG: &str = "monitoring/standalone/adapter/config.yaml";

/// A rule as prometheus-adapter parses it; unknown fields are rejected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Rule {
    pub(crate) series_query: String,
    resources: Resources,
    name: Name,
    pub(crate) metrics_query: String,
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
        rendered.named("apps/Deployment", "prometheus-adapter"),
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
fn every_rule_selects_the_series_that_it_renames() {
    for rule in rules() {
        let series = rule
            .name
            .matches
            .trim_start_matches('^')
            .trim_end_matches('$');
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
        // The adapter does not add the conditions of the first query to the second one.
        let (_, conditions) = rule.series_query.split_once('{').expect("conditions");
        let conditions: Vec<_> = conditions
            .trim_end_matches('}')
            .split(',')
            .filter(|condition| !condition.ends_with("!=\"\""))
            .collect();
        let conditions = conditions.join(",");
        assert!(conditions.contains("job=\"webhook-app\""), "{rule:?}");
        let selected = format!("<<.Series>>{{<<.LabelMatchers>>,{conditions}}}");
        assert!(rule.metrics_query.contains(&selected), "{rule:?}");
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

    let queries = rules().into_iter().map(|rule| rule.metrics_query);
    let queries: Vec<_> = queries.chain([keda_query(0)]).collect();
    let windows: Vec<_> = queries.iter().filter_map(|query| window(query)).collect();
    assert_eq!(windows.len(), 2, "of the adapter and of KEDA");
    for window in windows {
        // Prometheus of other people scrape every 30 s.
        assert!(window >= 4 * 30 && window >= 4 * scrape, "{window} s");
        let documented = format!(
            "60 * sum(rate(webhooks_received_total{{kind!=\"unknown\"}}[{}m]))",
            window / 60
        );
        assert!(
            file("monitoring/METRICS.md").contains(&documented),
            "{documented}"
        );
    }
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
    for folder in [
        "k8s-base".to_owned(),
        overlay("keda"),
        overlay("keda-elsewhere"),
    ] {
        let rendered = rendered!(&folder);
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
    for (trigger, rule) in [0, 1].into_iter().zip(rules()) {
        let query = keda_query(trigger);
        let (series, _) = rule.series_query.split_once('{').expect("conditions");
        assert!(query.contains(&format!("{series}{{")), "{query}");
        assert_eq!(window(&query), window(&rule.metrics_query), "{query}");
        let ignores_rejected = |query: &str| query.contains("kind!=\"unknown\"");
        assert_eq!(
            ignores_rejected(&query),
            ignores_rejected(&rule.metrics_query)
        );
    }
}

/// The other answer, zero, would scale down during an outage of Prometheus.
#[test]
fn keda_does_not_scale_down_without_an_answer_of_prometheus() {
    let rendered = rendered!(overlay("keda"));
    let scaled = rendered.one("keda.sh/ScaledObject");

    for trigger in 0..2 {
        let ignored = format!("/spec/triggers/{trigger}/metadata/ignoreNullValues");
        assert_eq!(text(scaled, &ignored), "false");
    }
    assert_eq!(
        text(scaled, "/spec/fallback/behavior"),
        "currentReplicasIfHigher"
    );
    assert_eq!(
        at(scaled, "/spec/fallback/replicas"),
        at(scaled, "/spec/minReplicaCount")
    );
}

/// `kubectl apply` leaves the HPA in the cluster, and KEDA rejects a second one of the same Deployment.
#[test]
fn keda_takes_over_the_hpa_of_the_base() {
    let plain = rendered!("k8s-base");
    let rendered = rendered!(overlay("keda"));
    let scaled = rendered.one("keda.sh/ScaledObject");

    let transfer = "/metadata/annotations/scaledobject.keda.sh~1transfer-hpa-ownership";
    assert_eq!(text(scaled, transfer), "true");
    assert_eq!(
        at(scaled, "/spec/advanced/horizontalPodAutoscalerConfig/name"),
        at(
            plain.one("autoscaling/HorizontalPodAutoscaler"),
            "/metadata/name"
        )
    );
}

#[test]
fn kedas_queries_and_target_follow_the_namespace_and_the_name() {
    for name in ["keda", "keda-elsewhere"] {
        let rendered = rendered!(overlay(name));
        let scaled = rendered.one("keda.sh/ScaledObject");
        let service = rendered.one("/Service");
        let selected = format!(
            "{{namespace=\"{}\",service=\"{}\"",
            text(service, "/metadata/namespace"),
            text(service, "/metadata/name")
        );
        for trigger in 0..2 {
            let query = text(scaled, &format!("/spec/triggers/{trigger}/metadata/query"));
            assert!(query.contains(&selected), "{query}");
        }
        let deployment = rendered.one("apps/Deployment");
        assert_eq!(
            at(scaled, "/spec/scaleTargetRef/name"),
            at(deployment, "/metadata/name")
        );
        assert_eq!(
            at(scaled, "/metadata/namespace"),
            at(deployment, "/metadata/namespace")
        );
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

    let service = rendered.named("/Service", "prometheus-adapter");
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
    let deployment = rendered
        .named("apps/Deployment", "prometheus-adapter")
        .to_string();
    assert!(deployment.contains(&format!("--prometheus-url={address}")));
    assert!(file("k8s-base/components/keda/scaledobject.yaml").contains(address));
}

pub(crate) fn rules() -> Vec<Rule> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        rules: Vec<Rule>,
    }
    let config: Config = serde_saphyr::from_str(&file(CONFIG)).expect("the adapter's form");
    config.rules
}

/// The query of a trigger of the ScaledObject.
pub(crate) fn keda_query(trigger: usize) -> String {
    let scaled = yaml_file("k8s-base/components/keda/scaledobject.yaml");
    text(&scaled, &format!("/spec/triggers/{trigger}/metadata/query")).to_owned()
}

/// The window of the rate in a query, in seconds; none if it has no rate.
fn window(query: &str) -> Option<u64> {
    let (_, rest) = query.split_once('[')?;
    let (minutes, _) = rest.split_once("m]")?;
    Some(60 * minutes.parse::<u64>().expect("minutes"))
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
