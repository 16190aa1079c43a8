//! Checks that references between objects agree: ports, labels, probes, images. Autoscalers are in `scaling`, ingress
//! in `network_policies`, timeouts in `lifetime`.

use serde_json::Value;

use crate::rendered::{all, at, file, files_below, list, named, number, rendered, text};
use crate::restricted::pods;
use crate::settings::config;

#[test]
fn the_service_targets_named_ports_of_the_pods() {
    let rendered = rendered!("k8s-base");
    let service = rendered.one("/Service");
    let template = at(rendered.one("apps/Deployment"), "/spec/template");

    assert_eq!(
        at(service, "/spec/selector"),
        at(template, "/metadata/labels")
    );
    for name in ["http", "metrics"] {
        let port = named(&list(service, "/spec/ports"), name);
        let container = list(template, "/spec/containers/0/ports");
        assert_eq!(
            text(named(&container, text(port, "/targetPort")), "/name"),
            name
        );
    }
}

#[test]
fn the_container_listens_on_its_declared_ports() {
    let rendered = rendered!("k8s-base");
    let container = at(pods(&rendered)[0].1, "/containers/0");
    let ports = list(container, "/ports");

    let config = config(&rendered);
    let http = number(named(&ports, "http"), "/containerPort");
    let metrics = number(named(&ports, "metrics"), "/containerPort");
    assert_eq!(http, u64::from(config.port));
    assert_eq!(Some(metrics), config.metrics_port.map(u64::from));
}

#[test]
fn the_service_monitor_selects_the_service_and_its_port() {
    let monitor = rendered!("monitoring");
    let monitor = monitor.one("monitoring.coreos.com/ServiceMonitor");
    let rendered = rendered!("k8s-base");
    let service = rendered.one("/Service");

    // Without the instance, so that one monitor scrapes all of them.
    let labels = at(monitor, "/spec/selector/matchLabels");
    assert!(is_part_of(labels, at(service, "/metadata/labels")));
    assert!(labels.get("app.kubernetes.io/instance").is_none());
    assert_eq!(
        at(monitor, "/metadata/namespace"),
        at(service, "/metadata/namespace")
    );
    let port = text(monitor, "/spec/endpoints/0/port");
    assert_eq!(
        text(named(&list(service, "/spec/ports"), port), "/name"),
        "metrics"
    );
}

#[test]
fn the_pod_monitor_selects_the_pods_that_knative_creates() {
    let monitor = rendered!("monitoring");
    let monitor = monitor.named("monitoring.coreos.com/PodMonitor", "webhook-app");
    let rendered = rendered!("knative");
    let service = rendered.one("serving.knative.dev/Service");

    let label = "/spec/selector/matchLabels/serving.knative.dev~1service";
    assert_eq!(at(monitor, label), at(service, "/metadata/name"));
    assert_eq!(
        at(monitor, "/metadata/namespace"),
        at(service, "/metadata/namespace")
    );
    // Knative's name for the container's port, whatever the manifest calls it.
    assert_eq!(
        text(monitor, "/spec/podMetricsEndpoints/0/port"),
        "user-port"
    );
}

#[test]
fn both_monitors_have_the_same_job_and_interval() {
    let rendered = rendered!("monitoring");
    let service = rendered.one("monitoring.coreos.com/ServiceMonitor");
    let pod = rendered.named("monitoring.coreos.com/PodMonitor", "webhook-app");

    assert_eq!(at(service, "/spec/jobLabel"), at(pod, "/spec/jobLabel"));
    for field in ["interval", "scrapeTimeout", "path"] {
        let (service, pod) = (
            at(service, "/spec/endpoints/0"),
            at(pod, "/spec/podMetricsEndpoints/0"),
        );
        assert_eq!(service[field], pod[field], "{field}");
    }
}

#[test]
fn the_container_is_the_same_in_both_packagings() {
    let (plain, knative) = (rendered!("k8s-base"), rendered!("knative"));
    let (plain, knative) = (pods(&plain)[0].1, pods(&knative)[0].1);
    let fields = "envFrom image name readinessProbe resources securityContext terminationMessagePolicy volumeMounts";
    for field in fields.split_whitespace() {
        let pointer = format!("/containers/0/{field}");
        assert_eq!(at(plain, &pointer), at(knative, &pointer), "{field}");
    }
    for field in ["/serviceAccountName", "/enableServiceLinks", "/volumes"] {
        assert_eq!(at(plain, field), at(knative, field), "{field}");
    }
    // Only the port may differ.
    for field in "periodSeconds failureThreshold timeoutSeconds".split_whitespace() {
        let pointer = format!("/containers/0/livenessProbe/{field}");
        assert_eq!(at(plain, &pointer), at(knative, &pointer), "{field}");
    }
}

