//! webhook-app as a child process of the demo: finds, configures, starts and stops it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use fakes::rocketchat::FakeRocketChat;

/// The secret token for webhooks that the user sends with curl.
pub(crate) const TOKEN: &str = "a-token-for-this-demonstration-only";

/// The default port.
const PORT: u16 = 8080;

/// How long webhook-app may take to become ready; usually a few milliseconds.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How long to wait between two checks whether it is ready or has exited.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The text for `--help`.
pub(crate) const USAGE: &str = "\
Starts webhook-app with a fake Rocket.Chat, posts a push as GitLab does, and
prints the message that the user gets.

usage: demo [--once] [--port NUMBER] [PATH]

  --once         end after the first message instead of waiting for others
  --port NUMBER  the port of webhook-app, 8080 by default; if it is in use,
                 a free one
  PATH           the program webhook-app, by default beside this one";

/// The command line: `[--once] [--port NUMBER] [PATH OF webhook-app]`.
pub(crate) struct Args {
    pub(crate) once: bool,
    pub(crate) help: bool,
    port: u16,
    program: PathBuf,
}

impl Args {
    /// Parses the command line; the error says what is wrong.
    pub(crate) fn from_arguments() -> Result<Self, String> {
        let mut args = Self {
            once: false,
            help: false,
            port: PORT,
            program: default_program(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--once" => args.once = true,
                "--help" | "-h" => args.help = true,
                "--port" => {
                    let port = arguments.next().and_then(|port| port.parse().ok());
                    args.port = port.ok_or("--port needs a number, such as --port 8080")?;
                }
                flag if flag.starts_with('-') => {
                    return Err(format!(
                        "unknown option {flag}; use --once or --port NUMBER, see --help"
                    ));
                }
                path => args.program = path.into(),
            }
        }
        Ok(args)
    }
}

/// Cargo builds webhook-app into the same folder as the demo.
fn default_program() -> PathBuf {
    let demo = std::env::current_exe().unwrap_or_default();
    demo.with_file_name(format!("webhook-app{}", std::env::consts::EXE_SUFFIX))
}

/// The running program; killed when dropped.
pub(crate) struct WebhookApp {
    child: Child,
    port: u16,
}

impl WebhookApp {
    /// Starts it with the fake Rocket.Chat, on the requested port or, if that is in use, on a free one.
    pub(crate) fn start(args: &Args, chat: &FakeRocketChat) -> Result<Self, String> {
        let port = available(args.port)?;
        let program = &args.program;
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

    /// The URL that GitLab posts webhooks to.
    pub(crate) fn webhook_url(&self) -> String {
        format!("http://127.0.0.1:{}/webhook", self.port)
    }

    /// Waits until its readiness probe succeeds.
    pub(crate) async fn wait_until_ready(&mut self) -> Result<(), String> {
        let url = format!("http://127.0.0.1:{}/health/readiness", self.port);
        let started = Instant::now();
        loop {
            if let Some(ended) = self.exit() {
                return Err(ended);
            }
            let response = exchange("GET", &url, &[], b"").await;
            let found = match response {
                Ok(response) if response.status == 200 => return Ok(()),
                Ok(response) => format!("responded {}: {}", response.status, response.text()),
                Err(error) => format!("did not respond: {error}"),
            };
            if started.elapsed() > START_LIMIT {
                return Err(format!("webhook-app did not become ready; {url} {found}"));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until it exits, which is always an error here.
    pub(crate) async fn exited(&mut self) -> String {
        loop {
            if let Some(ended) = self.exit() {
                return ended;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn exit(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(format!("webhook-app exited unexpectedly: {status}")),
            Err(error) => Some(format!("cannot get the status of webhook-app: {error}")),
        }
    }
}

impl Drop for WebhookApp {
    fn drop(&mut self) {
        // Fails only if it has already exited.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The port if it is free, otherwise any free port.
fn available(port: u16) -> Result<u16, String> {
    let free =
        |port: u16| TcpListener::bind(("0.0.0.0", port)).and_then(|listener| listener.local_addr());
    if free(port).is_ok() {
        return Ok(port);
    }
    let other = free(0).map_err(|error| format!("no port is free: {error}"))?;
    super::say(&format!(
        "Port {port} is in use; using {} instead.",
        other.port()
    ));
    Ok(other.port())
}
