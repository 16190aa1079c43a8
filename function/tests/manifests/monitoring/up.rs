//! What `make monitoring` applies, what it waits for, and what it refuses.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::{
    LABEL, alertmanager_of_standalone, applied, assert_says, crds, found, object, of_kind,
    prometheus_of_standalone, run, sandbox,
};
use crate::answers::{Answer, always, once};
use crate::rendered::{rendered, text};

const TOKEN: &str = "a-token-that-nobody-may-see";

/// The Secret of Alertmanager with these keys.
fn secret(keys: &[&str]) -> Answer {
    let value = |key: &str| match key {
        "rocketchat-url" => "https://chat.acme.test/",
        "pagerduty-url" => "https://events.eu.pagerduty.com/v2/enqueue",
        _ => TOKEN,
    };
    let data: Map<_, _> = keys
        .iter()
        .map(|key| ((*key).to_owned(), BASE64_STANDARD.encode(value(key)).into()))
        .collect();
    let secret =
        json!({"kind": "Secret", "metadata": {"name": "webhook-app-alertmanager"}, "data": data});
    always("get secret webhook-app-alertmanager ", 0, secret)
}

const KEYS: &[&str] = &[
    "rocketchat-url",
    "rocketchat-token",
    "rocketchat-user-id",
    "pagerduty-routing-key",
    "heartbeat-url",
    "pagerduty-url",
];

#[test]
fn everything_is_applied_with_a_label_and_awaited() {
    let Some(sandbox) = sandbox("monitoring-up") else {
        return;
    };
    let run = run(&sandbox, "up", &[], []);

    let says = [
        "port-forward service/prometheus-operated 9090",
        "kubectl -n monitoring create secret generic webhook-app-alertmanager",
        "make monitoring-check",
    ];
    // The recorded cluster does not keep what is applied, so it has no Prometheus to show.
    assert_says(&run, 0, "up", &says[1..]);
    let objects = applied(&run);
    for folder in ["monitoring", "monitoring/monitors", "monitoring/standalone"] {
        for expected in &rendered!(folder).0 {
            let is_it = |object: &&&Value| {
                object["kind"] == expected["kind"]
                    && object["metadata"]["name"] == expected["metadata"]["name"]
                    && object["metadata"]["namespace"] == expected["metadata"]["namespace"]
            };
            let object = objects.iter().find(is_it);
            let object = object.unwrap_or_else(|| panic!("{folder}: {expected:#}"));
            let part = if expected["data"].is_null() {
                "spec"
            } else {
                "data"
            };
            assert_eq!(object[part], expected[part], "{folder}");
        }
    }
    for object in &objects {
        assert_eq!(object["metadata"]["labels"][LABEL.0], LABEL.1, "{object:#}");
    }
    for waits in [
        "rollout status deployment/prometheus-adapter",
        "rollout status daemonset/node-exporter",
        "wait prometheus.monitoring.coreos.com/webhook-app",
        "wait alertmanager.monitoring.coreos.com/webhook-app",
    ] {
        assert!(
            run.calls.iter().any(|call| call.is(waits)),
            "{waits}: {:?}",
            run.output
        );
    }
    let keys = of_kind(&objects, "Secret");
    assert!(keys.is_empty(), "{keys:?}");
}

#[test]
fn the_addresses_of_both_servers_are_shown() {
    let Some(sandbox) = sandbox("monitoring-addresses") else {
        return;
    };
    let answers = [
        prometheus_of_standalone(),
        alertmanager_of_standalone(),
        always(
            "get services --all-namespaces ",
            0,
            found(&[object("Service", "observability", "grafana")]),
        ),
    ];

    let run = run(&sandbox, "up", &[], answers);

    let says = [
        "http://prometheus-operated.monitoring.svc:9090",
        "kubectl -n monitoring port-forward service/prometheus-operated 9090, then http://localhost:9090",
        "kubectl -n monitoring port-forward service/alertmanager-operated 9093, then http://localhost:9093",
        "kubectl -n observability port-forward service/grafana 3000:80",
    ];
    assert_says(&run, 0, "addresses", &says);
}

