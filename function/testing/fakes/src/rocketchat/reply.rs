//! Responses of Rocket.Chat 8.x and of the proxy in front of it, with their exact bodies.
//! The handlers decide which one to send.

use bytes::Bytes;
use serde_json::{Value, json};

/// The response to a call, before it is converted to HTTP.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    pub(super) fn raw(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// 200 with the named value and `success`.
    pub(super) fn success(name: &str, value: &Value) -> Self {
        Self::json(200, &json!({ name: value, "success": true }))
    }

    /// 400 of a plain error: a text and no `errorType`.
    pub(super) fn failure(text: &str) -> Self {
        Self::json(400, &json!({ "success": false, "error": text }))
    }

    /// 400 without an error text.
    pub(super) fn failure_without_text() -> Self {
        Self::json(400, &json!({ "success": false }))
    }

    /// 400 of an error with a code.
    pub(super) fn thrown(code: &str, reason: &str, details: &Value) -> Self {
        let mut body = json!({
            "success": false,
            "error": format!("{reason} [{code}]"),
            "errorType": code,
        });
        if !details.is_null() {
            body["details"] = details.clone();
        }
        Self::json(400, &body)
    }

    /// 400 of a route that validates its parameters before its handler runs.
    pub(super) fn validation_error(kind: &str, text: &str) -> Self {
        let body = json!({ "success": false, "errorType": kind, "error": text });
        Self::json(400, &body)
    }

    pub(super) fn unauthorized() -> Self {
        let text = "You must be logged in to do this.";
        Self::json(401, &json!({ "success": false, "error": text }))
    }

    pub(super) fn unknown_route() -> Self {
        Self::json(
            404,
            &json!({ "success": false, "error": "Resource not found" }),
        )
    }

    /// 429 of the server's rate limiter, which adds the headers.
    pub(super) fn too_many_requests(seconds: f64) -> Self {
        let text = format!(
            "Error, too many requests. Please slow down. You must wait {seconds} seconds before trying this endpoint again. [error-too-many-requests]"
        );
        Self::json(429, &json!({ "success": false, "error": text }))
    }

    /// The usual body of a status.
    pub(super) fn default_for_status(status: u16) -> Self {
        let error = |text: &str| Self::json(status, &json!({ "success": false, "error": text }));
        match status {
            204 | 304 => Self::raw(status, "application/json", ""),
            200..=299 => Self::json(status, &json!({ "success": true })),
            401 => Self::unauthorized(),
            403 => error(
                "User does not have the permissions required for this action [error-unauthorized]",
            ),
            404 => Self::unknown_route(),
            400 => Self::failure_without_text(),
            405 => error("Method Not Allowed"),
            500 => error("Internal server error"),
            _ => Self::proxy_page(status),
        }
    }

    /// The HTML page that a Meteor server sends for paths outside its API.
    pub(super) fn html_page() -> Self {
        let page = "<!DOCTYPE html>\n<html>\n<head>\n<title>Rocket.Chat</title>\n</head>\n<body></body>\n</html>\n";
        Self::raw(200, "text/html; charset=utf-8", page)
    }

    /// The page of a proxy that answers for an absent server.
    pub(super) fn proxy_page(status: u16) -> Self {
        let reason = hyper::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Unknown");
        let page = format!(
            "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        Self::raw(status, "text/html", page)
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
