//! The scripts `configure` of the runner and `backup` of the server, run with files and programs of the test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{FOLDER, toml};
use crate::rendered::{file, list, repository};
use crate::sandbox::shell;
use crate::skipped::report_skipped;

/// Whether there is what the scripts call; reports a skipped test if not.
fn has_programs() -> bool {
    let needed = [
        "sh", "find", "grep", "head", "mktemp", "sed", "tar", "touch", "tr", "wc",
    ];
    let is_missing = |name: &&str| shell(&format!("command -v {name}")).is_empty();
    let missing: Vec<_> = needed.into_iter().filter(is_missing).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        report_skipped(&format!("not installed, and used by scripts: {missing}"));
    }
    missing.is_empty()
}

/// An empty folder of a test.
fn folder(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("gitlab")
        .join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("can be made");
    place
}

fn write(place: &Path, name: &str, content: &str) {
    fs::write(place.join(name), content).expect("can be written");
}

/// Runs `configure` with these tokens: its exit status, its output, and the configuration.
fn configure(
    name: &str,
    tokens: [&str; 2],
    host: &str,
    authority: Option<&str>,
) -> (i32, String, Option<String>) {
    let place = folder(name);
    write(&place, "jobs-token", tokens[0]);
    write(&place, "deploy-token", tokens[1]);
    if let Some(authority) = authority {
        write(&place, "ca.crt", authority);
    }
    let output = Command::new("sh")
        .arg(repository().join(FOLDER).join("runner/configure"))
        .env(
            "TEMPLATE",
            repository().join(FOLDER).join("runner/config.toml"),
        )
        .env("TOKENS", &place)
        .env("CA", place.join("ca.crt"))
        .env("CONFIG", place.join("config.toml"))
        .env("GITLAB_HOST", host)
        .output()
        .expect("there is a shell");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).expect("is UTF-8");
    let written = fs::read_to_string(place.join("config.toml")).ok();
    (output.status.code().expect("no signal"), said, written)
}

const TOKENS: [&str; 2] = ["glrt-t3_Jobs-1.01.abc\n", "glrt-t3_Deploy-1.01.def"];

