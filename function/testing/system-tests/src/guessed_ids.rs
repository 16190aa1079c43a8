//! Check `guessed-ids`: a stranger on the chat server computes the ids of messages and uses them first. Owns
//! what the stranger knows, and the requirement that every message is delivered nevertheless.
//!
//! The stranger knows the instance, the project, commits, pipelines and room, and the published scheme of
//! version 1: a digest of content. The ids of all other messages follow from a random UUID.

use std::fmt::Write as _;

use fakes::gitlab::Delivery;
use fakes::rocketchat::FakeRocketChat;
use ring::digest;
use serde_json::Value;

use crate::check::{CheckReport, Size, run};
use crate::deliveries::{BRANCH, INSTANCE, PROJECT, commit, pipeline, pipeline_in};
use crate::sut::{Settings, Sut};

const TOKEN: &str = "canary-webhook-token-for-guessed-ids";
const FIXED: &str = "rules: [{event: pipeline, status: [failed, fixed], to: '@alice'}]";
const PIPELINE: u64 = 31;

/// A kind of message whose id follows from its content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// A failure and its fix.
    Fixed,
    /// One message per pipeline.
    Live,
    /// A delivery of a GitLab that sends no key.
    Content,
}

const KINDS: [Kind; 3] = [Kind::Fixed, Kind::Live, Kind::Content];

impl Kind {
    fn settings(self, chat: &FakeRocketChat) -> Settings {
        let settings = Settings::with(chat);
        match self {
            Self::Fixed => settings
                .set("ROCKETCHAT_RECIPIENT", "")
                .set("ROUTES", FIXED),
            Self::Live => settings.set("LIVE_PIPELINES", "true"),
            Self::Content => settings
                .set("GITLAB_SIGNING_KEYS", "")
                .set("GITLAB_WEBHOOK_TOKENS", TOKEN)
                .set("ACCEPT_MISSING_IDEMPOTENCY_KEY", "true"),
        }
    }

    /// Deliveries in the order of GitLab, and how many messages they give.
    fn deliveries(self) -> (Vec<Delivery>, usize) {
        match self {
            Self::Fixed => (
                vec![pipeline("failed", 'a', '0'), pipeline("success", 'b', 'a')],
                2,
            ),
            Self::Live => (
                vec![
                    pipeline_in(PIPELINE, "running"),
                    pipeline_in(PIPELINE, "success"),
                ],
                1,
            ),
            Self::Content => {
                let push = Delivery::push_sample().token(TOKEN);
                (
                    vec![push.without("Idempotency-Key").without("webhook-id")],
                    1,
                )
            }
        }
    }

    /// The fields of which version 1 makes the ids of these messages.
    fn guesses(self) -> Vec<Vec<String>> {
        let owned = |fields: &[&str]| fields.iter().map(|&field| field.to_owned()).collect();
        match self {
            Self::Fixed => [("failure", 'a'), ("fix", 'b')]
                .map(|(what, sha)| owned(&[what, PROJECT, BRANCH, &commit(sha)]))
                .into(),
            Self::Live => vec![owned(&["live pipeline", &PIPELINE.to_string()])],
            Self::Content => {
                let body = Delivery::push_sample();
                let body: Value = serde_json::from_slice(body.body()).expect("is JSON");
                let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                let reference = text("ref");
                let (before, after) = (text("before"), text("after"));
                let user = body["user_id"].to_string();
                vec![owned(&[
                    PROJECT, "push", &reference, &before, &after, &user,
                ])]
            }
        }
    }
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let mut measurements = Vec::new();
    for _ in 0..size.of(1, 1, 20) {
        measurements.clear();
        for kind in KINDS {
            let (stored, expected) = run(guessed(kind, &mut report));
            let moved = run(occupied_later(kind, &mut report));
            measurements.push(format!(
                "{kind:?}: {stored}/{expected} delivered{}",
                if moved { "" } else { ", not after a leak" }
            ));
        }
    }
    report.workload("another user takes the v1 ids of fixed and live pipelines and of deliveries without a key, in a room that the bot cannot read; then the id of a message that it has seen");
    report.measurement(measurements.join(", "));
    report
}

/// The stranger is first; returns how many messages are stored, of how many.
async fn guessed(kind: Kind, report: &mut CheckReport) -> (usize, usize) {
    let chat = FakeRocketChat::start().await;
    let room = chat.direct_room(&[chat.username(), "alice"]);
    let own = chat.direct_room(&["carol"]);
    for fields in kind.guesses() {
        let id = id_of_version_1(&fields, &room);
        report.expect(chat.occupy(&id, "carol", &own), || {
            format!("{kind:?}: the id {id} is in use")
        });
    }
    let sut = Sut::start(&kind.settings(&chat));
    let (deliveries, expected) = kind.deliveries();
    for (number, delivery) in deliveries.iter().enumerate() {
        let response = sut.post(delivery).await.expect("a response");
        report.expect(response.status == 200, || {
            format!(
                "{kind:?}: delivery {number} got {} {}",
                response.status,
                response.text()
            )
        });
    }
    let stored = stored(&chat);
    report.expect(stored == expected, || {
        format!("{kind:?}: expected {expected} messages, found {stored}")
    });
    chat.mark_all_read();
    (stored, expected)
}

/// The stranger has seen the id of a message, which is then deleted, and uses it. Returns whether a resend is delivered.
async fn occupied_later(kind: Kind, report: &mut CheckReport) -> bool {
    let chat = FakeRocketChat::start().await;
    let own = chat.direct_room(&["carol"]);
    let sut = Sut::start(&kind.settings(&chat));
    let (deliveries, _) = kind.deliveries();
    let first = &deliveries[0];
    let _ = sut.post(first).await;
    let seen = chat.messages();
    for message in &seen {
        chat.delete_message(&message.id);
        report.expect(chat.occupy(&message.id, "carol", &own), || {
            format!("{kind:?}: the id {} is in use", message.id)
        });
    }
    let response = sut.post(first).await.expect("a response");
    let moved = response.status == 200 && stored(&chat) == 1;
    report.expect(moved && seen.len() == 1, || {
        format!(
            "{kind:?}: after the id was used by another user, {} messages, and {} {}",
            stored(&chat),
            response.status,
            response.text()
        )
    });
    chat.mark_all_read();
    moved
}

/// The number of messages of the bot.
fn stored(chat: &FakeRocketChat) -> usize {
    let messages = chat.messages();
    let own = messages
        .iter()
        .filter(|sent| sent.sender == chat.username());
    own.count()
}

/// The id that version 1 gives the message with this content in this room.
fn id_of_version_1(fields: &[String], room: &str) -> String {
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    let key = format!("content-{}", digest_of(&fields));
    let digest = digest_of(&["v1", INSTANCE, &key, room]);
    format!("gl{}", &digest[..32])
}

/// SHA-256 over the fields, each after its length.
fn digest_of(fields: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for field in fields {
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field.as_bytes());
    }
    let mut hex = String::new();
    for byte in context.finish().as_ref() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
