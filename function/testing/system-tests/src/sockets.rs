//! Raw bytes to a port and back, for clients that no library would be. Owns nothing but the socket.

use std::time::{Duration, Instant};

use fakes::gitlab::Delivery;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;

use crate::secret_scan;

/// What came back before the connection ended, or before our patience did.
#[derive(Clone, Debug)]
pub(crate) struct Echo {
    pub(crate) text: String,
    pub(crate) closed: bool,
    pub(crate) took: Duration,
}

impl Echo {
    /// The statuses of all answers.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let answers = self.text.split("HTTP/1.1 ").skip(1);
        let status = |answer: &str| answer.get(..3)?.parse().ok();
        answers.filter_map(status).collect()
    }
}

/// Sends bytes and listens until the other side closes or `patience` is over.
pub(crate) async fn say(address: &str, bytes: &[u8], patience: Duration) -> Echo {
    let began = Instant::now();
    let mut heard = Vec::new();
    let talk = async {
        let stream = TcpStream::connect(address).await?;
        let (mut reader, mut writer) = stream.into_split();
        // The other side may answer and close before it has read all of it.
        let (_, read) = tokio::join!(writer.write_all(bytes), async {
            let read = reader.read_to_end(&mut heard).await;
            // A reset after the answer is an end like any other.
            read.map(drop).or(Ok::<(), std::io::Error>(()))
        });
        read
    };
    let closed = time::timeout(patience, talk).await.is_ok();
    let text = String::from_utf8_lossy(&heard).into_owned();
    secret_scan::look(&text);
    Echo {
        text,
        closed,
        took: began.elapsed(),
    }
}

/// The head of a delivery as bytes, with a body of that many bytes announced.
pub(crate) fn head(delivery: &Delivery, length: usize) -> String {
    let delivery = delivery.clone().without("Connection");
    delivery.header("Content-Length", length.to_string()).head()
}

/// A whole delivery as bytes.
pub(crate) fn whole(delivery: &Delivery) -> Vec<u8> {
    let mut bytes = head(delivery, delivery.body().len()).into_bytes();
    bytes.extend_from_slice(delivery.body());
    bytes
}