/// A full port of the webhooks must not restart a pod, and must not get more webhooks.
#[test]
fn on_the_deployment_only_readiness_uses_the_port_of_the_webhooks() {
    let rendered = rendered!("k8s-base");
    let (_, pod) = pods(&rendered)[0];
    let config = config(&rendered);
    let cases = [
        ("startupProbe", "/health/readiness", config.metrics_port),
        ("livenessProbe", "/health/liveness", config.metrics_port),
        ("readinessProbe", "/health/readiness", Some(config.port)),
    ];
    for (probe, path, port) in cases {
        let request = at(pod, &format!("/containers/0/{probe}/httpGet"));
        assert_eq!(text(request, "/path"), path);
        assert_eq!(Some(port_of(pod, request)), port.map(u64::from), "{probe}");
    }
}

#[test]
fn on_knative_all_probes_use_the_only_port() {
    let rendered = rendered!("knative");
    let (_, pod) = pods(&rendered)[0];
    let config = config(&rendered);
    for probe in ["livenessProbe", "readinessProbe"] {
        let request = at(pod, &format!("/containers/0/{probe}/httpGet"));
        assert_eq!(port_of(pod, request), u64::from(config.port), "{probe}");
    }
    assert_eq!(config.metrics_port, None);
}

#[test]
fn only_one_kustomization_names_the_image_registry() {
    for folder in ["k8s-base", "knative"] {
        let rendered = rendered!(folder);
        let image = text(pods(&rendered)[0].1, "/containers/0/image");
        let version = concat!(":", env!("CARGO_PKG_VERSION"));
        assert!(
            image.ends_with(version),
            "{image} is not the version of the package"
        );
    }
    let registry = "registry.example.com";
    let mut naming: Vec<_> = ["k8s-base", "knative", "monitoring"]
        .iter()
        .flat_map(|folder| files_below(folder))
        // Pictures of dashboards.
        .filter(|path| {
            std::path::Path::new(path)
                .extension()
                .is_none_or(|name| name != "png")
        })
        // READMEs and examples show how an overlay replaces it.
        .filter(|path| !path.ends_with("README.md") && !path.contains("/examples/"))
        .filter(|path| file(path).contains(registry))
        .collect();
    naming.sort_unstable();
    assert_eq!(naming, ["k8s-base/common/image/kustomization.yaml"]);
}

/// What an operator must change is in one place each; everything else refers to it.
#[test]
fn each_host_name_of_an_installation_is_in_one_file() {
    let files = || {
        let folders = ["k8s-base", "knative"].into_iter().flat_map(files_below);
        folders.filter(|path| !path.ends_with("README.md") && !path.contains("/examples/"))
    };
    // The hosts of the edge, and what kustomize replaces with them. Without the edge, the files below have them.
    let edge = [
        "k8s-base/edge/static/envoy.yaml",
        "k8s-base/hosts/hosts.env",
    ];
    let other = |path: &String| !edge.contains(&path.as_str());
    // Rocket.Chat may be on another cluster than the function, so each has its address.
    let chat: &[_] = &[
        "k8s-base/common/config.env",
        "k8s-base/rocketchat/server/config.env",
    ];
    for (host, expected) in [
        ("chat.example.com", chat),
        (
            "//gitlab.example.com",
            &["k8s-base/reconcile/common/config.env"],
        ),
        ("webhooks.example.com", &["k8s-base/gateway/gateway.yaml"]),
    ] {
        let naming = files().filter(|path| file(path).contains(host));
        let mut naming: Vec<_> = naming.filter(other).collect();
        naming.sort_unstable();
        assert_eq!(naming, expected, "{host}");
        for path in expected {
            assert_eq!(file(path).matches(host).count(), 1, "{host} in {path}");
        }
    }
    let documentation = files().filter(|path| file(path).contains("example.com"));
    let documentation = documentation.filter(other);
    assert_eq!(documentation.count(), 5, "these and the image registry");
}

#[test]
fn no_object_is_defined_twice_in_one_folder() {
    for folder in all() {
        let rendered = rendered!(&folder);
        let identity = |object: &Value| {
            let name = |pointer| object.pointer(pointer).map(Value::to_string);
            (
                name("/apiVersion"),
                name("/kind"),
                name("/metadata/namespace"),
                name("/metadata/name"),
            )
        };
        let mut all: Vec<_> = rendered.0.iter().map(identity).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), rendered.0.len(), "{folder}");
    }
}

/// The number of the port that a probe uses, by its number or its name.
fn port_of(pod: &Value, request: &Value) -> u64 {
    let port = at(request, "/port");
    let ports = list(pod, "/containers/0/ports");
    let by_name = |name| number(named(&ports, name), "/containerPort");
    port.as_str()
        .map_or_else(|| port.as_u64().expect("a number"), by_name)
}

/// Whether all labels of a selector are among those of an object.
pub(crate) fn is_part_of(selector: &Value, labels: &Value) -> bool {
    let selector = selector.as_object().expect("labels");
    selector
        .iter()
        .all(|(label, value)| labels.get(label) == Some(value))
}
