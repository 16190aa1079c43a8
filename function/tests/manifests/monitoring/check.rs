//! What `make monitoring-check` finds: nothing where all is well, and each mistake with what to do.

use serde_json::{Value, json};

use super::{
    alertmanager_of_standalone, assert_says, found, prometheus_of_standalone, run, sandbox,
};
use crate::answers::{Answer, always, once};
use crate::rendered::Rendered;
use crate::sandbox::{Run, Sandbox};

/// Where the API server forwards to a server of the namespace `monitoring`.
const PROMETHEUS: &str =
    "get --raw /api/v1/namespaces/monitoring/pods/prometheus-webhook-app-0:9090/proxy/api/v1/";
const ALERTMANAGER: &str =
    "get --raw /api/v1/namespaces/monitoring/pods/alertmanager-webhook-app-0:9093/proxy/api/v2/";
const ADAPTER: &str = "get --raw /apis/custom.metrics.k8s.io/v1beta1 ";
const CONFIG_MAPS: &str = "get configmaps --selector ";
const HPA: &str = "get horizontalpodautoscalers.autoscaling webhook-app ";
const DEPLOYMENT: &str = "get deployments.apps webhook-app ";

/// The objects of `monitoring` and `monitoring/monitors`; `None` without `kubectl`.
fn manifests() -> Option<Vec<Value>> {
    let mut objects = Rendered::of("monitoring")?.0;
    objects.extend(Rendered::of("monitoring/monitors")?.0);
    Some(objects)
}

fn target(pool: &str, health: &str, error: &str) -> Value {
    json!({"scrapePool": pool, "health": health, "lastError": error, "scrapeUrl": "http://198.51.100.7:9464/metrics"})
}

fn data(value: &Value) -> Value {
    json!({"status": "success", "data": value})
}

/// The pools of all monitors.
fn pools(manifests: &[Value]) -> Vec<String> {
    let pool = |object: &Value| {
        let kind = match object["kind"].as_str()? {
            "ServiceMonitor" => "serviceMonitor",
            "PodMonitor" => "podMonitor",
            _ => return None,
        };
        let part = |name: &str| object["metadata"][name].as_str().expect("a text");
        Some(format!("{kind}/{}/{}/0", part("namespace"), part("name")))
    };
    manifests.iter().filter_map(pool).collect()
}

/// The rules as Prometheus has loaded them.
fn groups(manifests: &[Value]) -> Value {
    let rules = manifests
        .iter()
        .filter(|object| object["kind"] == "PrometheusRule");
    let groups = rules.flat_map(|object| object["spec"]["groups"].as_array().expect("a list"));
    let group = |group: &Value| {
        let rules = group["rules"].as_array().expect("a list").iter();
        let rule = |rule: &Value| json!({"name": rule["alert"].as_str().or(rule["record"].as_str()), "health": "ok"});
        json!({"name": group["name"], "rules": rules.map(rule).collect::<Vec<_>>()})
    };
    json!({"groups": groups.map(group).collect::<Vec<_>>()})
}

fn dashboards(manifests: &[Value]) -> Vec<Value> {
    let is_dashboard = |object: &&Value| object["metadata"]["labels"]["grafana_dashboard"] == "1";
    manifests.iter().filter(is_dashboard).cloned().collect()
}

fn autoscaler(current: &Value, active: &str) -> Value {
    let metric = |name: &str| json!({"type": "Pods", "pods": {"metric": {"name": name}, "target": {"averageValue": "60"}}});
    json!({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "webhook-app"},
        "spec": {"metrics": [metric("webhooks_per_minute"), metric("webhooks_in_flight")]},
        "status": {"currentMetrics": current, "conditions": [{"type": "ScalingActive", "status": active, "reason": "FailedGetPodsMetric", "message": "no metrics returned"}]}})
}

fn values() -> Value {
    let value = |name: &str| json!({"type": "Pods", "pods": {"metric": {"name": name}, "current": {"averageValue": "0"}}});
    json!([value("webhooks_per_minute"), value("webhooks_in_flight")])
}

