//! The product as a child process: how it is found, set up, awaited and ended.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use fakes::rocketchat::FakeRocketChat;

/// The plain secret for calls by hand; good for this machine only.
pub(crate) const TOKEN: &str = "a-token-for-this-demonstration-only";

/// The port unless another is asked for.
const PORT: u16 = 8080;

/// Starting takes milliseconds; a machine that needs longer than this is stuck.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How often we look whether the product is ready, or has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What the command line asks for: `[--once] [--port NUMBER] [PATH OF webhook-app]`.
pub(crate) struct Usage {
    pub(crate) once: bool,
    port: u16,
    program: PathBuf,
}

impl Usage {
    /// Reads the command line; says what is wrong with it.
    pub(crate) fn from_arguments() -> Result<Self, String> {
        let mut usage = Self {
            once: false,
            port: PORT,
            program: beside_us(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--once" => usage.once = true,
                "--port" => {
                    let port = arguments.next().and_then(|port| port.parse().ok());
                    usage.port = port.ok_or("--port needs a number, such as --port 8080")?;
                }
                flag if flag.starts_with('-') => {
                    return Err(format!("{flag} is unknown; use --once or --port NUMBER"));
                }
                path => usage.program = path.into(),
            }
        }
        Ok(usage)
    }
}

/// The product is built into the folder that we are in.
fn beside_us() -> PathBuf {
    let ours = std::env::current_exe().unwrap_or_default();
    ours.with_file_name(format!("webhook-app{}", std::env::consts::EXE_SUFFIX))
}

/// The running product; ended when dropped.
pub(crate) struct Product {
    child: Child,
    port: u16,
}

impl Product {
    /// Starts it against the chat stand-in, on the port asked for or, when that is taken, on a free one.
    pub(crate) fn start(usage: &Usage, chat: &FakeRocketChat) -> Result<Self, String> {
        let port = usable(usage.port)?;
        let program = &usage.program;
        let started = Command::new(program)
            .env_clear()
            .envs(fakes::settings(chat))
            .env("PORT", port.to_string())
            .env("GITLAB_WEBHOOK_TOKENS", TOKEN)
            .env("ACCEPT_TOKEN_TOO", "true")
            .env("LOG_LEVEL", "warn")
            .env("LOG_FORMAT", "pretty")
            .spawn();
        let child = started.map_err(|error| {
            let program = program.display();
            format!("{program} does not start ({error}); build it with `cargo build -p webhook-app` or give its path")
        })?;
        Ok(Self { child, port })
    }

    /// Where GitLab would send its deliveries.
    pub(crate) fn webhook_url(&self) -> String {
        format!("http://127.0.0.1:{}/webhook", self.port)
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn wait_until_ready(&mut self) -> Result<(), String> {
        let url = format!("http://127.0.0.1:{}/health/readiness", self.port);
        let started = Instant::now();
        loop {
            if let Some(ended) = self.end() {
                return Err(ended);
            }
            let answer = exchange("GET", &url, &[], b"").await;
            let found = match answer {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(answer) => format!("answered {}: {}", answer.status, answer.text()),
                Err(error) => format!("gave no answer: {error}"),
            };
            if started.elapsed() > START_LIMIT {
                return Err(format!("webhook-app did not get ready; {url} {found}"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until it has ended by itself, which it should not.
    pub(crate) async fn ended(&mut self) -> String {
        loop {
            if let Some(ended) = self.end() {
                return ended;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn end(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(format!("webhook-app ended by itself: {status}")),
            Err(error) => Some(format!("webhook-app is out of sight: {error}")),
        }
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The port itself or a free one instead.
fn usable(port: u16) -> Result<u16, String> {
    let free = |port: u16| TcpListener::bind(("0.0.0.0", port)).and_then(|held| held.local_addr());
    if free(port).is_ok() {
        return Ok(port);
    }
    let other = free(0).map_err(|error| format!("there is no free port: {error}"))?;
    super::say(&format!(
        "Port {port} is taken; using {} instead.",
        other.port()
    ));
    Ok(other.port())
}
