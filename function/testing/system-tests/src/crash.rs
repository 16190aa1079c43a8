//! Check `crash`: the process is killed at every moment that can be told apart from outside, and at random
//! ones. Owns the moments.
//!
//! The process holds nothing that outlives it but what it has sent, so two moments between the
//! same bytes on the wire are one: no kill point inside of the program is needed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;

use crate::check::{Finding, Size, run};
use crate::proxy::breakpoint::Moment::{
    self, Answered, Begun, CarriedOut, Connected, HalfAnswered, Read,
};
use crate::proxy::{Act, End, Proxy};
use crate::rng::Rng;
use crate::secret_scan::TOKEN;
use crate::sockets;
use crate::sut::{Settings, Sut};

/// How long a moment may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// When it is killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// When GitLab has sent this share of its request, in hundredths.
    Sent(usize),
    /// When a call to the chat server is at this moment.
    Call(Moment, &'static str),
    /// The same, for the look-up that follows a lost answer.
    LookUp(Moment),
    /// In the pause before a second try.
    Pause,
    /// While it finishes what is under way after SIGTERM.
    Drain,
    /// When this many bytes of its answer are out.
    Answer(usize),
}

const POINTS: [Point; 24] = [
    Point::Sent(0),
    Point::Sent(10),
    Point::Sent(50),
    Point::Sent(99),
    Point::Sent(100),
    Point::Call(Connected, ""),
    Point::Call(Begun, "im.create"),
    Point::Call(Read, "im.create"),
    Point::Call(CarriedOut, "im.create"),
    Point::Call(HalfAnswered, "im.create"),
    Point::Call(Answered, "im.create"),
    Point::Call(Begun, "chat.sendMessage"),
    Point::Call(Read, "chat.sendMessage"),
    Point::Call(CarriedOut, "chat.sendMessage"),
    Point::Call(HalfAnswered, "chat.sendMessage"),
    Point::Call(Answered, "chat.sendMessage"),
    Point::LookUp(Begun),
    Point::LookUp(Read),
    Point::LookUp(HalfAnswered),
    Point::LookUp(Answered),
    Point::Pause,
    Point::Drain,
    Point::Answer(1),
    Point::Answer(1 << 20),
];

/// What names the delivery and proves its origin.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Signature,
    Token,
    /// A GitLab before 17.4.
    NoKey,
}

const MODES: [Mode; 3] = [Mode::Signature, Mode::Token, Mode::NoKey];

impl Mode {
    fn settings(self, settings: Settings) -> Settings {
        let with_token = |settings: Settings| {
            settings
                .set("GITLAB_SIGNING_KEYS", "")
                .set("GITLAB_WEBHOOK_TOKENS", TOKEN)
        };
        match self {
            Self::Signature => settings,
            Self::Token => with_token(settings),
            Self::NoKey => with_token(settings).set("ACCEPT_MISSING_IDEMPOTENCY_KEY", true),
        }
    }

    fn delivery(self) -> Delivery {
        let push = Delivery::push_sample();
        match self {
            Self::Signature => push.signed_with(SAMPLE_KEY),
            Self::Token => push.token(TOKEN),
            Self::NoKey => push
                .token(TOKEN)
                .without("Idempotency-Key")
                .without("webhook-id"),
        }
    }
}

/// What one kill came to.
#[derive(Clone, Copy, Debug, Default)]
struct Loss {
    /// GitLab was told of success.
    accepted: bool,
    /// Messages when the process was dead.
    stored: usize,
    /// From the start of the next process until it took work.
    ready_after: Duration,
    /// Messages after GitLab sent the same delivery again.
    stored_at_last: usize,
    /// What the second sending was answered.
    last_status: u16,
}

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    let mut finding = Finding::default();
    let rounds = size.of(1, 5, 50);
    let random = size.of(40, 200, 2000);
    let mut tally = Stats::default();
    for _ in 0..rounds {
        for mode in MODES {
            for point in POINTS {
                let loss = run(killed_at(point, mode));
                tally.judge(&mut finding, &format!("{point:?} {mode:?}"), loss);
            }
        }
    }
    for seed in 0..random {
        let loss = run(killed_after(&mut Rng::seeded(seed)));
        tally.judge(&mut finding, &format!("random time, seed {seed}"), loss);
    }
    finding.expect(tally.accepted > 0 && tally.accepted < tally.kills, || {
        format!(
            "{} of {} killed deliveries were accepted: the moments do not differ",
            tally.accepted, tally.kills
        )
    });
    finding.done(format!(
        "{} kills: {} moments × 3 modes × {rounds}, {random} at random times",
        tally.kills,
        POINTS.len()
    ));
    finding.figure(format!(
        "{} lost, {} doubled; {} had been accepted; ready again after {} ms at worst",
        tally.lost,
        tally.doubled,
        tally.accepted,
        tally.slowest_start.as_millis()
    ));
    finding
}

#[derive(Default)]
struct Stats {
    kills: usize,
    accepted: usize,
    lost: usize,
    doubled: usize,
    slowest_start: Duration,
}

impl Stats {
    fn judge(&mut self, finding: &mut Finding, case: &str, loss: Loss) {
        let gone = (loss.accepted && loss.stored == 0)
            || loss.stored_at_last == 0
            || loss.last_status != 200;
        let doubled = loss.stored_at_last > 1;
        self.kills += 1;
        self.accepted += usize::from(loss.accepted);
        self.lost += usize::from(gone);
        self.doubled += usize::from(doubled);
        self.slowest_start = self.slowest_start.max(loss.ready_after);
        finding.expect(!gone && !doubled, || format!("{case}: {loss:?}"));
        finding.expect(loss.ready_after < Duration::from_secs(1), || {
            format!("{case}: ready after {:?}", loss.ready_after)
        });
    }
}

