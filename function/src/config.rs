//! The settings: their names, defaults and rules. Owns every look at the environment. A [`Config`]
//! that exists can be used; everything wrong with the settings is reported at once.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use url::Url;

use crate::gitlab::signature::SigningKey;
use crate::gitlab::verification::{MAX_SECRETS, Verifier, WebhookToken};
use crate::limits::LIMITS;
use crate::notifier::Notifier;
use crate::rocketchat::{Credentials, UserId};
use crate::telemetry::Settings;

pub mod catalogue;
mod env;
pub mod notifications;
mod telemetry;

use env::EnvReader;

/// Everything that can be set.
#[derive(Debug)]
pub struct Config {
    /// Port for webhooks; 0 takes any free one.
    pub port: u16,
    /// Port for operators, if it is its own.
    pub metrics_port: Option<u16>,
    /// Who is let in.
    pub verifier: Verifier,
    /// Whether deliveries without an idempotency key are named by their content.
    pub accept_missing_key: bool,
    /// Whether CloudEvents are let in.
    pub accept_cloud_events: bool,
    /// The chat server.
    pub rocketchat: RocketChat,
    /// Who hears of what, and in which words.
    pub notifier: Notifier,
    /// The longest time of one delivery.
    pub delivery_timeout: Duration,
    /// How long answers go on after SIGTERM before the listener closes.
    pub lame_duck: Duration,
    /// Logs, metrics and traces.
    pub telemetry: Settings,
}

/// Where messages go.
#[derive(Debug)]
pub struct RocketChat {
    /// Address of the server, with the path it is installed below.
    pub url: Url,
    /// The account that sends.
    pub credentials: Credentials,
    /// Authorities trusted beside the compiled-in ones.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// What is wrong with the settings, all of it.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(|mistake| format!("- {mistake}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigErrors(pub Vec<String>);

/// The settings of the process.
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
    /// Reads the settings out of `variables`; `read_file` gives the content of files that they name.
    ///
    /// Besides the configuration, returns warnings about names that look like misspelt settings.
    pub fn load(
        variables: &BTreeMap<String, String>,
        read_file: &dyn Fn(&str) -> io::Result<String>,
    ) -> Result<(Self, Vec<String>), ConfigErrors> {
        let mut reader = EnvReader::new(variables, read_file);
        let config = Self::read(&mut reader);
        match (config, reader.into_mistakes()) {
            (Some(config), mistakes) if mistakes.is_empty() => {
                Ok((config, catalogue::warnings(variables)))
            }
            (_, mistakes) => Err(ConfigErrors(mistakes)),
        }
    }

    /// Every setting is read before the first mistake ends the attempt.
    fn read(reader: &mut EnvReader) -> Option<Self> {
        let port = reader.number("PORT", 8080, 0..=u64::from(u16::MAX));
        let metrics_port = reader.optional_number("METRICS_PORT", 0..=u64::from(u16::MAX));
        let verifier = verifier(reader);
        let accept_missing_key = reader.flag("ACCEPT_MISSING_IDEMPOTENCY_KEY");
        let accept_cloud_events = reader.flag("ACCEPT_CLOUDEVENTS");
        let rocketchat = rocketchat(reader);
        let notifier = notifications::read(reader);
        let delivery = reader.number(
            "DELIVERY_TIMEOUT_SECONDS",
            LIMITS.delivery.default_timeout_seconds,
            1..=LIMITS.delivery.max_timeout_seconds,
        );
        // Knative drains its own proxy first, so the signal comes when nothing more does.
        let lame_duck = if reader.is_set("K_SERVICE") {
            0
        } else {
            LIMITS.shutdown.default_lame_duck_seconds
        };
        let lame_duck = reader.number(
            "LAME_DUCK_SECONDS",
            lame_duck,
            0..=LIMITS.shutdown.max_lame_duck_seconds,
        );
        let telemetry = telemetry::read(reader);
        let metrics_port = metrics_port.and_then(|port| u16::try_from(port).ok());
        if metrics_port.is_some_and(|metrics| metrics != 0 && u64::from(metrics) == port) {
            reader.mistake(
                "METRICS_PORT",
                "expected another port than PORT; leave it out to serve both on one",
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
            lame_duck: Duration::from_secs(lame_duck),
            telemetry,
        })
    }
}

