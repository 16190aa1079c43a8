//! Sends raw bytes to a port and reads the response, for requests that no HTTP library would send.

use std::time::{Duration, Instant};

use fakes::gitlab::Delivery;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;

use crate::secret_scan;

/// What was received until the connection was closed or the timeout expired.
#[derive(Clone, Debug)]
pub(crate) struct RawResponse {
    pub(crate) text: String,
    pub(crate) closed: bool,
    pub(crate) took: Duration,
}

impl RawResponse {
    /// The statuses of all responses in the text.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let responses = self.text.split("HTTP/1.1 ").skip(1);
        let status = |response: &str| response.get(..3)?.parse().ok();
        responses.filter_map(status).collect()
    }
}

/// Sends bytes and reads until the server closes the connection or `timeout` expires.
pub(crate) async fn send_raw(address: &str, bytes: &[u8], timeout: Duration) -> RawResponse {
    let began = Instant::now();
    let mut received = Vec::new();
    let exchange = async {
        let stream = TcpStream::connect(address).await?;
        let (mut reader, mut writer) = stream.into_split();
        // The server may respond and close before it has read the whole request.
        let (_, read) = tokio::join!(writer.write_all(bytes), async {
            let read = reader.read_to_end(&mut received).await;
            // A reset after the response counts as closed.
            read.map(drop).or(Ok::<(), std::io::Error>(()))
        });
        read
    };
    let closed = time::timeout(timeout, exchange).await.is_ok();
    let text = String::from_utf8_lossy(&received).into_owned();
    secret_scan::scan(&text);
    RawResponse {
        text,
        closed,
        took: began.elapsed(),
    }
}

/// The request head of a delivery, with this `Content-Length`.
pub(crate) fn request_head(delivery: &Delivery, length: usize) -> String {
    let delivery = delivery.clone().without("Connection");
    delivery.header("Content-Length", length.to_string()).head()
}

/// The whole request of a delivery.
pub(crate) fn request_bytes(delivery: &Delivery) -> Vec<u8> {
    let mut bytes = request_head(delivery, delivery.body().len()).into_bytes();
    bytes.extend_from_slice(delivery.body());
    bytes
}
