//! Checks that references between objects agree: ports, labels, probes, images. Autoscalers are in `scaling`, ingress
//! in `network_policies`, timeouts in `lifetime`.

use serde_json::Value;

use crate::product::PORT;
use crate::rendered::{ALL, at, file, list, named, number, rendered, repository, text};
use crate::restricted::pods;

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

    assert_eq!(number(named(&ports, "http"), "/containerPort"), PORT);
    let metrics = number(named(&ports, "metrics"), "/containerPort");
    let variable = named_value(container, "METRICS_PORT");
    assert_eq!(variable, metrics.to_string());
}

#[test]
fn the_service_monitor_selects_the_service_and_its_port() {
    let monitor = rendered!("monitoring");
    let monitor = monitor.one("monitoring.coreos.com/ServiceMonitor");
    let rendered = rendered!("k8s-base");
    let service = rendered.one("/Service");

    assert_eq!(
        at(monitor, "/spec/selector/matchLabels"),
        at(service, "/metadata/labels")
    );
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
    let monitor = monitor.one("monitoring.coreos.com/PodMonitor");
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
    let pod = rendered.one("monitoring.coreos.com/PodMonitor");

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
    let fields = "envFrom image livenessProbe name readinessProbe resources securityContext \
                  terminationMessagePolicy volumeMounts";
    for field in fields.split_whitespace() {
        let pointer = format!("/containers/0/{field}");
        assert_eq!(at(plain, &pointer), at(knative, &pointer), "{field}");
    }
    for field in ["/serviceAccountName", "/enableServiceLinks", "/volumes"] {
        assert_eq!(at(plain, field), at(knative, field), "{field}");
    }
}

#[test]
fn the_probes_use_the_port_of_the_webhooks() {
    let rendered = rendered!("k8s-base");
    let (_, pod) = pods(&rendered)[0];
    let cases = [
        ("readinessProbe", "/health/readiness"),
        ("livenessProbe", "/health/liveness"),
    ];
    for (probe, path) in cases {
        let request = at(pod, &format!("/containers/0/{probe}/httpGet"));
        assert_eq!(text(request, "/path"), path);
        assert_eq!(number(request, "/port"), PORT);
    }
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
        // READMEs show how an overlay replaces it.
        .filter(|path| !path.ends_with("README.md"))
        .filter(|path| file(path).contains(registry))
        .collect();
    naming.sort_unstable();
    // func.yaml cannot refer to another file; its image is compared here.
    assert_eq!(
        naming,
        ["k8s-base/common/kustomization.yaml", "knative/func.yaml"]
    );
    let rendered = rendered!("knative");
    let image = text(pods(&rendered)[0].1, "/containers/0/image");
    assert!(file("knative/func.yaml").contains(&format!("image: {image}\n")));
}

#[test]
fn no_object_is_defined_twice_in_one_folder() {
    for folder in ALL {
        let rendered = rendered!(folder);
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

fn named_value<'a>(container: &'a Value, variable: &str) -> &'a str {
    text(named(&list(container, "/env"), variable), "/value")
}

/// The files of a folder and its folders, as paths from the repository.
fn files_below(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(repository().join(folder)).expect("the folder is there");
    let paths = entries.map(|entry| {
        let entry = entry.expect("a readable entry");
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        (entry.path().is_dir(), name)
    });
    paths
        .flat_map(|(is_folder, path)| {
            if is_folder {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
