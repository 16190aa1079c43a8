//! A plain client of the fake GitLab's API for the tests of this crate.

use fakes::exchange::{Response, exchange};
use fakes::gitlab::FakeGitLab;
use serde_json::Value;

/// Calls the API with one token.
pub(crate) struct Client {
    url: String,
    token: String,
}

impl Client {
    /// With the token of a maintainer.
    pub(crate) fn of(gitlab: &FakeGitLab) -> Self {
        Self::with(gitlab, gitlab.token())
    }

    pub(crate) fn with(gitlab: &FakeGitLab, token: &str) -> Self {
        Self {
            url: gitlab.url(),
            token: token.to_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.send_json("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Response {
        self.send_json("PUT", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, &[], b"").await
    }

    async fn send_json(&self, method: &str, path: &str, body: &Value) -> Response {
        let headers = [("Content-Type", "application/json")];
        self.send(method, path, &headers, body.to_string().as_bytes())
            .await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let token = [("PRIVATE-TOKEN", self.token.as_str())];
        let headers = headers
            .iter()
            .chain(token.iter().filter(|(_, token)| !token.is_empty()));
        let headers: Vec<_> = headers
            .map(|&(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect();
        let url = format!("{}/api/v4/{path}", self.url);
        exchange(method, &url, &headers, body)
            .await
            .expect("a response")
    }
}
