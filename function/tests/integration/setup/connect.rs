//! `make connect`: the script reads and writes the Secret of a namespace, for which a stand-in for kubectl keeps a
//! file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fakes::gitlab::SAMPLE_KEY;
use serde_json::{Map, Value, json};

use super::{PROJECT, World};
use crate::skipped::report_skipped;

/// A stand-in for kubectl that keeps the applied Secret in a file, as the API server does: encoded.
const KUBECTL: &str = r#"#!/bin/sh
echo "$*" >> "$PLACE/kubectl.log"
case "$*" in
  *" get secret webhook-app "*)
    [ -f "$PLACE/secret.json" ] || { echo "Error from server (NotFound)" >&2; exit 1; }
    cat "$PLACE/secret.json" ;;
  *" apply "*)
    file=$(echo "$*" | sed 's/.*--filename //')
    grep '^  [A-Z_]*: "' "$file" | sed 's/^  \([A-Z_]*\): "\(.*\)"$/\1 \2/' | while read -r name value; do
      printf '%s %s\n' "$name" "$(printf %s "$value" | base64 -w 0)"
    done | jq -Rn '{data: ([inputs | split(" ") | {(.[0]): .[1]}] | add)}' > "$PLACE/secret.json" ;;
esac
"#;

/// `None` if a tool of the script is missing.
async fn with_kubectl() -> Option<World> {
    let has = |tool: &str| {
        let version = std::process::Command::new(tool).arg("--version").output();
        version.is_ok()
    };
    if !has("jq") || !has("bash") {
        report_skipped("the script connect, which needs bash and jq");
        return None;
    }
    let world = World::start().await;
    let kubectl = world.folder.join("kubectl");
    fs::write(&kubectl, KUBECTL).expect("is written");
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).expect("is changed");
    Some(world)
}

/// Runs the script; returns its exit code and what it printed.
async fn connect(world: &World) -> (Option<i32>, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/ci/connect");
    let mut command = crate::harness::command(script, &world.settings());
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", world.folder.display());
    command.env("PATH", path).env("PLACE", &world.folder);
    command.env("WEBHOOK_APP", env!("CARGO_BIN_EXE_webhook-app"));
    command.env("NAMESPACE", "hooks").arg(PROJECT);
    let output = tokio::task::spawn_blocking(move || command.output().expect("runs"));
    let output = output.await.expect("does not panic");
    let text = String::from_utf8(output.stdout).expect("is text")
        + &String::from_utf8(output.stderr).expect("is text");
    world.assert_no_secret(&text);
    (output.status.code(), text)
}

/// Stores a Secret with these values.
fn store(world: &World, values: &[(&str, &str)]) {
    let values = values.iter();
    let data: Map<_, _> = values
        .map(|(name, value)| ((*name).to_owned(), BASE64_STANDARD.encode(value).into()))
        .collect();
    let secret = json!({ "data": data }).to_string();
    fs::write(world.folder.join("secret.json"), secret).expect("is written");
}

/// A value of the stored Secret.
fn stored(world: &World, name: &str) -> String {
    let secret = fs::read(world.folder.join("secret.json")).expect("exists");
    let secret: Value = serde_json::from_slice(&secret).expect("is JSON");
    let value = secret["data"][name].as_str().expect("is there");
    let value = BASE64_STANDARD.decode(value).expect("is base64");
    String::from_utf8(value).expect("is text")
}

#[tokio::test]
async fn connect_reads_the_secret_of_the_namespace_and_writes_it_only_if_it_changed() {
    let Some(world) = with_kubectl().await else {
        return;
    };

    let (first, said) = connect(&world).await;
    world.take_message();
    let stored = fs::read_to_string(world.folder.join("secret.json")).expect("is applied");
    let (second, says_again) = connect(&world).await;

    assert_eq!((first, second), (Some(0), Some(0)), "{said}{says_again}");
    assert!(stored.contains("ROCKETCHAT_AUTH_TOKEN"), "{said}");
    assert!(
        says_again.contains("There is nothing to do."),
        "{says_again}"
    );
    let log = fs::read_to_string(world.folder.join("kubectl.log")).expect("is text");
    assert_eq!(log.matches(" apply ").count(), 1, "{log}");
    assert!(log.contains("--namespace hooks"), "{log}");
    assert!(!log.contains("whsec_"), "{log}");
    world.finish();
}

/// As a file with one key in each line becomes a Secret.
#[tokio::test]
async fn connect_keeps_all_keys_of_a_list_in_lines_and_writes_the_first_into_the_webhook() {
    const FORMER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let Some(world) = with_kubectl().await else {
        return;
    };
    let lines = format!("{SAMPLE_KEY}\n{FORMER}\n");
    let keys = ("GITLAB_SIGNING_KEYS", lines.as_str());
    store(&world, &[keys, ("MESSAGE_ID_SECRET", "first\nsecond\n")]);

    let (code, said) = connect(&world).await;

    assert_eq!(code, Some(0), "{said}");
    world.take_message();
    let joined = format!("{SAMPLE_KEY},{FORMER}");
    assert_eq!(stored(&world, "GITLAB_SIGNING_KEYS"), joined);
    assert_eq!(stored(&world, "MESSAGE_ID_SECRET"), "first,second");
    let [hook] = world.gitlab.hooks_of(PROJECT)[..] else {
        panic!("expected one webhook: {said}");
    };
    assert_eq!(world.gitlab.secrets(hook).1.as_deref(), Some(SAMPLE_KEY));
    world.finish();
}

#[tokio::test]
async fn connect_refuses_other_values_in_lines_before_anything_is_changed() {
    let Some(world) = with_kubectl().await else {
        return;
    };
    store(&world, &[("ROUTES", "rules:\n- to: '@alice'\n")]);

    let (code, said) = connect(&world).await;

    assert_ne!(code, Some(0), "{said}");
    assert!(
        said.contains("ROUTES in the Secret has several lines"),
        "{said}"
    );
    assert_eq!(world.changes(0), Vec::<String>::new());
    world.finish();
}