/// A cluster on which the function is deployed and everything works, but for the special answers.
fn check(sandbox: &Sandbox, manifests: &[Value], special: impl IntoIterator<Item = Answer>) -> Run {
    let served =
        ["pods/webhooks_per_minute", "pods/webhooks_in_flight"].map(|name| json!({"name": name}));
    let healthy = [
        always(
            "get prometheuses.monitoring.coreos.com --all",
            0,
            found(&[]),
        ),
        prometheus_of_standalone(),
        alertmanager_of_standalone(),
        always(
            &format!("{PROMETHEUS}scrape_pools "),
            0,
            data(&json!({"scrapePools": pools(manifests)})),
        ),
        always(
            &format!("{PROMETHEUS}targets"),
            0,
            data(
                &json!({"activeTargets": [target("serviceMonitor/webhook-app/webhook-app/0", "up", "")]}),
            ),
        ),
        always(&format!("{PROMETHEUS}rules "), 0, data(&groups(manifests))),
        always(
            &format!("{PROMETHEUS}alertmanagers "),
            0,
            data(
                &json!({"activeAlertmanagers": [{"url": "http://198.51.100.8:9093/api/v2/alerts"}]}),
            ),
        ),
        always(
            &format!("{ALERTMANAGER}alerts"),
            0,
            json!([{"status": {"state": "active"}}]),
        ),
        always(
            &format!("{ALERTMANAGER}status "),
            0,
            json!({"config": {"original": "rocketchat_configs: pagerduty_configs:"}}),
        ),
        always(CONFIG_MAPS, 0, found(&dashboards(manifests))),
        always(ADAPTER, 0, json!({"resources": served})),
        always(HPA, 0, autoscaler(&values(), "True")),
        always(DEPLOYMENT, 0, json!({"kind": "Deployment"})),
    ];
    run(sandbox, "check", &[], special.into_iter().chain(healthy))
}

#[test]
fn all_is_well_on_a_cluster_that_works() {
    let (Some(sandbox), Some(manifests)) = (sandbox("monitoring-check"), manifests()) else {
        return;
    };

    let run = check(&sandbox, &manifests, []);

    let says = [
        "✓ Prometheus monitoring/webhook-app answers",
        "✓ targets of ServiceMonitor webhook-app/webhook-app: 1 of 1 up",
        "– no target, because the program is not in the cluster or its metrics are off: PodMonitor webhook-app/webhook-app",
        "PodMonitor monitoring/rabbitmq",
        "are loaded and healthy",
        "✓ dashboards: 5 ConfigMaps",
        "✓ custom.metrics.k8s.io has pods/webhooks_per_minute and pods/webhooks_in_flight",
        "✓ the HPA webhook-app reads webhooks_per_minute 0, webhooks_in_flight 0",
        "✓ Alertmanager monitoring/webhook-app is connected, and WebhookAppWatchdog fires",
        "the monitoring works",
    ];
    assert_says(&run, 0, "healthy", &says);
    assert!(!run.output.contains('✗'), "{}", run.output);
    assert!(run.changes().is_empty(), "{:?}", run.changes());
}