/// The scheme follows from what is configured, and letting everybody in must be asked for.
fn verifier(reader: &mut EnvReader) -> Option<Verifier> {
    let keys = reader.list("GITLAB_SIGNING_KEYS", MAX_SECRETS, SigningKey::parse);
    let tokens = reader.list("GITLAB_WEBHOOK_TOKENS", MAX_SECRETS, WebhookToken::parse);
    let token_too = reader.flag("ACCEPT_TOKEN_TOO");
    let open = reader.flag("ALLOW_UNAUTHENTICATED");
    let (keys, tokens) = (keys?, tokens?);
    match (keys.is_empty(), tokens.is_empty()) {
        (true, true) if open => Some(Verifier::None),
        (true, true) => {
            reader.mistake(
                "GITLAB_SIGNING_KEYS",
                "is not set; give the signing token of the webhook in GitLab (19.0 and later), or its secret token in GITLAB_WEBHOOK_TOKENS, or for trying out only set ALLOW_UNAUTHENTICATED=true",
            );
            None
        }
        _ if open => {
            reader.mistake(
                "ALLOW_UNAUTHENTICATED",
                "is true, but there are keys or tokens; remove one of them",
            );
            None
        }
        (false, false) if token_too => Some(Verifier::SignatureOrToken(keys, tokens)),
        (false, false) => {
            reader.mistake(
                "GITLAB_WEBHOOK_TOKENS",
                "is set beside GITLAB_SIGNING_KEYS and would not be looked at; remove it, or set ACCEPT_TOKEN_TOO=true while webhooks still send it",
            );
            None
        }
        (false, true) => Some(Verifier::Signature(keys)),
        (true, false) => Some(Verifier::Token(tokens)),
    }
}

fn rocketchat(reader: &mut EnvReader) -> Option<RocketChat> {
    let url = reader.required(
        "ROCKETCHAT_URL",
        "give the address of your chat server, such as https://chat.example.org",
        chat_address,
    );
    let user_id = reader.required(
        "ROCKETCHAT_USER_ID",
        "give the user id that Rocket.Chat shows beside a new personal access token",
        |text| UserId::parse(text).ok_or("expected an id of visible characters, such as the 17 letters and digits of rbAXPnMktTFbNpwtJ"),
    );
    let auth_token = reader.required(
        "ROCKETCHAT_AUTH_TOKEN",
        "make a personal access token for the bot in Rocket.Chat and give it",
        auth_token,
    );
    let authorities = reader
        .optional("ROCKETCHAT_CA", certificates)
        .unwrap_or_default();
    let credentials = Credentials {
        user_id: user_id?,
        auth_token: auth_token?,
    };
    Some(RocketChat {
        url: url?,
        credentials,
        authorities,
    })
}

fn chat_address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text)
        .map_err(|_| "expected an address that begins with https:// or http://, such as https://chat.example.org")?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if plain => Ok(url),
        "http" | "https" => Err("expected an address without credentials, query or fragment"),
        _ => Err("expected an address that begins with https:// or http://"),
    }
}

fn auth_token(text: &str) -> Result<SecretString, &'static str> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    let token = visible.then(|| SecretString::from(text));
    token.ok_or("expected visible ASCII characters without spaces; copy the token again")
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let certificates = certificates.map_err(|_| "expected certificates in PEM")?;
    if certificates.is_empty() {
        return Err(
            "expected certificates in PEM, found none; they begin with -----BEGIN CERTIFICATE-----",
        );
    }
    Ok(certificates)
}
