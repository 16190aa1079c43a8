//! The list of settings, for the help text, the documentation and warnings about misspelled names. Owns
//! their names and descriptions; those of the commands that call GitLab's API are in [`gitlab_api`], and
//! those of its setup in [`setup`]. Values are
//! read in [`config`](super), names are compared in [`misspelling`](super::misspelling).

mod gitlab_api;
mod joined;
mod main_settings;
mod setup;

pub use gitlab_api::GITLAB_API_SETTINGS;
pub use main_settings::MAIN_SETTINGS;
pub use setup::SETUP_SETTINGS;

use joined::joined;

/// The description of a setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name of the environment variable.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Its default, as text.
    pub default: &'static str,
}

const fn setting(name: &'static str, meaning: &'static str, default: &'static str) -> Setting {
    Setting {
        name,
        meaning,
        default,
    }
}

/// All settings. The value of each can also be in a file, whose path is in `NAME_FILE`.
pub const SETTINGS: &[Setting] = &joined::<COUNT>([RECEIVING, GITLAB_API_SETTINGS, SETUP_SETTINGS]);

const COUNT: usize = RECEIVING.len() + GITLAB_API_SETTINGS.len() + SETUP_SETTINGS.len();

/// Those for receiving webhooks and sending messages.
const RECEIVING: &[Setting] = &[
    setting("PORT", "port for webhooks", "8080"),
    setting(
        "METRICS_PORT",
        "separate port for `/metrics`; health checks are on both ports",
        "the same as `PORT`",
    ),
    setting(
        "GITLAB_SIGNING_KEYS",
        "1–4 signing keys (`whsec_…`), separated by commas or newlines",
        "–",
    ),
    setting(
        "GITLAB_WEBHOOK_TOKENS",
        "1–4 secret tokens, separated by commas or newlines; write a token with a comma on its own line",
        "–",
    ),
    setting(
        "ACCEPT_TOKEN_TOO",
        "if signing keys are set, also accept a secret token in place of a signature",
        "`false`",
    ),
    setting(
        "ALLOW_UNAUTHENTICATED",
        "run without keys and tokens and accept every request; for testing only, logs a warning at startup",
        "`false`",
    ),
    setting(
        "ACCEPT_MISSING_IDEMPOTENCY_KEY",
        "for GitLab before 17.4: deduplicate deliveries without a key by content hash; a later identical push is dropped",
        "`false`",
    ),
    setting(
        "ACCEPT_CLOUDEVENTS",
        "accept CloudEvents at `POST /` without authentication; for Knative Eventing behind a mesh",
        "`false`",
    ),
    setting(
        "GITLAB_RECONCILE_USER",
        "username of the GitLab account whose token `webhook-app reconcile` has: its pushes are tests of a webhook, and send no message",
        "none",
    ),
    setting(
        "ROCKETCHAT_URL",
        "address of the Rocket.Chat server, such as `https://chat.example.org`",
        "required",
    ),
    setting("ROCKETCHAT_USER_ID", "user ID of the bot", "required"),
    setting(
        "ROCKETCHAT_AUTH_TOKEN",
        "personal access token of the bot",
        "required",
    ),
    setting(
        "MESSAGE_ID_SECRET",
        "1–2 secrets of at least 32 characters, separated by commas or newlines; keeps other users from computing message IDs. The first gives new IDs, messages are also looked up under those of the second",
        "derived from `ROCKETCHAT_AUTH_TOKEN`",
    ),
    setting(
        "ROCKETCHAT_RECIPIENT",
        "user name that receives all messages; shorthand for `ROUTES` with one rule",
        "required without `ROUTES`",
    ),
    setting(
        "ROUTES",
        "routing rules in YAML: who receives which event",
        "all events to `ROCKETCHAT_RECIPIENT`",
    ),
    setting(
        "MESSAGES",
        "message templates in YAML, one per kind of event or one for all",
        "built-in messages",
    ),
    setting(
        "MESSAGE_STYLE",
        "`signs` or `plain`: whether messages begin with a sign, such as ✅ or ❌",
        "`signs`",
    ),
    setting(
        "LIVE_PIPELINES",
        "one message per pipeline, edited when the pipeline finishes; edits do not notify",
        "`false`",
    ),
    setting(
        "ROCKETCHAT_CA",
        "additional certificate authorities to trust, in PEM format",
        "–",
    ),
    setting(
        "SINK_URL",
        "broker of CloudEvents that keeps messages which Rocket.Chat does not confirm in time",
        "the value of `K_SINK`, else none: such a webhook fails",
    ),
    setting("K_SINK", "the same; a SinkBinding of Knative sets it", "–"),
    setting(
        "K_CE_OVERRIDES",
        "extension attributes of the events: `{\"extensions\": {\"name\": \"value\"}}`; a SinkBinding of Knative sets it",
        "none",
    ),
    setting(
        "K_CA_CERTS",
        "certificate authorities of the broker, in PEM format; a SinkBinding of Knative sets it",
        "none",
    ),
    setting(
        "DEAD_LETTER_SINK",
        "service that stores messages which came back and cannot be delivered, such as `http://webhook-app-dead-letters/dead-letters`; for brokers that forget refused events, such as Knative's for RabbitMQ",
        "none: the broker puts them aside",
    ),
    setting(
        "DEAD_LETTERS_FOLDER",
        "absolute path of the folder for messages that the broker gave up, which it posts to `/dead-letters`; only in the one pod that has a volume there",
        "none: there is no `/dead-letters`",
    ),
    setting(
        "DEAD_LETTERS_TO",
        "user or room that is notified of each of them: `@alice` or `room:ID`",
        "nobody",
    ),
    setting(
        "HTTPS_PROXY",
        "HTTP proxy for calls to addresses that start with `https://`, such as `http://proxy.example.org:3128`; also read in lower case",
        "–",
    ),
    setting(
        "HTTP_PROXY",
        "the same for addresses that start with `http://`",
        "–",
    ),
    setting(
        "ALL_PROXY",
        "the same for both, if theirs is not set; the address of a SOCKS proxy is ignored with a warning",
        "–",
    ),
    setting(
        "NO_PROXY",
        "hosts, domains, addresses and networks that are called without a proxy, separated by commas or spaces",
        "this machine",
    ),
    setting(
        "DELIVERY_TIMEOUT_SECONDS",
        "time limit for one delivery, 1–9; GitLab waits 10 seconds",
        "5",
    ),
    setting(
        "IDLE_TIMEOUT_SECONDS",
        "keep an idle connection open for this long, 1–7200; set it to more than the idle timeout of the proxy in front",
        "75",
    ),
    setting(
        "LAME_DUCK_SECONDS",
        "keep serving for this long after SIGTERM, then close the listener, 0–60",
        "5; 0 if `K_SERVICE` is set",
    ),
    setting(
        "LOG_LEVEL",
        "`off`, `error`, `warn`, `info`, `debug` or `trace`",
        "`info`",
    ),
    setting(
        "LOG_FORMAT",
        "`json` or `pretty`",
        "`pretty` on a terminal, else `json`",
    ),
    setting(
        "OTEL_SDK_DISABLED",
        "`true` to record neither metrics nor spans; there is no `/metrics` then",
        "`false`",
    ),
    setting(
        "OTEL_METRICS_EXPORTER",
        "`prometheus` to serve `/metrics`, or `none`; others are ignored with a warning",
        "`prometheus`",
    ),
    setting(
        "OTEL_TRACES_EXPORTER",
        "`none` to export no spans, or `otlp`, by default to `http://localhost:4318`; others are ignored with a warning",
        "`otlp` if there is an address, else `none`",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "collector to export spans to, such as `http://collector:4318`; `/v1/traces` is appended",
        "none: spans are not exported",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "headers for the collector: `name=value`, separated by commas",
        "–",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "protocol for the collector; only `http/protobuf` is supported; `grpc` exports no spans and warns",
        "`http/protobuf`",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "full address to export spans to, such as `http://collector:4318/v1/traces`; has priority",
        "–",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "like `OTEL_EXPORTER_OTLP_HEADERS`; has priority",
        "–",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "like `OTEL_EXPORTER_OTLP_PROTOCOL`; has priority",
        "–",
    ),
    setting(
        "OTEL_SERVICE_NAME",
        "name of this service in traces and metrics",
        "`webhook-app`",
    ),
    setting(
        "OTEL_TRACES_SAMPLER",
        "`always_on`, `always_off` or `traceidratio`; with the prefix `parentbased_` the sender's sampling decision has priority",
        "`parentbased_always_on`",
    ),
    setting(
        "OTEL_TRACES_SAMPLER_ARG",
        "fraction of traces that `traceidratio` keeps, 0–1",
        "1",
    ),
];
