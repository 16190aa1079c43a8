//! The calls of administrators and new accounts. Owns their paths. Their bodies, and what their responses
//! mean, are in [`administration`].

use secrecy::SecretString;
use serde_json::{Value, json};

use super::{ApiResponse, CallOptions, Client, Timed, url_of, with_json, with_query};
use crate::rocketchat::Credentials;
use crate::rocketchat::administration::{self, Member, NewAccount, PasswordSignIn};
use crate::rocketchat::response::{self, ApiError};

impl Client {
    /// The version of the server; needs no account.
    pub(crate) async fn version(&self, options: CallOptions<'_>) -> Timed<String> {
        self.read("/api/info", options, administration::version)
            .await
    }

    /// Signs in with a password; needs no account.
    pub(crate) async fn log_in(
        &self,
        sign_in: &PasswordSignIn,
        options: CallOptions<'_>,
    ) -> Timed<(Member, Credentials)> {
        let body = sign_in.to_json();
        self.write("/api/v1/login", &body, options, administration::signed_in)
            .await
    }

    /// Ends the session of the account.
    pub(crate) async fn log_out(&self, options: CallOptions<'_>) -> Timed<()> {
        let done = |response: &ApiResponse| match response.status {
            200..=299 => Ok(()),
            _ => response::accepted::<Value>(response).map(|_| ()),
        };
        self.write("/api/v1/logout", &json!({}), options, done)
            .await
    }

    /// The own account, with its ID.
    pub(crate) async fn member(&self, options: CallOptions<'_>) -> Timed<Member> {
        self.read("/api/v1/me", options, response::accepted).await
    }

    /// The account with this username, if there is one; with its roles only for administrators.
    pub(crate) async fn find_member(
        &self,
        username: &str,
        options: CallOptions<'_>,
    ) -> Timed<Option<Member>> {
        let url = with_query(&self.user_info, "username", username);
        self.call(self.http.get(url), options, administration::found)
            .await
    }

    /// Creates an account.
    pub(crate) async fn create_account(
        &self,
        account: NewAccount<'_>,
        options: CallOptions<'_>,
    ) -> Timed<Member> {
        let body = account.to_json();
        let path = "/api/v1/users.create";
        self.write(path, &body, options, administration::member)
            .await
    }

    /// Changes some fields of another account; needs a second factor.
    pub(crate) async fn update_account(
        &self,
        id: &str,
        changes: Value,
        options: CallOptions<'_>,
    ) -> Timed<Member> {
        let body = json!({ "userId": id, "data": changes });
        let path = "/api/v1/users.update";
        self.write(path, &body, options, administration::member)
            .await
    }

    /// The names of the personal access tokens of the own account.
    pub(crate) async fn token_names(&self, options: CallOptions<'_>) -> Timed<Vec<String>> {
        let path = "/api/v1/users.getPersonalAccessTokens";
        self.read(path, options, administration::token_names).await
    }

    /// Creates a personal access token of the own account that ignores the second factor, or replaces the one
    /// with this name; needs a second factor.
    pub(crate) async fn create_token(
        &self,
        name: &str,
        replace: bool,
        options: CallOptions<'_>,
    ) -> Timed<SecretString> {
        let (path, body) = if replace {
            let body = json!({ "tokenName": name });
            ("/api/v1/users.regeneratePersonalAccessToken", body)
        } else {
            let body = json!({ "tokenName": name, "bypassTwoFactor": true });
            ("/api/v1/users.generatePersonalAccessToken", body)
        };
        self.write(path, &body, options, administration::token)
            .await
    }

    async fn read<T>(
        &self,
        path: &str,
        options: CallOptions<'_>,
        read: impl FnOnce(&ApiResponse) -> Result<T, ApiError>,
    ) -> Timed<T> {
        let request = self.http.get(url_of(&self.base, path));
        self.call(request, options, read).await
    }

    async fn write<T>(
        &self,
        path: &str,
        body: &Value,
        options: CallOptions<'_>,
        read: impl FnOnce(&ApiResponse) -> Result<T, ApiError>,
    ) -> Timed<T> {
        let request = self.http.post(url_of(&self.base, path));
        let request = with_json(request, body.to_string().into_bytes());
        self.call(request, options, read).await
    }
}