/// Everything for one kill.
struct Scene {
    chat: FakeRocketChat,
    proxy: Proxy,
    settings: Settings,
    product: Sut,
    delivery: Delivery,
}

impl Scene {
    async fn new(mode: Mode, plan: impl Fn(&str, usize) -> Act + Send + Sync + 'static) -> Self {
        let chat = FakeRocketChat::start().await;
        let proxy = Proxy::before(&chat.url(), plan).await;
        let settings = mode.settings(Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url()));
        let product = Sut::start(&settings);
        Self {
            chat,
            proxy,
            settings,
            product,
            delivery: mode.delivery(),
        }
    }

    /// Kills the process, starts another one and sends the delivery again.
    async fn end(mut self, accepted: bool) -> Loss {
        self.product.kill();
        self.proxy.trap().remove();
        let stored = self.chat.messages().len();
        let next = Sut::start(&self.settings);
        let again = next.post(&self.delivery).await;
        let loss = Loss {
            accepted,
            stored,
            ready_after: next.took,
            stored_at_last: self.chat.messages().len(),
            last_status: again.map_or(0, |answer| answer.status),
        };
        self.chat.mark_all_read();
        loss
    }
}

async fn killed_at(point: Point, mode: Mode) -> Loss {
    let first = AtomicBool::new(true);
    let plan = move |path: &str, _: usize| match point {
        Point::LookUp(_) if path.ends_with("chat.sendMessage") => Act::Cut {
            carried_out: true,
            bytes: 0,
            end: End::Reset,
        },
        Point::Pause
            if path.ends_with("chat.sendMessage") && first.swap(false, Ordering::Relaxed) =>
        {
            Act::Cut {
                carried_out: false,
                bytes: 0,
                end: End::Close,
            }
        }
        _ => Act::Pass,
    };
    // Three lost answers end in a look-up, and a restarted process must be heard.
    let scene = Scene::new(mode, once_dead(plan, point)).await;
    match point {
        Point::Call(moment, path) => scene.proxy.trap().set(moment, path),
        Point::LookUp(moment) => scene.proxy.trap().set(moment, "chat.getMessage"),
        Point::Drain => scene.proxy.trap().set(CarriedOut, "chat.sendMessage"),
        Point::Sent(_) | Point::Pause | Point::Answer(_) => {}
    }
    let request = sockets::whole(&scene.delivery);
    let sent = match point {
        Point::Sent(share) => request.len() * share / 100,
        _ => request.len(),
    };
    let mut gitlab = TcpStream::connect(scene.product.address())
        .await
        .expect("connects");
    gitlab
        .write_all(&request[..sent])
        .await
        .expect("is written");
    match point {
        Point::Sent(_) => {}
        Point::Call(..) | Point::LookUp(_) | Point::Drain => {
            let caught = time::timeout(PATIENCE, scene.proxy.trap().sprung()).await;
            assert!(
                caught.is_ok(),
                "{point:?} never came: {:?}",
                scene.product.output()
            );
            if matches!(point, Point::Drain) {
                scene.product.terminate();
                time::sleep(Duration::from_millis(5)).await;
            }
        }
        Point::Pause => {
            while scene.proxy.calls() < 2 {
                time::sleep(Duration::from_millis(1)).await;
            }
            time::sleep(Duration::from_millis(20)).await;
        }
        Point::Answer(bytes) => return answered(scene, gitlab, bytes).await,
    }
    let accepted = dead(&scene, &mut gitlab).await;
    scene.end(accepted).await
}

/// The lost answers of the look-up's story happen to the first process only.
fn once_dead(
    plan: impl Fn(&str, usize) -> Act + Send + Sync + 'static,
    point: Point,
) -> impl Fn(&str, usize) -> Act + Send + Sync + 'static {
    let looked = AtomicBool::new(false);
    move |path, number| {
        if matches!(point, Point::LookUp(_)) && path.contains("chat.getMessage") {
            looked.store(true, Ordering::Relaxed);
        }
        if looked.load(Ordering::Relaxed) {
            Act::Pass
        } else {
            plan(path, number)
        }
    }
}

/// Kills with the signal that cannot be caught, and reads what had got out before.
async fn dead(scene: &Scene, gitlab: &mut TcpStream) -> bool {
    scene.product.kill_now();
    let mut answer = Vec::new();
    let _ = time::timeout(PATIENCE, gitlab.read_to_end(&mut answer)).await;
    answer.starts_with(b"HTTP/1.1 200 ")
}

async fn answered(scene: Scene, mut gitlab: TcpStream, bytes: usize) -> Loss {
    let mut answer = vec![0; bytes];
    let read = time::timeout(PATIENCE, gitlab.read(&mut answer)).await;
    assert!(read.is_ok(), "no answer");
    // One byte of it is enough: an honest process has decided by then.
    scene.end(answer.starts_with(b"H")).await
}

async fn killed_after(dice: &mut Rng) -> Loss {
    let (before, after) = (
        dice.time(Duration::from_millis(3)),
        dice.time(Duration::from_millis(3)),
    );
    let scene = Scene::new(*dice.pick(&MODES), move |_, _| Act::Slow { before, after }).await;
    let request = sockets::whole(&scene.delivery);
    let mut gitlab = TcpStream::connect(scene.product.address())
        .await
        .expect("connects");
    gitlab.write_all(&request).await.expect("is written");
    time::sleep(Duration::from_micros(dice.below(25_000))).await;
    let accepted = dead(&scene, &mut gitlab).await;
    scene.end(accepted).await
}