#[test]
fn another_namespace_and_the_context_are_used_everywhere() {
    let Some(sandbox) = sandbox("monitoring-namespace") else {
        return;
    };
    let variables = [
        ("NAMESPACE", "hooks"),
        ("KUBE_CONTEXT", "acme/agent:production"),
        ("WEBHOOK_URL", "https://hooks.acme.test/webhook"),
    ];

    let run = run(&sandbox, "up", &variables, []);

    assert_says(&run, 0, "hooks", &[]);
    let objects = applied(&run);
    let namespaces: BTreeSet<_> = objects
        .iter()
        .filter_map(|object| object["metadata"]["namespace"].as_str())
        .collect();
    assert_eq!(
        namespaces,
        BTreeSet::from(["hooks", "kube-system", "monitoring"])
    );
    let texts = format!("{objects:?}");
    assert!(
        !texts.contains("kubectl -n webhook-app "),
        "a command for another namespace"
    );
    assert!(
        texts.contains("kubectl -n hooks "),
        "no command for this one"
    );
    let monitors = of_kind(&objects, "PodMonitor");
    let proxies = monitors
        .iter()
        .find(|monitor| text(monitor, "/metadata/name") == "queue-proxy");
    assert_eq!(
        proxies.expect("exists")["spec"]["namespaceSelector"]["matchNames"],
        json!(["hooks"])
    );
    let probes = of_kind(&objects, "Probe");
    assert_eq!(
        probes.len(),
        1,
        "that of the pages has no addresses: {probes:?}"
    );
    assert_eq!(
        probes[0]["spec"]["targets"]["staticConfig"]["static"],
        json!(["https://hooks.acme.test/webhook"])
    );
    for call in &run.calls {
        assert_eq!(call.context, "acme/agent:production", "{call:?}");
    }
}

#[test]
fn an_address_without_a_scheme_is_probed_for_its_certificate_only() {
    let Some(sandbox) = sandbox("monitoring-probes") else {
        return;
    };
    let cases = [
        ("https://hooks.acme.test/webhook", "webhooks"),
        ("hooks.acme.test:443", "tls"),
    ];
    for (address, module) in cases {
        let run = run(&sandbox, "up", &[("WEBHOOK_URL", address)], []);

        assert_says(&run, 0, address, &[]);
        let objects = applied(&run);
        let probe = of_kind(&objects, "Probe")[0];
        assert_eq!(probe["spec"]["module"], module, "{address}");
    }
}

#[test]
fn a_prometheus_of_the_cluster_is_used_in_place_of_a_second_one() {
    let Some(sandbox) = sandbox("monitoring-helm") else {
        return;
    };
    let helm = object("Prometheus", "observability", "stack");
    let answers = [always(
        "get prometheuses.monitoring.coreos.com --all-namespaces ",
        0,
        found(&[helm]),
    )];

    let run = run(&sandbox, "up", &[], answers);

    let says = [
        "observability/stack; no second one is installed",
        "that of observability needs a label",
    ];
    assert_says(&run, 0, "helm", &says);
    let objects = applied(&run);
    for kind in ["Prometheus", "Alertmanager", "DaemonSet"] {
        assert!(of_kind(&objects, kind).is_empty(), "{kind}");
    }
    let names: BTreeSet<_> = of_kind(&objects, "Deployment")
        .into_iter()
        .map(|one| text(one, "/metadata/name"))
        .collect();
    assert_eq!(
        names,
        BTreeSet::from(["blackbox-exporter", "prometheus-adapter"])
    );
    assert!(
        format!("{objects:?}")
            .contains("--prometheus-url=http://prometheus-operated.observability.svc:9090")
    );
    assert!(!of_kind(&objects, "PrometheusRule").is_empty());
}

