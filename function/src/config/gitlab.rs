//! The settings of the commands that call GitLab's API: `hooks`, `reconcile`, and the webhooks in `check`. Owns
//! which of them are required together. They need neither Rocket.Chat nor templates. What an entry of `HOOKS`
//! means is decided in [`hooks`].

pub mod reconcile;

use std::collections::BTreeMap;
use std::io;

use secrecy::SecretString;
use url::Url;

use super::authentication::{KEYS, TOKENS};
use super::env::EnvReader;
use super::{ConfigErrors, authorities, clear_text, misspelling, notifications, proxy};
use crate::gitlab::signature::SigningKey;
use crate::gitlab::username::GitLabUsername;
use crate::gitlab::webhook_token::WebhookToken;
use crate::gitlab_api::{ApiToken, GitLabServer, Triggers};
use crate::hooks::{self, Declaration, DeclaredHook, WebhookSecrets};
use crate::proxy::Proxies;

/// The validated settings.
#[derive(Debug)]
pub struct GitLabConfig {
    /// How to reach GitLab.
    pub server: GitLabServer,
    /// The declared webhooks, of which there is at least one.
    pub(crate) hooks: Vec<DeclaredHook>,
    /// What GitLab proves with that it sent a webhook.
    pub(crate) secrets: WebhookSecrets,
    /// The GitLab user whose pushes are tests of webhooks.
    pub reconcile_user: Option<GitLabUsername>,
    /// For calls to the addresses of the webhooks.
    pub proxies: Proxies,
}

/// The settings for `webhook-app check`, if webhooks are declared, and warnings; or the errors.
pub(crate) type LoadedForCheck = Result<(Option<GitLabConfig>, Vec<String>), ConfigErrors>;

/// Whether the secrets of webhooks are required.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Secrets {
    /// Webhooks are written.
    Required,
    /// Webhooks are only read, or resent by GitLab.
    Optional,
}

impl GitLabConfig {
    /// Reads the settings from `variables`, and the files that they name with `read_file`. Also returns
    /// warnings.
    pub fn load(
        variables: &BTreeMap<String, String>,
        read_file: &dyn Fn(&str) -> io::Result<String>,
        secrets: Secrets,
    ) -> Result<(Self, Vec<String>), ConfigErrors> {
        let mut reader = EnvReader::new(variables, read_file);
        reader.warn_all(misspelling::warnings(variables));
        let config = Self::read(&mut reader, secrets);
        let (errors, warnings) = reader.finish();
        match config {
            Some(config) if errors.is_empty() => Ok((config, warnings)),
            _ => Err(ConfigErrors { errors, warnings }),
        }
    }

    /// The same for `webhook-app check`, if GitLab, a token and webhooks are given. Without webhooks, returns only
    /// a warning.
    pub(crate) fn load_if_given(
        variables: &BTreeMap<String, String>,
        read_file: &dyn Fn(&str) -> io::Result<String>,
    ) -> Option<LoadedForCheck> {
        let reader = EnvReader::new(variables, read_file);
        if !["GITLAB_URL", "GITLAB_API_TOKEN"]
            .iter()
            .all(|name| reader.has_value(name))
        {
            return None;
        }
        if !reader.has_value("HOOKS") {
            let warning = "HOOKS: is not set, so the webhooks in GitLab are not compared with it";
            return Some(Ok((None, vec![warning.to_owned()])));
        }
        let loaded = Self::load(variables, read_file, Secrets::Optional);
        Some(loaded.map(|(config, warnings)| (Some(config), warnings)))
    }

    /// Reads all settings before it returns `None` for an invalid one.
    pub(super) fn read(reader: &mut EnvReader, secrets: Secrets) -> Option<Self> {
        let proxies = proxy::read(reader);
        let server = server(reader, &proxies);
        let hooks = declared(reader);
        let secrets = webhook_secrets(reader, secrets);
        let reconcile_user = reader.optional("GITLAB_RECONCILE_USER", GitLabUsername::parse);
        Some(Self {
            server: server?,
            hooks: hooks?,
            secrets: secrets?,
            reconcile_user,
            proxies,
        })
    }
}

/// A warning for the process that receives webhooks, which never calls GitLab.
pub(crate) fn misplaced_token(variables: &BTreeMap<String, String>) -> Option<String> {
    let read_file = |_: &str| Err(io::ErrorKind::NotFound.into());
    let reader = EnvReader::new(variables, &read_file);
    reader.has_value("GITLAB_API_TOKEN").then(|| {
        "GITLAB_API_TOKEN: is set, and receiving webhooks does not need it; remove it here, because who takes over this process could change projects with it".to_owned()
    })
}

