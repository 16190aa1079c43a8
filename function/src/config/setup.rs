//! The settings of `webhook-app setup`. Owns how the administrator of Rocket.Chat is given: with a token, or
//! with a password; and which answer of a person is a value of a setting. The other settings are those of the
//! function and of the commands for GitLab.

use std::collections::BTreeMap;
use std::io;

use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use url::Url;

use super::authentication::{KEYS, TOKENS};
use super::env::EnvReader;
use super::{ConfigErrors, authorities, clear_text, gitlab, misspelling, notifications, proxy};
use crate::gitlab::signature::SigningKey;
use crate::gitlab::webhook_token::WebhookToken;
use crate::gitlab_api::{GitLabServer, Triggers};
use crate::hooks;
use crate::proxy::Proxy;
use crate::rocketchat::administration::PasswordSignIn;
use crate::rocketchat::{Credentials, UserId};

/// The validated settings.
#[derive(Debug)]
pub(crate) struct SetupConfig {
    /// How to reach GitLab.
    pub(crate) gitlab: GitLabServer,
    /// How to reach Rocket.Chat.
    pub(crate) chat: ChatServer,
    /// The administrator of Rocket.Chat, if one is given.
    pub(crate) administrator: Option<Administrator>,
    /// Address of the function for webhooks.
    pub(crate) hook: Url,
    /// What the webhook sends.
    pub(crate) triggers: Triggers,
    /// Secrets of webhooks that exist already.
    pub(crate) given: GivenSecrets,
}

/// The secrets of webhooks in the settings, in their order.
#[derive(Debug)]
pub(crate) struct GivenSecrets {
    /// The signing keys.
    pub(crate) signing_keys: Vec<SecretString>,
    /// The secret tokens.
    pub(crate) webhook_tokens: Vec<SecretString>,
}

/// The Rocket.Chat server, without an account.
#[derive(Debug)]
pub(crate) struct ChatServer {
    /// Its address, including its base path.
    pub(crate) url: Url,
    /// Certificate authorities that are trusted in addition to the compiled-in ones.
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    /// The proxy of its address, if there is one.
    pub(crate) proxy: Option<Proxy>,
}

/// An administrator of Rocket.Chat.
#[derive(Debug)]
pub(crate) enum Administrator {
    /// With a personal access token.
    Token(Credentials),
    /// With a password.
    Password(PasswordSignIn),
}

impl SetupConfig {
    /// Reads the settings from `variables`, and the files that they name with `read_file`. Also returns
    /// warnings. The administrator is required if `needs_administrator`.
    pub(crate) fn load(
        variables: &BTreeMap<String, String>,
        read_file: &dyn Fn(&str) -> io::Result<String>,
        needs_administrator: bool,
    ) -> Result<(Self, Vec<String>), ConfigErrors> {
        let mut reader = EnvReader::new(variables, read_file);
        reader.warn_all(misspelling::warnings(variables));
        let config = Self::read(&mut reader, needs_administrator);
        let (errors, warnings) = reader.finish();
        match config {
            Some(config) if errors.is_empty() => Ok((config, warnings)),
            _ => Err(ConfigErrors { errors, warnings }),
        }
    }

    /// Reads all settings before it returns `None` for an invalid one.
    fn read(reader: &mut EnvReader, needs_administrator: bool) -> Option<Self> {
        let proxies = proxy::read(reader);
        let gitlab = gitlab::server(reader, &proxies);
        let url = chat_url(reader);
        let exposed = url.as_ref();
        let exposed = exposed.and_then(|url| {
            clear_text::warning("ROCKETCHAT_URL", url, "what an administrator may do")
        });
        reader.warn_all(exposed);
        let authorities = reader
            .optional("ROCKETCHAT_CA", authorities::parse)
            .unwrap_or_default();
        let administrator = administrator(reader, needs_administrator);
        let hook = webhook_url(reader);
        let triggers = notifications::triggers_or_all(reader);
        let given = given_secrets(reader);
        let url = url?;
        Some(Self {
            gitlab: gitlab?,
            chat: ChatServer {
                proxy: proxies.of(&url),
                url,
                authorities,
            },
            administrator,
            hook: hook?,
            triggers: triggers?,
            given: given?,
        })
    }
}

/// What is wrong with the answer of a person about one of the settings of [`SetupConfig`].
pub(crate) fn problem(name: &str, answer: &str) -> Option<String> {
    let variables = BTreeMap::from([(name.to_owned(), answer.to_owned())]);
    let no_files = |_: &str| Err(io::ErrorKind::NotFound.into());
    let mut reader = EnvReader::new(&variables, &no_files);
    match name {
        "GITLAB_URL" => drop(gitlab::server_url(&mut reader)),
        "GITLAB_API_TOKEN" => drop(gitlab::token(&mut reader)),
        "ROCKETCHAT_URL" => drop(chat_url(&mut reader)),
        "WEBHOOK_URL" => drop(webhook_url(&mut reader)),
        "ROCKETCHAT_ADMIN_CODE" => drop(code(&mut reader)),
        _ if answer.is_empty() => reader.missing(&[name], "type it, or end setup with Ctrl-C"),
        _ => {}
    }
    reader.finish().0.into_iter().next()
}

