//! The GitLab server and the account that calls it. Owns what a token may contain, and that no output shows
//! it. Settings are read in [`config`](crate::config).

use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use url::Url;

use crate::proxy::Proxy;

/// How to reach GitLab.
#[derive(Clone, Debug)]
pub struct GitLabServer {
    /// Address of the server, including its base path, without `/api/v4`.
    pub url: Url,
    /// The token of the account.
    pub token: ApiToken,
    /// Certificate authorities that are trusted in addition to the compiled-in ones.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The proxy of its address, if there is one.
    pub proxy: Option<Proxy>,
}

/// A personal, project or group access token; its debug output is a placeholder.
#[derive(Clone, Debug)]
pub struct ApiToken(SecretString);

impl ApiToken {
    /// Parses visible ASCII characters. An error does not contain the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with("whsec_") {
            return Err(
                "expected an access token of GitLab, found a signing key, which belongs in GITLAB_SIGNING_KEYS",
            );
        }
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let token = is_visible.then(|| Self(SecretString::from(text)));
        token.ok_or("expected visible ASCII characters without spaces; copy the token again")
    }

    pub(super) fn secret(&self) -> &SecretString {
        &self.0
    }
}
