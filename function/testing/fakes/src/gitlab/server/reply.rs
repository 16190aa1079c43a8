//! Responses of GitLab's API with their exact bodies.
//! The handlers decide which one to send.

use serde_json::{Value, json};

/// A response before it is converted to HTTP.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    pub(super) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    pub(super) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// What `render_api_error!` sends.
    pub(super) fn message(status: u16, message: impl Into<Value>) -> Self {
        Self::json(status, &json!({ "message": message.into() }))
    }

    /// What `error!` and the validation of parameters send.
    pub(super) fn error(status: u16, error: &str) -> Self {
        Self::json(status, &json!({ "error": error }))
    }

    pub(super) fn unauthorized() -> Self {
        Self::message(401, "401 Unauthorized")
    }

    pub(super) fn forbidden() -> Self {
        Self::message(403, "403 Forbidden")
    }

    /// A token that is known and cannot be used (`lib/api/api_guard.rb`).
    pub(super) fn invalid_token(description: &str) -> Self {
        let body = json!({ "error": "invalid_token", "error_description": description });
        Self::json(401, &body)
    }

    pub(super) fn insufficient_scope(needed: &str) -> Self {
        let body = json!({
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the access token.",
            "scope": needed,
        });
        Self::json(403, &body)
    }

    /// There is no such thing, or the user may not know that it exists.
    pub(super) fn not_found(what: &str) -> Self {
        Self::message(404, format!("404 {what} Not Found"))
    }

    /// A record that is looked up by its ID is not there.
    pub(super) fn no_record() -> Self {
        Self::message(404, "404 Not found")
    }

    pub(super) fn unknown_route() -> Self {
        Self::error(404, "404 Not Found")
    }

    /// The limit of one endpoint. It names no time and has no headers (`lib/api/helpers/rate_limiter.rb`).
    pub(super) fn too_many_requests() -> Self {
        let text = "This endpoint has been requested too many times. Try again later.";
        Self::message(429, json!({ "error": text }))
    }

    /// Replaces the header that names the next page.
    pub(super) fn with_next_page(mut self, page: usize) -> Self {
        self.headers.retain(|(name, _)| name != "X-Next-Page");
        self.with_header("X-Next-Page", page.to_string())
    }

    pub(super) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
