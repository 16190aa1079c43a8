//! The headers of every call. Owns those that name the account, and that no output of the HTTP library shows
//! its token.

use http::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;

use super::ClientError;
use crate::rocketchat::Credentials;

/// Those of an account.
pub(super) fn of(credentials: &Credentials) -> Result<HeaderMap, ClientError> {
    let user_id =
        HeaderValue::from_str(credentials.user_id.as_str()).map_err(|_| ClientError::Build)?;
    let token = credentials.auth_token.expose_secret();
    let mut token = HeaderValue::from_str(token).map_err(|_| ClientError::Token)?;
    // Keeps the token out of the debug output of the HTTP library.
    token.set_sensitive(true);
    let mut headers = general();
    headers.insert("x-user-id", user_id);
    headers.insert("x-auth-token", token);
    Ok(headers)
}

/// Those of every call.
pub(super) fn general() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(
        "user-agent",
        HeaderValue::from_static(concat!("webhook-app/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert("accept", HeaderValue::from_static("application/json"));
    headers
}