fn chat_url(reader: &mut EnvReader) -> Option<Url> {
    reader.required(
        "ROCKETCHAT_URL",
        "give the address of your chat server, such as https://chat.example.org",
        super::chat_address,
    )
}

fn webhook_url(reader: &mut EnvReader) -> Option<Url> {
    let before = reader.error_count();
    let url = gitlab::webhook_url(reader, |text| {
        let url = hooks::address(text)?;
        // A proxy may remove what is before it.
        let is_served = url.path() == "/" || url.path().ends_with(hooks::PATH);
        is_served.then_some(url).ok_or("expected an address with the path /webhook, at which webhook-app receives webhooks, found another path; if a proxy rewrites it, use webhook-app hooks, which accepts any path")
    });
    if url.is_none() && reader.is_clean_since(before) {
        reader.missing(
            &["WEBHOOK_URL"],
            "give the address of webhook-app, such as https://webhooks.example.org/webhook",
        );
    }
    url
}

fn given_secrets(reader: &mut EnvReader) -> Option<GivenSecrets> {
    let key = |text: &str| SigningKey::parse(text).map(|_| SecretString::from(text));
    let token = |text: &str| WebhookToken::parse(text).map(|_| SecretString::from(text));
    let keys = reader.list("GITLAB_SIGNING_KEYS", &KEYS, key);
    let tokens = reader.list("GITLAB_WEBHOOK_TOKENS", &TOKENS, token);
    Some(GivenSecrets {
        signing_keys: keys?.values,
        webhook_tokens: tokens?.values,
    })
}

fn code(reader: &mut EnvReader) -> Option<SecretString> {
    reader.optional("ROCKETCHAT_ADMIN_CODE", |text| {
        let is_code = text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let code = is_code.then(|| SecretString::from(text));
        code.ok_or("expected the digits that the app or the e-mail shows")
    })
}

/// Both ways are read, so that all errors are reported together.
fn administrator(reader: &mut EnvReader, is_needed: bool) -> Option<Administrator> {
    let before = reader.error_count();
    let user_id = reader.optional("ROCKETCHAT_ADMIN_USER_ID", |text| {
        UserId::parse(text).ok_or("expected a user ID of visible ASCII characters")
    });
    let auth_token = reader.optional("ROCKETCHAT_ADMIN_TOKEN", super::auth_token);
    let username = reader.optional("ROCKETCHAT_ADMIN_USERNAME", |text| {
        Ok::<_, &str>(text.to_owned())
    });
    let password = reader.optional("ROCKETCHAT_ADMIN_PASSWORD", |text| {
        Ok::<_, &str>(SecretString::from(text))
    });
    let code = code(reader);
    if !reader.is_clean_since(before) {
        return None;
    }
    match (user_id, auth_token, username, password) {
        (Some(user_id), Some(auth_token), None, None) => Some(Administrator::Token(Credentials {
            user_id,
            auth_token,
        })),
        (None, None, Some(username), Some(password)) => {
            Some(Administrator::Password(PasswordSignIn {
                username,
                password,
                code,
            }))
        }
        (None, None, None, None) if !is_needed => None,
        (None, None, None, None) => {
            reader.missing(
                &["ROCKETCHAT_ADMIN_TOKEN", "ROCKETCHAT_ADMIN_PASSWORD"],
                "give ROCKETCHAT_ADMIN_USER_ID and ROCKETCHAT_ADMIN_TOKEN, a personal access token of an administrator, or ROCKETCHAT_ADMIN_USERNAME and ROCKETCHAT_ADMIN_PASSWORD",
            );
            None
        }
        (Some(_), Some(_), _, _) | (_, _, Some(_), Some(_)) => {
            reader.error(
                "ROCKETCHAT_ADMIN_TOKEN",
                "expected a token or a password, found parts of both; remove ROCKETCHAT_ADMIN_USER_ID and ROCKETCHAT_ADMIN_TOKEN, or ROCKETCHAT_ADMIN_USERNAME and ROCKETCHAT_ADMIN_PASSWORD",
            );
            None
        }
        _ => {
            reader.error(
                "ROCKETCHAT_ADMIN_TOKEN",
                "expected ROCKETCHAT_ADMIN_USER_ID with ROCKETCHAT_ADMIN_TOKEN, or ROCKETCHAT_ADMIN_USERNAME with ROCKETCHAT_ADMIN_PASSWORD, found a half of it",
            );
            None
        }
    }
}
