//! Kills the process around the hand-off to a broker, and while an event comes back. Owns these kill points. What must
//! hold: after a 202 the broker has the event, and in the end the message is stored once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fakes::broker::{Event, FakeBroker};
use fakes::exchange::Response;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;

use crate::check::CheckReport;
use crate::proxy::breakpoint::CallStage::{
    self, Connected, Executed, HalfResponded, Received, Responded, Started,
};
use crate::proxy::{Action, Proxy};
use crate::sockets;
use crate::sut::{Settings, Sut};

use super::TIMEOUT;

/// When the process is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum KillPoint {
    /// When the first call to Rocket.Chat has failed, before the hand-off.
    BeforeHandOff,
    /// When the call to the broker is at this stage.
    HandOff(CallStage),
    /// After GitLab has the 202, before the event comes back.
    HandedOff,
    /// While the event comes back, when `chat.sendMessage` is at this stage.
    Deliver(CallStage),
    /// After the broker has the response to the event that came back.
    Delivered,
}

pub(super) const KILL_POINTS: [KillPoint; 14] = [
    KillPoint::BeforeHandOff,
    KillPoint::HandOff(Connected),
    KillPoint::HandOff(Started),
    KillPoint::HandOff(Received),
    KillPoint::HandOff(Executed),
    KillPoint::HandOff(HalfResponded),
    KillPoint::HandOff(Responded),
    KillPoint::HandedOff,
    KillPoint::Deliver(Started),
    KillPoint::Deliver(Received),
    KillPoint::Deliver(Executed),
    KillPoint::Deliver(HalfResponded),
    KillPoint::Deliver(Responded),
    KillPoint::Delivered,
];

/// The outcome of one kill.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KillOutcome {
    /// Whether GitLab got a 202.
    accepted: bool,
    /// Events in the broker after the kill.
    kept: usize,
    /// Messages after the kill.
    stored: usize,
    /// Status of GitLab's resend, if the webhook was not accepted.
    resend_status: Option<u16>,
    /// Events that came back and were not answered with 200.
    not_delivered: usize,
    /// Messages after everything has come back.
    stored_in_the_end: usize,
}

/// The outcomes of all kills.
#[derive(Default)]
pub(super) struct Stats {
    pub(super) kills: usize,
    pub(super) accepted: usize,
    pub(super) lost: usize,
    pub(super) duplicated: usize,
}

impl Stats {
    pub(super) fn record(
        &mut self,
        report: &mut CheckReport,
        point: KillPoint,
        outcome: &KillOutcome,
    ) {
        self.kills += 1;
        self.accepted += usize::from(outcome.accepted);
        self.lost += usize::from(outcome.is_lost());
        self.duplicated += usize::from(outcome.is_duplicated());
        report.expect(!outcome.is_lost() && !outcome.is_duplicated(), || {
            format!("{point:?}: {outcome:?}")
        });
        let is_after = matches!(
            point,
            KillPoint::HandedOff | KillPoint::Deliver(_) | KillPoint::Delivered
        );
        // The process may have answered already when the broker has.
        let may_be_either = matches!(point, KillPoint::HandOff(Responded));
        report.expect(may_be_either || outcome.accepted == is_after, || {
            format!("{point:?}: expected a 202 only after the hand-off, found {outcome:?}")
        });
    }
}

impl KillOutcome {
    fn is_lost(&self) -> bool {
        (self.accepted && self.kept + self.stored == 0)
            || self.stored_in_the_end == 0
            || self.not_delivered > 0
            || self.resend_status.is_some_and(|status| status != 200)
    }

    fn is_duplicated(&self) -> bool {
        self.stored_in_the_end > 1
    }
}

/// The processes and servers of one kill.
struct Fixture {
    chat: FakeRocketChat,
    chat_proxy: Proxy,
    broker: FakeBroker,
    broker_proxy: Proxy,
    /// Whether Rocket.Chat is away.
    is_away: Arc<AtomicBool>,
    settings: Settings,
    sut: Sut,
}

impl Fixture {
    async fn new() -> Self {
        let (chat, broker) = (FakeRocketChat::start().await, FakeBroker::start().await);
        let is_away = Arc::new(AtomicBool::new(true));
        let away = Arc::clone(&is_away);
        let plan = move |_: &str, _: usize| {
            if away.load(Ordering::Relaxed) {
                Action::Respond {
                    forwarded: false,
                    response: b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n".to_vec(),
                }
            } else {
                Action::Forward
            }
        };
        let chat_proxy = Proxy::in_front_of(&chat.url(), plan).await;
        let url = broker.url();
        let (address, path) = url.rsplit_once("/default/").expect("is its path");
        let broker_proxy = Proxy::in_front_of(address, |_, _| Action::Forward).await;
        let settings = Settings::with(&chat)
            .set("ROCKETCHAT_URL", chat_proxy.url())
            .set("SINK_URL", format!("{}/default/{path}", broker_proxy.url()))
            .set(
                "MESSAGE_ID_SECRET",
                "of-the-tests-0123456789abcdefghijklmnop",
            )
            .set("DELIVERY_TIMEOUT_SECONDS", 2);
        let sut = Sut::start(&settings);
        Self {
            chat,
            chat_proxy,
            broker,
            broker_proxy,
            is_away,
            settings,
            sut,
        }
    }

