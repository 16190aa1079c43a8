//! Check `secrets`: sets a secret in every setting that takes one, once by environment variable and once by
//! file, and searches everything the program makes visible. Owns the secrets and the outputs to search;
//! [`secret_scan`] scans the output of the other checks.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fakes::gitlab::Delivery;
use fakes::rocketchat::{FakeRocketChat, Fault, Route};

use crate::check::{CheckReport, Size, run};
use crate::secret_scan;
use crate::sockets::{request_bytes, send_raw};
use crate::sut::{Settings, Sut, program};

mod collector;

use collector::Collector;

/// Signing keys; the second is an old one that is still accepted.
const KEYS: [&str; 2] = [
    "whsec_Y2FuYXJ5LWtleS1vbmUtMzItYnl0ZXMtbG9uZy0wMDE=",
    "whsec_Y2FuYXJ5LWtleS10d28tMzItYnl0ZXMtbG9uZy0wMDI=",
];
const TOKENS: [&str; 2] = ["canary-token-new-5b1d07aa93", "canary-token-old-e2c46f8810"];
const COLLECTOR: &str = "canary-collector-4f0e61d2b7";
const PASSWORD: &str = "canary-password-9a83c5170d";

/// Routes and message templates are not secrets: an error in them is shown with its position.
const INVALID_ROUTES: &str = "rules:\n  - event: pusch\n    to: \"@alice\"\n";
const ROUTES: &str = "rules:\n  - name: all-of-it\n    to: \"@alice\"\n";
const MESSAGES: &str = "others: \"{{ default_message }}\"\n";

/// The number of secret files written so far.
static FILES: AtomicUsize = AtomicUsize::new(0);

/// Runs the check.
pub(crate) fn check(_: Size) -> CheckReport {
    let mut report = CheckReport::default();
    secret_scan::self_test(&mut report, &all_secrets("token-of-the-chat-server"));
    let (outputs, in_memory) = run(async {
        let (mut outputs, _) = collect_outputs(&mut report, false).await;
        let (more, in_memory) = collect_outputs(&mut report, true).await;
        outputs.extend(more);
        (outputs, in_memory)
    });
    let mut leaks = 0;
    for output in &outputs {
        let text = searchable(&output.bytes);
        let is_there = |encoding: &Vec<u8>| text.contains(&searchable(encoding));
        let hit = output
            .secrets
            .iter()
            .find(|secret| encodings(secret).iter().any(is_there));
        leaks += usize::from(hit.is_some());
        report.expect(hit.is_none(), || {
            // Only the first characters, so that the secret is not printed again.
            format!(
                "{}: contains {:.13}…",
                output.name,
                hit.map_or("", String::as_str)
            )
        });
        report.expect(!output.bytes.is_empty(), || {
            format!("{}: the output is empty", output.name)
        });
    }
    let (scanned, hits) = secret_scan::totals();
    report.expect(hits == 0, || {
        format!("{hits} texts of other checks contain a secret")
    });
    report.workload(format!(
        "7 secrets in 5 settings, by environment and by file; searched {} outputs of serve, check, render and failed starts, and {scanned} texts of all checks",
        outputs.len()
    ));
    // Secrets in memory are not a failure: the process needs those that it sends or compares.
    report.measurement(format!(
        "{} hits; {in_memory} of 7 secrets are in the process memory, as in a core dump",
        leaks + hits
    ));
    report
}

/// A visible output, and the secrets that it must not contain.
struct Output {
    name: String,
    bytes: Vec<u8>,
    secrets: Vec<String>,
}

