//! The running program, as the manifests configure it. Owns its start and its requests.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use fakes::exchange::exchange;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::Value;

/// A running program; ends with this value.
pub(crate) struct Program {
    child: Child,
    chat: FakeRocketChat,
    port: u64,
    /// The port of the metrics, if it is another one.
    metrics_port: Option<u64>,
}

impl Program {
    /// Starts it with the settings of the fakes, these, and any free port; waits until it listens.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let chat = FakeRocketChat::start().await;
        let mut variables: BTreeMap<_, _> = fakes::settings(&chat);
        let free = [("PORT", "0"), ("LOG_FORMAT", "json")];
        variables.extend(
            free.iter()
                .chain(settings)
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut child = Command::new(env!("CARGO_BIN_EXE_webhook-app"))
            .env_clear()
            .envs(variables)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("is piped")).lines();
        let listening: Value = loop {
            let line = lines.next().expect("is logged").expect("is text");
            let line: Value = serde_json::from_str(&line).expect("is JSON");
            if line["port"].is_u64() {
                break line;
            }
        };
        // Without a reader, the program would drop later lines.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            chat,
            port: listening["port"].as_u64().expect("a port"),
            metrics_port: listening["metrics_port"].as_u64(),
        }
    }

    /// The status of a webhook posted to `path`, signed or without any proof.
    pub(crate) async fn post(&self, path: &str, is_signed: bool) -> u16 {
        let delivery = Delivery::push_sample();
        let delivery = if is_signed {
            delivery.signed_with(SAMPLE_KEY)
        } else {
            delivery
        };
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        delivery.post_to(&url).await.status
    }

    /// Its address for webhooks.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many messages the chat has.
    pub(crate) fn messages(&self) -> usize {
        self.chat.messages().len()
    }

    /// What `path` shows on the port of the metrics.
    pub(crate) async fn scrape(&self, path: &str) -> String {
        let port = self.metrics_port.unwrap_or(self.port);
        let url = format!("http://127.0.0.1:{port}{path}");
        let response = exchange("GET", &url, &[], b"").await.expect("is answered");
        assert_eq!(response.status, 200, "{url}");
        String::from_utf8(response.body).expect("is text")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What messages say is tested elsewhere.
        self.chat.mark_all_read();
        self.child.kill().expect("can be ended");
        self.child.wait().expect("has ended");
    }
}
