//! The pod of GitLab's server: it has the files, variables and volumes that its settings and scripts read, and its probes leave
//! time to start.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Value, json};

use super::{FOLDER, pod_named, port_of};
use crate::rendered::{at, file, keys, list, named, number, rendered, text};

/// `ENV.fetch` of a variable that is missing, or `File.read` of a missing file, ends the start.
#[test]
fn the_pod_has_what_its_ruby_files_and_probes_read() {
    let rendered = rendered!(FOLDER);
    let pod = pod_named(&rendered, "gitlab");
    let container = at(pod, "/spec/containers/0");
    let variables = list(container, "/env");
    let mounts = list(container, "/volumeMounts");
    let ruby = ["gitlab.rb", "settings.rb"]
        .map(|name| file(&format!("{FOLDER}/server/{name}")))
        .concat();
    let captured = |pattern: &str| -> BTreeSet<String> {
        let pattern = Regex::new(pattern).expect("a regular expression");
        pattern
            .captures_iter(&ruby)
            .map(|found| found[1].to_owned())
            .collect()
    };

    let fetched = captured(r"ENV\.fetch\('(\w+)'\)");
    assert_eq!(
        Vec::from_iter(&fetched),
        ["GITLAB_HOST", "REGISTRY_HOST", "WEBHOOK_HOSTS"]
    );
    for name in &fetched {
        assert_eq!(
            text(named(&variables, name), "/valueFrom/configMapKeyRef/key"),
            name
        );
    }
    for path in captured(r"File\.read\('([^']+)'\)") {
        let (folder, key) = path.rsplit_once('/').expect("a path");
        let mount = mounts
            .iter()
            .find(|mount| mount["mountPath"] == folder)
            .expect("is mounted");
        let volumes = list(pod, "/spec/volumes");
        let secret = at(named(&volumes, text(mount, "/name")), "/secret");
        assert_eq!(
            text(
                named_by(&list(secret, "/items"), "path", &key.into()),
                "/key"
            ),
            key
        );
        let example: Value =
            crate::rendered::yaml_file(&format!("{FOLDER}/server/secret.example.yaml"));
        assert_eq!(at(&example, "/metadata/name"), at(secret, "/secretName"));
        assert_eq!(keys(&example, "/stringData"), [key]);
    }
    // The references to ConfigMaps are to keys that exist.
    let maps = rendered.every("/ConfigMap");
    for reference in variables
        .iter()
        .filter_map(|it| it.pointer("/valueFrom/configMapKeyRef"))
    {
        let map = maps
            .iter()
            .find(|map| map["metadata"]["name"] == reference["name"])
            .expect("is there");
        assert!(
            keys(map, "/data").contains(&text(reference, "/key")),
            "{reference}"
        );
    }
}

/// The scripts that the pod runs are in the ConfigMap that it mounts.
#[test]
fn the_scripts_that_are_run_in_the_pod_are_mounted_there() {
    let rendered = rendered!(FOLDER);
    let pod = pod_named(&rendered, "gitlab");
    let mounts = list(pod, "/spec/containers/0/volumeMounts");
    let volumes = list(pod, "/spec/volumes");
    let omnibus = text(named(&volumes, "omnibus"), "/configMap/name");
    let map = rendered.named("/ConfigMap", omnibus);
    assert_eq!(text(named(&mounts, "omnibus"), "/mountPath"), "/omnibus");
    let variables = list(pod, "/spec/containers/0/env");
    let after_start = text(
        named(&variables, "GITLAB_POST_RECONFIGURE_SCRIPT"),
        "/value",
    );
    assert!(after_start.starts_with("gitlab-rails runner /omnibus/settings.rb ||"));
    let args = list(
        pod_named(&rendered, "gitlab-backup"),
        "/spec/containers/0/args",
    );
    let stateful = rendered.one("apps/StatefulSet");
    let name = text(stateful, "/metadata/name");
    let first = format!("{name}-0");
    assert_eq!(args[args.len() - 2..], ["bash", "/omnibus/backup"]);
    assert!(args.contains(&&json!(first)), "{args:?}");
    for file in ["settings.rb", "backup"] {
        assert!(keys(map, "/data").contains(&file), "{file}");
    }
    // The Role for it names this pod and no other.
    let role = rendered.named("rbac.authorization.k8s.io/Role", "gitlab-backup");
    for rule in list(role, "/rules") {
        assert_eq!(*at(rule, "/resourceNames"), json!([first]));
    }
}

/// GitLab answers them to 127.0.0.1 only, unless a range is added to its allow list.
#[test]
fn the_probes_ask_from_inside_and_leave_time_for_the_first_start() {
    let rendered = rendered!(FOLDER);
    let pod = pod_named(&rendered, "gitlab");
    let container = at(pod, "/spec/containers/0");
    let seconds = |probe: &str| {
        number(container, &format!("/{probe}/periodSeconds"))
            * number(container, &format!("/{probe}/failureThreshold"))
    };
    for (probe, path) in [
        ("startupProbe", "readiness"),
        ("readinessProbe", "readiness"),
        ("livenessProbe", "liveness"),
    ] {
        let command = list(container, &format!("/{probe}/exec/command"));
        assert_eq!(
            **command.last().expect("an address"),
            json!(format!("http://127.0.0.1/-/{path}")),
            "{probe}"
        );
        let limit = command
            .iter()
            .position(|it| *it == "--max-time")
            .expect("a limit");
        let limit: u64 = command[limit + 1]
            .as_str()
            .and_then(|it| it.parse().ok())
            .expect("seconds");
        assert!(
            limit < number(container, &format!("/{probe}/timeoutSeconds")),
            "{probe}"
        );
    }
    // 80 is the port of an address without one.
    assert_eq!(port_of(pod, "http"), 80);
    assert!(seconds("startupProbe") >= 20 * 60);
    assert!(seconds("livenessProbe") >= 10 * 60);
    assert!(seconds("readinessProbe") <= 60);
    assert_eq!(number(pod, "/spec/terminationGracePeriodSeconds"), 300);
}

#[test]
fn the_data_outlives_the_pod_and_the_backups_outlive_the_data() {
    let rendered = rendered!(FOLDER);
    let stateful = rendered.one("apps/StatefulSet");
    let claims = list(stateful, "/spec/volumeClaimTemplates");
    let mounts = list(stateful, "/spec/template/spec/containers/0/volumeMounts");
    for (name, path) in [
        ("config", "/etc/gitlab"),
        ("data", "/var/opt/gitlab"),
        ("logs", "/var/log/gitlab"),
        ("backups", "/var/opt/gitlab/backups"),
    ] {
        assert_eq!(text(named(&mounts, name), "/mountPath"), path);
        assert!(
            claims.iter().any(|claim| claim["metadata"]["name"] == name),
            "{name}"
        );
    }
    let volumes = list(stateful, "/spec/template/spec/volumes");
    assert_eq!(
        text(named(&mounts, "shared-memory"), "/mountPath"),
        "/dev/shm"
    );
    assert_eq!(
        *at(named(&volumes, "shared-memory"), "/emptyDir/medium"),
        "Memory"
    );
}

fn named_by<'a>(members: &[&'a Value], key: &str, value: &Value) -> &'a Value {
    let found = members.iter().find(|member| member[key] == *value);
    found.unwrap_or_else(|| panic!("{key} {value} is missing"))
}
