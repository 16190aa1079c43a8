//! Checks Rocket.Chat and MongoDB in `k8s-base/rocketchat`: names, settings, probes and memory agree, and the scripts work with
//! stand-ins for MongoDB's programs. Who may connect to whom is in `connections`, what the pods refer to in `references`; that
//! the pods are restricted is checked here for the kinds that `restricted` does not read.

mod connections;
mod references;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::rendered::{
    Rendered, at, file, keys, list, named, number, overlay, rendered, repository, template, text,
};
use crate::restricted::violations;
use crate::sandbox::shell;
use crate::skipped::report_skipped;

const HERE: &str = "k8s-base/rocketchat";
const RESTORE: &str = "k8s-base/rocketchat/restore";
const SETUP: &str = "k8s-base/rocketchat/setup";

/// The container of a workload with this name.
fn container<'a>(workload: &'a Value, name: &str) -> &'a Value {
    named(&list(template(workload), "/spec/containers"), name)
}

/// The value of an environment variable.
fn variable<'a>(container: &'a Value, name: &str) -> &'a str {
    text(named(&list(container, "/env"), name), "/value")
}

/// Everything that has a pod template.
fn workloads(rendered: &Rendered) -> Vec<&Value> {
    let kinds = [
        "apps/Deployment",
        "apps/StatefulSet",
        "batch/CronJob",
        "batch/Job",
    ];
    kinds.iter().flat_map(|kind| rendered.every(kind)).collect()
}

#[test]
fn the_scripts_work_in_every_state_of_the_servers() {
    if shell("command -v node").is_empty() {
        report_skipped("node is not installed; it runs the scripts of Rocket.Chat's MongoDB");
        return;
    }
    let folder = repository().join("function/tests/manifests/rocketchat");
    let tests = ["replica-set.test.mjs", "backup.test.mjs"];
    let output = Command::new("node")
        .arg("--test")
        .args(tests)
        .current_dir(folder)
        .output()
        .expect("node starts");
    let report = String::from_utf8_lossy(&output.stdout);

    assert!(output.status.success(), "{report}");
    assert!(!report.contains("\n# tests 0\n"), "{report}");
}

#[test]
fn the_members_have_the_same_names_everywhere() {
    let three = overlay("rocketchat-three-members");
    for (folder, expected) in [(HERE, 1), (three.as_str(), 3)] {
        let rendered = rendered!(folder);
        let set = rendered.one("apps/StatefulSet");
        let service = rendered.named("/Service", text(set, "/spec/serviceName"));
        let job = container(rendered.one("batch/Job"), "replica-set");
        let chat = container(rendered.one("apps/Deployment"), "rocketchat");

        assert_eq!(number(set, "/spec/replicas"), expected, "{folder}");
        assert_eq!(variable(job, "MEMBERS"), expected.to_string());
        let (pods, domain) = (text(set, "/metadata/name"), text(service, "/metadata/name"));
        let port = number(service, "/spec/ports/0/port");
        let host = |ordinal| format!("{pods}-{ordinal}.{domain}.$(POD_NAMESPACE).svc:{port}");
        let hosts: Vec<_> = (0..expected).map(host).collect();
        assert_eq!(variable(chat, "MONGO_MEMBERS"), hosts.join(","));
        let script = file("k8s-base/rocketchat/mongodb/replica-set.js");
        let in_script = format!("`{pods}-${{ordinal}}.{domain}.${{NAMESPACE}}.svc:{port}`");
        assert!(script.contains(&in_script), "{in_script}");
    }
}

/// Kubernetes replaces `$(NAME)` only by variables that come before.
#[test]
fn variables_come_before_those_that_refer_to_them() {
    let mut count = 0;
    let three = overlay("rocketchat-three-members");
    for folder in [HERE, RESTORE, three.as_str()] {
        for workload in workloads(&rendered!(folder)) {
            for container in list(template(workload), "/spec/containers") {
                let mut known = BTreeSet::new();
                for variable in list(container, "/env") {
                    let value = variable["value"].as_str().unwrap_or_default();
                    for reference in value.split("$(").skip(1) {
                        let name = reference.split(')').next().expect("a name");
                        assert!(known.contains(name), "{folder}: {name} in {variable}");
                        count += 1;
                    }
                    known.insert(text(variable, "/name"));
                }
            }
        }
    }
    assert!(count >= 6, "{count} references");
}

