//! Fills the listener of webhook-app: many clients that each send the headers of a webhook and then no body, as in a
//! Slowloris attack. webhook-app closes such a connection after its timeout, and the client opens the next one.

use std::time::Duration;

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

/// A refused connection is tried again after this time, so that a client does not use a whole core.
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps `clients` connections open until the end of the time; returns how many were opened in total.
pub(crate) async fn hold(address: &str, clients: usize, seconds: u64) -> usize {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut all = JoinSet::new();
    for _ in 0..clients {
        all.spawn(client(address.to_owned(), end));
    }
    all.join_all().await.into_iter().sum()
}

async fn client(address: String, end: Instant) -> usize {
    let delivery = Delivery::push_sample().signed_with(SAMPLE_KEY);
    let length = delivery.body().len().to_string();
    let delivery = delivery.header("Content-Length", length);
    let mut opened = 0;
    while Instant::now() < end {
        match timeout_at(end, wait_for_close(&address, &delivery.head())).await {
            Ok(Err(_)) => sleep(PAUSE).await,
            // Closed, or still open at the end.
            Ok(Ok(())) | Err(_) => opened += 1,
        }
    }
    opened
}

/// Sends only the headers, and reads until webhook-app closes the connection.
async fn wait_for_close(address: &str, head: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    while stream.read(&mut [0; 512]).await? > 0 {}
    Ok(())
}
