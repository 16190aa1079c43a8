//! The real Alertmanager with the configuration of this repository, in front of the fakes of its receivers. Owns the process,
//! its folder and the alerts that are posted to it; the fakes own what arrives.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::exchange::exchange;
use crate::pagerduty::{FakePagerDuty, ROUTING_KEY};
use crate::rocketchat::FakeRocketChat;

/// How long it may take to become ready, on a busy machine.
const START_LIMIT: Duration = Duration::from_mins(1);

/// What the configuration has for real servers, each of which must be in it.
const SECRETS: &str = "/etc/alertmanager/secrets/webhook-app-alertmanager";

/// A running Alertmanager. Dropping it ends the process and removes its folder.
pub struct Alertmanager {
    child: Child,
    folder: PathBuf,
    address: String,
}

impl Alertmanager {
    /// Starts it with this configuration, whose receivers become the fakes and whose waits become a second, in an empty
    /// folder. Fails with [`io::ErrorKind::NotFound`] if there is no program `alertmanager`.
    pub async fn start(
        config: &str,
        folder: PathBuf,
        chat: &FakeRocketChat,
        pagerduty: &FakePagerDuty,
    ) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        for (name, content) in [
            ("rocketchat-token", chat.auth_token()),
            ("rocketchat-user-id", chat.user_id()),
            ("pagerduty-routing-key", ROUTING_KEY),
            ("heartbeat-url", &pagerduty.heartbeat_url()),
        ] {
            fs::write(folder.join(name), content)?;
        }
        let config = for_fakes(config, &folder, &chat.url(), &pagerduty.url())?;
        let file = folder.join("alertmanager.yaml");
        fs::write(&file, config)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = fs::File::create(folder.join("log"))?;
        let child = Command::new("alertmanager")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut started = Self {
            child,
            folder,
            address,
        };
        started.wait().await?;
        Ok(started)
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_else(|error| error.to_string())
    }

    async fn wait(&mut self) -> io::Result<()> {
        let started = Instant::now();
        let url = format!("{}/-/ready", self.url());
        loop {
            let ended = self.child.try_wait()?;
            if ended.is_some() || started.elapsed() > START_LIMIT {
                let log = self.log();
                return Err(io::Error::other(format!(
                    "Alertmanager is not ready: {log}"
                )));
            }
            match exchange("GET", &url, &[], b"").await {
                Ok(response) if response.status == 200 => return Ok(()),
                _ => tokio::task::yield_now().await,
            }
        }
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Posts alerts to an Alertmanager, as Prometheus does; the error is its answer.
pub async fn post(url: &str, alerts: &Value) -> io::Result<()> {
    let headers = [("content-type".to_owned(), b"application/json".to_vec())];
    let url = format!("{}/api/v2/alerts", url.trim_end_matches('/'));
    let response = exchange("POST", &url, &headers, alerts.to_string().as_bytes()).await?;
    if response.status == 200 {
        return Ok(());
    }
    let text = response.text();
    Err(io::Error::other(format!(
        "expected 200, found {}: {text}",
        response.status
    )))
}

/// The configuration with the addresses of the fakes. Each replacement must have a place, or a test would call real servers.
fn for_fakes(config: &str, folder: &Path, chat: &str, pagerduty: &str) -> io::Result<String> {
    let folder = folder.display().to_string();
    let mut config = config.to_owned();
    for (real, fake) in [
        ("https://chat.example.org", chat),
        ("https://events.pagerduty.com/v2/enqueue", pagerduty),
        (SECRETS, &folder),
        ("group_wait: 30s", "group_wait: 1s"),
        ("group_interval: 5m", "group_interval: 1s"),
        ("group_interval: 1m", "group_interval: 1s"),
        ("repeat_interval: 5m", "repeat_interval: 1s"),
    ] {
        if !config.contains(real) {
            return Err(io::Error::other(format!(
                "expected {real} in the configuration of Alertmanager, found none"
            )));
        }
        config = config.replace(real, fake);
    }
    Ok(config)
}
