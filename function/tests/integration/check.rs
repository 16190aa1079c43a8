//! `webhook-app check`: what it finds out about the account, the recipients and the clock, and the messages
//! of `--send`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use fakes::broker::FakeBroker;
use fakes::https::{Certificate, Https};
use fakes::rocketchat::{FakeRocketChat, Fault, Route};

use crate::harness::{MESSAGE_ID_SECRET, program, settings};

/// The exit code and the output of `check` with these arguments and settings.
async fn check(
    chat: &FakeRocketChat,
    arguments: &'static [&'static str],
    overrides: &[(&str, &str)],
) -> (Option<i32>, String) {
    let mut settings = settings(chat);
    let overrides = overrides.iter().copied();
    settings.extend(overrides.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let run = move || {
        let mut program = program(&settings);
        program.arg("check").args(arguments).output().expect("runs")
    };
    let output = tokio::task::spawn_blocking(run).await.expect("ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains(chat.auth_token()));
    (output.status.code(), text)
}

#[tokio::test]
async fn a_failed_sign_in_is_the_only_finding() {
    let chat = FakeRocketChat::start().await;
    let (code, output) = check(&chat, &[], &[("ROCKETCHAT_AUTH_TOKEN", "canary-wrong")]).await;
    assert_eq!(code, Some(1), "{output}");
    insta::assert_snapshot!(output, @r"
    ok    configuration
    FAIL  failed to sign in: Rocket.Chat does not accept ROCKETCHAT_USER_ID with ROCKETCHAT_AUTH_TOKEN; check both
    ");
    assert_eq!(chat.calls(Route::UserInfo), 0);
    chat.finish();
}

#[tokio::test]
async fn the_broker_is_asked_for_a_response_without_an_event() {
    let chat = FakeRocketChat::start().await;
    let (broker, sink) = (FakeBroker::start().await, FakeBroker::start().await);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check-dead-letters");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("can be created");
    let folder = folder.display().to_string();
    let addresses = [broker.url(), sink.url()];
    let with_query = format!("{}?key=canary", broker.url());
    let sink_url = ("SINK_URL", with_query.as_str());
    let of_function = [
        sink_url,
        MESSAGE_ID_SECRET,
        ("DEAD_LETTER_SINK", addresses[1].as_str()),
    ];
    let of_dead_letters = [
        sink_url,
        MESSAGE_ID_SECRET,
        ("DEAD_LETTERS_FOLDER", folder.as_str()),
    ];
    let findings = async |settings: &[(&str, &str)]| {
        let (code, output) = check(&chat, &[], settings).await;
        let output = output.replace(&addresses[0], "BROKER");
        let output = output.replace(&addresses[1], "SINK");
        let output = output.replace(&folder, "FOLDER");
        let lines = output.lines().map(str::to_owned);
        let lines = lines.take_while(|line| !line.contains("signed in"));
        (code, lines.collect::<Vec<_>>())
    };
    let broker_responds = "ok    broker BROKER responds".to_owned();
    let configuration = "ok    configuration".to_owned();
    let expected = |more: &str| {
        let lines = [&configuration, &broker_responds].map(Clone::clone);
        (Some(0), [&lines[..], &[more.to_owned()]].concat())
    };
    assert_eq!(
        findings(&of_function).await,
        expected("ok    service for dead letters SINK responds")
    );
    assert_eq!(
        findings(&of_dead_letters).await,
        expected("ok    dead letters can be stored in FOLDER")
    );
    assert!(broker.is_empty() && sink.is_empty());
    drop((broker, sink));
    fs::remove_dir_all(&folder).expect("can be removed");
    let (code, lines) = findings(&of_function).await;
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(lines.join("\n"), @r"
    ok    configuration
    FAIL  broker BROKER does not respond; check its address, network policies, and for https:// the authority of its certificate
    FAIL  service for dead letters SINK does not respond; check its address, network policies, and for https:// the authority of its certificate
    ");
    let (code, lines) = findings(&of_dead_letters).await;
    assert_eq!(code, Some(1));
    assert_eq!(
        lines[2],
        "FAIL  failed to write FOLDER/try.unfinished: No such file or directory (os error 2)"
    );
    chat.finish();
}

#[tokio::test]
async fn a_broker_may_have_the_certificate_of_its_cluster() {
    let (chat, broker) = (FakeRocketChat::start().await, FakeBroker::start().await);
    let base = broker.url();
    let base = base.trim_end_matches("/default/broker");
    let https = Https::in_front_of(base, Certificate::Valid, Duration::ZERO).await;
    let https = https.expect("openssl is installed");
    let url = format!("{}/default/broker", https.url());
    for (authority, expected) in [
        (https.authority(), " responds"),
        ("", " does not respond; "),
    ] {
        let settings = [
            ("K_SINK", url.as_str()),
            ("K_CA_CERTS", authority),
            MESSAGE_ID_SECRET,
        ];
        let (_, output) = check(&chat, &[], &settings).await;
        assert!(
            output.contains(&format!("broker {url}{expected}")),
            "{output}"
        );
    }
    chat.finish();
}

#[tokio::test]
async fn a_refused_look_up_does_not_say_that_a_recipient_does_not_exist() {
    let chat = FakeRocketChat::start().await;
    let refusal = |status, body: &str| Fault::Response {
        status,
        content_type: "application/json",
        body: body.to_owned(),
    };
    let rules = "rules: [{to: ['@alice', 'room:duty']}]";
    let overrides = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)];
    let not_allowed = r#"{"success":false,"errorType":"error-not-allowed","error":"Not allowed [error-not-allowed]"}"#;
    let unauthorized = r#"{"success":false,"error":"[error-unauthorized]"}"#;
    for (status, body) in [(400, not_allowed), (403, unauthorized), (500, "{}")] {
        for route in [Route::UserInfo, Route::RoomInfo] {
            chat.inject_fault_always(route, refusal(status, body));
        }
        let (code, output) = check(&chat, &[], &overrides).await;
        assert_eq!(code, Some(1), "{output}");
        for expected in [
            "failed to look up @alice: ",
            "failed to look up room:duty: ",
        ] {
            assert!(output.contains(expected), "{output}");
        }
        assert!(!output.contains("does not exist"), "{output}");
        assert!(!output.contains("with `webhook-app check`"), "{output}");
    }
    chat.finish();
}

#[tokio::test]
async fn a_success_without_what_was_asked_for_says_what_is_missing() {
    let chat = FakeRocketChat::start().await;
    let duty = chat.add_private_room("duty", &[chat.username(), "alice"]);
    let rules = format!("rules: [{{to: ['@alice', 'room:{duty}']}}]");
    let overrides = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules.as_str())];
    for (route, expected) in [
        (
            Route::Me,
            "failed to sign in: the response reports success, but does not contain the account",
        ),
        (
            Route::UserInfo,
            "failed to look up @alice: the response reports success, but does not contain the user",
        ),
        (
            Route::RoomInfo,
            "the response reports success, but does not contain the room",
        ),
        (
            Route::SendMessage,
            "failed to store a message for @alice: the response reports success, but does not contain the message",
        ),
    ] {
        let success = Fault::Response {
            status: 200,
            content_type: "application/json",
            body: r#"{"success":true}"#.to_owned(),
        };
        chat.inject_fault(route, success);
        let (code, output) = check(&chat, &["--send"], &overrides).await;
        assert_eq!(code, Some(1), "{output}");
        assert!(output.contains(expected), "{output}");
        assert!(!output.contains("did not confirm"), "{output}");
    }
    chat.mark_all_read();
    chat.finish();
}

