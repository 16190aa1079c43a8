//! What administrators and new accounts call: sign-in, accounts, personal access tokens. Owns the bodies of
//! these requests and what their responses mean. Calls are made by [`client`](super::client).

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::response::{self, ApiError, ApiResponse};
use super::{Credentials, UserId};
use crate::digest::hex;

/// An account, with its ID.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Member {
    /// The ID.
    #[serde(rename = "_id")]
    pub(crate) id: String,
    /// The username.
    pub(crate) username: String,
    /// The roles; empty if the caller may not see them.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
}

/// A new account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewAccount<'a> {
    pub(crate) username: &'a str,
    pub(crate) email: &'a str,
    pub(crate) password: &'a SecretString,
    pub(crate) roles: &'a [&'a str],
}

impl NewAccount<'_> {
    /// The body of `users.create`. The address is not verified, because a verified one gets codes by e-mail
    /// that nobody reads.
    pub(super) fn to_json(self) -> Value {
        json!({
            "username": self.username,
            "name": self.username,
            "email": self.email,
            "password": self.password.expose_secret(),
            "roles": self.roles,
            "verified": false,
            "requirePasswordChange": false,
            "joinDefaultChannels": false,
            "sendWelcomeEmail": false,
        })
    }
}

/// Who signs in with a password, and the code of an authenticator app or an e-mail if one is required.
#[derive(Clone, Debug)]
pub(crate) struct PasswordSignIn {
    /// A username, or an e-mail address.
    pub(crate) username: String,
    pub(crate) password: SecretString,
    pub(crate) code: Option<SecretString>,
}

impl PasswordSignIn {
    /// The body of `login`.
    pub(super) fn to_json(&self) -> Value {
        let name = if self.username.contains('@') {
            "email"
        } else {
            "username"
        };
        let mut body = json!({ name: self.username, "password": self.password.expose_secret() });
        if let Some(code) = &self.code {
            body["code"] = code.expose_secret().into();
        }
        body
    }

    /// The second factor of a call within the session: its method and its code. Without a code it is the
    /// password.
    pub(crate) fn second_factor(&self) -> (&'static str, SecretString) {
        match &self.code {
            Some(code) => ("totp", code.clone()),
            None => ("password", digest(&self.password)),
        }
    }
}

/// The form in which a password is a second factor.
fn digest(password: &SecretString) -> SecretString {
    let password = password.expose_secret().as_bytes();
    let hash = ring::digest::digest(&ring::digest::SHA256, password);
    hex(hash.as_ref()).into()
}

/// The account that a sign-in with a password is for, and its credentials.
pub(super) fn signed_in(response: &ApiResponse) -> Result<(Member, Credentials), ApiError> {
    #[derive(Deserialize)]
    struct Body {
        data: Data,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        user_id: String,
        auth_token: String,
        me: Member,
    }
    #[derive(Deserialize)]
    struct Refusal {
        error: Value,
    }
    let text = String::from_utf8_lossy(&response.body);
    if response.status == 200 {
        let body: Body = serde_json::from_str(&text).map_err(|_| ApiError::Unreadable)?;
        let user_id = UserId::parse(&body.data.user_id).ok_or(ApiError::Unreadable)?;
        let auth_token = body.data.auth_token.into();
        let credentials = Credentials {
            user_id,
            auth_token,
        };
        return Ok((body.data.me, credentials));
    }
    // Unlike those of other calls, this refusal has its code here.
    let refusal: Option<Refusal> = serde_json::from_str(&text).ok();
    let code = refusal.as_ref().and_then(|refusal| refusal.error.as_str());
    if matches!(code, Some("totp-required" | "totp-invalid")) {
        return Err(ApiError::TotpRequired);
    }
    response::accepted::<Value>(response).and(Err(ApiError::Unconfirmed))
}

/// The account that `users.info` or `users.create` returned.
pub(super) fn member(response: &ApiResponse) -> Result<Member, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        user: Member,
    }
    response::accepted::<Body>(response).map(|body| body.user)
}

/// The same for `users.info`; `None` if no account has the name.
pub(super) fn found(response: &ApiResponse) -> Result<Option<Member>, ApiError> {
    match member(response) {
        Err(ApiError::Refused) if response::says(response, "User not found") => Ok(None),
        result => result.map(Some),
    }
}

/// The names of personal access tokens.
pub(super) fn token_names(response: &ApiResponse) -> Result<Vec<String>, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        tokens: Vec<Token>,
    }
    #[derive(Deserialize)]
    struct Token {
        name: String,
    }
    let body: Body = response::accepted(response)?;
    Ok(body.tokens.into_iter().map(|token| token.name).collect())
}

/// A new personal access token.
pub(super) fn token(response: &ApiResponse) -> Result<SecretString, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        token: String,
    }
    let text = response::accepted::<Body>(response)?.token;
    let is_token = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_token.then(|| text.into()).ok_or(ApiError::Unreadable)
}

/// The version; only its first two parts without an account.
pub(super) fn version(response: &ApiResponse) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        version: String,
    }
    let version = response::accepted::<Body>(response)?.version;
    let is_version = version.len() <= 64
        && version
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || ".-+".contains(char));
    is_version.then_some(version).ok_or(ApiError::Unreadable)
}
