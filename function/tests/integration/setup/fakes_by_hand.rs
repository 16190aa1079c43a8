//! The commands of the page with which setup is tried with the fakes. The fakes run in this process, and stand-ins print what their
//! programs print.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fakes::gitlab::FakeGitLab;
use fakes::rocketchat::FakeRocketChat;

use crate::harness::command;
use crate::skipped::report_skipped;

/// A program that prints a line if it gets these arguments, and then waits to be killed.
fn stand_in(folder: &Path, name: &str, arguments: &str, line: &str) {
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = '{arguments}' ] || {{ echo \"$0: $*\" >&2; exit 1; }}\necho '{line}'\nexec sleep 600\n"
    );
    let path = folder.join(name);
    fs::write(&path, script).expect("is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("is changed");
}

#[tokio::test]
async fn the_documented_commands_lead_to_a_message_and_to_the_declared_webhook() {
    if std::process::Command::new("jq")
        .arg("--version")
        .output()
        .is_err()
    {
        report_skipped("the commands of docs/setup.md, which need jq");
        return;
    }
    let page = include_str!("../../../docs/setup.md");
    let block = page.split("<!-- fakes: begin -->\n```sh\n").nth(1);
    let commands = block.and_then(|block| block.split("```").next());
    let commands = commands.expect("has the block");
    let chat = FakeRocketChat::start().await;
    let gitlab = FakeGitLab::start().await;
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("by-hand-{}", std::process::id()));
    let programs = folder.join("target/debug");
    fs::create_dir_all(&programs).expect("is created");
    let line = chat.announce(Some("root")).to_string();
    stand_in(
        &programs,
        "fake-rocketchat",
        "127.0.0.1:3000 --administrator root",
        &line,
    );
    let line = gitlab.announce().to_string();
    stand_in(&programs, "fake-gitlab-api", "127.0.0.1:8929", &line);
    let program = env!("CARGO_BIN_EXE_webhook-app");
    std::os::unix::fs::symlink(program, programs.join("webhook-app")).expect("is linked");
    // Only the first command builds something.
    let commands = commands.replace("cargo build", "true cargo build");

    let mut shell = command("sh", &std::collections::BTreeMap::new());
    shell.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    shell.args(["-euc", &commands]).current_dir(&folder);
    let output = tokio::task::spawn_blocking(move || shell.output().expect("runs"));
    let output = output.await.expect("does not panic");

    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(out.matches("There is nothing to do.").count(), 1, "{out}");
    assert!(out.contains("acme/rocket  ok\n"), "{out}{err}");
    assert_eq!(chat.take_message().recipient, "alice");
    fs::remove_dir_all(&folder).expect("is removed");
    chat.finish();
}