#[test]
fn every_mistake_is_found_with_what_to_do_and_hides_no_other() {
    let (Some(sandbox), Some(manifests)) = (sandbox("monitoring-mistakes"), manifests()) else {
        return;
    };
    let targets = format!("{PROMETHEUS}targets");
    let rules = format!("{PROMETHEUS}rules ");
    let alerts = format!("{ALERTMANAGER}alerts");
    let mut ill = groups(&manifests);
    ill["groups"][0]["rules"][0]["health"] = "err".into();
    ill["groups"][0]["rules"][0]["lastError"] = "many-to-many matching".into();
    let mut fewer = groups(&manifests);
    fewer["groups"].as_array_mut().expect("a list").remove(0);
    let mut broken = dashboards(&manifests);
    broken[0]["data"] = json!({"broker-dashboard.json": "{"});
    let mut changed = dashboards(&manifests);
    changed[0]["data"] = json!({"broker-dashboard.json": "{}"});
    let unread: Vec<_> = pools(&manifests)
        .into_iter()
        .filter(|pool| !pool.contains("rabbitmq"))
        .collect();
    let down = json!({"activeTargets": [target("serviceMonitor/webhook-app/webhook-app/0", "down", "context deadline exceeded")]});
    // Each part of the check has a mistake, so that none hides another.
    let rows: Vec<Vec<(Answer, &str)>> = vec![
        vec![
            (
                always(&targets, 0, data(&down)),
                "✗ targets of ServiceMonitor webhook-app/webhook-app: expected 1 of 1 up, found 0: http://198.51.100.7:9464/metrics is down: context deadline exceeded; is the program running",
            ),
            (
                always(&rules, 0, data(&ill)),
                "is err: many-to-many matching",
            ),
            (always(CONFIG_MAPS, 0, found(&broken)), "is not JSON"),
            (
                always(ADAPTER, 1, "Error from server (ServiceUnavailable)"),
                "✗ custom.metrics.k8s.io: expected an answer of the adapter, found Error from server (ServiceUnavailable)",
            ),
            (
                always(HPA, 0, autoscaler(&json!([]), "False")),
                "✗ the HPA webhook-app: expected values of webhooks_per_minute, webhooks_in_flight, found <unknown> for webhooks_per_minute, webhooks_in_flight (FailedGetPodsMetric: no metrics returned)",
            ),
            (
                always(
                    &format!("{PROMETHEUS}alertmanagers "),
                    0,
                    data(&json!({"activeAlertmanagers": []})),
                ),
                "✗ Alertmanager: expected that Prometheus monitoring/webhook-app sends alerts to one",
            ),
        ],
        vec![
            (
                always(&targets, 0, data(&json!({"activeTargets": []}))),
                "✗ the function: expected a target, found none",
            ),
            (always(&rules, 0, data(&fewer)), "found no webhook-app"),
            (
                always(CONFIG_MAPS, 0, found(&changed)),
                "another broker-dashboard.json in the ConfigMap webhook-app/broker-dashboard",
            ),
            (
                always(ADAPTER, 0, json!({"resources": []})),
                "found no pods/webhooks_per_minute and no pods/webhooks_in_flight",
            ),
            // If it can read CPU, its condition stays true.
            (
                always(HPA, 0, autoscaler(&json!([{"type": ""}]), "True")),
                "✗ the HPA webhook-app: expected values",
            ),
            (
                always(&alerts, 0, json!([])),
                "✗ Alertmanager monitoring/webhook-app: expected that WebhookAppWatchdog fires",
            ),
        ],
        vec![
            (
                always(
                    &format!("{PROMETHEUS}scrape_pools "),
                    0,
                    data(&json!({"scrapePools": unread})),
                ),
                "✗ PodMonitor monitoring/rabbitmq: expected that Prometheus monitoring/webhook-app reads it",
            ),
            (
                always(CONFIG_MAPS, 0, found(&dashboards(&manifests)[1..])),
                "no broker-dashboard.json in the ConfigMap webhook-app/broker-dashboard",
            ),
            (
                always(&alerts, 0, json!([{"status": {"state": "suppressed"}}])),
                "✗ Alertmanager monitoring/webhook-app: expected that WebhookAppWatchdog fires",
            ),
        ],
    ];
    for row in rows {
        let (answers, says): (Vec<_>, Vec<_>) = row.into_iter().unzip();

        let run = check(&sandbox, &manifests, answers);

        assert_says(&run, 1, says[0], &says);
        let count = format!("{} of ", says.len());
        assert!(run.output.contains(&count), "{count}: {}", run.output);
        assert!(run.changes().is_empty(), "{:?}", run.changes());
    }
}

#[test]
fn without_prometheus_the_other_checks_still_run() {
    let (Some(sandbox), Some(manifests)) = (sandbox("monitoring-silent"), manifests()) else {
        return;
    };
    let away = always(
        PROMETHEUS,
        1,
        "Error from server (NotFound): pods not found",
    );

    let run = check(&sandbox, &manifests, [away]);

    assert_says(
        &run,
        1,
        "away",
        &[
            "✗ Prometheus monitoring/webhook-app: expected an answer, found Error from server (NotFound)",
            "✓ dashboards",
            "✓ the HPA",
        ],
    );
    let none = super::run(&sandbox, "check", &[], []);
    assert_says(
        &none,
        1,
        "none",
        &["expected a Prometheus, found none; run make monitoring first"],
    );
    for (answer, says) in [
        (
            once("version ", 1, "was refused"),
            "expected a cluster, kubectl found none: was refused",
        ),
        (
            once("get crd ", 0, ""),
            "expected the custom resource definitions of the Prometheus operator",
        ),
    ] {
        assert_says(&check(&sandbox, &manifests, [answer]), 1, says, &[says]);
    }
}

#[test]
fn a_function_that_is_away_or_at_zero_pods_is_no_mistake() {
    let (Some(sandbox), Some(manifests)) = (sandbox("monitoring-zero"), manifests()) else {
        return;
    };
    let nothing = || {
        vec![
            always(
                &format!("{PROMETHEUS}targets"),
                0,
                data(&json!({"activeTargets": []})),
            ),
            always(ADAPTER, 0, json!({"resources": []})),
            always(HPA, 0, ""),
            always(DEPLOYMENT, 0, ""),
        ]
    };
    let away = check(&sandbox, &manifests, nothing());
    assert_says(
        &away,
        0,
        "away",
        &[
            "– the function is not deployed in the namespace webhook-app",
            "– no HPA",
        ],
    );

    let mut at_zero = nothing();
    at_zero.push(always(
        "get services.serving.knative.dev webhook-app ",
        0,
        json!({"kind": "Service"}),
    ));
    at_zero.push(always(ADAPTER, 0, json!({"resources": []})));
    let zero = check(&sandbox, &manifests, at_zero);
    assert_says(
        &zero,
        1,
        "zero",
        &["– the function is at zero pods, so it has no target"],
    );
}
