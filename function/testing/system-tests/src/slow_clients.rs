//! Check `slow-clients`: five kinds of slow-client attacks, with more sockets than the server has file
//! descriptors, and one valid webhook per second; silent sockets on the port of probes; and clients that
//! are slow for a good reason: a proxy with an idle connection, and one that half-closes. Owns the kinds of
//! attack.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time;

use crate::check::{CheckReport, Size, run};
use crate::sockets::{request_bytes, request_head};
use crate::sut::{Settings, Sut, post, push};

/// The descriptor limit of the server: fewer than there are attacking sockets.
const DESCRIPTORS: usize = 512;

/// The maximum time until the first valid webhook is answered. GitLab waits 10 s.
const MAX_FIRST_RESPONSE: Duration = Duration::from_secs(4);

/// The timeout of a probe. Probes have their own port.
const PROBE_TIMEOUT: Duration = Duration::from_millis(100);

/// Silent sockets on the port of probes, where 32 connections are served.
const ADMIN_SOCKETS: usize = 1000;

/// How long GitLab waits for a response.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server may take to recover after the attack.
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
    /// Whether only a timeout closes these connections; the others are rejected immediately.
    fn occupies_connections(self) -> bool {
        matches!(self, Self::Silent | Self::HeaderDrip | Self::BodyDrip)
    }
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let sockets = size.of(700, 1000, 1000);
    let lasting = size.seconds(10, 30, 300);
    let mut measurements = Vec::new();
    for kind in KINDS {
        measurements.push(run(measure(kind, sockets, lasting, &mut report)));
    }
    measurements.push(run(silent_admin_sockets(&mut report)));
    measurements.push(run(good_clients(&mut report)));
    report.workload(format!("5 kinds × {sockets} sockets × {} s with {DESCRIPTORS} file descriptors, 1 valid webhook per second; {ADMIN_SOCKETS} silent sockets on METRICS_PORT; idle and half-closed connections", lasting.as_secs()));
    report.measurement(measurements.join("; "));
    report
}

async fn measure(
    kind: Kind,
    sockets: usize,
    lasting: Duration,
    report: &mut CheckReport,
) -> String {
    let chat = FakeRocketChat::start().await;
    let sut = Sut::start(&Settings::with(&chat).max_descriptors(DESCRIPTORS));
    let attackers = Attackers::start(kind, sockets, sut.address());
    time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    let (mut sent, mut healthy, mut slowest) = (0, 0, Duration::ZERO);
    let mut ticks = time::interval(Duration::from_secs(1));
    let mut valid = JoinSet::new();
    while began.elapsed() < lasting {
        ticks.tick().await;
        sent += 1;
        let (delivery, url) = (push(&format!("valid-{kind:?}-{sent}")), sut.url());
        valid.spawn(async move {
            let response = time::timeout(TIMEOUT, post(&delivery, &url)).await;
            let delivered = matches!(response, Ok(Ok(response)) if response.status == 200);
            delivered.then(|| began.elapsed())
        });
        let probed = Instant::now();
        let probe = time::timeout(PROBE_TIMEOUT, sut.probe("/healthz")).await;
        healthy += usize::from(probe == Ok(Some(200)));
        slowest = slowest.max(probed.elapsed());
    }
    let responses = valid.join_all().await;
    let delivered = responses.iter().flatten().count();
    let first = responses.into_iter().flatten().min();
    let memory = sut.peak_kib() / 1024;
    let connections = sut.connections();
    report.expect(
        connections > DESCRIPTORS / 2 || !kind.occupies_connections(),
        || format!("{kind:?}: the attack held only {connections} connections"),
    );
    attackers.stop();
    let disconnected = time::timeout(RECOVERY, all_disconnected(&sut)).await;
    report.expect(disconnected.is_ok(), || {
        let open = sut.connections();
        format!("{kind:?}: {open} connections still open {RECOVERY:?} after the attack")
    });
    let after = time::timeout(RECOVERY, sut.post(&push("after"))).await;
    report.expect(
        after.is_ok_and(|response| response.is_ok_and(|response| response.status == 200)),
        || format!("{kind:?}: a webhook after the attack was not delivered"),
    );
    report.expect(delivered * 100 >= sent * 95, || {
        format!("{kind:?}: {delivered} of {sent} valid webhooks delivered, expected at least 95 %")
    });
    report.expect(first.is_some_and(|first| first < MAX_FIRST_RESPONSE), || {
        format!("{kind:?}: first response after {first:?}, expected less than {MAX_FIRST_RESPONSE:?}")
    });
    report.expect(healthy == sent, || {
        format!("{kind:?}: {healthy} of {sent} probes answered within {PROBE_TIMEOUT:?}")
    });
    report.expect(memory < 64, || {
        format!("{kind:?}: peak memory {memory} MiB, expected less than 64")
    });
    chat.mark_all_read();
    format!(
        "{kind:?} {delivered}/{sent} delivered, first after {:.1} s, slowest probe {} ms, peak memory {memory} MiB",
        first.unwrap_or_default().as_secs_f64(),
        slowest.as_millis(),
    )
}

