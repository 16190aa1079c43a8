//! The commands that an operator runs: help, version, `render` and `check`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Output, Stdio};

use fakes::gitlab::Delivery;
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use webhook_app::config::catalogue::MAIN_SETTINGS;

use crate::harness::{program, settings};
use crate::skipped::report_skipped;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn render(payload: &[u8]) -> Output {
    render_with(&BTreeMap::new(), payload)
}

fn render_with(settings: &BTreeMap<String, String>, payload: &[u8]) -> Output {
    let mut command = program(settings);
    let mut child = command
        .arg("render")
        .stdin(Stdio::piped())
        .spawn()
        .expect("starts");
    child
        .stdin
        .take()
        .expect("is piped")
        .write_all(payload)
        .expect("is written");
    child.wait_with_output().expect("ends")
}

/// Runs `check` on another thread than the one that serves the chat server.
async fn check(chat: &FakeRocketChat, overrides: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut settings = settings(chat);
    settings.extend(
        overrides
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let run = move || program(&settings).arg("check").output().expect("runs");
    let output = tokio::task::spawn_blocking(run)
        .await
        .expect("does not panic");
    assert!(!text(&output.stdout).contains(chat.auth_token()));
    (
        output.status.code(),
        text(&output.stdout) + &text(&output.stderr),
    )
}

#[test]
fn help_and_version_are_printed() {
    for argument in ["--help", "-h", "help"] {
        let output = program(&BTreeMap::new())
            .arg(argument)
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("Usage: webhook-app [COMMAND]"));
    }
    for argument in ["--version", "-V"] {
        let output = program(&BTreeMap::new())
            .arg(argument)
            .output()
            .expect("runs");
        assert_eq!(
            text(&output.stdout),
            concat!("webhook-app ", env!("CARGO_PKG_VERSION"), "\n")
        );
    }
}

