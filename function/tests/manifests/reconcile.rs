//! Checks the two ways to run `webhook-app reconcile`: what its pods get and do not get of the function, who may connect,
//! and how its runs are limited. That they keep the restricted profile is in `restricted`, as for all pods.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use webhook_app::config::catalogue::SETTINGS;
use webhook_app::config::gitlab::reconcile::ReconcileConfig;

use crate::agreement::is_part_of;
use crate::network_policies::policy;
use crate::rendered::{
    Rendered, at, keys, list, named, number, overlay, rendered, template, text, yaml_file,
};

const NAME: &str = "webhook-app-reconcile";
const EXAMPLE: &str = "k8s-base/reconcile/common/secret.example.yaml";

/// The overlays, the kind of the pods that reconcile, and that of the function.
const OVERLAYS: &[(&str, &str, &str)] = &[
    ("reconcile", "batch/CronJob", "apps/Deployment"),
    (
        "knative-reconcile",
        "batch/CronJob",
        "serving.knative.dev/Service",
    ),
    ("reconcile-loop", "apps/Deployment", "apps/Deployment"),
    (
        "knative-reconcile-loop",
        "apps/Deployment",
        "serving.knative.dev/Service",
    ),
];

/// What the pods read of the function's settings.
const SHARED: &[&str] = &[
    "ROUTES",
    "ROCKETCHAT_RECIPIENT",
    "LIVE_PIPELINES",
    "GITLAB_RECONCILE_USER",
];

fn container<'a>(rendered: &'a Rendered, kind: &str, name: &str) -> &'a Value {
    at(template(rendered.named(kind, name)), "/spec/containers/0")
}

/// The references to ConfigMaps and Secrets, and to single keys of them.
fn references(container: &Value) -> Vec<(String, Option<String>)> {
    let all = list(container, "/envFrom").into_iter().map(|source| {
        let source = source.as_object().expect("a map");
        let (_, reference) = source.iter().next().expect("a reference");
        (text(reference, "/name").to_owned(), None)
    });
    let single = list(container, "/env").into_iter().filter_map(|variable| {
        let source = variable.get("valueFrom")?.as_object()?;
        let (_, reference) = source.iter().next()?;
        let key = text(reference, "/key").to_owned();
        Some((text(reference, "/name").to_owned(), Some(key)))
    });
    all.chain(single).collect()
}

#[test]
fn only_the_pods_that_reconcile_have_the_token_of_gitlab() {
    let example = yaml_file(EXAMPLE);
    assert_eq!(keys(&example, "/stringData"), ["GITLAB_API_TOKEN"]);
    let of_function = yaml_file("k8s-base/common/secret.example.yaml");
    assert!(!keys(&of_function, "/stringData").contains(&"GITLAB_API_TOKEN"));
    for (name, kind, function) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let used = references(container(&rendered, kind, NAME));
        let by_function = references(container(&rendered, function, "webhook-app"));

        let secret = (text(&example, "/metadata/name").to_owned(), None);
        assert!(used.contains(&secret), "{name}: {used:?}");
        for (object, _) in by_function {
            assert!(!object.starts_with(NAME), "{name}: {object}");
        }
        assert!(rendered.every("/Secret").is_empty(), "{name}");
    }
}

#[test]
fn the_rules_and_the_user_of_the_test_are_those_of_the_function_and_nothing_else_is() {
    for (name, kind, function) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let settings = references(container(&rendered, function, "webhook-app"));
        let (settings, _) = &settings[0];
        assert!(rendered.has("/ConfigMap", settings), "{name}: {settings}");
        let own = rendered.every("/ConfigMap");
        let own = own.iter().map(|map| text(map, "/metadata/name"));
        let own: Vec<_> = own.filter(|it| it.starts_with(NAME)).collect();

        let mut expected = vec![(own[0].to_owned(), None), (NAME.to_owned(), None)];
        let shared = SHARED.iter();
        expected.extend(shared.map(|key| (settings.clone(), Some((*key).to_owned()))));

        let container = container(&rendered, kind, NAME);
        assert_eq!(own.len(), 1, "{name}");
        assert_eq!(references(container), expected, "{name}");
        for variable in list(container, "/env") {
            if let Some(key) = variable.pointer("/valueFrom/configMapKeyRef/key") {
                assert_eq!(key, at(variable, "/name"), "{name}");
                // The function may have rules or a recipient, and needs no such user.
                assert_eq!(
                    *at(variable, "/valueFrom/configMapKeyRef/optional"),
                    true,
                    "{name}: {key}"
                );
            }
        }
    }
}

