//! Check `secrets`: a secret in every setting that takes one, given once by the environment and once by files,
//! and everything that the program then shows to anybody searched for them. Owns the secrets and the
//! places; the search is [`secret_scan`]'s.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fakes::gitlab::Delivery;
use fakes::rocketchat::{FakeRocketChat, Fault, Route};

use crate::check::{Finding, Size, run};
use crate::secret_scan;
use crate::sockets::{say, whole};
use crate::sut::{Settings, Sut, program};

mod collector;

use collector::Collector;

/// The second of two: an old one that is still let in.
const KEYS: [&str; 2] = [
    "whsec_Y2FuYXJ5LWtleS1vbmUtMzItYnl0ZXMtbG9uZy0wMDE=",
    "whsec_Y2FuYXJ5LWtleS10d28tMzItYnl0ZXMtbG9uZy0wMDI=",
];
const TOKENS: [&str; 2] = ["canary-token-new-5b1d07aa93", "canary-token-old-e2c46f8810"];
const COLLECTOR: &str = "canary-collector-4f0e61d2b7";
const PASSWORD: &str = "canary-password-9a83c5170d";

/// Rules and words are no secrets: where they are wrong, the mistake names the place.
const WRONG_ROUTES: &str = "rules:\n  - event: pusch\n    to: \"@alice\"\n";
const ROUTES: &str = "rules:\n  - name: all-of-it\n    to: \"@alice\"\n";
const MESSAGES: &str = "others: \"{{ default_message }}\"\n";

/// Files so far.
static FILES: AtomicUsize = AtomicUsize::new(0);

/// Runs the check.
pub(crate) fn check(_: Size) -> Finding {
    let mut finding = Finding::default();
    secret_scan::prove_search(&mut finding, &all_of_ours("token-of-the-chat-server"));
    let (places, held) = run(async {
        let (mut places, _) = outputs(&mut finding, false).await;
        let (more, held) = outputs(&mut finding, true).await;
        places.extend(more);
        (places, held)
    });
    let mut shown = 0;
    for place in &places {
        let text = searchable(&place.bytes);
        let is_there = |form: &Vec<u8>| text.contains(&searchable(form));
        let hit = place
            .secrets
            .iter()
            .find(|secret| forms(secret).iter().any(is_there));
        shown += usize::from(hit.is_some());
        finding.expect(hit.is_none(), || {
            // Not the secret itself: what found a leak must not spread it.
            format!(
                "{}: shows {:.13}…",
                place.name,
                hit.map_or("", String::as_str)
            )
        });
        finding.expect(!place.bytes.is_empty(), || {
            format!("{}: there is nothing to search", place.name)
        });
    }
    let (looks, hits) = secret_scan::tally();
    finding.expect(hits == 0, || {
        format!("{hits} texts of other checks show a secret")
    });
    finding.done(format!(
        "7 secrets in 5 settings, by environment and by files; {} outputs of serve, check, render and failed starts searched, and {looks} texts of all checks",
        places.len()
    ));
    // No check: what is sent has to be there, and so does what was just compared with.
    finding.figure(format!(
        "{} hits; {held} of them are in the memory of the process, as in a core",
        shown + hits
    ));
    finding
}

/// Something that somebody can see, and the secrets that must not be in it.
struct Place {
    name: String,
    bytes: Vec<u8>,
    secrets: Vec<String>,
}

