//! GitLab's server: its settings are documented, and agree with the ports of the pod, the Service, the function and the monitors.
//! What the pod contains is in `pod`.

use serde_json::json;

use super::{FOLDER, omnibus, omnibus_value, pod_named, port_of, rows_of_readme};
use crate::rendered::{at, file, list, named, number, rendered, text};

/// Settings of older versions that GitLab 19 refuses or warns of, by how they begin.
const OLD: &[&str] = &[
    "nginx[",
    "registry_nginx[",
    "pages_nginx[",
    "mattermost",
    "grafana[",
    "git_data_dirs",
    "unicorn[",
    "sidekiq['max_concurrency']",
    "sidekiq['min_concurrency']",
    "gitlab_monitor[",
    "postgresql['shared_buffers']",
    "gitlab_rails['monitoring_whitelist']",
];

#[test]
fn every_setting_has_a_row_in_the_readme_and_none_is_of_an_older_version() {
    let rows = rows_of_readme();
    let settings = omnibus();
    assert!(settings.len() > 20, "{settings:#?}");
    for key in settings.keys() {
        assert!(
            rows.contains_key(key),
            "expected a row with {key} and its source"
        );
        assert!(!OLD.iter().any(|old| key.starts_with(old)), "{key}");
    }
    let documented = rows
        .keys()
        .filter(|key| key.contains("['") || key.ends_with("external_url"));
    for key in documented {
        assert!(settings.contains_key(key), "gitlab.rb does not set {key}");
    }
}

/// A Service, a policy and a monitor refer to a port of the pod by its name, and the number is in gitlab.rb.
#[test]
fn every_port_of_the_pod_is_one_that_gitlab_listens_on() {
    let rendered = rendered!(FOLDER);
    let pod = pod_named(&rendered, "gitlab");
    let cases = [
        ("http", "gitlab_rails['nginx']['listen_port']", ""),
        ("registry", "registry['registry_http_addr']", "0.0.0.0:"),
        ("metrics", "gitlab_exporter['listen_port']", ""),
        ("registry-debug", "registry['debug_addr']", "0.0.0.0:"),
    ];
    for (name, key, address) in cases {
        let expected = format!("{address}{}", port_of(pod, name));
        assert_eq!(omnibus_value(key), expected, "{name}");
    }
    assert_eq!(list(pod, "/spec/containers/0/ports").len(), cases.len());
    assert_eq!(
        omnibus_value("gitlab_exporter['listen_address']"),
        "0.0.0.0"
    );
    let registry = port_of(pod, "registry");
    assert_eq!(
        omnibus_value("gitlab_rails['registry_api_url']"),
        format!("http://127.0.0.1:{registry}")
    );
}

#[test]
fn the_service_has_the_ports_of_the_pod() {
    let rendered = rendered!(FOLDER);
    let pod = pod_named(&rendered, "gitlab");
    let service = rendered.one("/Service");

    assert_eq!(at(service, "/spec/selector"), at(pod, "/metadata/labels"));
    for port in list(service, "/spec/ports") {
        // So that policies that see the one or the other agree.
        assert_eq!(
            number(port, "/port"),
            port_of(pod, text(port, "/targetPort"))
        );
    }
    let stateful = rendered.one("apps/StatefulSet");
    assert_eq!(
        at(stateful, "/spec/serviceName"),
        at(service, "/metadata/name")
    );
    assert_eq!(number(stateful, "/spec/replicas"), 1);
}

/// The server-side request forgery that GitLab's default prevents stays prevented, but for the function.
#[test]
fn webhooks_inside_of_the_cluster_may_go_to_the_function_only() {
    let settings = file(&format!("{FOLDER}/server/settings.rb"));
    for line in [
        "  allow_local_requests_from_web_hooks_and_services: false,",
        "  allow_local_requests_from_system_hooks: false,",
        "  outbound_local_requests_allowlist_raw: ENV.fetch('WEBHOOK_HOSTS'),",
    ] {
        assert!(settings.lines().any(|it| it == line), "{line}");
    }
    let rendered = rendered!(FOLDER);
    let base = rendered!("k8s-base");
    let service = base.one("/Service");
    let port = number(named(&list(service, "/spec/ports"), "http"), "/port");
    let [name, namespace] =
        ["/metadata/name", "/metadata/namespace"].map(|pointer| text(service, pointer));

    let hosts = rendered
        .every("/ConfigMap")
        .into_iter()
        .find_map(|map| map.pointer("/data/WEBHOOK_HOSTS"));

    assert_eq!(
        hosts,
        Some(&json!(format!("{name}.{namespace}.svc:{port}")))
    );
}

#[test]
fn the_monitors_find_each_pod_and_its_port() {
    let rendered = rendered!(FOLDER);
    let monitors = rendered!("monitoring/monitors");
    for (monitor, pod) in [
        ("gitlab", "gitlab"),
        ("gitlab-registry", "gitlab"),
        ("gitlab-runner", "gitlab-runner"),
    ] {
        let monitor = monitors.named("monitoring.coreos.com/PodMonitor", monitor);
        let template = pod_named(&rendered, pod);
        assert_eq!(
            at(monitor, "/spec/selector/matchLabels"),
            at(template, "/metadata/labels")
        );
        assert_eq!(
            *at(monitor, "/spec/namespaceSelector/matchNames"),
            json!(["gitlab"])
        );
        port_of(template, text(monitor, "/spec/podMetricsEndpoints/0/port"));
    }
}

/// GitLab supports a runner of the same minor version.
#[test]
fn the_runner_has_the_minor_version_of_the_server() {
    let rendered = rendered!(FOLDER);
    let minor = |image: &str| {
        let (_, tag) = image.rsplit_once(':').expect("a tag");
        let version = tag.trim_start_matches("alpine-v");
        version
            .rsplit_once('.')
            .expect("three numbers")
            .0
            .to_owned()
    };
    let server = text(pod_named(&rendered, "gitlab"), "/spec/containers/0/image");
    let server = minor(server.strip_suffix("-ce.0").expect("the Community Edition"));
    let runner = pod_named(&rendered, "gitlab-runner");
    assert_eq!(minor(text(runner, "/spec/containers/0/image")), server);
    assert_eq!(
        at(runner, "/spec/containers/0/image"),
        at(runner, "/spec/initContainers/0/image")
    );
    let settings = file(&format!("{FOLDER}/server/gitlab.rb"));
    assert!(
        settings.contains(&format!("GitLab {server}")),
        "gitlab.rb names another version"
    );
}