/// Opens silent sockets to the port of probes, and probes it.
async fn silent_admin_sockets(report: &mut CheckReport) -> String {
    let chat = FakeRocketChat::start().await;
    let sut = Sut::for_chat(&chat);
    let address = format!("127.0.0.1:{}", sut.admin_port);
    let mut silent = Vec::new();
    for _ in 0..ADMIN_SOCKETS {
        silent.push(TcpStream::connect(&address).await);
    }
    let mut slowest = Duration::ZERO;
    for path in ["/healthz", "/readyz"].repeat(10) {
        let probed = Instant::now();
        let probe = sut.probe(path).await;
        slowest = slowest.max(probed.elapsed());
        report.expect(probe == Some(200), || format!("{path}: {probe:?}"));
    }
    report.expect(slowest < PROBE_TIMEOUT, || {
        format!("a probe among silent sockets took {slowest:?}")
    });
    drop(silent);
    format!(
        "silent on METRICS_PORT slowest probe {} ms",
        slowest.as_millis()
    )
}

/// A connection is used again after the 3 s that a new one has for its headers, and a client that closes
/// its sending side gets its response.
async fn good_clients(report: &mut CheckReport) -> String {
    let chat = FakeRocketChat::start().await;
    let sut = Sut::for_chat(&chat);
    let connect = || async { TcpStream::connect(sut.address()).await.expect("connects") };
    let mut idle = connect().await;
    let first = exchange(&mut idle, "idle-1").await;
    let pause = Duration::from_millis(3500);
    time::sleep(pause).await;
    let second = exchange(&mut idle, "idle-2").await;
    report.expect(first && second, || {
        format!("a connection was not usable after {pause:?}")
    });
    let mut half = connect().await;
    half.write_all(&request_bytes(&push("half")))
        .await
        .expect("is sent");
    half.shutdown().await.expect("is shut down");
    let mut response = String::new();
    let read = time::timeout(TIMEOUT, half.read_to_string(&mut response)).await;
    let is_answered = read.is_ok() && response.starts_with("HTTP/1.1 200 ");
    report.expect(is_answered, || {
        format!("a half-closed client got {response:?}")
    });
    chat.mark_all_read();
    format!(
        "idle for {:.1} s and used again, half-closed and answered",
        pause.as_secs_f64()
    )
}

async fn exchange(stream: &mut TcpStream, id: &str) -> bool {
    let exchange = async {
        stream.write_all(&request_bytes(&push(id))).await.ok()?;
        let mut response = [0; 4096];
        let read = stream.read(&mut response).await.ok()?;
        response[..read].starts_with(b"HTTP/1.1 200 ").then_some(())
    };
    matches!(time::timeout(TIMEOUT, exchange).await, Ok(Some(())))
}

/// Waits until all connections are closed.
async fn all_disconnected(sut: &Sut) {
    while sut.connections() > 0 {
        time::sleep(Duration::from_millis(20)).await;
    }
}

/// Attackers on a separate thread, so that their work does not delay the measured requests.
struct Attackers {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Attackers {
    fn start(kind: Kind, sockets: usize, address: String) -> Self {
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            run(async move {
                let mut attackers = JoinSet::new();
                for _ in 0..sockets {
                    attackers.spawn(reconnect_forever(kind, address.clone()));
                }
                let _ = stopped.await;
            });
        });
        Self { stop, thread }
    }

    fn stop(self) {
        let _ = self.stop.send(());
        self.thread.join().expect("attackers do not panic");
    }
}

/// Attacks again one second after the server has closed the connection.
async fn reconnect_forever(kind: Kind, address: String) {
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
            // Signed with an unknown key: an invalid signature is detected only after the whole body.
            let delivery = fakes::gitlab::Delivery::push_sample()
                .signed_with("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
            return drip(stream, request_head(&delivery, 1000).as_bytes()).await;
        }
        Kind::SlowRead => return slow_read(address).await,
    }
    // Wait until the server closes the connection.
    stream.read(&mut [0; 1024]).await.map(drop)
}

/// Requests far more responses than the socket buffers can hold, and reads one byte every 2 s.
async fn slow_read(address: &str) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let stream = socket
        .connect(address.parse().map_err(std::io::Error::other)?)
        .await?;
    let (mut reader, mut writer) = stream.into_split();
    let write = async {
        let requests = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n".repeat(1000);
        loop {
            writer.write_all(&requests).await?;
        }
    };
    let read = async {
        loop {
            time::sleep(Duration::from_secs(2)).await;
            if reader.read(&mut [0; 1]).await? == 0 {
                return Ok(());
            }
        }
    };
    tokio::select! {
        ended = write => ended,
        ended = read => ended,
    }
}

async fn drip(mut stream: TcpStream, start: &[u8]) -> std::io::Result<()> {
    stream.write_all(start).await?;
    loop {
        stream.write_all(b"x").await?;
        let mut response = [0; 1024];
        if let Ok(read) = time::timeout(Duration::from_secs(2), stream.read(&mut response)).await {
            return read.map(drop);
        }
    }
}
