//! Check `slow-clients`: sockets that do as little as possible for as long as they may, five kinds of them, against
//! an honest webhook a second. Owns the kinds.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time;

use crate::check::{Finding, Size, run};
use crate::sockets::head;
use crate::sut::{Settings, Sut, post, push};

/// Fewer than there are attackers.
const DESCRIPTORS: usize = 512;

/// A webhook that waits behind all attackers. GitLab waits ten seconds.
const FIRST_ANSWER: Duration = Duration::from_secs(4);

/// A probe, on the port of its own.
const PROBE: Duration = Duration::from_millis(100);

/// As long as GitLab waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// After the attackers are gone.
const RECOVERY: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Silent,
    HeaderDrip,
    BodyDrip,
    SlowRead,
    HalfPreface,
}

const KINDS: [Kind; 5] = [
    Kind::SlowRead,
    Kind::Silent,
    Kind::HeaderDrip,
    Kind::BodyDrip,
    Kind::HalfPreface,
];

impl Kind {
    /// Whether it is thrown out by a deadline alone; the others are refused at once.
    fn stays(self) -> bool {
        matches!(self, Self::Silent | Self::HeaderDrip | Self::BodyDrip)
    }
}

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    let mut finding = Finding::default();
    let sockets = size.of(700, 1000, 1000);
    let lasting = size.seconds(10, 30, 300);
    let mut figures = Vec::new();
    for kind in KINDS {
        figures.push(run(siege(kind, sockets, lasting, &mut finding)));
    }
    finding.done(format!("5 kinds × {sockets} sockets × {} s against {DESCRIPTORS} descriptors, an honest webhook a second", lasting.as_secs()));
    finding.figure(figures.join("; "));
    finding
}

async fn siege(kind: Kind, sockets: usize, lasting: Duration, finding: &mut Finding) -> String {
    let chat = FakeRocketChat::start().await;
    let product = Sut::start(&Settings::with(&chat).descriptors(DESCRIPTORS));
    let attackers = Attackers::send(kind, sockets, product.address());
    time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    let (mut asked, mut well, mut slowest) = (0, 0, Duration::ZERO);
    let mut pace = time::interval(Duration::from_secs(1));
    let mut honest = JoinSet::new();
    while began.elapsed() < lasting {
        pace.tick().await;
        asked += 1;
        let (delivery, url) = (push(&format!("honest-{kind:?}-{asked}")), product.url());
        honest.spawn(async move {
            let answer = time::timeout(PATIENCE, post(&delivery, &url)).await;
            let fine = matches!(answer, Ok(Ok(answer)) if answer.status == 200);
            fine.then(|| began.elapsed())
        });
        let pinged = Instant::now();
        let probe = time::timeout(PROBE, product.probe("/healthz")).await;
        well += usize::from(probe == Ok(Some(200)));
        slowest = slowest.max(pinged.elapsed());
    }
    let answers = honest.join_all().await;
    let answered = answers.iter().flatten().count();
    let first = answers.into_iter().flatten().min();
    let memory = product.peak_kib() / 1024;
    let besiegers = product.connections();
    finding.expect(besiegers > DESCRIPTORS / 2 || !kind.stays(), || {
        format!("{kind:?}: {besiegers} connections are no siege")
    });
    attackers.call_off();
    let left = time::timeout(RECOVERY, alone_again(&product)).await;
    finding.expect(left.is_ok(), || {
        let open = product.connections();
        format!("{kind:?}: {open} connections still open {RECOVERY:?} after the end")
    });
    let after = time::timeout(RECOVERY, product.post(&push("after"))).await;
    finding.expect(
        after.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status == 200)),
        || format!("{kind:?}: not itself again"),
    );
    finding.expect(answered * 100 >= asked * 95, || {
        format!("{kind:?}: {answered} of {asked} honest webhooks delivered")
    });
    finding.expect(first.is_some_and(|first| first < FIRST_ANSWER), || {
        format!("{kind:?}: first answer after {first:?}")
    });
    finding.expect(well == asked, || {
        format!("{kind:?}: {well} of {asked} probes answered within {PROBE:?}")
    });
    finding.expect(memory < 64, || format!("{kind:?}: {memory} MiB"));
    chat.mark_all_read();
    format!(
        "{kind:?} {answered}/{asked}, first after {:.1} s, slowest probe {} ms, {memory} MiB",
        first.unwrap_or_default().as_secs_f64(),
        slowest.as_millis(),
    )
}

/// Until nobody is connected to it any more.
async fn alone_again(product: &Sut) {
    while product.connections() > 0 {
        time::sleep(Duration::from_millis(20)).await;
    }
}

/// On a thread of their own, as their work would otherwise be part of what is measured.
struct Attackers {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Attackers {
    fn send(kind: Kind, sockets: usize, address: String) -> Self {
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            run(async move {
                let mut attackers = JoinSet::new();
                for _ in 0..sockets {
                    attackers.spawn(come_back(kind, address.clone()));
                }
                let _ = stopped.await;
            });
        });
        Self { stop, thread }
    }

    fn call_off(self) {
        let _ = self.stop.send(());
        self.thread.join().expect("attackers do not panic");
    }
}

/// An attacker that was thrown out comes back, at a pace that is no flood.
async fn come_back(kind: Kind, address: String) {
    loop {
        let _ = attack(kind, &address).await;
        time::sleep(Duration::from_secs(1)).await;
    }
}

async fn attack(kind: Kind, address: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    match kind {
        Kind::Silent => {}
        Kind::HalfPreface => stream.write_all(b"PRI * HTTP/2.0\r\n").await?,
        Kind::HeaderDrip => {
            return drip(stream, b"POST /webhook HTTP/1.1\r\nHost: test\r\nX-A: ").await;
        }
        Kind::BodyDrip => {
            // Signed with a key that nobody has: a signature is known to be wrong at the end only.
            let delivery = fakes::gitlab::Delivery::push_sample()
                .signed_with("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
            return drip(stream, head(&delivery, 1000).as_bytes()).await;
        }
        Kind::SlowRead => return slow_read(address).await,
    }
    // Until we are thrown out.
    stream.read(&mut [0; 1024]).await.map(drop)
}

/// Asks for far more answers than there is room for on the way, and takes a byte now and then.
async fn slow_read(address: &str) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let stream = socket
        .connect(address.parse().map_err(std::io::Error::other)?)
        .await?;
    let (mut reader, mut writer) = stream.into_split();
    let ask = async {
        let requests = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n".repeat(1000);
        loop {
            writer.write_all(&requests).await?;
        }
    };
    let take = async {
        loop {
            time::sleep(Duration::from_secs(2)).await;
            if reader.read(&mut [0; 1]).await? == 0 {
                return Ok(());
            }
        }
    };
    tokio::select! {
        ended = ask => ended,
        ended = take => ended,
    }
}

async fn drip(mut stream: TcpStream, start: &[u8]) -> std::io::Result<()> {
    stream.write_all(start).await?;
    loop {
        stream.write_all(b"x").await?;
        let mut answer = [0; 1024];
        if let Ok(read) = time::timeout(Duration::from_secs(2), stream.read(&mut answer)).await {
            return read.map(drop);
        }
    }
}
