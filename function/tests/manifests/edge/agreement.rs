//! The files of the edge beside each other, the function and the rest of the manifests. Envoy only says here that it accepts them.

use serde_json::{Value, json};
use webhook_app::limits::LIMITS;

use super::envoy::{BACKENDS, HOSTS, STATIC, for_test, new_folder, rendered, spawn};
use crate::agreement::is_part_of;
use crate::rendered::{Rendered, at, file, list, named, number, rendered, text};

const HOSTS_FILE: &str = "k8s-base/hosts/hosts.env";

/// The configuration as Envoy reads it.
fn config() -> Option<Value> {
    let (data, _) = rendered()?;
    let text = text(&data, "/envoy.yaml");
    Some(serde_saphyr::from_str(text).expect("is YAML"))
}

/// The connection manager of a chain of the listener `https`.
fn manager(config: &Value, chain: &str) -> Value {
    let listeners = list(config, "/static_resources/listeners");
    let chains = list(named(&listeners, "https"), "/filter_chains");
    at(named(&chains, chain), "/filters/0/typed_config").clone()
}

#[test]
fn envoy_validates_the_configuration_and_rejects_a_misspelled_field() {
    let Some((data, container)) = rendered() else {
        return;
    };
    for (case, from, to, is_valid) in [
        (
            "as it is",
            "connect_timeout: 2s",
            "connect_timeout: 2s",
            true,
        ),
        (
            "misspelled",
            "connect_timeout: 2s",
            "conect_timeout: 2s",
            false,
        ),
    ] {
        let folder = new_folder();
        let addresses = vec!["127.0.0.1:9".to_owned(); BACKENDS.len()];
        let config = for_test(text(&data, "/envoy.yaml"), &folder, 9901, &addresses);
        std::fs::create_dir_all(folder.join("envoy")).expect("can be made");
        std::fs::create_dir_all(folder.join("edge-users")).expect("can be made");
        std::fs::write(
            folder.join("edge-users/htpasswd"),
            "a:{SHA}Uw29zBq1POt0C4lqr2E9x01mV9E=",
        )
        .expect("can be written");
        std::fs::write(folder.join("envoy/envoy.yaml"), config.replace(from, to))
            .expect("can be written");
        let certificate =
            text(&data, "/certificate.yaml").replace("/etc/", &format!("{}/", folder.display()));
        std::fs::create_dir_all(folder.join("edge-tls")).expect("can be made");
        std::fs::write(folder.join("envoy/certificate.yaml"), certificate).expect("can be written");

        let Some(mut child) = spawn(&container, &folder, &["--mode", "validate"]) else {
            return;
        };
        let status = child.wait().expect("ends");

        let log = std::fs::read_to_string(folder.join("log")).expect("is there");
        assert_eq!(status.success(), is_valid, "{case}: {log}");
        assert_eq!(log.contains("conect_timeout"), !is_valid, "{case}: {log}");
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[test]
fn the_host_names_are_those_of_the_file() {
    let Some(config) = config() else {
        return;
    };
    let file = file(HOSTS_FILE);
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    let values: Vec<_> = lines
        .filter_map(|line| Some(line.split_once('=')?.1))
        .collect();

    assert_eq!(values, HOSTS);
    assert_eq!(list(&config, "/node/metadata/hosts"), HOSTS);
    let domains = |chain: &str| {
        let manager = manager(&config, chain);
        let hosts = list(&manager, "/route_config/virtual_hosts").into_iter();
        hosts
            .flat_map(|host| {
                list(host, "/domains")
                    .into_iter()
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(domains("webhooks"), [HOSTS[0], "*"]);
    assert_eq!(domains("pages"), [&HOSTS[1..], &["*"]].concat());
}

/// Otherwise an operator changes them and Envoy still has the old ones.
#[test]
fn an_overlay_changes_every_host_name() {
    let changed = rendered!("function/tests/manifests/overlays/edge-hosts");
    let maps = changed.every("/ConfigMap");
    let map = maps
        .iter()
        .find(|map| map["data"].get("envoy.yaml").is_some());
    let config = text(map.expect("is there"), "/data/envoy.yaml");

    for host in HOSTS {
        assert!(!config.contains(host), "{host}");
        let other = host.replace("example.com", "example.net");
        assert_eq!(
            config.matches(&format!("\"{other}\"")).count(),
            1,
            "{other}"
        );
    }
}

#[test]
fn the_limits_of_webhooks_are_those_of_the_function_and_of_the_gateway() {
    let Some(config) = config() else {
        return;
    };
    let gateway = rendered!("k8s-base/gateway");
    let manager = manager(&config, "webhooks");
    let filters = list(&manager, "/http_filters");
    let buffer = named(&filters, "envoy.filters.http.buffer");
    let limit = u64::try_from(LIMITS.bodies.max_bytes).expect("fits");
    assert_eq!(number(buffer, "/typed_config/max_request_bytes"), limit);

    let client = gateway.one("gateway.envoyproxy.io/ClientTrafficPolicy");
    let received = at(client, "/spec/timeout/http/requestReceivedTimeout");
    assert_eq!(at(&manager, "/request_timeout"), received);
    let host = at(&manager, "/route_config/virtual_hosts/0");
    let route = gateway.one("gateway.networking.k8s.io/HTTPRoute");
    let timeout = at(route, "/spec/rules/0/timeouts/request");
    assert_eq!(at(host, "/routes/0/route/timeout"), timeout);
    let policy = gateway.one("gateway.envoyproxy.io/BackendTrafficPolicy");
    let rate = at(policy, "/spec/rateLimit/local/rules/0/limit");
    let bucket =
        "/typed_per_filter_config/envoy.filters.http.local_ratelimit/descriptors/0/token_bucket";
    let tokens = number(rate, "/requests");
    let expected = json!({"max_tokens": tokens, "tokens_per_fill": tokens, "fill_interval": "1s"});
    assert_eq!(at(rate, "/unit"), "Second");
    assert_eq!(*at(host, bucket), expected);
}

/// Otherwise Envoy sends a webhook into a connection that the function closes.
#[test]
fn envoy_closes_idle_connections_before_the_function_does() {
    let Some(config) = config() else {
        return;
    };
    let clusters = list(&config, "/static_resources/clusters");
    let options = "/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions/common_http_protocol_options/idle_timeout";
    let seconds = |name| {
        let text = text(named(&clusters, name), options);
        text.strip_suffix('s')
            .and_then(|text| text.parse().ok())
            .expect("are seconds")
    };

    let idle: u64 = seconds("webhook-app");

    assert!(
        idle < LIMITS.connections.default_idle_timeout_seconds,
        "{idle}"
    );
}

#[test]
fn nothing_is_sent_twice() {
    let Some(config) = config() else {
        return;
    };
    assert!(!config.to_string().contains("retry_policy"));
}

#[test]
fn the_interface_for_administration_listens_on_this_machine_only() {
    let Some(config) = config() else {
        return;
    };
    assert_eq!(
        text(&config, "/admin/address/socket_address/address"),
        "127.0.0.1"
    );
}

#[test]
fn the_ports_of_the_listeners_are_those_of_the_pod_and_the_largest_heap_fits_into_it() {
    let Some((_, container)) = rendered() else {
        return;
    };
    let config = config().expect("was rendered before");
    for listener in list(&config, "/static_resources/listeners") {
        let ports = list(&container, "/ports");
        let port = named(&ports, text(listener, "/name"));
        let listens = at(listener, "/address/socket_address/port_value");
        assert_eq!(at(port, "/containerPort"), listens);
    }
    let monitors = list(&config, "/overload_manager/resource_monitors");
    let heap = named(&monitors, "envoy.resource_monitors.fixed_heap");
    let heap = number(heap, "/typed_config/max_heap_size_bytes");
    let limit = text(&container, "/resources/limits/memory");
    let limit: u64 = limit
        .strip_suffix("Mi")
        .and_then(|text| text.parse().ok())
        .expect("is in MiB");
    // Threads, code and what the allocator keeps.
    assert!(heap + 100 * 1024 * 1024 <= limit * 1024 * 1024, "{heap}");
}

#[test]
fn the_pod_ends_after_the_script_that_drains_it() {
    let rendered = rendered!(STATIC);
    let pod = at(rendered.one("apps/Deployment"), "/spec/template/spec");
    let script = file(&format!("{STATIC}/drain"));
    let longest = script
        .lines()
        .find_map(|line| line.strip_prefix("longest="));
    let longest: u64 = longest
        .and_then(|text| text.parse().ok())
        .expect("is a number");

    assert!(number(pod, "/terminationGracePeriodSeconds") > longest);
    let hook = at(pod, "/containers/0/lifecycle/preStop/exec/command");
    assert_eq!(*hook, json!(["bash", "/etc/envoy/drain"]));
}

/// The namespace and the port of each server, as the policy for outgoing connections allows them.
#[test]
fn envoy_may_connect_to_the_namespaces_of_its_servers() {
    let Some(config) = config() else {
        return;
    };
    let edge = rendered!(STATIC);
    let policy = edge.named("networking.k8s.io/NetworkPolicy", "envoy-backends");
    let pointer = "/to/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name";
    let allowed: Vec<_> = list(policy, "/spec/egress")
        .into_iter()
        .map(|rule| text(rule, pointer))
        .collect();
    let mut namespaces = Vec::new();
    for cluster in list(&config, "/static_resources/clusters") {
        let socket = at(
            cluster,
            "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address",
        );
        let address = text(socket, "/address");
        if let Some(name) = address.strip_suffix(".svc") {
            namespaces.push(name.rsplit('.').next().expect("has one").to_owned());
        }
    }
    namespaces.dedup();
    assert_eq!(namespaces, allowed);
    // The function admits its namespace by this label.
    let label = json!({"webhook-app/sends-webhooks": "true"});
    assert!(is_part_of(
        &label,
        at(edge.one("/Namespace"), "/metadata/labels")
    ));
}

#[test]
fn prometheus_scrapes_the_pods() {
    let monitors = rendered!("monitoring/monitors");
    let monitor = monitors.named("monitoring.coreos.com/PodMonitor", "envoy");
    let edge = Rendered::of(STATIC).expect("kubectl is there");
    let deployment = edge.one("apps/Deployment");

    let namespaces = list(monitor, "/spec/namespaceSelector/matchNames");
    assert!(namespaces.contains(&at(deployment, "/metadata/namespace")));
    let labels = at(deployment, "/spec/template/metadata/labels");
    assert!(is_part_of(
        at(monitor, "/spec/selector/matchLabels"),
        labels
    ));
    let ports = list(deployment, "/spec/template/spec/containers/0/ports");
    named(&ports, text(monitor, "/spec/podMetricsEndpoints/0/port"));
}
