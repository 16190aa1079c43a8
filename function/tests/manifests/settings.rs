//! Checks that the function accepts the environment in the manifests, in both packagings. Which values are valid is
//! decided by `Config`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::Value;
use webhook_app::config::Config;
use webhook_app::config::catalogue::SETTINGS;
use webhook_app::gitlab::kind::Kind;
use webhook_app::notifier::templates::Templates;
use webhook_app::rocketchat::Username;

use crate::rendered::{Rendered, at, keys, list, number, rendered, text, yaml_file};
use crate::restricted::pods;

const EXAMPLE: &str = "k8s-base/common/secret.example.yaml";

/// Variables that Knative adds to every container.
const KNATIVE: &[(&str, &str)] = &[
    ("K_CONFIGURATION", "webhook-app"),
    ("K_REVISION", "webhook-app-00001"),
    ("K_SERVICE", "webhook-app"),
    ("PORT", "8080"),
];

#[test]
fn the_function_accepts_the_environment_of_both_packagings() {
    for (folder, added) in [("k8s-base", &[][..]), ("knative", KNATIVE)] {
        let rendered = rendered!(folder);
        let mut variables = variables(&rendered);
        variables.extend(
            added
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string())),
        );
        variables.extend(filled_secret());

        let (config, warnings) = Config::load(&variables, &no_file).expect("a valid environment");

        let port = at(pods(&rendered)[0].1, "/containers/0/ports/0");
        assert_eq!(
            u64::from(config.port),
            number(port, "/containerPort"),
            "{folder}"
        );
        assert_eq!(warnings, Vec::<String>::new(), "{folder}");
    }
}

#[test]
fn routes_and_templates_are_read_from_files_of_an_overlay() {
    let mut variables = variables(&rendered!("function/tests/manifests/overlays/own-rules"));
    variables.extend(filled_secret());

    let (config, warnings) = Config::load(&variables, &no_file).expect("a valid environment");

    let users = config.notifier.routing.users();
    let users: Vec<_> = users.into_iter().map(Username::as_str).collect();
    assert_eq!(users, ["release.manager"]);
    let text = |templates: &Templates| {
        let (applied, _) = templates.apply_to_example(Kind::Pipeline).expect("exists");
        applied.text().expect("is not empty").to_owned()
    };
    assert_ne!(
        text(&config.notifier.templates),
        text(&Templates::default())
    );
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn every_missing_key_of_the_secret_is_reported() {
    let mut variables = variables(&rendered!("k8s-base"));
    let unfilled = yaml_file(EXAMPLE);
    let names = keys(&unfilled, "/stringData");
    variables.extend(names.iter().map(|name| ((*name).to_owned(), String::new())));

    let errors = Config::load(&variables, &no_file)
        .expect_err("no secrets")
        .to_string();

    for name in [
        "GITLAB_SIGNING_KEYS",
        "ROCKETCHAT_USER_ID",
        "ROCKETCHAT_AUTH_TOKEN",
    ] {
        assert!(errors.contains(name), "{name} in:\n{errors}");
    }
}

#[test]
fn every_key_is_a_setting_and_no_secret_is_in_the_config_map() {
    let known: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    let example = yaml_file(EXAMPLE);
    let secrets = keys(&example, "/stringData");
    for folder in ["k8s-base", "knative"] {
        for name in variables(&rendered!(folder)).keys() {
            assert!(known.contains(name.as_str()), "{name} of {folder}");
            assert!(!secrets.contains(&name.as_str()), "{name} of {folder}");
        }
    }
    for name in secrets {
        assert!(known.contains(name), "{name} of {EXAMPLE}");
    }
}

#[test]
fn the_environments_differ_only_in_the_metrics_port() {
    let plain = variables(&rendered!("k8s-base"));
    let knative = variables(&rendered!("knative"));

    let plain: BTreeSet<_> = plain.into_iter().collect();
    let knative: BTreeSet<_> = knative.into_iter().collect();

    let differing: Vec<_> = plain
        .symmetric_difference(&knative)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(differing, ["METRICS_PORT"]);
}

#[test]
fn a_missing_secret_is_reported_by_the_function() {
    for folder in ["k8s-base", "knative"] {
        let rendered = rendered!(folder);
        let (_, pod) = pods(&rendered)[0];

        let secret = at(pod, "/containers/0/envFrom/1/secretRef");

        assert_eq!(
            text(secret, "/name"),
            text(&yaml_file(EXAMPLE), "/metadata/name")
        );
        assert_eq!(*at(secret, "/optional"), true);
        let policy = text(pod, "/containers/0/terminationMessagePolicy");
        assert_eq!(policy, "FallbackToLogsOnError");
    }
}

#[test]
fn the_example_secret_is_empty_and_never_applied() {
    for key in keys(&yaml_file(EXAMPLE), "/stringData") {
        assert_eq!(text(&yaml_file(EXAMPLE), &format!("/stringData/{key}")), "");
    }
    for folder in ["k8s-base", "knative"] {
        assert!(rendered!(folder).every("/Secret").is_empty(), "{folder}");
    }
}

#[test]
fn a_changed_setting_or_secret_gives_a_new_revision() {
    let before = rendered!("knative");
    let after = rendered!("function/tests/manifests/overlays/own-settings");
    for (index, kind) in [(0, "configMapRef"), (1, "secretRef")] {
        let pointer = format!("/containers/0/envFrom/{index}/{kind}/name");

        let (before, after) = (
            text(pods(&before)[0].1, &pointer),
            text(pods(&after)[0].1, &pointer),
        );

        assert_ne!(before, after, "{kind}");
    }
}

/// What the function makes of the environment in the manifests, with a filled Secret.
pub(crate) fn config(rendered: &Rendered) -> Config {
    let mut variables = variables(rendered);
    variables.extend(filled_secret());
    let (config, _) = Config::load(&variables, &no_file).expect("a valid environment");
    config
}

/// The environment of the function's container, without the Secret.
fn variables(rendered: &Rendered) -> BTreeMap<String, String> {
    let (_, pod) = pods(rendered)[0];
    let map = rendered.one("/ConfigMap");
    let referred = at(pod, "/containers/0/envFrom/0/configMapRef/name");
    assert_eq!(referred, at(map, "/metadata/name"));
    let text_of = |value: &Value| value.as_str().expect("a text").to_owned();
    let data = at(map, "/data").as_object().expect("a map");
    let mut variables: BTreeMap<_, _> = data
        .iter()
        .map(|(name, value)| (name.clone(), text_of(value)))
        .collect();
    for variable in list(pod, "/containers/0/env") {
        variables.insert(text_of(&variable["name"]), text_of(&variable["value"]));
    }
    variables
}

/// A Secret as an operator fills it.
fn filled_secret() -> BTreeMap<String, String> {
    let key = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    [
        ("GITLAB_SIGNING_KEYS", key),
        ("GITLAB_WEBHOOK_TOKENS", ""),
        ("ROCKETCHAT_USER_ID", "rbAXPnMktTFbNpwtJ"),
        (
            "ROCKETCHAT_AUTH_TOKEN",
            "RScctEHSmLGZGywfIhWyRpyofhKOiMoUIpimhvheU3f",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn no_file(_: &str) -> io::Result<String> {
    Err(io::ErrorKind::NotFound.into())
}