#[test]
fn all_programs_know_the_replica_set_by_one_name() {
    let (rendered, restore) = (rendered!(HERE), rendered!(RESTORE));
    let server = container(rendered.one("apps/StatefulSet"), "mongodb");
    let flags = list(server, "/args");
    let mut flag = flags
        .iter()
        .filter_map(|flag| flag.as_str()?.strip_prefix("--replSet="));
    let name = flag.next_back().expect("--replSet");

    let chat = container(rendered.one("apps/Deployment"), "rocketchat");
    let query = format!("?replicaSet={name}&authSource=admin");
    assert!(variable(chat, "MONGO_URL").ends_with(&query));
    for (workload, of) in [
        (rendered.one("batch/Job"), "replica-set"),
        (rendered.one("batch/CronJob"), "backup"),
        (restore.one("batch/Job"), "restore"),
    ] {
        assert_eq!(variable(container(workload, of), "REPLICA_SET"), name);
    }
}

/// Members are named before they are ready, and each has its own name.
#[test]
fn the_service_of_the_members_is_headless_and_names_members_that_are_not_ready() {
    let rendered = rendered!(HERE);
    let service = rendered.named("/Service", "mongodb");
    assert_eq!(text(service, "/spec/clusterIP"), "None");
    assert_eq!(*at(service, "/spec/publishNotReadyAddresses"), true);
}

#[test]
fn every_pod_is_restricted() {
    let mut containers = 0;
    for folder in [HERE, RESTORE] {
        for workload in workloads(&rendered!(folder)) {
            let pod = at(template(workload), "/spec");
            assert_eq!(violations(pod), Vec::<String>::new(), "{workload:#}");
            assert_eq!(*at(pod, "/automountServiceAccountToken"), false);
            assert_eq!(*at(pod, "/enableServiceLinks"), false);
            containers += list(pod, "/containers").len();
        }
    }
    assert_eq!(containers, 6, "all of them");
}

/// With fsGroup a file of a Secret has mode 0440, which mongod refuses. A container that starts again finds its copy there.
#[test]
fn the_key_file_is_a_copy_that_only_its_owner_can_read() {
    let rendered = rendered!(HERE);
    let set = rendered.one("apps/StatefulSet");
    let pod = at(template(set), "/spec");
    let init = at(pod, "/initContainers/0");
    let target = text(init, "/command/3");
    let flags = list(container(set, "mongodb"), "/args");
    assert!(flags.contains(&&Value::from(format!("--keyFile={target}"))));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("key-file");
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).expect("can be made");
    let (secret, copy) = (place.join("secret"), place.join("copy"));
    std::fs::write(&secret, "key").expect("can be written");
    let shared = std::fs::Permissions::from_mode(0o440);
    std::fs::set_permissions(&secret, shared).expect("can be changed");

    for _ in 0..2 {
        let words = list(init, "/command");
        let options = words[1..2]
            .iter()
            .map(|word| word.as_str().expect("a text"));
        let mut install = Command::new(text(init, "/command/0"));
        let status = install.args(options).arg(&secret).arg(&copy).status();

        assert!(status.expect("starts").success());
        let mode = copy.metadata().expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o400);
    }
}

#[test]
fn no_election_restarts_a_pod() {
    let rendered = rendered!(HERE);
    let chat = container(rendered.one("apps/Deployment"), "rocketchat");
    let server = container(rendered.one("apps/StatefulSet"), "mongodb");
    for container in [chat, server] {
        for probe in ["startupProbe", "livenessProbe"] {
            assert_eq!(keys(container, &format!("/{probe}/tcpSocket")), ["port"]);
        }
    }
    let budget = number(chat, "/startupProbe/periodSeconds")
        * number(chat, "/startupProbe/failureThreshold");
    assert!(budget >= 300, "a start takes up to three minutes");
    assert_eq!(text(chat, "/readinessProbe/httpGet/path"), "/readyz");
    assert_eq!(text(server, "/readinessProbe/exec/command/0"), "mongosh");
}

