//! The function and a fake chat server, started per test. Owns starting and stopping both, and the checks
//! at the end of every test: no unread message, no violation of the API, no secret in any output.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use fakes::exchange::{Response, exchange};
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::Value;
use tokio::net::TcpStream;
use webhook_app::limits::LIMITS;

/// The webhook token of the tests; distinctive, so that a search finds a leak.
pub(crate) const TOKEN: &str = "canary-token-7c1f0f9e55e2";

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_webhook-app");

/// A setting and its value.
pub(crate) type Setting<'a> = (&'a str, &'a str);

/// The secret that events for a broker are signed with, in tests with a broker.
pub(crate) const MESSAGE_ID_SECRET: Setting<'_> = (
    "MESSAGE_ID_SECRET",
    "of-the-tests-0123456789abcdefghijklmnop",
);

/// A running function and the chat server it talks to.
pub(crate) struct Harness {
    /// The chat server.
    pub(crate) chat: FakeRocketChat,
    /// The function.
    pub(crate) function: Function,
}

impl Harness {
    /// Starts a function that requires signatures, with default settings.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts a function with these settings; an empty value removes a default.
    pub(crate) async fn with(settings: &[Setting<'_>]) -> Self {
        let chat = FakeRocketChat::start().await;
        let function = Function::start(&chat, settings);
        Self { chat, function }
    }

    /// Posts a delivery as GitLab would.
    pub(crate) async fn post(&self, delivery: &Delivery) -> Response {
        self.function.post(delivery).await
    }

    /// Makes the calls that send a message fail until [`Self::fix_chat`].
    pub(crate) fn break_chat(&self) {
        for route in [
            Route::CreateDirectMessage,
            Route::SendMessage,
            Route::GetMessage,
        ] {
            self.chat.inject_fault_always(route, Fault::Status(503));
        }
    }

    /// Ends the faults, and waits until the next call may probe the server.
    pub(crate) async fn fix_chat(&self) {
        self.chat.clear_faults();
        tokio::time::sleep(LIMITS.sending.max_retry_pause).await;
    }

    /// Stops the function and runs the final checks; returns its output.
    pub(crate) fn finish(self) -> Vec<String> {
        let output = self.function.finish(self.chat.auth_token());
        self.chat.finish();
        output
    }
}

/// A signed push to `main` with a unique idempotency key.
pub(crate) fn push() -> Delivery {
    Delivery::push_sample().signed_with(SAMPLE_KEY)
}

/// A signed delivery of a recorded payload.
pub(crate) fn recorded(event: &str, body: &str) -> Delivery {
    Delivery::new(event, body).signed_with(SAMPLE_KEY)
}

/// Settings with which the function connects to `chat`.
pub(crate) fn settings(chat: &FakeRocketChat) -> BTreeMap<String, String> {
    let overrides = [
        ("PORT", "0"),
        ("LAME_DUCK_SECONDS", "0"),
        ("LOG_FORMAT", "json"),
    ];
    let mut settings = fakes::settings(chat);
    settings.extend(overrides.map(|(name, value)| (name.to_owned(), value.to_owned())));
    settings
}

/// The program, not yet started.
pub(crate) fn program(settings: &BTreeMap<String, String>) -> Command {
    command(PROGRAM, settings)
}

/// The program at `path` with these settings and no other environment, not yet started.
pub(crate) fn command(path: &str, settings: &BTreeMap<String, String>) -> Command {
    let mut program = Command::new(path);
    program
        .env_clear()
        .envs(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

/// A running function.
pub(crate) struct Function {
    child: Child,
    port: u16,
    output: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Function {
    /// Starts the program and waits until it listens.
    pub(crate) fn start(chat: &FakeRocketChat, overrides: &[Setting<'_>]) -> Self {
        Self::launch(chat, overrides, program)
    }

    /// Starts the program with at most `descriptors` file descriptors.
    pub(crate) fn start_with_descriptors(chat: &FakeRocketChat, descriptors: usize) -> Self {
        Self::launch(chat, &[], |settings| {
            let limited = format!("ulimit -n {descriptors} && exec \"$0\"");
            let mut shell = Command::new("/bin/sh");
            shell
                .args(["-c", &limited, PROGRAM])
                .env_clear()
                .envs(settings);
            shell
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            shell
        })
    }

    /// Starts the program that `command` makes of its settings.
    pub(crate) fn launch(
        chat: &FakeRocketChat,
        overrides: &[Setting<'_>],
        command: impl Fn(&BTreeMap<String, String>) -> Command,
    ) -> Self {
        let mut settings = settings(chat);
        for (name, value) in overrides {
            if value.is_empty() {
                settings.remove(*name);
            } else {
                settings.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        let mut child = command(&settings).spawn().expect("the program starts");
        let output = Arc::default();
        let out = child.stdout.take().expect("is piped");
        let error = child.stderr.take().expect("is piped");
        let (port_sender, port) = std::sync::mpsc::channel();
        let readers = vec![
            read(out, &output, Some(port_sender)),
            read(error, &output, None),
        ];
        let port = port
            .recv()
            .unwrap_or_else(|_| panic!("did not listen: {output:?}"));
        Self {
            child,
            port,
            output,
            readers,
        }
    }

    /// Address of a path of the function.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Opens a connection for bytes that no HTTP client would send.
    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await;
        stream.expect("connects")
    }

    /// Posts a delivery as GitLab would.
    pub(crate) async fn post(&self, delivery: &Delivery) -> Response {
        delivery.post_to(&self.url("/webhook")).await
    }

    /// Sends a request without a body.
    pub(crate) async fn request(&self, method: &str, path: &str) -> Response {
        exchange(method, &self.url(path), &[], b"")
            .await
            .expect("is answered")
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("is Linux");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("has a size");
        line.split_whitespace()
            .next()
            .and_then(|kib| kib.parse().ok())
            .expect("is a number")
    }

    /// Open files and sockets.
    pub(crate) fn descriptors(&self) -> usize {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        open.expect("is Linux").count()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status();
        assert!(
            sent.expect("kill runs").success(),
            "the function is still running"
        );
    }

    /// Waits until the process has exited and its output has been read.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("can be waited for");
        self.readers
            .drain(..)
            .for_each(|reader| reader.join().expect("reads to the end"));
        status
    }

    /// The output so far.
    pub(crate) fn output(&self) -> Vec<String> {
        self.output.lock().expect("no reader panics").clone()
    }

    /// Stops the program with SIGTERM, as Kubernetes does, and checks its output.
    pub(crate) fn finish(mut self, auth_token: &str) -> Vec<String> {
        self.signal("-TERM");
        let status = self.wait();
        let output = self.output();
        assert!(status.success(), "{status}: {output:#?}");
        check_output(&output, auth_token);
        output
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asserts that every line is JSON, and that none contains a secret or reports a panic.
pub(crate) fn check_output(output: &[String], auth_token: &str) {
    for line in output {
        let json: Result<Value, _> = serde_json::from_str(line);
        assert!(json.is_ok(), "not JSON: {line}");
        let secrets = [SAMPLE_KEY, &SAMPLE_KEY["whsec_".len()..], TOKEN, auth_token];
        assert!(
            !secrets.iter().any(|secret| line.contains(secret)),
            "found a secret in: {line}"
        );
        assert!(!line.contains("panic"), "{line}");
    }
}

/// Collects every line, and sends the port that the log line about listening contains.
pub(crate) fn read(
    from: impl Read + Send + 'static,
    output: &Arc<Mutex<Vec<String>>>,
    port_sender: Option<std::sync::mpsc::Sender<u16>>,
) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let json: Value = serde_json::from_str(&line).unwrap_or_default();
            let port = json["port"]
                .as_u64()
                .and_then(|port| u16::try_from(port).ok());
            output.lock().expect("no reader panics").push(line);
            if let (Some(port), Some(port_sender)) = (port, &port_sender) {
                let _ = port_sender.send(port);
            }
        }
    })
}

/// Asserts that a webhook was answered as delivered.
#[track_caller]
pub(crate) fn assert_delivered(answer: &Response) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["status"], "delivered", "{}", answer.text());
}

/// Asserts a problem document (RFC 9457) with this status and reason.
#[track_caller]
pub(crate) fn assert_problem(answer: &Response, status: u16, reason: &str) {
    assert_eq!(
        (
            answer.status,
            answer.text().contains(&format!("\"reason\":\"{reason}\""))
        ),
        (status, true),
        "{}",
        answer.text()
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    for member in ["type", "title", "detail"] {
        assert!(
            problem[member]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{member}: {problem}"
        );
    }
}