#[tokio::test]
async fn every_room_of_the_rules_is_looked_up() {
    let chat = FakeRocketChat::start().await;
    let bot = chat.username().to_owned();
    let duty = chat.add_private_room("duty", &[&bot, "alice"]);
    let other = chat.add_private_room("other", &["alice"]);
    let rules = format!(
        "rules: [{{to: ['room:{duty}', 'room:{other}', 'room:duty', 'room:other', 'room:gone']}}]"
    );
    let overrides = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules.as_str())];

    let (code, output) = check(&chat, &[], &overrides).await;

    assert_eq!(code, Some(1), "{output}");
    for expected in [
        format!("ok    recipient room:{duty} exists"),
        format!("FAIL  the account cannot see the recipient room:{other}; invite @{bot}"),
        format!("FAIL  recipient room:duty: duty is the name of a room, its ID is {duty}; write room:{duty}"),
        "FAIL  recipient room:other: other is the name of a room, not its ID, and the account is not a member".to_owned(),
        "FAIL  recipient room:gone does not exist".to_owned(),
    ] {
        assert!(output.contains(&expected), "{expected}: {output}");
    }
    chat.finish();
}

#[tokio::test]
async fn the_account_as_its_own_recipient_is_found() {
    let chat = FakeRocketChat::start().await;
    let bot = chat.username().to_owned();
    let (code, output) = check(&chat, &[], &[("ROCKETCHAT_RECIPIENT", &bot)]).await;
    assert_eq!(code, Some(1), "{output}");
    let expected = format!("FAIL  recipient @{bot} is the account that sends the messages");
    assert!(output.contains(&expected), "{output}");
    chat.finish();
}