#[test]
fn an_unknown_command_names_the_known_ones() {
    for arguments in [&["sevre"][..], &["--port", "80"]] {
        let output = program(&BTreeMap::new())
            .args(arguments)
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(
            text(&output.stderr).contains("serve, check, render"),
            "{}",
            text(&output.stderr)
        );
    }
    let cases = [
        (&["sevre"][..], r#"found "sevre"; did you mean serve?"#),
        (&["--check"], r#"found "--check"; did you mean check?"#),
        (&["help", "chekc"], r#"found "chekc"; did you mean check?"#),
        (&["launch", "--help"], r#"found "launch"; see --help"#),
        (
            &["--port", "80"],
            "did you mean the environment variable PORT?",
        ),
        (
            &["--log-level=debug"],
            "did you mean the environment variable LOG_LEVEL?",
        ),
        (
            &["version", "2"],
            r#"expected no other argument with version, found "2""#,
        ),
        (
            &["render", "--explian"],
            r#"found "--explian"; did you mean --explain?"#,
        ),
        (&["start"], r#"found "start"; did you mean serve?"#),
        (&["run"], r#"found "run"; did you mean serve?"#),
        (&["--send"], r#"found "--send"; did you mean check --send?"#),
        (
            &["check", "--sned"],
            r#"found "--sned"; did you mean --send?"#,
        ),
        (
            &["check", "--log-level=debug"],
            r#"found "--log-level"; did you mean the environment variable LOG_LEVEL?"#,
        ),
        (
            &["serve", "--port=80"],
            "did you mean the environment variable PORT?",
        ),
        (
            &["render", "--kind", "pusch"],
            r#"found "pusch" (did you mean push?)"#,
        ),
        (&["\u{1b}[2J"], r#"found "\u{1b}[2J""#),
    ];
    for (arguments, expected) in cases {
        let stderr = usage_error(arguments);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn each_command_has_a_help_with_the_exit_codes() {
    for (command, expected) in [
        ("serve", "until SIGTERM"),
        ("check", "Each line begins with ok, note or FAIL"),
        ("render", "--kind KIND"),
    ] {
        let run = |arguments: [&str; 2]| {
            let output = program(&BTreeMap::new()).args(arguments).output();
            let output = output.expect("runs");
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            text(&output.stdout)
        };
        let help = run(["help", command]);
        assert_eq!(help, run([command, "--help"]));
        for expected in [
            expected,
            "Usage: webhook-app",
            "\n  64  an argument or a setting is invalid",
        ] {
            assert!(help.contains(expected), "{help}");
        }
    }
}

#[test]
fn the_help_begins_with_the_settings_that_matter_most() {
    let output = program(&BTreeMap::new()).arg("help").output();
    let help = text(&output.expect("runs").stdout);
    let names = help
        .lines()
        .filter(|line| line.starts_with("  ") && line.ends_with(']'));
    let names: Vec<_> = names
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names[..8], MAIN_SETTINGS);
    assert!(help.contains("Exit codes:"), "{help}");
}

/// The error output for invalid arguments.
fn usage_error(arguments: &[&str]) -> String {
    let output = program(&BTreeMap::new())
        .args(arguments)
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(64), "{arguments:?}");
    text(&output.stderr)
}

#[test]
fn render_lists_the_valid_kinds_and_options() {
    for arguments in [
        &["render", "--kind", "pusch"][..],
        &["render", "--kind", "other"],
        &["render", "--kind"],
    ] {
        let stderr = usage_error(arguments);
        assert!(
            stderr.contains("one of these kinds after --kind"),
            "{stderr}"
        );
        assert!(stderr.contains(": push, tag_push, issue, "), "{stderr}");
        assert!(!stderr.contains(", other"), "{stderr}");
    }
    insta::assert_snapshot!(usage_error(&["render", "--please"]), @r#"webhook-app: expected a file, --kind KIND or --explain after render, found "--please""#);
    insta::assert_snapshot!(usage_error(&["render", "a.json", "b.json"]), @"webhook-app: expected only one file or --kind after render, found several");
    insta::assert_snapshot!(usage_error(&["check", "b.json"]), @r#"webhook-app: expected --send or no argument after check, found "b.json"; settings are environment variables, see --help"#);
}

#[test]
fn render_accepts_the_words_that_rules_accept_for_a_kind() {
    let run = |kind: &str| {
        let output = program(&BTreeMap::new())
            .args(["render", "--kind", kind])
            .output();
        text(&output.expect("runs").stdout)
    };
    assert_eq!(run("mr"), run("merge_request"));
    assert!(!run("mr").is_empty());
}

#[test]
fn render_accepts_a_kind_after_a_space_or_an_equals_sign() {
    let run = |arguments: &[&str]| {
        let output = program(&BTreeMap::new())
            .arg("render")
            .args(arguments)
            .output();
        text(&output.expect("runs").stdout)
    };
    assert_eq!(run(&["--kind=push"]), run(&["--kind", "push"]));
    assert!(!run(&["--kind=push"]).is_empty());
    let wrong = usage_error(&["render", "--kind=pusch"]);
    assert!(
        wrong.contains(r#"found "pusch" (did you mean push?)"#),
        "{wrong}"
    );
}

/// The first line that a command prints on a terminal, with its escape sequences.
fn on_terminal(arguments: &str, settings: &[(&str, &str)]) -> Option<String> {
    let settings = settings
        .iter()
        .map(|(name, value)| format!("{name}='{value}' "));
    let settings: String = settings.collect();
    let command = format!(
        "env -i {settings}{} {arguments}",
        env!("CARGO_BIN_EXE_webhook-app")
    );
    let output = std::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::null())
        .output();
    let output = text(&output.ok()?.stdout);
    output.lines().next().map(str::to_owned)
}

#[test]
fn verdicts_have_colors_on_a_terminal_unless_they_are_refused() {
    // No program listens on this port, so that the check ends at once.
    let settings = [
        ("ALLOW_UNAUTHENTICATED", "true"),
        ("ROCKETCHAT_URL", "http://127.0.0.1:9"),
        ("ROCKETCHAT_USER_ID", "rbAXPnMktTFbNpwtJ"),
        ("ROCKETCHAT_AUTH_TOKEN", "canary-auth-token"),
        ("ROCKETCHAT_RECIPIENT", "alice"),
    ];
    let Some(colored) = on_terminal("check", &settings) else {
        report_skipped("script is not installed; Debian has it in the package bsdutils");
        return;
    };
    assert!(
        colored.contains("\u{1b}[32mok   \u{1b}[0m configuration"),
        "{colored}"
    );
    let mut plain = settings.to_vec();
    plain.push(("NO_COLOR", "1"));
    let plain = on_terminal("check", &plain).expect("has a line");
    assert!(plain.contains("ok    configuration"), "{plain}");
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn render_reads_a_body_from_a_file() {
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/notifier/templates/examples/release.json"
    );
    let run = |file: &str| {
        let output = program(&BTreeMap::new()).args(["render", file]).output();
        output.expect("runs")
    };
    assert!(text(&run(example).stdout).starts_with("📦 [Release]("));
    let output = run("no-such-file.json");
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with("webhook-app: failed to read no-such-file.json: "),
        "{stderr}"
    );
    let output = render(b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("on standard input, found nothing"));
}

#[test]
fn render_explains_conditional_recipients() {
    let mut settings = BTreeMap::new();
    let rules = "rules:\n- {event: pipeline, status: [failed, fixed], to: '@alice', continue: true}\n- {event: pipeline, to: '@bob'}\n";
    settings.insert("ROUTES".to_owned(), rules.to_owned());
    let output = program(&settings)
        .args(["render", "--kind", "pipeline", "--explain"])
        .output()
        .expect("runs");
    insta::assert_snapshot!("explanation_of_a_fix", text(&output.stdout));
}

#[test]
fn render_prints_the_message_and_sends_nothing() {
    let output = render(Delivery::push_sample().body());
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout), @r#"
        📥 [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b) pushed to `main` in **acme/rocket** by Robin Example
        Light the engines in order
        "#);
}

#[test]
fn render_says_that_the_template_fails() {
    let mut settings = BTreeMap::new();
    // Another event than the example, on which templates are tried first.
    let template = r#"push: '{% if ref == "main" %}{{ ref }}{% else %}{{ 1 // (title | length - 26) }}{% endif %}'"#;
    settings.insert("MESSAGES".to_owned(), template.to_owned());
    let push = text(Delivery::push_sample().body()).replace("refs/heads/main", "refs/heads/next");
    let output = render_with(&settings, push.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("pushed to `next`"));
    insta::assert_snapshot!(text(&output.stderr), @"webhook-app: the template of push fails for this event, so the built-in message is sent: invalid operation: unable to calculate 1 // 0");
}

#[test]
fn render_reports_why_nothing_is_sent() {
    let output = render(br#"{"object_kind":"launchpad"}"#);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout), @"nothing is sent: this kind of event is not supported");
    let output = render(b"{");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text(&output.stderr), @"webhook-app: expected JSON, found something else at line 1, column 1");
}

#[tokio::test]
async fn check_passes_with_valid_settings() {
    let chat = FakeRocketChat::start().await;
    let (code, output) = check(&chat, &[]).await;
    assert_eq!(code, Some(0), "{output}");
    insta::assert_snapshot!(output, @r#"
        ok    configuration
        ok    signed in as @gitlab-bot
        ok    role user
        ok    role bot
        ok    recipient @alice exists
        "#);
    chat.finish();
}

#[tokio::test]
async fn check_reports_a_missing_role() {
    let chat = FakeRocketChat::builder()
        .roles(&["user"])
        .start()
        .await
        .expect("listens");
    let (code, output) = check(&chat, &[]).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("FAIL  missing role bot"), "{output}");
    assert!(output.contains("ok    role user"), "{output}");
    chat.finish();
}

#[tokio::test]
async fn check_reports_an_unknown_recipient() {
    let chat = FakeRocketChat::start().await;
    let (code, output) = check(&chat, &[("ROCKETCHAT_RECIPIENT", "nobody")]).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains("FAIL  recipient @nobody does not exist"),
        "{output}"
    );
    chat.finish();
}

#[tokio::test]
async fn check_validates_rules_and_templates_and_looks_up_their_recipients() {
    let chat = FakeRocketChat::start().await;
    let rules = "rules: [{event: pipeline, status: [failed, fixed], to: ['@alice', '@nobody']}]";
    let templates = ("MESSAGES", "pipeline: '{{ status }}'");
    let routes = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules), templates];
    let (code, output) = check(&chat, &routes).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("ok    recipient @alice exists"), "{output}");
    assert!(
        output.contains("FAIL  recipient @nobody does not exist"),
        "{output}"
    );
    let wrong = [
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", "rules: [{event: pipelin, to: '@alice'}]"),
        ("MESSAGES", "pipeline: '{{ statsu }}'"),
    ];
    let (code, output) = check(&chat, &wrong).await;
    assert_eq!(code, Some(64), "{output}");
    for expected in [
        "ROUTES: line 1: there is no event `pipelin`",
        "MESSAGES: line 1: pipeline: there is no statsu",
    ] {
        assert!(output.contains(expected), "{output}");
    }
    chat.finish();
}

#[tokio::test]
async fn check_reports_a_rejected_token() {
    let chat = FakeRocketChat::start().await;
    let (code, output) = check(&chat, &[("ROCKETCHAT_AUTH_TOKEN", "canary-wrong")]).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains("FAIL  failed to sign in: Rocket.Chat does not accept"),
        "{output}"
    );
    assert!(!output.contains("canary-wrong"), "{output}");
    chat.finish();
}

#[tokio::test]
async fn check_reports_a_wrong_address() {
    let chat = FakeRocketChat::start().await;
    let (code, output) = check(&chat, &[("ROCKETCHAT_URL", "http://127.0.0.1:9")]).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains(
            "failed to sign in: no program listens on the host and port in ROCKETCHAT_URL"
        ),
        "{output}"
    );
    chat.inject_fault_always(Route::Me, Fault::NotJson);
    let (code, output) = check(&chat, &[]).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains("the response is not valid for Rocket.Chat"),
        "{output}"
    );
    chat.finish();
}

#[tokio::test]
async fn check_notes_a_token_that_is_sent_without_encryption() {
    let chat = FakeRocketChat::start().await;
    // An address for documentation, which nobody has.
    let remote = ("ROCKETCHAT_URL", "http://203.0.113.7");
    let (_, output) = check(&chat, &[remote, ("DELIVERY_TIMEOUT_SECONDS", "1")]).await;
    let note = "note  ROCKETCHAT_URL starts with http://, so the token of the bot can be read";
    assert!(output.contains(note), "{output}");
    chat.finish();
}