/// An overlay that renames everything, with rules and webhooks of its own.
#[test]
fn references_follow_the_names_of_an_overlay() {
    let rendered = rendered!(overlay("reconcile-renamed"));
    let deployment = "apps/Deployment";
    let container = container(&rendered, deployment, "webhook-app-reconcile-second");
    let references = references(container);
    for (object, key) in references {
        // A Secret that is not generated keeps its name.
        if object == NAME {
            continue;
        }
        let map = rendered.named("/ConfigMap", &object);
        if let Some(key) = key {
            assert!(map.pointer("/data").is_some(), "{key}");
        }
    }
    let account = text(
        template(rendered.named(deployment, "webhook-app-reconcile-second")),
        "/spec/serviceAccountName",
    );
    assert!(rendered.has("/ServiceAccount", account), "{account}");
}

#[test]
fn every_setting_is_known_and_no_secret_is_in_the_config_map() {
    let known: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    let secrets = yaml_file(EXAMPLE);
    let secrets = keys(&secrets, "/stringData");
    for (name, kind, _) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let maps = rendered.every("/ConfigMap");
        let own = maps
            .iter()
            .find(|map| text(map, "/metadata/name").starts_with(NAME));
        let own = own.expect("has settings");
        let variables = list(container(&rendered, kind, NAME), "/env");
        let variables = variables.iter().map(|variable| text(variable, "/name"));
        for setting in keys(own, "/data").into_iter().chain(variables) {
            assert!(known.contains(setting), "{setting} of {name}");
            assert!(!secrets.contains(&setting), "{setting} of {name}");
        }
    }
    for secret in secrets {
        assert!(known.contains(secret), "{secret} of {EXAMPLE}");
    }
}

/// The environment of the pods of the overlay with rules and webhooks of its own.
#[test]
fn the_program_accepts_the_environment_of_an_overlay() {
    let rendered = rendered!(overlay("reconcile-renamed"));
    let container = container(&rendered, "apps/Deployment", "webhook-app-reconcile-second");
    let token = (
        "GITLAB_API_TOKEN".to_owned(),
        "glpat-of-the-test".to_owned(),
    );
    let mut variables = BTreeMap::from([token]);
    let mut add = |name: &str, value: &Value| {
        let value = value.as_str().expect("a text").to_owned();
        variables.insert(name.to_owned(), value);
    };
    for source in list(container, "/envFrom") {
        if let Some(name) = source.pointer("/configMapRef/name") {
            let map = rendered.named("/ConfigMap", name.as_str().expect("a text"));
            for (name, value) in map["data"].as_object().expect("a map") {
                add(name, value);
            }
        }
    }
    for variable in list(container, "/env") {
        let name = text(variable, "/name");
        let Some(reference) = variable.pointer("/valueFrom/configMapKeyRef") else {
            add(name, &variable["value"]);
            continue;
        };
        let map = rendered.named("/ConfigMap", text(reference, "/name"));
        if let Some(value) = map["data"].get(text(reference, "/key")) {
            add(name, value);
        }
    }
    assert!(variables["ROUTES"].contains("rules"), "{variables:?}");

    let no_file = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let loaded = ReconcileConfig::load(&variables, &no_file, false, false);

    let (_, warnings) = loaded.expect("a valid environment");
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn both_ways_have_the_same_pod_apart_from_its_metrics() {
    let (job, looped) = (
        rendered!(overlay("reconcile")),
        rendered!(overlay("reconcile-loop")),
    );
    let job = template(job.named("batch/CronJob", NAME));
    let looped = template(looped.named("apps/Deployment", NAME));
    for field in ["/metadata/labels", "/spec/serviceAccountName"] {
        assert_eq!(at(job, field), at(looped, field), "{field}");
    }
    for field in
        "envFrom image name resources securityContext terminationMessagePolicy".split_whitespace()
    {
        let pointer = format!("/spec/containers/0/{field}");
        assert_eq!(at(job, &pointer), at(looped, &pointer), "{field}");
    }
    let is_metrics = |variable: &&Value| variable["name"] == "METRICS_PORT";
    let (job, looped) = (
        at(job, "/spec/containers/0"),
        at(looped, "/spec/containers/0"),
    );
    let variables = list(looped, "/env").into_iter();
    let variables: Vec<_> = variables.filter(|it| !is_metrics(it)).collect();
    assert_eq!(list(job, "/env"), variables);
    assert_eq!(*at(job, "/args"), json!(["reconcile", "--once"]));
    assert_eq!(*at(looped, "/args"), json!(["reconcile"]));
}

#[test]
fn neither_pod_has_a_token_for_the_api_server() {
    for (name, kind, _) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let pod = at(template(rendered.named(kind, NAME)), "/spec");
        let account = rendered.named("/ServiceAccount", text(pod, "/serviceAccountName"));
        for object in [pod, account] {
            assert_eq!(
                *at(object, "/automountServiceAccountToken"),
                false,
                "{name}"
            );
        }
    }
}