#[test]
fn several_prometheuses_need_a_choice() {
    let Some(sandbox) = sandbox("monitoring-several") else {
        return;
    };
    let two = || {
        let two = [
            object("Prometheus", "a", "one"),
            object("Prometheus", "b", "two"),
        ];
        always(
            "get prometheuses.monitoring.coreos.com --all-namespaces ",
            0,
            found(&two),
        )
    };
    let cases = [
        ("", 1, "found a/one, b/two"),
        ("c/three", 1, "expected a Prometheus c/three"),
        ("b/two", 0, "b/two; no second one"),
        ("monitoring/webhook-app", 0, "is installed"),
    ];
    for (chosen, code, says) in cases {
        let run = run(&sandbox, "up", &[("PROMETHEUS", chosen)], [two()]);

        assert_says(&run, code, chosen, &[says]);
        assert_eq!(applied(&run).is_empty(), code == 1, "{chosen}");
    }
}

#[test]
fn an_adapter_that_the_cluster_has_is_left_as_it_is() {
    let Some(sandbox) = sandbox("monitoring-adapter") else {
        return;
    };
    let adapter =
        json!({"kind": "APIService", "metadata": {"name": "v1beta1.custom.metrics.k8s.io"}});
    let answers = [always(
        "get apiservices v1beta1.custom.metrics.k8s.io ",
        0,
        adapter,
    )];

    let run = run(&sandbox, "up", &[], answers);

    assert_says(&run, 0, "adapter", &["the cluster has an adapter"]);
    let objects = applied(&run);
    let names = objects.iter().map(|object| text(object, "/metadata/name"));
    let of_adapter: Vec<_> = names
        .filter(|name| name.contains("adapter") || name.contains("custom.metrics"))
        .collect();
    assert_eq!(of_adapter, Vec::<&str>::new());
}

#[test]
fn objects_without_the_label_are_not_changed() {
    let Some(sandbox) = sandbox("monitoring-foreign") else {
        return;
    };
    let monitor = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": {"name": "webhook-app", "namespace": "webhook-app"}});
    let answers = [always(
        "get --ignore-not-found -f FILE ",
        0,
        found(&[monitor]),
    )];

    let run = run(&sandbox, "up", &[], answers);

    assert_says(
        &run,
        0,
        "foreign",
        &["left as they are", "ServiceMonitor webhook-app/webhook-app"],
    );
    let monitors = of_kind(&applied(&run), "ServiceMonitor");
    assert!(
        monitors
            .iter()
            .all(|one| text(one, "/metadata/name") != "webhook-app"),
        "{monitors:?}"
    );
    assert!(!monitors.is_empty(), "that of kube-state-metrics is new");
}

#[test]
fn what_no_longer_belongs_to_it_is_removed() {
    let Some(sandbox) = sandbox("monitoring-former") else {
        return;
    };
    let answers = [always(
        "get configmaps --all-namespaces --selector ",
        0,
        found(&[object(
            "ConfigMap",
            "monitoring",
            "prometheus-adapter-former",
        )]),
    )];

    let run = run(&sandbox, "up", &[], answers);

    assert_says(
        &run,
        0,
        "former",
        &["ConfigMap monitoring/prometheus-adapter-former is removed"],
    );
    let deleted: Vec<_> = run.calls.iter().filter(|call| call.is("delete")).collect();
    assert_eq!(deleted.len(), 1, "{deleted:?}");
    assert!(
        deleted[0].is("delete configmap prometheus-adapter-former"),
        "{deleted:?}"
    );
}

#[test]
fn alertmanager_is_configured_if_its_secret_exists() {
    let Some(sandbox) = sandbox("monitoring-notify") else {
        return;
    };
    let chat = "https://chat.acme.test";
    let pagerduty = "https://events.eu.pagerduty.com/v2/enqueue";
    for (version, kind) in [("0.95.2", "AlertmanagerConfig"), ("0.85.0", "Secret")] {
        let run = run(&sandbox, "up", &[], [secret(KEYS), crds(version)]);

        assert_says(&run, 0, version, &[]);
        let objects = applied(&run);
        let configurations = of_kind(&objects, kind);
        assert_eq!(configurations.len(), 1, "{version}");
        let configuration = configurations[0].to_string();
        assert_eq!(
            text(configurations[0], "/metadata/namespace"),
            "monitoring",
            "{version}"
        );
        assert!(
            configuration.contains(chat) && !configuration.contains("chat.example.org"),
            "{version}: {configuration}"
        );
        assert!(
            configuration.contains(pagerduty)
                && !configuration.contains("https://events.pagerduty.com"),
            "{version}: {configuration}"
        );
        let alertmanager = of_kind(&objects, "Alertmanager")[0];
        let is_raw = kind == "Secret";
        assert_eq!(
            alertmanager["spec"]["configSecret"] == "webhook-app-alertmanager-config",
            is_raw,
            "{version}"
        );
        assert_eq!(
            alertmanager["spec"]["secrets"] == json!(["webhook-app-alertmanager"]),
            is_raw,
            "{version}"
        );
        assert!(
            !format!("{:?}{}", run.calls, run.output).contains(TOKEN),
            "{version}"
        );
    }
}