    /// Sends the webhook; returns what was received until the response, the kill or the breakpoint.
    async fn post(&self, delivery: &Delivery, point: KillPoint) -> bool {
        let request = sockets::request_bytes(delivery);
        let mut gitlab = TcpStream::connect(self.sut.address())
            .await
            .expect("connects");
        gitlab.write_all(&request).await.expect("is written");
        match point {
            KillPoint::BeforeHandOff => {
                let called = time::timeout(TIMEOUT, async {
                    while self.chat_proxy.calls() == 0 {
                        time::sleep(Duration::from_millis(1)).await;
                    }
                });
                assert!(called.await.is_ok(), "Rocket.Chat was not called");
                self.sut.send_kill();
            }
            KillPoint::HandOff(_) => {
                let hit = time::timeout(TIMEOUT, self.broker_proxy.breakpoint().hit());
                let hit = hit.await;
                assert!(hit.is_ok(), "{point:?}: {:?}", self.sut.output());
                self.sut.send_kill();
            }
            KillPoint::HandedOff | KillPoint::Deliver(_) | KillPoint::Delivered => {
                let mut response = [0; 64];
                let read = time::timeout(TIMEOUT, gitlab.read(&mut response)).await;
                assert!(read.is_ok(), "no response");
                return response.starts_with(b"HTTP/1.1 202 ");
            }
        }
        let mut response = Vec::new();
        let _ = time::timeout(TIMEOUT, gitlab.read_to_end(&mut response)).await;
        response.starts_with(b"HTTP/1.1 202 ")
    }
}

/// Sends an event back until the answer is final, as a broker does: the process has just seen an outage, and asks
/// Rocket.Chat at most once per second.
async fn redeliver(event: &Event, url: &str) -> io::Result<Response> {
    loop {
        let response = FakeBroker::deliver(event, url).await;
        match &response {
            Ok(answer) if answer.status == 503 => time::sleep(Duration::from_millis(50)).await,
            _ => return response,
        }
    }
}

pub(super) async fn killed_at(point: KillPoint) -> KillOutcome {
    let mut fixture = Fixture::new().await;
    let delivery = Delivery::push_sample().signed_with(SAMPLE_KEY);
    if let KillPoint::HandOff(stage) = point {
        fixture.broker_proxy.breakpoint().set(stage, "broker");
    }
    let accepted = fixture.post(&delivery, point).await;
    let mut events = Vec::new();
    if matches!(point, KillPoint::Deliver(_) | KillPoint::Delivered) {
        fixture.is_away.store(false, Ordering::Relaxed);
        let event = fixture.broker.take();
        let url = format!("http://{}/deliver", fixture.sut.address());
        if let KillPoint::Deliver(stage) = point {
            let breakpoint = fixture.chat_proxy.breakpoint();
            breakpoint.set(stage, "chat.sendMessage");
            let hit = async {
                let hit = time::timeout(TIMEOUT, breakpoint.hit()).await;
                assert!(hit.is_ok(), "{point:?}: {:?}", fixture.sut.output());
                fixture.sut.send_kill();
            };
            let (response, ()) = tokio::join!(redeliver(&event, &url), hit);
            // The process may have answered already when Rocket.Chat has.
            let is_in_time = matches!(stage, Responded)
                && response.as_ref().is_ok_and(|answer| answer.status == 200);
            assert!(
                response.is_err() || is_in_time,
                "{point:?}: a killed process has answered"
            );
        } else {
            let response = redeliver(&event, &url).await;
            assert!(response.is_ok_and(|response| response.status == 200));
        }
        // The broker sends it again after no response, and also if it is killed before it has noted the response.
        events.push(event);
    }
    fixture.sut.kill();
    fixture.broker_proxy.breakpoint().clear();
    fixture.chat_proxy.breakpoint().clear();
    fixture.is_away.store(false, Ordering::Relaxed);
    let mut outcome = KillOutcome {
        accepted,
        kept: fixture.broker.len() + events.len(),
        stored: fixture.chat.messages().len(),
        ..KillOutcome::default()
    };
    let next = Sut::start(&fixture.settings);
    if !accepted {
        let resend = next.post(&delivery).await;
        outcome.resend_status = Some(resend.map_or(0, |response| response.status));
    }
    while !fixture.broker.is_empty() {
        events.push(fixture.broker.take());
    }
    for event in &events {
        let response = redeliver(event, &format!("http://{}/deliver", next.address())).await;
        let is_delivered = response.is_ok_and(|response| response.status == 200);
        outcome.not_delivered += usize::from(!is_delivered);
    }
    outcome.stored_in_the_end = fixture.chat.messages().len();
    fixture.chat.mark_all_read();
    outcome
}