#[test]
fn the_configuration_has_the_host_and_each_token_in_its_runner() {
    if !has_programs() {
        return;
    }
    for (case, authority, expected) in [
        (
            "own-authority",
            Some("certificate"),
            Value::from("/ca/ca.crt"),
        ),
        ("public-authority", None, Value::Null),
        // A ConfigMap whose value is empty.
        ("empty-authority", Some(""), Value::Null),
    ] {
        let (status, said, written) = configure(case, TOKENS, "gitlab.example.net", authority);

        assert_eq!((status, said.as_str()), (0, ""), "{case}");
        let written = written.expect("a configuration");
        assert!(
            !written
                .lines()
                .any(|line| !line.starts_with('#') && line.contains('@'))
        );
        let Some(configuration) = toml(&written) else {
            return;
        };
        for (runner, token) in list(&configuration, "/runners").into_iter().zip(TOKENS) {
            assert_eq!(runner["token"], token.trim_end(), "{case}");
            assert_eq!(runner["url"], "https://gitlab.example.net");
            assert_eq!(runner["tls-ca-file"], expected, "{case}");
        }
    }
    let mode = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gitlab/own-authority/config.toml");
    let mode = fs::metadata(mode).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_wrong_token_or_host_is_refused_and_not_printed() {
    if !has_programs() {
        return;
    }
    let [jobs, deploy] = TOKENS;
    let host = "gitlab.example.net";
    let cases = [
        (["", deploy], host, "expected the key jobs-token"),
        ([jobs, ""], host, "expected the key deploy-token"),
        (["GR1348941secret", deploy], host, "a registration token"),
        (["glpat-secret", deploy], host, "found another text"),
        (["glrt-", deploy], host, "found another text"),
        (
            [jobs, "glrt-secret/e\nid\n"],
            host,
            "found another character",
        ),
        ([jobs, jobs], host, "found one token in both keys"),
        (TOKENS, "", "expected a host name in GITLAB_HOST"),
        (
            TOKENS,
            "https://gitlab.example.net",
            "expected a host name in GITLAB_HOST",
        ),
    ];
    for (number, (tokens, host, expected)) in cases.into_iter().enumerate() {
        let (status, said, written) = configure(&format!("refused-{number}"), tokens, host, None);

        assert_eq!(status, 64, "{expected}: {said}");
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(
            !said.contains("secret/") && !said.contains("1secret") && !said.contains("t-secret"),
            "{said}"
        );
        assert_eq!(written, None, "{expected}");
    }
}

/// Runs `backup` with programs that do what these lines say.
fn backup(name: &str, gitlab_backup: &str, gitlab_ctl: &str) -> (i32, String) {
    let place = folder(name);
    for (program, line) in [("gitlab-backup", gitlab_backup), ("gitlab-ctl", gitlab_ctl)] {
        let content =
            format!("#!/usr/bin/env bash\nset -eu\necho \"{program} $*\" >> calls\n{line}\n");
        write(&place, program, &content);
        fs::set_permissions(place.join(program), fs::Permissions::from_mode(0o755))
            .expect("can be set");
    }
    // Of the night before.
    for (folder, member, archive) in [
        ("backups", "backup_information.yml", "1_gitlab_backup.tar"),
        ("configs", "gitlab-secrets.json", "gitlab_config_1.tar"),
    ] {
        fs::create_dir_all(place.join(folder)).expect("can be made");
        write(&place, member, "content");
        let made = shell(&format!(
            "cd '{}' && tar -cf {folder}/{archive} {member} && touch -d '1 day ago' {folder}/{archive} && echo made",
            place.display()
        ));
        assert_eq!(made, "made");
    }
    let path = format!("{}:{}", place.display(), shell("echo \"$PATH\""));
    let output = Command::new("bash")
        .arg(repository().join(FOLDER).join("server/backup/backup"))
        .current_dir(&place)
        .env("PATH", path)
        .env("BACKUPS", place.join("backups"))
        .env("CONFIG_BACKUPS", place.join("configs"))
        .output()
        .expect("there is bash");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("is UTF-8");
    (output.status.code().expect("no signal"), said)
}

const GITLAB: &str = "tar -cf backups/2_gitlab_backup.tar backup_information.yml";
const CONFIG: &str = "tar -cf configs/gitlab_config_2.tar gitlab-secrets.json";

#[test]
fn a_backup_is_made_of_gitlab_and_of_its_secrets() {
    if !has_programs() {
        return;
    }
    let (status, said) = backup("backup", GITLAB, CONFIG);

    assert_eq!(status, 0, "{said}");
    for archive in ["2_gitlab_backup.tar", "gitlab_config_2.tar"] {
        assert!(said.contains(archive), "{said}");
    }
    let calls = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gitlab/backup/calls");
    let calls = fs::read_to_string(calls).expect("were recorded");
    let expected = "gitlab-backup create CRON=1 STRATEGY=copy SKIP=registry\ngitlab-ctl backup-etc --delete-old-backups\n";
    assert_eq!(calls, expected);
    // What GitLab deletes after a week.
    assert!(
        file(&format!("{FOLDER}/server/gitlab.rb"))
            .contains("gitlab_rails['backup_keep_time'] = 604800")
    );
}

#[test]
fn a_backup_that_cannot_be_restored_fails() {
    if !has_programs() {
        return;
    }
    let cases = [
        (
            "no-archive",
            "true",
            CONFIG,
            "expected a new archive of GitLab",
        ),
        (
            "failed",
            "echo 'disk full' >&2; exit 1",
            CONFIG,
            "disk full",
        ),
        (
            "truncated",
            "head -c 700 backups/1_gitlab_backup.tar > backups/2_gitlab_backup.tar",
            CONFIG,
            "expected that tar can read",
        ),
        (
            "other-content",
            "tar -cf backups/2_gitlab_backup.tar gitlab-secrets.json",
            CONFIG,
            "expected backup_information.yml",
        ),
        (
            "no-secrets",
            GITLAB,
            "true",
            "expected a new archive of /etc/gitlab",
        ),
        ("failed-secrets", GITLAB, "exit 3", "gitlab_backup.tar"),
        (
            "secrets-missing",
            GITLAB,
            "tar -cf configs/gitlab_config_2.tar calls",
            "expected gitlab-secrets.json",
        ),
    ];
    for (name, gitlab_backup, gitlab_ctl, expected) in cases {
        let (status, said) = backup(name, gitlab_backup, gitlab_ctl);

        assert_ne!(status, 0, "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
        assert!(!said.contains("copy both"), "{name}: {said}");
    }
}
