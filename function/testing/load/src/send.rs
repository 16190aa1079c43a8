//! `send`: posts signed pushes over keep-alive connections, as fast as possible or at a constant rate.
//! At a constant rate, latency is measured from when a request was due, not from when it was sent, to
//! avoid coordinated omission.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{self, Instant};

use crate::deliveries::Deliveries;
use crate::message::Reader;
use crate::options::Options;

/// State shared by all connections.
struct Run {
    deliveries: Deliveries,
    host: String,
    /// The index of the next delivery.
    next: Cell<usize>,
    /// The time between two deliveries; zero sends as fast as responses arrive.
    interval: Duration,
    started: Instant,
    latencies: RefCell<Vec<Duration>>,
    statuses: RefCell<BTreeMap<String, usize>>,
}

/// Sends `--count` pushes of `--size` bytes to `--url` over `--connections`, at `--rate` per second.
pub(crate) async fn run(options: &Options) -> Result<Value, String> {
    let url = options.text("url", "http://127.0.0.1:8080/webhook");
    let count: usize = options.number("count", 1000)?;
    let connections: usize = options.number("connections", 1)?;
    let size = options.number("size", 4096)?;
    let rate: f64 = options.number("rate", 0.0)?;
    let (host, path) = split(url)?;
    let deliveries = Deliveries::sign(count, size, host, path);
    let size = deliveries.get(0).1.len();
    let run = Rc::new(Run {
        deliveries,
        host: host.to_owned(),
        next: Cell::new(0),
        interval: if rate > 0.0 {
            Duration::from_secs_f64(1.0 / rate)
        } else {
            Duration::ZERO
        },
        started: Instant::now(),
        latencies: RefCell::default(),
        statuses: RefCell::default(),
    });
    let set = LocalSet::new();
    for _ in 0..connections {
        let run = Rc::clone(&run);
        set.spawn_local(async move {
            if let Err(error) = run.connection().await {
                run.count(&error.kind().to_string());
            }
        });
    }
    set.await;
    Ok(run.report(size, connections))
}

impl Run {
    async fn connection(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect(&self.host).await?;
        stream.set_nodelay(true)?;
        let mut reader = Reader::default();
        while let Some((index, due)) = self.take().await {
            let (head, body) = self.deliveries.get(index);
            stream.write_all(head).await?;
            stream.write_all(body).await?;
            let response = reader.next(&mut stream).await?;
            let response = response.ok_or(io::ErrorKind::UnexpectedEof)?;
            self.latencies.borrow_mut().push(due.elapsed());
            self.count(response.first_line.split(' ').nth(1).unwrap_or_default());
        }
        Ok(())
    }

    /// The next delivery, and when it is due.
    async fn take(&self) -> Option<(usize, Instant)> {
        let index = self.next.get();
        if index == self.deliveries.len() {
            return None;
        }
        self.next.set(index + 1);
        if self.interval.is_zero() {
            return Some((index, Instant::now()));
        }
        let due = self.started + self.interval * u32::try_from(index).unwrap_or(u32::MAX);
        time::sleep_until(due).await;
        Some((index, due))
    }

    fn count(&self, status: &str) {
        *self
            .statuses
            .borrow_mut()
            .entry(status.to_owned())
            .or_default() += 1;
    }

    fn report(&self, size: usize, connections: usize) -> Value {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut latencies = self.latencies.borrow_mut();
        latencies.sort_unstable();
        let answered = latencies.len();
        let percentile = |share: usize| {
            let index = (answered * share / 1000).min(answered.saturating_sub(1));
            latencies
                .get(index)
                .map(|latency| latency.as_secs_f64() * 1000.0)
        };
        json!({
            "answered": answered,
            "connections": connections,
            "size": size,
            "seconds": seconds,
            // u32 to f64 is exact.
            "per_second": f64::from(u32::try_from(answered).unwrap_or(u32::MAX)) / seconds,
            "p50_ms": percentile(500),
            "p99_ms": percentile(990),
            "max_ms": percentile(1000),
            "statuses": *self.statuses.borrow(),
        })
    }
}

/// Splits a URL into host and path, such as `127.0.0.1:8080` and `/webhook`.
pub(crate) fn split(url: &str) -> Result<(&str, &str), String> {
    let rest = url.strip_prefix("http://");
    let rest =
        rest.ok_or_else(|| format!("expected a URL that starts with http://, found {url}"))?;
    Ok(rest
        .find('/')
        .map_or((rest, "/"), |slash| rest.split_at(slash)))
}
