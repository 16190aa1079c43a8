//! Settings: their defaults and their validation. Owns all access to the environment. A [`Config`] is
//! always valid; all errors in the settings are reported together.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use url::Url;

use crate::dead_letters::DeadLetters;
use crate::gitlab::verification::Verifier;
use crate::hand_off::{HandOffKeys, SinkSettings};
use crate::limits::LIMITS;
use crate::notifier::Notifier;
use crate::proxy::{Proxies, Proxy};
use crate::rocketchat::{Credentials, MessageIds, UserId};
use crate::telemetry::Settings;

mod authentication;
mod authorities;
pub mod catalogue;
mod clear_text;
mod collector;
mod doubt;
mod env;
pub mod gitlab;
mod hand_off;
mod list;
pub(crate) mod misspelling;
mod mistake;
pub mod notifications;
mod proxy;
pub mod reconcile;
mod source;
mod telemetry;
mod traces;
mod words;
mod wrong_value;

use env::EnvReader;
use list::{Commas, ListFormat};

/// The validated settings.
#[derive(Debug)]
pub struct Config {
    /// Port for webhooks; 0 means any free port.
    pub port: u16,
    /// Separate port for metrics and health checks, if there is one.
    pub metrics_port: Option<u16>,
    /// How webhooks are authenticated.
    pub verifier: Verifier,
    /// Whether deliveries without an idempotency key are identified by their content.
    pub accept_missing_key: bool,
    /// Whether CloudEvents are accepted.
    pub accept_cloud_events: bool,
    /// How to reach Rocket.Chat.
    pub rocketchat: RocketChat,
    /// Which recipients get which messages.
    pub notifier: Notifier,
    /// Time limit of one delivery.
    pub delivery_timeout: Duration,
    /// The broker that keeps what is not delivered in time, if there is one.
    pub sink: Option<SinkSettings>,
    /// Where events are stored that the broker puts aside, if this process does that.
    pub dead_letters: Option<DeadLetters>,
    /// How long a connection stays open between two requests.
    pub idle_timeout: Duration,
    /// How long requests are served after SIGTERM before the listener closes.
    pub lame_duck: Duration,
    /// Whether the account is checked once after startup.
    pub checks_sign_in: bool,
    /// What runs the process.
    pub platform: Platform,
    /// Logs, metrics and traces.
    pub telemetry: Settings,
}

/// What runs the process, as far as it behaves differently.
#[derive(Clone, Copy, Debug)]
pub enum Platform {
    /// Knative, whose ingress leads to every path of the only port.
    Knative,
    /// Anything else.
    Other,
}

/// The Rocket.Chat server and the account of the bot.
#[derive(Debug)]
pub struct RocketChat {
    /// Address of the server, including its base path.
    pub url: Url,
    /// Credentials of the bot.
    pub credentials: Credentials,
    /// Certificate authorities that are trusted in addition to the compiled-in ones.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The proxy of its address, if there is one.
    pub proxy: Option<Proxy>,
    /// Gives messages their ids.
    pub message_ids: MessageIds,
    /// Signs messages that are handed off, with a key from the same secret.
    pub hand_off_keys: HandOffKeys,
}

/// All errors in the settings, and the warnings about them, which may name the cause.
#[derive(Debug, thiserror::Error)]
#[error("{}", list(.errors, .warnings))]
pub struct ConfigErrors {
    /// The errors, of which there is at least one.
    pub errors: Vec<String>,
    /// The warnings.
    pub warnings: Vec<String>,
}

/// One line each, errors first.
fn list(errors: &[String], warnings: &[String]) -> String {
    let errors = errors.iter().map(|error| format!("- {error}"));
    let warnings = warnings.iter().map(|text| format!("- warning: {text}"));
    errors.chain(warnings).collect::<Vec<_>>().join("\n")
}

/// The environment variables of the process.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn environment() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

impl Config {
    /// Reads the settings from `variables`, and the files that they name with `read_file`.
    ///
    /// Also returns warnings: about variables that look like misspelled settings, about values that were
    /// probably meant differently, about credentials that are sent without encryption, and about rules
    /// that can never match.
    pub fn load(
        variables: &BTreeMap<String, String>,
        read_file: &dyn Fn(&str) -> io::Result<String>,
    ) -> Result<(Self, Vec<String>), ConfigErrors> {
        let mut reader = EnvReader::new(variables, read_file);
        reader.warn_all(misspelling::warnings(variables));
        let config = Self::read(&mut reader);
        let (errors, warnings) = reader.finish();
        match config {
            Some(config) if errors.is_empty() => Ok((config, warnings)),
            _ => Err(ConfigErrors { errors, warnings }),
        }
    }

