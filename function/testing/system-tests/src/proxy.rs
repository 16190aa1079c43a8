//! A proxy between the function and the chat server that lets calls go wrong on the wire. Owns the
//! sockets and the faults; which call goes wrong is the plan of a check.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time;

pub(crate) mod breakpoint;
pub(crate) mod message;

use breakpoint::{Breakpoint, Moment};
use message::Message;

/// How a connection ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Reset,
    Close,
    /// Only our sending side is closed.
    Half,
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Nothing special.
    Pass,
    /// The connection is reset before the call has been read.
    ResetUnread,
    /// This many bytes of the answer of a call that is carried out or not, then the end.
    Cut {
        carried_out: bool,
        bytes: usize,
        end: End,
    },
    /// Carried out, with a pause before it and one before its answer.
    Slow { before: Duration, after: Duration },
    /// Carried out; its answer comes a few bytes at a time.
    Trickle { bytes: usize, pause: Duration },
    /// Read, and never answered.
    Silent,
    /// These bytes instead of an answer, and the connection stays open.
    Say { carried_out: bool, answer: Vec<u8> },
}

/// Decides what becomes of a call, given its path and its number among all calls.
pub(crate) type Plan = dyn Fn(&str, usize) -> Act + Send + Sync;

struct Shared {
    upstream: String,
    plan: Box<Plan>,
    calls: AtomicUsize,
    trap: Breakpoint,
}

/// A running proxy; it and its connections end when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port in front of the server at `url`.
    pub(crate) async fn before(
        url: &str,
        plan: impl Fn(&str, usize) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::on("127.0.0.1:0", url, plan).await
    }

    /// The same where every call takes so long.
    pub(crate) async fn slow(url: &str, call: Duration) -> Self {
        let plan = move |_: &str, _: usize| Act::Slow {
            before: Duration::ZERO,
            after: call,
        };
        Self::before(url, plan).await
    }

    /// The same on an address of one's choice.
    pub(crate) async fn on(
        address: &str,
        url: &str,
        plan: impl Fn(&str, usize) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port is free");
        let address = listener.local_addr().expect("is bound");
        let shared = Arc::new(Shared {
            upstream: url.trim_start_matches("http://").to_owned(),
            plan: Box::new(plan),
            calls: AtomicUsize::new(0),
            trap: Breakpoint::default(),
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "the proxy runs beside its check, and its handle ends the task"
        )]
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many calls came in.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// Where a call can be stopped.
    pub(crate) fn trap(&self) -> &Breakpoint {
        &self.shared.trap
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move { serve(stream, &shared).await });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    shared.trap.at(Moment::Connected, "").await;
    loop {
        let Some(path) = message::peek_path(&client).await? else {
            return Ok(());
        };
        let number = shared.calls.fetch_add(1, Ordering::Relaxed);
        shared.trap.at(Moment::Begun, &path).await;
        let act = (shared.plan)(&path, number);
        if matches!(act, Act::ResetUnread) {
            return end(client, End::Reset).await;
        }
        let call = Message::read(&mut client).await?;
        shared.trap.at(Moment::Read, &path).await;
        if let Some(ending) = act_out(&act, &call, &path, &mut client, shared).await? {
            return end(client, ending).await;
        }
        shared.trap.at(Moment::Answered, &path).await;
    }
}

/// Answers a call, or says how its connection ends.
async fn act_out(
    act: &Act,
    call: &Message,
    path: &str,
    client: &mut TcpStream,
    shared: &Shared,
) -> io::Result<Option<End>> {
    if let Act::Slow { before, .. } = act {
        time::sleep(*before).await;
    }
    let carried_out = match act {
        Act::Silent | Act::ResetUnread => false,
        Act::Say { carried_out, .. } | Act::Cut { carried_out, .. } => *carried_out,
        Act::Pass | Act::Slow { .. } | Act::Trickle { .. } => true,
    };
    let answer = if carried_out {
        carry_out(call, &shared.upstream).await?
    } else {
        Vec::new()
    };
    shared.trap.at(Moment::CarriedOut, path).await;
    match act {
        Act::Silent | Act::ResetUnread => {
            // Until the other side has had enough of it.
            let _ = client.read(&mut [0; 64]).await;
            return Ok(Some(End::Close));
        }
        Act::Cut { bytes, end, .. } => {
            client
                .write_all(&answer[..answer.len().min(*bytes)])
                .await?;
            return Ok(Some(*end));
        }
        Act::Say { answer, .. } => client.write_all(answer).await?,
        Act::Slow { after, .. } => {
            time::sleep(*after).await;
            client.write_all(&answer).await?;
        }
        Act::Trickle { bytes, pause } => {
            for piece in answer.chunks(*bytes) {
                client.write_all(piece).await?;
                time::sleep(*pause).await;
            }
        }
        Act::Pass => {
            let (first, rest) = answer.split_at(answer.len() / 2);
            if shared.trap.is_set(Moment::HalfAnswered, path) {
                client.write_all(first).await?;
                shared.trap.at(Moment::HalfAnswered, path).await;
                client.write_all(rest).await?;
            } else {
                client.write_all(&answer).await?;
            }
        }
    }
    Ok(None)
}

async fn carry_out(call: &Message, upstream: &str) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(&call.bytes).await?;
    Ok(Message::read(&mut server).await?.bytes)
}

async fn end(mut client: TcpStream, how: End) -> io::Result<()> {
    match how {
        End::Reset => client.set_zero_linger(),
        End::Close => client.shutdown().await,
        End::Half => {
            client.shutdown().await?;
            let _ = client.read(&mut [0; 64]).await;
            Ok(())
        }
    }
}
