//! Check `first-contact`: several webhooks for a user to whom the bot has never written. Owns the
//! requirement that all are delivered although Rocket.Chat rejects all but one of the simultaneous
//! calls that create the room.

use fakes::rocketchat::{FakeRocketChat, Route};

use crate::check::{CheckReport, Size, run};
use crate::sut::{Settings, Sut, push};

/// Simultaneous webhooks for each process.
const WEBHOOKS: usize = 8;
const REPLICAS: usize = 2;

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let (mut posted, mut delivered, mut creations) = (0, 0, 0);
    let rounds = size.of(1, 5, 100);
    for _ in 0..rounds {
        let (accepted, stored, calls) = run(round());
        posted += WEBHOOKS * REPLICAS;
        delivered += accepted;
        creations += calls;
        report.expect(
            accepted == WEBHOOKS * REPLICAS && stored == WEBHOOKS * REPLICAS,
            || {
                format!(
                    "{} posted, {accepted} delivered, {stored} stored",
                    WEBHOOKS * REPLICAS
                )
            },
        );
        // One call per process, and another for each that was rejected.
        report.expect(calls <= REPLICAS * 2, || {
            format!(
                "{calls} calls of im.create, expected at most {}",
                REPLICAS * 2
            )
        });
    }
    report.workload(format!(
        "{WEBHOOKS} webhooks at the same time to each of {REPLICAS} processes, while the room does not exist; {rounds} rounds"
    ));
    report.measurement(format!(
        "{delivered}/{posted} delivered, {creations} calls of im.create"
    ));
    report
}

/// The accepted webhooks, the stored messages and the calls that create the room.
async fn round() -> (usize, usize, usize) {
    let chat = FakeRocketChat::builder().racing_room_creation().start();
    let chat = chat.await.expect("a port is free");
    let replicas = [(); REPLICAS].map(|()| Sut::start(&Settings::with(&chat)));
    let mut posts = tokio::task::JoinSet::new();
    for number in 0..WEBHOOKS * REPLICAS {
        let url = replicas[number % REPLICAS].url();
        posts.spawn(async move {
            let delivery = push(&format!("first-contact-{number}"));
            crate::sut::post(&delivery, &url).await
        });
    }
    let responses = posts.join_all().await;
    let accepted = responses
        .iter()
        .filter(|response| response.as_ref().is_ok_and(|answer| answer.status == 200));
    let result = (
        accepted.count(),
        chat.messages().len(),
        chat.calls(Route::CreateDirectMessage),
    );
    chat.mark_all_read();
    result
}