#[tokio::test]
async fn a_limited_rate_names_the_missing_permission() {
    let chat = FakeRocketChat::start().await;
    let limit = Fault::Header("x-ratelimit-limit", "10".to_owned());
    chat.inject_fault(Route::Me, limit);
    let (code, output) = check(&chat, &[], &[]).await;
    assert_eq!(code, Some(0), "{output}");
    let expected = "note  Rocket.Chat limits the account to 10 calls per minute; give the role bot the permission api-bypass-rate-limit";
    assert!(output.contains(expected), "{output}");
    chat.finish();
}

#[tokio::test]
async fn a_clock_that_differs_from_that_of_the_server_is_found() {
    let chat = FakeRocketChat::start().await;
    let date = "Sun, 06 Nov 1994 08:49:37 GMT".to_owned();
    chat.inject_fault(Route::Me, Fault::Header("date", date));
    let (code, output) = check(&chat, &[], &[]).await;
    assert_eq!(code, Some(1), "{output}");
    let expected =
        "s ahead of that of Rocket.Chat; synchronize both: signatures of GitLab are refused";
    assert!(output.contains(expected), "{output}");
    chat.finish();
}

#[tokio::test]
async fn a_message_is_sent_to_each_recipient_only_if_it_is_asked_for() {
    let chat = FakeRocketChat::start().await;
    let bot = chat.username().to_owned();
    let duty = chat.direct_room(&[&bot, "carol"]);
    let rules =
        format!("rules: [{{to: ['@alice', '@nobody', 'room:{duty}']}}]\nusers: {{robin: bob}}");
    let overrides = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules.as_str())];
    check(&chat, &[], &overrides).await;
    assert_eq!(chat.calls(Route::SendMessage), 0);
    for _ in 0..2 {
        let (code, output) = check(&chat, &["--send"], &overrides).await;

        assert_eq!(code, Some(1), "{output}");
        let recipients = ["@alice".to_owned(), format!("room:{duty}")];
        for recipient in recipients {
            let expected = format!("ok    sent a message to {recipient} and read it back");
            assert!(output.contains(&expected), "{output}");
        }
        assert!(!output.contains("message to @bob"), "{output}");
        for recipient in ["alice", "carol"] {
            let message = chat.take_message();
            assert_eq!(message.recipient, recipient);
            assert!(message.text.contains("check --send"), "{}", message.text);
        }
    }
    chat.finish();
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_or_read_back_is_a_failure() {
    let chat = FakeRocketChat::start().await;
    for (route, expected) in [
        (
            Route::CreateDirectMessage,
            "failed to create the direct message room for @alice",
        ),
        (Route::SendMessage, "failed to store a message for @alice"),
        (
            Route::GetMessage,
            "failed to read the message back for @alice",
        ),
    ] {
        chat.inject_fault(route, Fault::Status(403));
        let (code, output) = check(&chat, &["--send"], &[]).await;
        assert_eq!(code, Some(1), "{output}");
        assert!(output.contains(expected), "{output}");
    }
    chat.mark_all_read();
    chat.finish();
}

#[tokio::test]
async fn a_refused_message_says_what_rocketchat_says() {
    let chat = FakeRocketChat::start().await;
    let refusal = |text: &str| Fault::Response {
        status: 400,
        content_type: "application/json",
        body: format!(r#"{{"success":false,"error":"{text}"}}"#),
    };
    for (text, expected) in [
        ("room_is_blocked", "has blocked the account"),
        ("You_have_been_muted", "in which the account is muted"),
        ("room_is_archived", "has an archived room"),
        (
            "error-not-allowed",
            "let the account write to the recipient",
        ),
        ("Something_new", "look for it in the log of Rocket.Chat"),
    ] {
        chat.inject_fault(Route::SendMessage, refusal(text));
        let (code, output) = check(&chat, &["--send"], &[]).await;
        assert_eq!(code, Some(1), "{output}");
        let start = "FAIL  failed to store a message for @alice: ";
        let line = output.lines().find(|line| line.starts_with(start));
        let line = line.expect("is printed");
        assert!(line.contains(text) && line.contains(expected), "{line}");
    }
    chat.set_read_only("alice");
    let (_, output) = check(&chat, &["--send"], &[]).await;
    assert!(output.contains("has a read-only room"), "{output}");
    chat.finish();
}