#[test]
fn the_service_and_the_policies_of_the_function_select_only_its_own_pods() {
    for (name, kind, function) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let labels = at(template(rendered.named(kind, NAME)), "/metadata/labels");
        let of_function = at(
            template(rendered.named(function, "webhook-app")),
            "/metadata/labels",
        );
        for object in &rendered.0 {
            let selector = match text(object, "/kind") {
                "Service" if object["apiVersion"] == "v1" => at(object, "/spec/selector"),
                "PodDisruptionBudget" => at(object, "/spec/selector/matchLabels"),
                "NetworkPolicy" => at(object, "/spec/podSelector/matchLabels"),
                _ => continue,
            };
            let selected = [of_function, labels].map(|labels| is_part_of(selector, labels));
            let is_own = selector["app.kubernetes.io/name"] == NAME;
            assert_eq!(selected, [!is_own, is_own], "{name}: {object:#}");
        }
    }
}

#[test]
fn the_pods_may_connect_to_https_servers_dns_and_the_function_and_only_metrics_are_open() {
    for (name, kind, _) in OVERLAYS {
        let rendered = rendered!(overlay(name));
        let policies = rendered.every("networking.k8s.io/NetworkPolicy");
        let own = policies.iter().filter(|it| {
            it["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == NAME
        });
        let own: BTreeSet<_> = own.map(|it| text(it, "/metadata/name")).collect();
        let mut expected = BTreeSet::from([
            "webhook-app-reconcile-default-deny",
            "webhook-app-reconcile-dns",
            "webhook-app-reconcile-egress",
        ]);
        if *kind == "apps/Deployment" {
            expected.insert("webhook-app-reconcile-scrape");
            let scrape = policy(&rendered, "webhook-app-reconcile-scrape");
            let ports = at(scrape, "/spec/ingress/0/ports");
            assert_eq!(*ports, json!([{ "port": "metrics" }]), "{name}");
        }
        assert_eq!(own, expected, "{name}");
        let same = |ours: &str, theirs: &str| {
            let rules = |name| at(policy(&rendered, name), "/spec/egress").clone();
            assert_eq!(rules(ours), rules(theirs), "{name}");
        };
        same("webhook-app-reconcile-dns", "webhook-app-dns");
        let egress = policy(&rendered, "webhook-app-reconcile-egress");
        let function = policy(&rendered, "webhook-app-egress");
        assert_eq!(at(egress, "/spec/egress/0"), at(function, "/spec/egress/0"));
        let rules = list(egress, "/spec/egress");
        assert_eq!(rules.len(), 2, "{name}");
    }
}

#[test]
fn a_gitlab_in_the_cluster_is_reached_on_the_ports_of_its_pods() {
    let rendered = rendered!(overlay("reconcile-gitlab-in-cluster"));
    let rules = list(
        policy(&rendered, "webhook-app-reconcile-egress"),
        "/spec/egress",
    );
    assert_eq!(
        *rules[2],
        json!({
            "to": [
                {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gitlab"}}},
                {"namespaceSelector": {"matchLabels": {"webhook-app/gitlab": "true"}}},
            ],
            "ports": [{"port": 80}, {"port": 443}, {"port": 8181}],
        })
    );
}

/// Both ends of the connection with which a webhook is sent.
#[test]
fn the_function_admits_the_webhooks_that_the_pods_send() {
    let rendered = rendered!(overlay("reconcile"));
    let ports = list(
        container(&rendered, "apps/Deployment", "webhook-app"),
        "/ports",
    );
    let port = at(named(&ports, "http"), "/containerPort");
    let admitted = at(
        policy(&rendered, "webhook-app-reconcile-webhooks"),
        "/spec/ingress/0",
    );
    let allowed = at(
        policy(&rendered, "webhook-app-reconcile-egress"),
        "/spec/egress/1",
    );
    let labels = |pods: &Value| at(pods, "/podSelector/matchLabels").clone();
    for (rule, peer, kind, name) in [
        (admitted, "/from/0", "batch/CronJob", NAME),
        (allowed, "/to/0", "apps/Deployment", "webhook-app"),
    ] {
        assert_eq!(at(rule, "/ports/0/port"), port);
        let pods = template(rendered.named(kind, name));
        assert_eq!(labels(at(rule, peer)), *at(pods, "/metadata/labels"));
    }
}

#[test]
fn runs_do_not_overlap_end_some_day_and_are_repeated_by_the_next_one() {
    let rendered = rendered!(overlay("reconcile"));
    let spec = at(rendered.named("batch/CronJob", NAME), "/spec");
    let job = at(spec, "/jobTemplate/spec");

    assert_eq!(text(spec, "/concurrencyPolicy"), "Forbid");
    assert_eq!(number(job, "/backoffLimit"), 0);
    assert_eq!(text(job, "/template/spec/restartPolicy"), "Never");
    assert!(number(job, "/activeDeadlineSeconds") >= 3600);
    let schedule = text(spec, "/schedule").strip_prefix("*/");
    let minutes = schedule.and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    let seconds = minutes.expect("every few minutes") * 60;
    // Less than the pause, or several missed runs would start one after the other.
    assert!(number(spec, "/startingDeadlineSeconds") < seconds);
    assert!(number(spec, "/failedJobsHistoryLimit") > 0);
}

#[test]
fn the_monitor_scrapes_the_port_that_the_loop_listens_on() {
    let monitors = rendered!("monitoring");
    let monitor = monitors.named("monitoring.coreos.com/PodMonitor", NAME);
    let rendered = rendered!(overlay("reconcile-loop"));
    let pods = template(rendered.named("apps/Deployment", NAME));

    let labels = at(monitor, "/spec/selector/matchLabels");
    assert!(is_part_of(labels, at(pods, "/metadata/labels")));
    let ports = list(pods, "/spec/containers/0/ports");
    let port = named(&ports, text(monitor, "/spec/podMetricsEndpoints/0/port"));
    let variables = list(pods, "/spec/containers/0/env");
    let setting = text(named(&variables, "METRICS_PORT"), "/value");
    assert_eq!(at(port, "/containerPort").to_string(), setting);
    for probe in ["readinessProbe", "livenessProbe"] {
        let request = at(pods, &format!("/spec/containers/0/{probe}/httpGet"));
        assert_eq!(at(request, "/port"), at(port, "/name"), "{probe}");
    }
}

/// OpenShift assigns the IDs, and rejects others.
#[test]
fn openshift_chooses_the_user_of_these_pods_too() {
    for (name, kind) in [
        ("openshift-reconcile", "batch/CronJob"),
        ("knative-openshift-reconcile-loop", "apps/Deployment"),
    ] {
        let rendered = rendered!(overlay(name));
        let context = at(container(&rendered, kind, NAME), "/securityContext");
        for field in ["runAsUser", "runAsGroup"] {
            assert!(context.get(field).is_none(), "{name}: {field}");
        }
        assert_eq!(*at(context, "/runAsNonRoot"), true, "{name}");
    }
}
