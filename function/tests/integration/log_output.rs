//! Log lines while nobody reads standard output: requests do not wait, and dropped lines are counted.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout};
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use fakes::rocketchat::FakeRocketChat;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;

use crate::exposition::Exposition;
use crate::harness::{program, recorded, settings};

/// Lines of more than 500 bytes, which fill the pipe, the queue and the batch that is being written.
const WEBHOOKS: usize = 5000;

/// For all of them, on a busy machine. Without a queue, the first 200 would take forever.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The program, and its standard output, which is read only on request.
struct Unread {
    child: Child,
    output: BufReader<ChildStdout>,
    port: u64,
}

impl Unread {
    fn start(chat: &FakeRocketChat) -> Self {
        let mut child = program(&settings(chat)).spawn().expect("starts");
        let mut output = BufReader::new(child.stdout.take().expect("is piped"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            output.read_line(&mut line).expect("is read");
            let json: Value = serde_json::from_str(&line).expect("is JSON");
            if let Some(port) = json["port"].as_u64() {
                break port;
            }
        };
        Self {
            child,
            output,
            port,
        }
    }

    /// Sends webhooks that are ignored, on one connection.
    async fn fill(&self) {
        let key = "k".repeat(255);
        let ignored = recorded("Wiki Page Hook", r#"{"object_kind":"unheard_of"}"#);
        let ignored = ignored.id(&key).without("Connection");
        let length = ignored.body().len().to_string();
        let head = ignored.clone().header("Content-Length", length).head();
        let request = [head.as_bytes(), ignored.body()].concat();
        let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(self.port).expect("fits")))
            .await
            .expect("connects");
        for _ in 0..WEBHOOKS {
            stream.write_all(&request).await.expect("is sent");
            let mut answer = [0; 1024];
            let read = stream.read(&mut answer).await.expect("is answered");
            assert!(answer[..read].starts_with(b"HTTP/1.1 204 "));
        }
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let answer = exchange("GET", &url, &[], b"").await.expect("is answered");
        assert_eq!(answer.status, 200, "{path}");
        answer.text()
    }

    async fn dropped(&self) -> f64 {
        let metrics = Exposition::parse(&self.get("/metrics").await);
        metrics.value("webhook_log_lines_dropped_total")
    }

    fn terminate(&self) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill").arg(id).status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_stopped_reader_of_the_log_stops_nothing() {
    let chat = FakeRocketChat::start().await;
    let mut function = Unread::start(&chat);
    let filled = time::timeout(TIMEOUT, function.fill()).await;
    filled.expect("every webhook is answered");
    function.get("/healthz").await;
    assert!(function.dropped().await > 0.0);
    let started = Instant::now();
    function.terminate();
    assert!(function.child.wait().expect("ends").success());
    // The last lines are waited for in vain.
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
    chat.finish();
}

#[tokio::test]
async fn when_the_log_is_read_again_one_line_tells_how_many_are_missing() {
    let chat = FakeRocketChat::start().await;
    let mut function = Unread::start(&chat);
    let filled = time::timeout(TIMEOUT, function.fill()).await;
    filled.expect("every webhook is answered");
    let dropped = function.dropped().await;
    let (mut written, mut warning) = (0, None);
    for line in function.output.by_ref().lines() {
        let line: Value = serde_json::from_str(&line.expect("is read")).expect("is JSON");
        if line["dropped"].is_number() {
            warning = line["dropped"].as_f64();
            break;
        }
        written += usize::from(line["outcome"] == "ignored");
    }
    assert_eq!(warning, Some(dropped));
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let all = written as f64 + dropped;
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let sent = WEBHOOKS as f64;
    assert!((all - sent).abs() < f64::EPSILON, "{written} and {dropped}");
    function.terminate();
    let rest: Vec<_> = function
        .output
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .collect();
    assert!(
        rest.iter().any(|line| line.contains("\"stopped\"")),
        "{rest:?}"
    );
    assert!(function.child.wait().expect("ends").success());
    chat.finish();
}