/// One character per byte, because searching a text is much faster than searching bytes.
fn searchable(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn all_secrets(chat_token: &str) -> Vec<String> {
    let fixed = [KEYS[0], KEYS[1], TOKENS[0], TOKENS[1], COLLECTOR, PASSWORD];
    let all = fixed.into_iter().chain([chat_token]);
    all.map(str::to_owned).collect()
}

/// The encodings in which a secret could leak.
fn encodings(secret: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    let plain = secret.strip_prefix("whsec_").unwrap_or(secret);
    let mut hex = String::new();
    for byte in plain.bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    let bytes = format!("{:?}", plain.as_bytes());
    let mut encodings = vec![
        // A truncated secret is a leak too.
        plain.as_bytes()[..16].to_vec(),
        plain.replace('=', "%3D").into_bytes(),
        plain.chars().rev().collect::<String>().into_bytes(),
        BASE64_STANDARD
            .encode(plain)
            .trim_end_matches('=')
            .as_bytes()
            .to_vec(),
        hex.into_bytes(),
        bytes.as_bytes()[1..bytes.len() - 1].to_vec(),
    ];
    // The decoded bytes of a signing key.
    if plain != secret {
        encodings.push(BASE64_STANDARD.decode(plain).unwrap_or_default());
    }
    encodings.retain(|encoding| !encoding.is_empty());
    encodings
}

/// Sets the secrets by environment variable or by file.
struct SecretSource {
    folder: PathBuf,
    by_file: bool,
}

impl SecretSource {
    fn new(by_file: bool) -> Self {
        let name = format!("system-tests-secrets-{}-{by_file}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a temporary folder can be created");
        Self { folder, by_file }
    }

    fn set(&self, settings: Settings, name: &str, value: &str) -> Settings {
        if !self.by_file {
            return settings.set(name, value);
        }
        // A new file each time, because earlier settings still refer to theirs.
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let file = self.folder.join(number.to_string());
        std::fs::write(&file, value).expect("is written");
        let named = format!("{name}_FILE");
        settings.set(name, "").set(&named, file.display())
    }

    fn settings(&self, chat: &FakeRocketChat, collector: &str) -> Settings {
        let settings = Settings::with(chat)
            .set("ROCKETCHAT_RECIPIENT", "")
            .set("ACCEPT_TOKEN_TOO", true)
            .set("LOG_LEVEL", "trace")
            .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
            .set("ROUTES", ROUTES)
            .set("MESSAGES", MESSAGES);
        let headers = format!("authorization=Bearer%20{COLLECTOR}");
        [
            ("GITLAB_SIGNING_KEYS", KEYS.join(",").as_str()),
            ("GITLAB_WEBHOOK_TOKENS", &TOKENS.join(",")),
            ("ROCKETCHAT_AUTH_TOKEN", chat.auth_token()),
            ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
        ]
        .into_iter()
        .fold(settings, |settings, (name, value)| {
            self.set(settings, name, value)
        })
    }
}

impl Drop for SecretSource {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn collect_outputs(report: &mut CheckReport, by_file: bool) -> (Vec<Output>, usize) {
    let chat = FakeRocketChat::start().await;
    let collector = Collector::start().await;
    let source = SecretSource::new(by_file);
    let settings = source.settings(&chat, &collector.url);
    let secrets = all_secrets(chat.auth_token());
    let mut outputs = Outputs {
        source: if by_file { "by file" } else { "by environment" },
        secrets: secrets.clone(),
        list: Vec::new(),
        memory: Vec::new(),
    };
    run_server(report, &mut outputs, &chat, &settings, by_file).await;
    let requests = collector.requests.lock().expect("no reader panics").clone();
    // Makes sure that spans were exported with the secret, which must be in the headers only.
    let (heads, bodies): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
    let heads = heads.join("\n");
    report.expect(heads.contains(COLLECTOR), || {
        "the collector received no spans".to_owned()
    });
    outputs.add("spans", bodies.concat());
    let others = secrets.iter().filter(|secret| *secret != COLLECTOR);
    outputs.list.push(Output {
        name: "headers of the collector".to_owned(),
        bytes: heads.into_bytes(),
        secrets: others.cloned().collect(),
    });
    run_commands(report, &mut outputs, &source, &settings).await;
    chat.mark_all_read();
    let memory = searchable(&outputs.memory);
    let in_memory = |secret: &&String| {
        let plain = secret.strip_prefix("whsec_").unwrap_or(secret);
        memory.contains(plain)
    };
    let count = secrets.iter().filter(in_memory).count();
    (outputs.list, count)
}

struct Outputs {
    source: &'static str,
    secrets: Vec<String>,
    list: Vec<Output>,
    memory: Vec<u8>,
}

impl Outputs {
    fn add(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.list.push(Output {
            name: format!("{name}, {}", self.source),
            bytes: bytes.into(),
            secrets: self.secrets.clone(),
        });
    }
}

/// Runs the server with valid and invalid requests, and collects its outputs.
async fn run_server(
    report: &mut CheckReport,
    outputs: &mut Outputs,
    chat: &FakeRocketChat,
    settings: &Settings,
    by_file: bool,
) {
    let mut sut = Sut::start(settings);
    let sample = Delivery::push_sample;
    let mut responses = Vec::new();
    for (id, delivery, expected) in [
        ("by-key", sample().signed_with(KEYS[0]), 200),
        ("by-old-key", sample().signed_with(KEYS[1]), 200),
        ("by-token", sample().token(TOKENS[0]), 200),
        ("cut-token", sample().token(&TOKENS[0][1..]), 401),
        (
            "two-credentials",
            sample()
                .token(TOKENS[1])
                .header("webhook-signature", "v1,AAAA"),
            401,
        ),
        (
            "invalid-json",
            sample().with_body("{").signed_with(KEYS[0]),
            400,
        ),
        ("long-header", sample().token(TOKENS[0].repeat(200)), 401),
        ("key-as-token", sample().token(KEYS[0]), 401),
    ] {
        let response = send_raw(
            &sut.address(),
            &request_bytes(&delivery.id(id)),
            Duration::from_secs(6),
        )
        .await;
        report.expect(response.statuses() == [expected], || {
            format!("{id}: got {:?}, expected {expected}", response.statuses())
        });
        responses.push(response.text);
    }
    // The token as the first header, so that a truncated log line would contain it.
    for token in [TOKENS[0], "wrong"] {
        let body = "{}";
        let request = format!(
            "POST /webhook HTTP/1.1\r\nX-Gitlab-Token: {token}\r\nHost: test\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let response = send_raw(&sut.address(), request.as_bytes(), Duration::from_secs(6)).await;
        responses.push(response.text);
    }
    // A chat server that repeats the token in its response, and other invalid responses.
    let echoed = format!(
        r#"{{"success":false,"error":"bad token {}"}}"#,
        chat.auth_token()
    );
    for (id, fault) in [
        (
            "response",
            Fault::Response {
                status: 401,
                content_type: "application/json",
                body: echoed.clone(),
            },
        ),
        (
            "response-500",
            Fault::Response {
                status: 500,
                content_type: "text/html",
                body: echoed,
            },
        ),
        (
            "redirect",
            Fault::Redirect(format!("http://localhost/{}", chat.auth_token())),
        ),
        ("chat-not-json", Fault::NotJson),
    ] {
        chat.inject_fault_always(Route::SendMessage, fault);
        let delivery = sample().id(id).token(TOKENS[0]);
        let response = send_raw(
            &sut.address(),
            &request_bytes(&delivery),
            Duration::from_secs(6),
        )
        .await;
        responses.push(response.text);
        chat.clear_faults();
    }
    outputs.add("responses", responses.concat());
    for path in ["/metrics", "/readyz", "/healthz", "/"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        let address = format!("127.0.0.1:{}", sut.admin_port);
        let response = send_raw(&address, request.as_bytes(), Duration::from_secs(6)).await;
        outputs.add(path, response.text);
    }
    let of_process = |file: &str| std::fs::read(format!("/proc/{}/{file}", sut.id()));
    outputs.add("/proc/…/cmdline", of_process("cmdline").unwrap_or_default());
    if by_file {
        // Only here: with secrets in the environment they are visible in this file.
        outputs.add("/proc/…/environ", of_process("environ").unwrap_or_default());
        outputs.memory = memory_of(sut.id());
    }
    sut.terminate();
    let exit = sut.wait_for_exit(Duration::from_secs(12)).await;
    report.expect(exit.is_some(), || "the program does not stop".to_owned());
    outputs.add("the log at trace", sut.output().join("\n"));
}

/// The writable memory of the process, as a core dump would contain it.
fn memory_of(id: u32) -> Vec<u8> {
    use std::os::unix::fs::FileExt as _;
    let maps = std::fs::read_to_string(format!("/proc/{id}/maps")).unwrap_or_default();
    let Ok(file) = std::fs::File::open(format!("/proc/{id}/mem")) else {
        return Vec::new();
    };
    let writable = maps.lines().filter(|line| line.contains(" rw"));
    let mut all = Vec::new();
    for line in writable {
        let range = line.split(' ').next().unwrap_or_default();
        let Some((start, end)) = range.split_once('-') else {
            continue;
        };
        let address = |text| u64::from_str_radix(text, 16).unwrap_or_default();
        let mut part = vec![0; (address(end) - address(start)) as usize];
        let read = file.read_at(&mut part, address(start)).unwrap_or_default();
        all.extend_from_slice(&part[..read]);
    }
    all
}

/// Runs commands with valid and invalid settings, and collects their outputs.
async fn run_commands(
    report: &mut CheckReport,
    outputs: &mut Outputs,
    source: &SecretSource,
    settings: &Settings,
) {
    let push: &'static [u8] = br#"{"object_kind":"push"}"#;
    let with_value = |name: &str, value: &str| source.set(settings.clone(), name, value);
    let with_password = format!("https://bot:{PASSWORD}@chat.example.org");
    let invalid_routes = settings.clone().set("ROUTES", INVALID_ROUTES);
    for (name, arguments, settings, expected) in [
        ("check", &["check"][..], settings.clone(), Some(0)),
        ("help", &["--help"], settings.clone(), Some(0)),
        (
            "render",
            &["render", "--kind", "push", "--explain"],
            settings.clone(),
            Some(0),
        ),
        ("render of half a push", &["render"], settings.clone(), None),
        ("an unknown command", &["serv"], settings.clone(), Some(64)),
        (
            "check that fails",
            &["check"],
            settings.clone().set("ROCKETCHAT_URL", "http://127.0.0.1:9"),
            Some(1),
        ),
        (
            "an invalid port",
            &[],
            settings.clone().set("PORT", "x"),
            Some(64),
        ),
        ("invalid rules", &[], invalid_routes, Some(64)),
        (
            "an invalid key",
            &[],
            with_value("GITLAB_SIGNING_KEYS", &KEYS[0][..40]),
            Some(64),
        ),
        (
            "a secret token with a control character",
            &[],
            with_value("GITLAB_WEBHOOK_TOKENS", &format!("{}\u{7f}x", TOKENS[0])),
            Some(64),
        ),
        (
            "a token with a control character",
            &[],
            with_value("ROCKETCHAT_AUTH_TOKEN", "canary-password-9a83c5170d\u{7f}x"),
            Some(64),
        ),
        (
            "invalid headers",
            &[],
            with_value("OTEL_EXPORTER_OTLP_HEADERS", COLLECTOR),
            Some(64),
        ),
        (
            "a URL with a password",
            &["check"],
            with_value("ROCKETCHAT_URL", &with_password),
            None,
        ),
        (
            "a misspelt name",
            &["check"],
            settings.clone().set("GITLAB_WEBHOOK_TOKEN", TOKENS[0]),
            Some(0),
        ),
    ] {
        // On another thread, because this one runs the chat server.
        let ran = tokio::task::spawn_blocking(move || settings.output(arguments, push));
        let (status, text) = ran.await.expect("exits");
        report.expect(
            expected.is_none_or(|expected| status == Some(expected)),
            || format!("{name}: exit status {status:?}, expected {expected:?}"),
        );
        if name == "invalid rules" {
            report.expect(text.contains("pusch") && text.contains("line 2"), || {
                "an error in the rules, which are not secret, is not shown".to_owned()
            });
        }
        if name == "render" {
            report.expect(text.contains("all-of-it"), || {
                "the name of a rule, which is not secret, is not shown".to_owned()
            });
        }
        outputs.add(name, text);
    }
    if !source.by_file {
        outputs.add("the executable", read(&program()));
    }
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_default()
}
