//! What the pods of Rocket.Chat and MongoDB refer to by name: service accounts, `ConfigMaps`, claims, and the keys of the Secrets,
//! which the examples beside the manifests list.

use serde_json::Value;

use super::{HERE, RESTORE, workloads};
use crate::rendered::{Rendered, at, keys, list, rendered, template, text, yaml_file};

/// Each workload, and the keys that its containers get.
const KEYS: &[(&str, &[&str])] = &[
    (
        "rocketchat",
        &[
            "mongodb rocketchat-password",
            "rocketchat-admin email",
            "rocketchat-admin password",
            "rocketchat-admin username",
        ],
    ),
    (
        "mongodb",
        &[
            "mongodb exporter-password",
            "mongodb keyfile",
            "mongodb root-password",
        ],
    ),
    ("mongodb-backup", &["mongodb backup-password"]),
    (
        "mongodb-replica-set",
        &[
            "mongodb backup-password",
            "mongodb exporter-password",
            "mongodb rocketchat-password",
            "mongodb root-password",
        ],
    ),
    ("mongodb-restore", &["mongodb root-password"]),
];

/// The keys of Secrets that a pod gets. A volume without a list of them would give it all.
fn secrets_of(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for secret in list(pod, "/volumes")
        .iter()
        .filter_map(|it| it.get("secret"))
    {
        let (name, items) = (text(secret, "/secretName"), list(secret, "/items"));
        assert!(!items.is_empty(), "the keys of {name} are listed");
        let keys = items.iter().map(|item| text(item, "/key"));
        found.extend(keys.map(|key| format!("{name} {key}")));
    }
    for container in list(pod, "/containers") {
        assert!(
            list(container, "/envFrom")
                .iter()
                .all(|from| from.get("secretRef").is_none())
        );
        for variable in list(container, "/env") {
            if let Some(key) = variable.pointer("/valueFrom/secretKeyRef") {
                found.push(format!("{} {}", text(key, "/name"), text(key, "/key")));
            }
        }
    }
    found.sort_unstable();
    found
}

fn renderings() -> Option<[Rendered; 2]> {
    Some([Rendered::of(HERE)?, Rendered::of(RESTORE)?])
}

#[test]
fn every_program_gets_the_passwords_that_it_needs_and_no_others() {
    let Some(renderings) = renderings() else {
        return;
    };
    let mut found: Vec<_> = renderings
        .iter()
        .flat_map(workloads)
        .map(|workload| {
            let pod = at(template(workload), "/spec");
            (text(workload, "/metadata/name"), secrets_of(pod))
        })
        .collect();
    found.sort();
    let mut expected: Vec<_> = KEYS
        .iter()
        .map(|(name, keys)| (*name, keys.iter().map(|key| (*key).to_owned()).collect()))
        .collect();
    expected.sort();

    assert_eq!(found, expected);
}

#[test]
fn the_examples_of_secrets_have_all_keys_and_no_value() {
    let mut listed = Vec::new();
    for part in ["mongodb", "server"] {
        let secret = yaml_file(&format!("{HERE}/{part}/secret.example.yaml"));
        assert_eq!(text(&secret, "/metadata/namespace"), "rocketchat");
        for key in keys(&secret, "/stringData") {
            assert_eq!(text(&secret, &format!("/stringData/{key}")), "", "{key}");
            listed.push(format!("{} {key}", text(&secret, "/metadata/name")));
        }
    }
    listed.sort();
    let mut used: Vec<_> = KEYS
        .iter()
        .flat_map(|(_, keys)| keys.iter().copied())
        .collect();
    used.sort_unstable();
    used.dedup();

    assert_eq!(listed, used);
}

#[test]
fn every_service_account_config_map_and_claim_exists() {
    let Some(renderings) = renderings() else {
        return;
    };
    let whole = rendered!(HERE);
    let mut count = 0;
    for rendered in &renderings {
        for workload in workloads(rendered) {
            let pod = at(template(workload), "/spec");
            let account = text(pod, "/serviceAccountName");
            assert!(rendered.has("/ServiceAccount", account), "{account}");
            let volumes = list(pod, "/volumes");
            let names =
                |pointer: &'static str| volumes.iter().filter_map(move |it| it.pointer(pointer));
            for name in names("/configMap/name") {
                assert!(
                    rendered.has("/ConfigMap", name.as_str().expect("a name")),
                    "{name}"
                );
                count += 1;
            }
            for name in names("/persistentVolumeClaim/claimName") {
                let name = name.as_str().expect("a name");
                assert!(whole.has("/PersistentVolumeClaim", name), "{name}");
                count += 1;
            }
        }
    }
    assert_eq!(count, 5, "three scripts, and the volume of the dumps twice");
}
