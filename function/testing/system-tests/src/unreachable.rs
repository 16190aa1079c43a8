//! Check `unreachable`: recipients to whom nothing can be sent. Owns the requirement that one of them does
//! not turn the webhook into a failure if it came from a role and Rocket.Chat says why it is unreachable,
//! and that a bot without its roles does.

use fakes::exchange::Response;
use fakes::rocketchat::FakeRocketChat;

use crate::check::{CheckReport, Size, run};
use crate::deliveries::merge_request;
use crate::sut::{Settings, Sut};

/// Recipients from roles, and why nothing can be sent to them. Alice is reachable.
const UNREACHABLE: &[(&str, &str)] = &[
    ("ghost", "unknown"),
    ("ALICE", "in another case"),
    ("dave", "deactivated"),
    ("bob", "in a read-only room"),
    ("carol", "in an encrypted room"),
];
const ROLES: &str = "rules: [{event: merge_request, to: [assignees, reviewers]}]";

/// Runs the check.
pub(crate) fn check(_: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let reached = run(from_roles(&mut report));
    let rejected = run(without_roles(&mut report));
    run(from_configuration(&mut report));
    report.workload(format!(
        "{} unreachable recipients from roles beside a reachable one, one at a time and all at once; the same in the configuration; a bot without roles",
        UNREACHABLE.len()
    ));
    report.measurement(format!(
        "{reached}/{} events answered with 2xx and the unreachable ones named; without roles {rejected}/{} answered with 503",
        UNREACHABLE.len() + 1,
        UNREACHABLE.len() + 1
    ));
    report
}

async fn start() -> FakeRocketChat {
    let chat = FakeRocketChat::builder().deactivated(&["dave"]).start();
    let chat = chat.await.expect("a port is free");
    // Unknown names and refused messages are the point of this check.
    chat.expect_violation();
    chat.set_read_only("bob");
    chat.set_encrypted("carol");
    chat
}

fn with_rules(chat: &FakeRocketChat, rules: &str) -> Settings {
    let settings = Settings::with(chat).set("ROCKETCHAT_RECIPIENT", "");
    settings.set("ROUTES", rules)
}

/// The unreachable recipients of each event: every one alone, and all together.
fn events() -> Vec<Vec<&'static str>> {
    let alone = UNREACHABLE.iter().map(|(name, _)| vec![*name]);
    let together = UNREACHABLE.iter().map(|(name, _)| *name).collect();
    alone.chain([together]).collect()
}

/// Returns how many events were answered as they should.
async fn from_roles(report: &mut CheckReport) -> usize {
    let chat = start().await;
    let sut = Sut::start(&with_rules(&chat, ROLES));
    let mut reached = 0;
    for names in events() {
        let response = sut.post(&merge_request(&names, &["alice"])).await;
        let response = response.expect("a response");
        let before = report.failures();
        report.expect(response.status / 100 == 2, || {
            format!("{names:?}: {} {}", response.status, response.text())
        });
        for name in &names {
            let reason = reason_of(&response, name);
            report.expect(reason.as_deref() == Some("unreachable"), || {
                let why = UNREACHABLE.iter().find(|(known, _)| known == name);
                format!(
                    "{name}, {}: expected the reason unreachable, found {reason:?}",
                    why.map_or("", |(_, why)| why)
                )
            });
        }
        reached += usize::from(report.failures() == before);
    }
    let stored = chat.messages();
    let to_alice = stored.iter().all(|message| message.recipient == "alice");
    report.expect(stored.len() == events().len() && to_alice, || {
        let recipients: Vec<_> = stored.iter().map(|message| &message.recipient).collect();
        format!(
            "expected {} messages to alice, found messages to {recipients:?}",
            events().len()
        )
    });
    chat.mark_all_read();
    reached
}

/// A bot that lost its roles gets the same error texts; returns how many events were answered with 503.
async fn without_roles(report: &mut CheckReport) -> usize {
    let mut rejected = 0;
    for known_rooms in [false, true] {
        let chat = start().await;
        let sut = Sut::start(&with_rules(&chat, ROLES));
        if known_rooms {
            let _ = sut.post(&merge_request(&[], &["alice"])).await;
            chat.mark_all_read();
        }
        let stored = chat.messages().len();
        chat.set_roles(&[]);
        for names in events() {
            let response = sut.post(&merge_request(&names, &["alice"])).await;
            let response = response.expect("a response");
            report.expect(response.status == 503, || {
                format!(
                    "without roles, {names:?}: expected 503, found {} {}",
                    response.status,
                    response.text()
                )
            });
            rejected += usize::from(response.status == 503 && known_rooms);
        }
        report.expect(chat.messages().len() == stored, || {
            "a bot without roles sent a message".to_owned()
        });
    }
    rejected
}

/// A recipient that the configuration names is a mistake that can be mended and resent, unless others got the message.
async fn from_configuration(report: &mut CheckReport) {
    let cases = [
        ("to: '@ghost'", 503),
        ("to: ['@ghost', '@dave']", 503),
        ("to: '@bob'", 503),
        ("to: ['@ghost', '@alice']", 200),
    ];
    for (to, expected) in cases {
        let chat = start().await;
        let rules = format!("rules: [{{event: merge_request, {to}}}]");
        let sut = Sut::start(&with_rules(&chat, &rules));
        let response = sut.post(&merge_request(&["alice"], &[])).await;
        let response = response.expect("a response");
        report.expect(response.status == expected, || {
            format!(
                "{to}: expected {expected}, found {} {}",
                response.status,
                response.text()
            )
        });
        chat.mark_all_read();
    }
}

/// The reason that the response gives for a recipient.
fn reason_of(response: &Response, name: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
    let label = format!("@{name}");
    let mut deliveries = body["deliveries"].as_array()?.iter();
    let found = deliveries.find(|delivery| delivery["recipient"] == label.as_str())?;
    found["reason"].as_str().map(str::to_owned)
}