    /// Reads all settings before it returns `None` for an invalid one.
    fn read(reader: &mut EnvReader) -> Option<Self> {
        let port = reader.number("PORT", 8080, 0..=u64::from(u16::MAX));
        let metrics_port = reader.optional_number("METRICS_PORT", 0..=u64::from(u16::MAX));
        let verifier = authentication::verifier(reader);
        let accept_missing_key = reader.flag("ACCEPT_MISSING_IDEMPOTENCY_KEY");
        let accept_cloud_events = reader.flag("ACCEPT_CLOUDEVENTS");
        let proxies = proxy::read(reader);
        let rocketchat = rocketchat(reader, &proxies);
        let notifier = notifications::read(reader);
        let delivery = reader.number(
            "DELIVERY_TIMEOUT_SECONDS",
            LIMITS.delivery.default_timeout_seconds,
            1..=LIMITS.delivery.max_timeout_seconds,
        );
        let sink = hand_off::read(reader, &proxies, delivery);
        let dead_letters = hand_off::dead_letters(reader);
        let idle_timeout = reader.number(
            "IDLE_TIMEOUT_SECONDS",
            LIMITS.connections.default_idle_timeout_seconds,
            1..=LIMITS.connections.max_idle_timeout_seconds,
        );
        // Knative drains its proxy before the signal, so no requests arrive after it.
        let on_knative = reader.is_filled("K_SERVICE");
        let lame_duck = if on_knative {
            0
        } else {
            LIMITS.shutdown.default_lame_duck_seconds
        };
        let lame_duck = reader.number(
            "LAME_DUCK_SECONDS",
            lame_duck,
            0..=LIMITS.shutdown.max_lame_duck_seconds,
        );
        let telemetry = telemetry::read(reader, &proxies);
        let metrics_port = metrics_port.and_then(|port| u16::try_from(port).ok());
        if metrics_port.is_some_and(|metrics| metrics != 0 && u64::from(metrics) == port) {
            reader.error(
                "METRICS_PORT",
                "expected a port other than PORT, found the same; leave it out to serve both on one port",
            );
        }
        Some(Self {
            port: u16::try_from(port).ok()?,
            metrics_port,
            verifier: verifier?,
            accept_missing_key,
            accept_cloud_events,
            rocketchat: rocketchat?,
            notifier: notifier?,
            delivery_timeout: Duration::from_secs(delivery),
            sink,
            dead_letters,
            idle_timeout: Duration::from_secs(idle_timeout),
            lame_duck: Duration::from_secs(lame_duck),
            // Their processes start for single webhooks, and each would call Rocket.Chat once more.
            checks_sign_in: !on_knative && !accept_cloud_events,
            platform: if on_knative {
                Platform::Knative
            } else {
                Platform::Other
            },
            telemetry,
        })
    }
}

fn rocketchat(reader: &mut EnvReader, proxies: &Proxies) -> Option<RocketChat> {
    let url = reader.required(
        "ROCKETCHAT_URL",
        "give the address of your chat server, such as https://chat.example.org",
        chat_address,
    );
    let user_id = reader.required(
        "ROCKETCHAT_USER_ID",
        "give the user ID that Rocket.Chat shows with a new personal access token",
        |text| {
            UserId::parse(text)
                .ok_or("expected a user ID of visible ASCII characters, such as rbAXPnMktTFbNpwtJ")
        },
    );
    let auth_token = reader.required(
        "ROCKETCHAT_AUTH_TOKEN",
        "create a personal access token for the bot in Rocket.Chat",
        auth_token,
    );
    let exposed = url.as_ref();
    let exposed =
        exposed.and_then(|url| clear_text::warning("ROCKETCHAT_URL", url, "the token of the bot"));
    reader.warn_all(exposed);
    let authorities = reader
        .optional("ROCKETCHAT_CA", authorities::parse)
        .unwrap_or_default();
    let secrets = ListFormat {
        limit: MessageIds::SECRETS,
        commas: Commas::SeparateOnOneLine,
        doubt: doubt::any_secret,
    };
    let secrets = reader.list("MESSAGE_ID_SECRET", &secrets, message_id_secret)?;
    let secrets = secrets.values;
    let credentials = Credentials {
        user_id: user_id?,
        auth_token: auth_token?,
    };
    let current = secrets.first().unwrap_or(&credentials.auth_token);
    let former = secrets.get(1);
    let message_ids = MessageIds::new(current, former);
    let hand_off_keys = HandOffKeys::new(current, former);
    let url = url?;
    Some(RocketChat {
        proxy: proxies.of(&url),
        url,
        credentials,
        authorities,
        message_ids,
        hand_off_keys,
    })
}

/// Long enough that nobody can guess it.
fn message_id_secret(text: &str) -> Result<SecretString, &'static str> {
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    let is_long = text.len() >= 32;
    let secret = (is_visible && is_long).then(|| SecretString::from(text));
    secret.ok_or(
        "expected at least 32 visible ASCII characters, such as the output of `openssl rand -base64 32`",
    )
}

fn chat_address(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "expected an address that starts with https:// or http://, such as https://chat.example.org";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if repeats_scheme(&url) => Err(
            "expected an address with one scheme, such as https://chat.example.org, found two; remove one",
        ),
        "http" | "https" if is_plain => Ok(url),
        "http" | "https" => Err(
            "expected an address without credentials, query or fragment, such as https://chat.example.org",
        ),
        _ => Err(EXPECTED),
    }
}

/// Whether the host and the path of an address are another address, as in `https://https://chat.example.org`.
fn repeats_scheme(url: &Url) -> bool {
    matches!(url.host_str(), Some("http" | "https")) && url.path().starts_with("//")
}

fn auth_token(text: &str) -> Result<SecretString, &'static str> {
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    let token = is_visible.then(|| SecretString::from(text));
    token.ok_or("expected visible ASCII characters without spaces; copy the token again")
}