/// A character a byte: texts are searched much faster than bytes.
fn searchable(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn all_of_ours(chat_token: &str) -> Vec<String> {
    let fixed = [KEYS[0], KEYS[1], TOKENS[0], TOKENS[1], COLLECTOR, PASSWORD];
    let ours = fixed.into_iter().chain([chat_token]);
    ours.map(str::to_owned).collect()
}

/// As it is, and as programs that know no better would write it.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    let plain = secret.strip_prefix("whsec_").unwrap_or(secret);
    let mut hex = String::new();
    for byte in plain.bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    let bytes = format!("{:?}", plain.as_bytes());
    let mut forms = vec![
        // What is cut off is a leak too.
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
    // A key as the bytes that it stands for.
    if plain != secret {
        forms.push(BASE64_STANDARD.decode(plain).unwrap_or_default());
    }
    forms.retain(|form| !form.is_empty());
    forms
}

/// Where the secrets are put.
struct Given {
    folder: PathBuf,
    by_file: bool,
}

impl Given {
    fn new(by_file: bool) -> Self {
        let name = format!("prove-secrets-{}-{by_file}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("the temporary folder takes folders");
        Self { folder, by_file }
    }

    fn set(&self, settings: Settings, name: &str, value: &str) -> Settings {
        if !self.by_file {
            return settings.set(name, value);
        }
        // A name of its own, for what is set later must not change what is in use.
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

impl Drop for Given {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn outputs(finding: &mut Finding, by_file: bool) -> (Vec<Place>, usize) {
    let chat = FakeRocketChat::start().await;
    let collector = Collector::start().await;
    let given = Given::new(by_file);
    let settings = given.settings(&chat, &collector.url);
    let secrets = all_of_ours(chat.auth_token());
    let mut places = Places {
        way: if by_file { "by file" } else { "by environment" },
        secrets: secrets.clone(),
        list: Vec::new(),
        memory: Vec::new(),
    };
    serving(finding, &mut places, &chat, &settings, by_file).await;
    let seen = collector.seen.lock().expect("no reader panics").clone();
    // The proof that spans were sent with the secret: it is in the headers, and only there.
    let (heads, bodies): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
    let heads = heads.join("\n");
    finding.expect(heads.contains(COLLECTOR), || {
        "no spans came to the collector".to_owned()
    });
    places.add("spans", bodies.concat());
    let others = secrets.iter().filter(|secret| *secret != COLLECTOR);
    places.list.push(Place {
        name: "headers of the collector".to_owned(),
        bytes: heads.into_bytes(),
        secrets: others.cloned().collect(),
    });
    commands(finding, &mut places, &given, &settings).await;
    chat.mark_all_read();
    let memory = searchable(&places.memory);
    let in_memory = |secret: &&String| {
        let plain = secret.strip_prefix("whsec_").unwrap_or(secret);
        memory.contains(plain)
    };
    let held = secrets.iter().filter(in_memory).count();
    (places.list, held)
}

struct Places {
    way: &'static str,
    secrets: Vec<String>,
    list: Vec<Place>,
    memory: Vec<u8>,
}

impl Places {
    fn add(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.list.push(Place {
            name: format!("{name}, {}", self.way),
            bytes: bytes.into(),
            secrets: self.secrets.clone(),
        });
    }
}

/// A life of the server, good and bad.
async fn serving(
    finding: &mut Finding,
    places: &mut Places,
    chat: &FakeRocketChat,
    settings: &Settings,
    by_file: bool,
) {
    let mut product = Sut::start(settings);
    let sample = Delivery::push_sample;
    let mut answers = Vec::new();
    for (id, delivery, expected) in [
        ("by-key", sample().signed_with(KEYS[0]), 200),
        ("by-old-key", sample().signed_with(KEYS[1]), 200),
        ("by-token", sample().token(TOKENS[0]), 200),
        ("cut-token", sample().token(&TOKENS[0][1..]), 401),
        (
            "two-proofs",
            sample()
                .token(TOKENS[1])
                .header("webhook-signature", "v1,AAAA"),
            401,
        ),
        ("no-json", sample().with_body("{").signed_with(KEYS[0]), 400),
        ("long-header", sample().token(TOKENS[0].repeat(200)), 401),
        ("key-as-token", sample().token(KEYS[0]), 401),
    ] {
        let echo = say(
            &product.address(),
            &whole(&delivery.id(id)),
            Duration::from_secs(6),
        )
        .await;
        finding.expect(echo.statuses() == [expected], || {
            format!("{id}: answered {:?}, expected {expected}", echo.statuses())
        });
        answers.push(echo.text);
    }
    // The proof before all else, for what is cut off in a log must not be what hides it.
    for token in [TOKENS[0], "wrong"] {
        let body = "{}";
        let request = format!(
            "POST /webhook HTTP/1.1\r\nX-Gitlab-Token: {token}\r\nHost: test\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let echo = say(
            &product.address(),
            request.as_bytes(),
            Duration::from_secs(6),
        )
        .await;
        answers.push(echo.text);
    }
    // A chat server that repeats what it was sent, and others that refuse it.
    let echoed = format!(
        r#"{{"success":false,"error":"bad token {}"}}"#,
        chat.auth_token()
    );
    for (id, fault) in [
        (
            "echo",
            Fault::Response {
                status: 401,
                content_type: "application/json",
                body: echoed.clone(),
            },
        ),
        (
            "echo-500",
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
        ("no-json-there", Fault::NotJson),
    ] {
        chat.inject_fault_always(Route::SendMessage, fault);
        let delivery = sample().id(id).token(TOKENS[0]);
        let echo = say(
            &product.address(),
            &whole(&delivery),
            Duration::from_secs(6),
        )
        .await;
        answers.push(echo.text);
        chat.clear_faults();
    }
    places.add("answers", answers.concat());
    for path in ["/metrics", "/readyz", "/healthz", "/"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        let address = format!("127.0.0.1:{}", product.ops_port);
        let echo = say(&address, request.as_bytes(), Duration::from_secs(6)).await;
        places.add(path, echo.text);
    }
    let of_process = |file: &str| std::fs::read(format!("/proc/{}/{file}", product.id()));
    places.add("/proc/…/cmdline", of_process("cmdline").unwrap_or_default());
    if by_file {
        // What is in the environment, its owner can read there.
        places.add("/proc/…/environ", of_process("environ").unwrap_or_default());
        places.memory = memory_of(product.id());
    }
    product.terminate();
    let ended = product.ended(Duration::from_secs(12)).await;
    finding.expect(ended.is_some(), || "does not stop".to_owned());
    places.add("the log at trace", product.output().join("\n"));
}

/// What a dump of the process would hold.
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

/// What a person sees who tries the settings, and who has made mistakes in them.
async fn commands(finding: &mut Finding, places: &mut Places, given: &Given, settings: &Settings) {
    let push: &'static [u8] = br#"{"object_kind":"push"}"#;
    let broken = |name: &str, value: &str| given.set(settings.clone(), name, value);
    let with_password = format!("https://bot:{PASSWORD}@chat.example.org");
    let wrong_routes = settings.clone().set("ROUTES", WRONG_ROUTES);
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
        ("an unknown word", &["serv"], settings.clone(), Some(64)),
        (
            "check in vain",
            &["check"],
            settings.clone().set("ROCKETCHAT_URL", "http://127.0.0.1:9"),
            Some(1),
        ),
        (
            "a mistake elsewhere",
            &[],
            settings.clone().set("PORT", "x"),
            Some(64),
        ),
        ("rules with a mistake", &[], wrong_routes, Some(64)),
        (
            "a key that is none",
            &[],
            broken("GITLAB_SIGNING_KEYS", &KEYS[0][..40]),
            Some(64),
        ),
        (
            "a key as a token",
            &[],
            broken("GITLAB_WEBHOOK_TOKENS", &format!("{} x", TOKENS[0])),
            Some(64),
        ),
        (
            "a token with a line",
            &[],
            broken("ROCKETCHAT_AUTH_TOKEN", "canary-password-9a83c5170d\u{7f}x"),
            Some(64),
        ),
        (
            "headers that are none",
            &[],
            broken("OTEL_EXPORTER_OTLP_HEADERS", COLLECTOR),
            Some(64),
        ),
        (
            "an address with a password",
            &["check"],
            broken("ROCKETCHAT_URL", &with_password),
            None,
        ),
        (
            "a misspelt name",
            &["check"],
            settings.clone().set("GITLAB_WEBHOOK_TOKEN", TOKENS[0]),
            Some(0),
        ),
    ] {
        // On a thread of its own: the chat server is on this one.
        let ran = tokio::task::spawn_blocking(move || settings.output(arguments, push));
        let (status, text) = ran.await.expect("comes to its end");
        finding.expect(
            expected.is_none_or(|expected| status == Some(expected)),
            || format!("{name}: ended with {status:?}, expected {expected:?}"),
        );
        if name == "rules with a mistake" {
            finding.expect(text.contains("pusch") && text.contains("line 2"), || {
                "a mistake in rules, which are no secret, is not shown".to_owned()
            });
        }
        if name == "render" {
            finding.expect(text.contains("all-of-it"), || {
                "the name of a rule, which is no secret, is not shown".to_owned()
            });
        }
        places.add(name, text);
    }
    if !given.by_file {
        places.add("the program itself", read(&program()));
    }
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_default()
}
