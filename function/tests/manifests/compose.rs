//! Checks that the Compose files agree with the program and restrict it as the Deployment does.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::Value;
use webhook_app::config::Config;
use webhook_app::config::catalogue::SETTINGS;

use crate::rendered::{at, file, list, rendered, text, yaml_file};

const USE: &str = "function/packaging/compose/compose.yaml";
const TRY: &str = "function/packaging/compose/try.yaml";
const EXAMPLE: &str = "function/packaging/compose/settings.example.env";

#[test]
fn every_variable_is_a_setting_of_the_program() {
    let known: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    let to_try = variables(&yaml_file(TRY));
    for name in ways_to_use()
        .iter()
        .map(|(variables, _)| variables)
        .chain([&to_try])
        .flat_map(BTreeMap::keys)
    {
        let setting = name.strip_suffix("_FILE").unwrap_or(name);
        assert!(known.contains(setting), "{name} is not a setting");
    }
}

#[test]
fn the_program_accepts_the_settings_to_use_once_the_bot_is_named() {
    for (mut variables, gitlab) in ways_to_use() {
        let read_secret = |path: &str| match path {
            "/run/secrets/gitlab" => Ok(gitlab.to_owned()),
            "/run/secrets/rocketchat_auth_token" => {
                Ok("Tq7vXw2Lr9Ns4Kd8Hb3Zc6Yp1Mf5Jg0AeTq7vXw2Lr9".to_owned())
            }
            other => Err(io::Error::other(other.to_owned())),
        };
        let errors = Config::load(&variables, &read_secret)
            .expect_err("the example has no bot")
            .to_string();
        assert!(errors.contains("ROCKETCHAT_USER_ID"), "{errors}");
        assert!(!errors.contains("GITLAB_"), "{errors}");

        variables.insert(
            "ROCKETCHAT_USER_ID".to_owned(),
            "Z7Atdz5ZzuZ9jzPP7".to_owned(),
        );
        let (_, warnings) = Config::load(&variables, &read_secret).expect("a valid environment");

        assert_eq!(warnings, Vec::<String>::new());
    }
}

/// GitLab before 19.0 has secret tokens only.
#[test]
fn a_secret_token_can_be_used_in_place_of_a_signing_key() {
    let mut ways = ways_to_use().into_iter();
    let mut next = || ways.next().expect("a way").0;
    let (with_key, with_token) = (next(), next());

    let [key, token] = ["GITLAB_SIGNING_KEYS_FILE", "GITLAB_WEBHOOK_TOKENS_FILE"];

    assert!(with_key.contains_key(key) && !with_key.contains_key(token));
    assert!(with_token.contains_key(token) && !with_token.contains_key(key));
    assert!(file("function/packaging/compose/README.md").contains(&format!("`{token}`")));
}

#[test]
fn the_program_accepts_the_settings_to_try() {
    let no_file = |_: &str| Err(io::Error::other("there are no files"));

    let (config, warnings) =
        Config::load(&variables(&yaml_file(TRY)), &no_file).expect("a valid environment");

    assert_eq!(warnings, Vec::<String>::new());
    let port = text(&yaml_file(TRY), "/services/webhook-app/ports/0").to_owned();
    assert!(port.ends_with(&format!(":{}", config.port)), "{port}");
}

#[test]
fn every_secret_is_a_file_that_is_mounted_and_ignored_by_git() {
    let compose = yaml_file(USE);
    let mounted: Vec<_> = list(&compose, "/services/webhook-app/secrets");
    let files = at(&compose, "/secrets").as_object().expect("a map");
    assert_eq!(mounted.len(), files.len());
    for (name, secret) in files {
        assert!(mounted.contains(&&Value::String(name.clone())), "{name}");
        assert!(text(secret, "/file").starts_with("secrets/"), "{secret}");
    }
    let places: Vec<_> = files
        .keys()
        .map(|name| format!("/run/secrets/{name}"))
        .collect();
    for (variables, _) in ways_to_use() {
        let read = variables.iter().filter(|(name, _)| name.ends_with("_FILE"));
        let read: BTreeSet<_> = read.map(|(_, path)| path).collect();
        assert_eq!(read, places.iter().collect());
    }
    for ignored in [".env", "settings.env", "secrets/"] {
        let line = format!("/function/packaging/compose/{ignored}");
        assert!(
            file(".gitignore").lines().any(|found| found == line),
            "{line}"
        );
    }
}

#[test]
fn containers_are_restricted_as_in_kubernetes() {
    let objects = rendered!("k8s-base");
    let pod = at(objects.one("apps/Deployment"), "/spec/template/spec");
    let container = at(pod, "/containers/0");
    let memory = text(container, "/resources/limits/memory").replace("Mi", "m");
    let grace = format!("{}s", at(pod, "/terminationGracePeriodSeconds"));
    let user = file("Containerfile");
    let user = user
        .lines()
        .find_map(|line| line.strip_prefix("USER "))
        .expect("is set");
    for path in [USE, TRY] {
        let compose = yaml_file(path);
        for (name, service) in at(&compose, "/services").as_object().expect("a map") {
            let case = format!("{name} in {path}");
            let read_only = at(container, "/securityContext/readOnlyRootFilesystem");
            assert_eq!(&service["read_only"], read_only, "{case}");
            let dropped = at(container, "/securityContext/capabilities/drop");
            assert_eq!(&service["cap_drop"], dropped, "{case}");
            assert_eq!(
                service["security_opt"][0], "no-new-privileges:true",
                "{case}"
            );
            assert_eq!(service["user"], user, "{case}");
            assert_eq!(service["mem_limit"], memory, "{case}");
            assert!(service["pids_limit"].is_u64(), "{case}");
            assert!(service["privileged"].is_null(), "{case}");
            assert!(service["volumes"].is_null(), "{case}");
        }
        let service = at(&compose, "/services/webhook-app");
        assert_eq!(service["stop_grace_period"], grace, "{path}");
    }
}

/// The variables of `compose.yaml` and of the example of its file of settings, and the secret of GitLab: as they are, and with
/// the line in use whose value is the same that a comment has.
fn ways_to_use() -> [(BTreeMap<String, String>, &'static str); 2] {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    let example = file(EXAMPLE);
    let lines = example.lines().filter(|line| !line.starts_with('#'));
    let mut with_key = variables(&yaml_file(USE));
    with_key.extend(lines.filter_map(pair));
    let comment = example
        .lines()
        .find_map(|line| line.strip_prefix("#GITLAB_"));
    let (name, value) = comment.and_then(pair).expect("a line that is a comment");
    let mut with_token = with_key.clone();
    with_token.retain(|_, found| *found != value);
    with_token.insert(format!("GITLAB_{name}"), value);
    [
        (
            with_key,
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        (with_token, "a-secret-token-of-32-characters!!"),
    ]
}

fn variables(compose: &Value) -> BTreeMap<String, String> {
    let found = at(compose, "/services/webhook-app/environment");
    let pairs = found.as_object().expect("a map").iter();
    let value = |value: &Value| value.as_str().expect("a text").to_owned();
    pairs
        .map(|(name, found)| (name.clone(), value(found)))
        .collect()
}