#[test]
fn the_settings_of_rocketchat_agree_with_its_ports() {
    let rendered = rendered!(HERE);
    let chat = container(rendered.one("apps/Deployment"), "rocketchat");
    let settings = text(chat, "/envFrom/0/configMapRef/name");
    let settings = rendered.named("/ConfigMap", settings);
    let ports = list(chat, "/ports");
    let port = |name| number(named(&ports, name), "/containerPort").to_string();

    assert_eq!(text(settings, "/data/PORT"), port("http"));
    let metrics = "/data/OVERWRITE_SETTING_Prometheus_Port";
    assert_eq!(text(settings, metrics), port("metrics"));
    let enabled = "/data/OVERWRITE_SETTING_Prometheus_Enabled";
    assert_eq!(text(settings, enabled), "true");
    let service = rendered.named("/Service", "rocketchat");
    assert_eq!(at(service, "/spec/ports/0/port").to_string(), port("http"));
    assert_eq!(
        text(rendered.one("apps/Deployment"), "/spec/strategy/type"),
        "Recreate"
    );
}

#[test]
fn mongodb_leaves_memory_for_what_is_not_its_cache() {
    let rendered = rendered!(HERE);
    let server = container(rendered.one("apps/StatefulSet"), "mongodb");
    let flags = list(server, "/args");
    let mut flag = flags
        .iter()
        .filter_map(|flag| flag.as_str()?.strip_prefix("--wiredTigerCacheSizeGB="));
    let cache: f64 = flag.next_back().expect("a size").parse().expect("a number");
    let limit = text(server, "/resources/limits/memory").trim_end_matches("Gi");
    let limit: f64 = limit.parse().expect("a number of Gi");

    assert!(cache * 2.0 <= limit, "{cache} of {limit}");
}

/// Deleting the whole must not delete the volumes, and applying it must not restore a dump.
#[test]
fn the_whole_has_neither_the_namespace_nor_the_restore_nor_a_secret() {
    let (whole, setup) = (rendered!(HERE), rendered!(SETUP));
    let namespace = setup.one("/Namespace");
    let enforced = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    assert_eq!(text(namespace, enforced), "restricted");
    for object in &whole.0 {
        assert_eq!(
            at(object, "/metadata/namespace"),
            at(namespace, "/metadata/name")
        );
    }
    for kind in ["/Namespace", "/Secret"] {
        assert!(whole.every(kind).is_empty(), "{kind}");
    }
    assert!(!whole.has("batch/Job", "mongodb-restore"));
    let parts = ["mongodb", "server", "backup"].map(|part| format!("{HERE}/{part}"));
    let mut sum = 0;
    for part in parts {
        sum += rendered!(part).0.len();
    }
    assert_eq!(whole.0.len(), sum, "the parts, and nothing twice");
}

#[test]
fn monitors_find_the_pods_and_their_ports() {
    let (rendered, monitors) = (rendered!(HERE), rendered!("monitoring/monitors"));
    for (name, workload) in [
        ("rocketchat", rendered.one("apps/Deployment")),
        ("mongodb", rendered.one("apps/StatefulSet")),
    ] {
        let monitor = monitors.named("monitoring.coreos.com/PodMonitor", name);
        let namespaces = at(monitor, "/spec/namespaceSelector/matchNames");
        assert_eq!(namespaces[0], *at(workload, "/metadata/namespace"));
        let selector = at(monitor, "/spec/selector/matchLabels");
        let labels = at(template(workload), "/metadata/labels");
        assert!(crate::agreement::is_part_of(selector, labels), "{name}");
        let port = text(monitor, "/spec/podMetricsEndpoints/0/port");
        let containers = list(template(workload), "/spec/containers");
        let ports = containers.iter().flat_map(|each| list(each, "/ports"));
        assert_eq!(
            ports.filter(|each| each["name"] == port).count(),
            1,
            "{name}"
        );
    }
}
