//! A fault-injection proxy between webhook-app and the chat server. Owns the sockets and the faults;
//! the plan of a check decides which call gets which fault.

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

use breakpoint::{Breakpoint, CallStage};
use message::Message;

/// How the proxy ends a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Reset,
    Close,
    /// Closes only the sending side.
    HalfClose,
}

/// What the proxy does with a call. "Forwarded" means that the chat server executes it.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Forwards the call and its response.
    Forward,
    /// Resets the connection before reading the call.
    ResetUnread,
    /// Sends this many bytes of the response, then ends the connection.
    Cut {
        forwarded: bool,
        bytes: usize,
        end: End,
    },
    /// Forwards the call, with a delay before it and one before its response.
    Delay { before: Duration, after: Duration },
    /// Forwards the call; sends its response a few bytes at a time.
    Trickle { bytes: usize, pause: Duration },
    /// Reads the call and never responds.
    NoResponse,
    /// Sends these bytes instead of the response and keeps the connection open.
    Respond { forwarded: bool, response: Vec<u8> },
}

/// Decides what to do with a call, given its path and its number among all calls.
pub(crate) type Plan = dyn Fn(&str, usize) -> Action + Send + Sync;

struct Shared {
    upstream: String,
    plan: Box<Plan>,
    calls: AtomicUsize,
    breakpoint: Breakpoint,
}

/// A running proxy; dropping it closes its connections.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port in front of the server at `url`.
    pub(crate) async fn in_front_of(
        url: &str,
        plan: impl Fn(&str, usize) -> Action + Send + Sync + 'static,
    ) -> Self {
        Self::bind("127.0.0.1:0", url, plan).await
    }

    /// A proxy that delays every response by `latency`.
    pub(crate) async fn with_latency(url: &str, latency: Duration) -> Self {
        let plan = move |_: &str, _: usize| Action::Delay {
            before: Duration::ZERO,
            after: latency,
        };
        Self::in_front_of(url, plan).await
    }

    /// Listens on `address` in front of the server at `url`.
    async fn bind(
        address: &str,
        url: &str,
        plan: impl Fn(&str, usize) -> Action + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port is free");
        let address = listener.local_addr().expect("is bound");
        let shared = Arc::new(Shared {
            upstream: url.trim_start_matches("http://").to_owned(),
            plan: Box::new(plan),
            calls: AtomicUsize::new(0),
            breakpoint: Breakpoint::default(),
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "the proxy runs in the background of a check, and its handle aborts the task"
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

    /// The number of received calls.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// The breakpoint at which calls can be stopped.
    pub(crate) fn breakpoint(&self) -> &Breakpoint {
        &self.shared.breakpoint
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
    shared.breakpoint.reach(CallStage::Connected, "").await;
    loop {
        let Some(path) = message::peek_path(&client).await? else {
            return Ok(());
        };
        let number = shared.calls.fetch_add(1, Ordering::Relaxed);
        shared.breakpoint.reach(CallStage::Started, &path).await;
        let action = (shared.plan)(&path, number);
        if matches!(action, Action::ResetUnread) {
            return end(client, End::Reset).await;
        }
        let call = Message::read(&mut client).await?;
        shared.breakpoint.reach(CallStage::Received, &path).await;
        if let Some(ending) = respond(&action, &call, &path, &mut client, shared).await? {
            return end(client, ending).await;
        }
        shared.breakpoint.reach(CallStage::Responded, &path).await;
    }
}

/// Handles a call; returns how to end its connection, if it must end.
async fn respond(
    action: &Action,
    call: &Message,
    path: &str,
    client: &mut TcpStream,
    shared: &Shared,
) -> io::Result<Option<End>> {
    if let Action::Delay { before, .. } = action {
        time::sleep(*before).await;
    }
    let forwarded = match action {
        Action::NoResponse | Action::ResetUnread => false,
        Action::Respond { forwarded, .. } | Action::Cut { forwarded, .. } => *forwarded,
        Action::Forward | Action::Delay { .. } | Action::Trickle { .. } => true,
    };
    let response = if forwarded {
        forward(call, &shared.upstream).await?
    } else {
        Vec::new()
    };
    shared.breakpoint.reach(CallStage::Executed, path).await;
    match action {
        Action::NoResponse | Action::ResetUnread => {
            // Until the client closes the connection.
            let _ = client.read(&mut [0; 64]).await;
            return Ok(Some(End::Close));
        }
        Action::Cut { bytes, end, .. } => {
            client
                .write_all(&response[..response.len().min(*bytes)])
                .await?;
            return Ok(Some(*end));
        }
        Action::Respond { response, .. } => client.write_all(response).await?,
        Action::Delay { after, .. } => {
            time::sleep(*after).await;
            client.write_all(&response).await?;
        }
        Action::Trickle { bytes, pause } => {
            for chunk in response.chunks(*bytes) {
                client.write_all(chunk).await?;
                time::sleep(*pause).await;
            }
        }
        Action::Forward => {
            let (first, rest) = response.split_at(response.len() / 2);
            if shared.breakpoint.is_set(CallStage::HalfResponded, path) {
                client.write_all(first).await?;
                shared
                    .breakpoint
                    .reach(CallStage::HalfResponded, path)
                    .await;
                client.write_all(rest).await?;
            } else {
                client.write_all(&response).await?;
            }
        }
    }
    Ok(None)
}

async fn forward(call: &Message, upstream: &str) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(&call.bytes).await?;
    Ok(Message::read(&mut server).await?.bytes)
}

async fn end(mut client: TcpStream, how: End) -> io::Result<()> {
    match how {
        End::Reset => client.set_zero_linger(),
        End::Close => client.shutdown().await,
        End::HalfClose => {
            client.shutdown().await?;
            let _ = client.read(&mut [0; 64]).await;
            Ok(())
        }
    }
}