pub(super) fn server(reader: &mut EnvReader, proxies: &Proxies) -> Option<GitLabServer> {
    let url = server_url(reader);
    let token = token(reader);
    let authorities = reader
        .optional("GITLAB_CA", authorities::parse)
        .unwrap_or_default();
    let url = url?;
    reader.warn_all(clear_text::warning("GITLAB_URL", &url, "GITLAB_API_TOKEN"));
    Some(GitLabServer {
        proxy: proxies.of(&url),
        url,
        token: token?,
        authorities,
    })
}

pub(super) fn server_url(reader: &mut EnvReader) -> Option<Url> {
    reader.required(
        "GITLAB_URL",
        "give the address of GitLab, such as https://gitlab.example.org",
        address,
    )
}

pub(super) fn token(reader: &mut EnvReader) -> Option<ApiToken> {
    reader.required(
        "GITLAB_API_TOKEN",
        "create an access token in GitLab with the scope api, of an account that is Maintainer of the projects",
        ApiToken::parse,
    )
}

/// The address of webhook-app for GitLab. One without a path gets the path at which webhooks are received.
pub(super) fn webhook_url(
    reader: &mut EnvReader,
    parse: impl Fn(&str) -> Result<Url, &'static str>,
) -> Option<Url> {
    let mut url = reader.optional("WEBHOOK_URL", parse)?;
    reader.warn_all(clear_text::warning(
        "WEBHOOK_URL",
        &url,
        "what GitLab sends",
    ));
    if url.path() == "/" {
        url.set_path(hooks::PATH);
        reader.warn(
            "WEBHOOK_URL",
            "has no path, so /webhook is added, at which webhook-app receives webhooks",
        );
    }
    Some(url)
}

fn address(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "expected an address that starts with https:// or http://, such as https://gitlab.example.org, without credentials, query or fragment";
    // The address of the API is what jobs of GitLab know.
    let text = text.trim_end_matches('/');
    let text = text.strip_suffix("/api/v4").unwrap_or(text);
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let is_usable = matches!(url.scheme(), "http" | "https")
        && !super::repeats_scheme(&url)
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_usable.then_some(url).ok_or(EXPECTED)
}

/// The declared webhooks with their defaults.
fn declared(reader: &mut EnvReader) -> Option<Vec<DeclaredHook>> {
    let before = reader.error_count();
    let declared = reader.document("HOOKS", hooks::parse);
    if declared.is_none() && reader.is_clean_since(before) {
        reader.missing(
            &["HOOKS"],
            "list the webhooks in YAML, such as `- project: group/app`",
        );
    }
    let url = webhook_url(reader, hooks::address);
    // All of it is still to be set if there is nothing yet.
    let is_new = declared.is_none() && !reader.has_value("HOOKS");
    let needs = |what: fn(&Declaration) -> bool| is_new || declared.iter().flatten().any(what);
    let needs_url = needs(|hook| hook.url.is_none());
    let needs_triggers = needs(|hook| hook.triggers.is_none());
    if needs_url && url.is_none() && !reader.has_value("WEBHOOK_URL") {
        reader.missing(
            &["WEBHOOK_URL"],
            "give the address of webhook-app, such as https://webhooks.example.org/webhook, or `url` in each entry of HOOKS",
        );
    }
    let triggers = if needs_triggers {
        notifications::triggers(reader)
    } else {
        Some(Triggers::default())
    };
    // Not used if each entry has its own address.
    let any_url = || declared.iter().flatten().find_map(|hook| hook.url.clone());
    let (url, triggers) = (url.or_else(any_url)?, triggers?);
    let declared = declared?.into_iter();
    Some(
        declared
            .map(|hook| hook.with_defaults(url.clone(), triggers))
            .collect(),
    )
}

fn webhook_secrets(reader: &mut EnvReader, secrets: Secrets) -> Option<WebhookSecrets> {
    let key = |text: &str| SigningKey::parse(text).map(|key| (SecretString::from(text), key));
    let token = |text: &str| WebhookToken::parse(text).map(|_| SecretString::from(text));
    let keys = reader.list("GITLAB_SIGNING_KEYS", &KEYS, key);
    let tokens = reader.list("GITLAB_WEBHOOK_TOKENS", &TOKENS, token);
    let unauthenticated = reader.flag("ALLOW_UNAUTHENTICATED");
    let found = WebhookSecrets {
        signing_key: keys?.values.into_iter().next(),
        token: tokens?.values.into_iter().next(),
    };
    let has_none = found.signing_key.is_none() && found.token.is_none();
    if has_none && secrets == Secrets::Required && !unauthenticated {
        reader.missing(
            &["GITLAB_SIGNING_KEYS", "GITLAB_WEBHOOK_TOKENS"],
            "give the signing keys of webhook-app, of which the first is written into webhooks, or its secret tokens in GITLAB_WEBHOOK_TOKENS",
        );
    }
    Some(found)
}