#[test]
fn a_missing_key_and_a_configuration_of_the_user_are_named() {
    let Some(sandbox) = sandbox("monitoring-keys") else {
        return;
    };
    let own = || {
        always(
            "get alertmanagerconfigs.monitoring.coreos.com --all-namespaces --output ",
            0,
            found(&[object("AlertmanagerConfig", "hooks", "webhook-app")]),
        )
    };
    let cases = [
        (
            vec![secret(&KEYS[..3])],
            "found one without pagerduty-routing-key, heartbeat-url",
        ),
        (
            vec![secret(KEYS), own()],
            "the AlertmanagerConfig hooks/webhook-app is left as it is",
        ),
    ];
    for (answers, says) in cases {
        let run = run(&sandbox, "up", &[], answers);

        assert_says(&run, 0, says, &[says]);
        assert!(
            of_kind(&applied(&run), "AlertmanagerConfig").is_empty(),
            "{says}"
        );
    }
}

#[test]
fn nothing_is_applied_on_a_cluster_that_lacks_something() {
    let Some(sandbox) = sandbox("monitoring-lacking") else {
        return;
    };
    let cases = [
        (
            once(
                "version ",
                1,
                "The connection to the server localhost:8080 was refused",
            ),
            "expected a cluster, kubectl found none: The connection",
        ),
        (
            once("get crd ", 0, ""),
            "found no alertmanagers.monitoring.coreos.com, podmonitors.monitoring.coreos.com",
        ),
        (
            once("get crd ", 0, ""),
            "kubectl apply --server-side -f https://github.com/prometheus-operator",
        ),
        (
            once(
                "get crd ",
                1,
                "Error from server (Forbidden): customresourcedefinitions",
            ),
            "Forbidden",
        ),
        (
            once("get namespace *", 0, ""),
            "expected the namespace webhook-app of the function, found none",
        ),
    ];
    for (answer, says) in cases {
        let run = run(&sandbox, "up", &[], [answer]);

        assert_says(&run, 1, says, &[says]);
        assert!(run.changes().is_empty(), "{says}: {:?}", run.calls);
    }
    let kind = run(&sandbox, "up", &[("CLUSTER", "kind")], []);
    assert_says(
        &kind,
        1,
        "kind",
        &["expected the cluster of make up CLUSTER=kind"],
    );
    let other = run(&sandbox, "up", &[("CLUSTER", "minikube")], []);
    assert_says(
        &other,
        1,
        "minikube",
        &["expected kind, k3d or existing for CLUSTER, found minikube"],
    );
}

#[test]
fn a_rollout_that_fails_says_why() {
    let Some(sandbox) = sandbox("monitoring-rollout") else {
        return;
    };
    let pod = json!({"metadata": {"name": "prometheus-webhook-app-0"}, "status": {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]}});
    for (call, kind) in [
        ("wait *prometheus.monitoring", "Prometheus"),
        ("rollout status daemonset/node-exporter ", "DaemonSet"),
    ] {
        let answers = [
            always(call, 1, "error: timed out waiting"),
            always(
                "get pods --output json ",
                0,
                found(std::slice::from_ref(&pod)),
            ),
        ];

        let run = run(&sandbox, "up", &[], answers);

        let kind = format!("expected {kind} monitoring/");
        assert_says(
            &run,
            1,
            call,
            &[&kind, "ImagePullBackOff no such image", "describe pods"],
        );
    }
}
