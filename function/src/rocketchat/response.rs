//! What a response of Rocket.Chat means. Owns the rule that a 200 may be a refusal and that an
//! error may hide a success. Calls are made by [`client`](super::client); what to do next is
//! decided in [`machine`](crate::send::machine).
//!
//! Read at Rocket.Chat 7.0 to 9.0-rc.3. Error texts and statuses change between major versions, so
//! only the status and the few fields below are used.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

pub use super::api_error::ApiError;
use super::reachability::Unreachable;
use super::{MessageId, RoomId, UserId, Username};
use crate::connect_cause::ConnectCause;
use crate::limits::LIMITS;

/// A complete response, of at most 64 KiB.
#[derive(Clone, Debug)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// Time until the rate limit resets, from `X-RateLimit-Reset`.
    pub reset_in: Option<Duration>,
    /// The body: JSON from Rocket.Chat, anything from a proxy in front of it.
    pub body: Vec<u8>,
}

/// What `chat.getMessage` says about an id that is in use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StoredMessage {
    /// A message that the account may read.
    Readable {
        /// Its room.
        room: RoomId,
        /// Who sent it.
        sender: UserId,
        /// Its text.
        text: String,
        /// Whether somebody deleted it and the server kept it, as it does for messages with
        /// replies and with the settings `Message_ShowDeletedStatus` and `Message_KeepHistory`.
        deleted: bool,
    },
    /// A message in a room that the account cannot see.
    Unreadable,
}

/// The room that `im.create` created or found for the bot and `recipient`.
///
/// Rocket.Chat 7 and 8 ignore unknown users: for a misspelled recipient they create a room with the
/// bot alone, where messages would be stored and never read. [`ApiError::Refused`] in this case.
/// The room is accepted if the server does not list the members.
pub fn room(response: &ApiResponse, recipient: &Username) -> Result<RoomId, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        room: Room,
    }
    #[derive(Deserialize)]
    struct Room {
        #[serde(rename = "_id")]
        id: String,
        usernames: Option<Vec<String>>,
    }
    let room = accepted::<Body>(response)?.room;
    let is_recipient = |name: &String| recipient.matches(name);
    let has_recipient = |names: Vec<String>| names.iter().any(is_recipient);
    if !room.usernames.is_none_or(has_recipient) {
        return Err(ApiError::Refused);
    }
    RoomId::parse(&room.id).ok_or(ApiError::Unconfirmed)
}

/// Whether `chat.sendMessage` stored the message under `id`, or `chat.update` changed it.
pub fn sent(response: &ApiResponse, id: &MessageId) -> Result<(), ApiError> {
    #[derive(Deserialize)]
    struct Body {
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        #[serde(rename = "_id")]
        id: String,
    }
    let body: Body = match accepted(response) {
        Err(error @ (ApiError::Refused | ApiError::Forbidden)) => {
            return Err(refusal(response, error));
        }
        result => result?,
    };
    if body.message.id == id.as_str() {
        Ok(())
    } else {
        Err(ApiError::Unconfirmed)
    }
}

/// What a refusal of a message says, or else `error`.
fn refusal(response: &ApiResponse, error: ApiError) -> ApiError {
    let body = ErrorBody::of(response);
    if body.code() == "error-message-size-exceeded" {
        return ApiError::TooLong;
    }
    let mut texts = [body.code(), body.text()].into_iter();
    let cause = texts.find_map(Unreachable::of_error);
    cause.map_or(error, ApiError::Unreachable)
}

/// The message that `chat.getMessage` found. [`ApiError::Refused`] if it does not exist.
pub fn found(response: &ApiResponse, id: &MessageId) -> Result<StoredMessage, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        #[serde(rename = "_id")]
        id: String,
        rid: String,
        #[serde(default)]
        msg: String,
        u: Sender,
        /// The type: none for messages of users, `rm` for deleted ones.
        t: Option<String>,
        #[serde(default, rename = "_hidden")]
        hidden: bool,
    }
    #[derive(Deserialize)]
    struct Sender {
        #[serde(rename = "_id")]
        id: String,
    }
    let message = match accepted::<Body>(response) {
        Ok(body) => body.message,
        // The server looks for the message before it checks who may read it.
        Err(ApiError::Refused | ApiError::Forbidden) if has_code(response, NOT_ALLOWED) => {
            return Ok(StoredMessage::Unreadable);
        }
        Err(error) => return Err(error),
    };
    let ids = (RoomId::parse(&message.rid), UserId::parse(&message.u.id));
    match ids {
        (Some(room), Some(sender)) if message.id == id.as_str() => Ok(StoredMessage::Readable {
            room,
            sender,
            text: message.msg,
            deleted: message.hidden || message.t.as_deref() == Some("rm"),
        }),
        _ => Err(ApiError::Unconfirmed),
    }
}

/// What the server, and not a proxy, says if the account may not do this: with 400 up to version 8,
/// and with 403 from version 9.
const NOT_ALLOWED: &[&str] = &["error-not-allowed", "error-forbidden"];

/// Whether an error has one of these codes.
fn has_code(response: &ApiResponse, codes: &[&str]) -> bool {
    codes.contains(&ErrorBody::of(response).code())
}

/// Whether an error has this text in it.
pub(super) fn says(response: &ApiResponse, text: &str) -> bool {
    ErrorBody::of(response).text().contains(text)
}

/// What an error says; empty if it is not one of Rocket.Chat.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    #[serde(rename = "errorType")]
    code: Value,
    error: Value,
}

impl ErrorBody {
    pub(super) fn of(response: &ApiResponse) -> Self {
        parsed(&response.body).unwrap_or_default()
    }

    /// The code, which newer versions of the server send.
    pub(super) fn code(&self) -> &str {
        self.code.as_str().unwrap_or_default()
    }

    /// The text for people, shortened and without invisible characters; `None` if there is none.
    pub(super) fn escaped(&self) -> Option<String> {
        let text = self.text().chars().take(LIMITS.client.max_error_chars);
        let escaped: String = text.flat_map(char::escape_debug).collect();
        (!escaped.is_empty()).then_some(escaped)
    }

    /// The text for people.
    pub(super) fn text(&self) -> &str {
        self.error.as_str().unwrap_or_default()
    }
}

/// The body of a response whose status and field `success` both report success.
pub(super) fn accepted<T: for<'a> Deserialize<'a>>(response: &ApiResponse) -> Result<T, ApiError> {
    #[derive(Deserialize)]
    struct Status {
        success: bool,
    }
    match response.status {
        200..=299 => {}
        300..=399 => return Err(ApiError::Redirected),
        400..=403 if has_code(response, &["totp-required", "totp-invalid"]) => {
            return Err(ApiError::TotpRequired);
        }
        404 | 405 => return Err(ApiError::NotFound),
        407 => return Err(ApiError::ProxyAuth),
        408 | 425 => return Err(ApiError::TryAgain),
        429 => return Err(ApiError::RateLimited(response.reset_in)),
        400 if !is_object(&response.body) => {
            let cause = tls_problem(&response.body);
            return Err(cause.map_or(ApiError::ProxyRefused, ApiError::Connect));
        }
        // Rocket.Chat always says why, so a program in front of it answered.
        401..=499 if !is_object(&response.body) => return Err(ApiError::ProxyRefused),
        401 => return Err(ApiError::Unauthorized),
        403 => return Err(ApiError::Forbidden),
        400..=499 => return Err(ApiError::Refused),
        _ => return Err(ApiError::ServerError),
    }
    let status: Status = parsed(&response.body).map_err(|_| ApiError::Unreadable)?;
    if !status.success {
        return Err(ApiError::Refused);
    }
    parsed(&response.body).map_err(|_| ApiError::Unconfirmed)
}

/// Parses a body as text, like the bodies of GitLab: parsing bytes would need a second copy of the parser.
fn parsed<T: for<'a> Deserialize<'a>>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_str(&String::from_utf8_lossy(body))
}

/// Whether a body begins like a JSON object, as all of Rocket.Chat do.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// What is wrong with the connection if a 400 is that of a server with TLS. Only the text says so.
fn tls_problem(body: &[u8]) -> Option<ConnectCause> {
    use ConnectCause::{ClientCertificate, TlsExpected};
    const TEXTS: [(&str, ConnectCause); 5] = [
        // nginx, Go, Apache and Tomcat.
        ("plain HTTP request was sent to HTTPS port", TlsExpected),
        ("sent an HTTP request to an HTTPS server", TlsExpected),
        (
            "speaking plain HTTP to an SSL-enabled server port",
            TlsExpected,
        ),
        ("combination of host and port requires TLS", TlsExpected),
        // nginx completes the handshake with any client.
        ("No required SSL certificate was sent", ClientCertificate),
    ];
    let text = String::from_utf8_lossy(body);
    let known = TEXTS.iter().find(|(known, _)| text.contains(known));
    known.map(|(_, cause)| *cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rocketchat::MessageIds;

    fn response(status: u16, body: &str) -> ApiResponse {
        ApiResponse {
            status,
            reset_in: None,
            body: body.as_bytes().to_vec(),
        }
    }

    fn id() -> MessageId {
        let key = crate::rocketchat::MessageKey::derive(&["key"]);
        let room = RoomId::parse("room").expect("is a room");
        MessageIds::new(&"secret".into(), None).id("", &key, &room, 0)
    }

    #[test]
    fn every_status_has_a_meaning() {
        let expected = |status: u16| match status {
            200..=299 => None,
            300..=399 => Some(ApiError::Redirected),
            401 => Some(ApiError::Unauthorized),
            403 => Some(ApiError::Forbidden),
            404 | 405 => Some(ApiError::NotFound),
            407 => Some(ApiError::ProxyAuth),
            408 | 425 => Some(ApiError::TryAgain),
            429 => Some(ApiError::RateLimited(None)),
            400..=499 => Some(ApiError::Refused),
            _ => Some(ApiError::ServerError),
        };
        let body = format!(r#"{{"message":{{"_id":"{}"}},"success":true}}"#, id());
        for status in 200..600 {
            assert_eq!(
                sent(&response(status, &body), &id()).err(),
                expected(status),
                "{status}"
            );
        }
    }

    #[test]
    fn an_error_that_rocketchat_did_not_write_is_told_apart() {
        let tls_expected = ApiError::Connect(ConnectCause::TlsExpected);
        let client_certificate = ApiError::Connect(ConnectCause::ClientCertificate);
        let tomcat = "Bad Request\nThis combination of host and port requires TLS.\n";
        let no_certificate = "<center>No required SSL certificate was sent</center>";
        let nginx = "<center>The plain HTTP request was sent to HTTPS port</center>";
        let go = "Client sent an HTTP request to an HTTPS server.\n";
        let apache = "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />";
        let totp = r#"{"success":false,"error":"TOTP Required [totp-required]","errorType":"totp-required","details":{}}"#;
        let quoted = format!(r#"{{"success":false,"error":"{go}"}}"#).replace('\n', "");
        let forbidden = r#"{"success":false,"error":"[error-unauthorized]"}"#;
        for (status, body, expected) in [
            (400, nginx, tls_expected),
            (400, go, tls_expected),
            (400, apache, tls_expected),
            (400, tomcat, tls_expected),
            (400, no_certificate, client_certificate),
            (400, "<html>400 Bad Request</html>", ApiError::ProxyRefused),
            (400, "", ApiError::ProxyRefused),
            (
                401,
                "<html>401 Authorization Required</html>",
                ApiError::ProxyRefused,
            ),
            (402, "[]", ApiError::ProxyRefused),
            (404, "<html>404</html>", ApiError::NotFound),
            (408, "<html>408</html>", ApiError::TryAgain),
            (413, "<html>413</html>", ApiError::ProxyRefused),
            (429, "<html>429</html>", ApiError::RateLimited(None)),
            (451, "blocked by policy", ApiError::ProxyRefused),
            (503, "<html>503</html>", ApiError::ServerError),
            (400, quoted.as_str(), ApiError::Refused),
            (400, totp, ApiError::TotpRequired),
            (401, totp, ApiError::TotpRequired),
            (403, "<html>403 Forbidden</html>", ApiError::ProxyRefused),
            (403, "RBAC: access denied", ApiError::ProxyRefused),
            (403, "", ApiError::ProxyRefused),
            (403, forbidden, ApiError::Forbidden),
            (407, "<html>407</html>", ApiError::ProxyAuth),
        ] {
            assert_eq!(
                sent(&response(status, body), &id()),
                Err(expected),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_refusal_names_why_the_account_cannot_write() {
        for (text, code, expected) in [
            (
                "room_is_blocked",
                "",
                ApiError::Unreachable(Unreachable::BlockedRoom),
            ),
            (
                "[room_is_blocked]",
                "room_is_blocked",
                ApiError::Unreachable(Unreachable::BlockedRoom),
            ),
            (
                "You_have_been_muted",
                "",
                ApiError::Unreachable(Unreachable::MutedAccount),
            ),
            (
                "room_is_archived",
                "",
                ApiError::Unreachable(Unreachable::ArchivedRoom),
            ),
            ("the room_is_blocked", "", ApiError::Refused),
            ("error-not-allowed", "", ApiError::Refused),
        ] {
            let body = format!(r#"{{"success":false,"error":"{text}","errorType":"{code}"}}"#);
            assert_eq!(sent(&response(400, &body), &id()), Err(expected), "{text}");
        }
    }

    #[test]
    fn the_text_of_an_error_is_shortened_and_escaped() {
        let escaped = |text: &str| {
            let body = serde_json::json!({ "success": false, "error": text }).to_string();
            ErrorBody::of(&response(400, &body)).escaped()
        };
        assert_eq!(escaped(""), None);
        let hostile = "a\u{1b}[31m\u{202e}\n\"b";
        assert_eq!(
            escaped(hostile).as_deref(),
            Some(r#"a\u{1b}[31m\u{202e}\n\"b"#)
        );
        let limit = LIMITS.client.max_error_chars;
        assert_eq!(
            escaped(&"x".repeat(9000)).map(|text| text.len()),
            Some(limit)
        );
    }

    #[test]
    fn a_200_is_a_success_only_if_it_confirms_the_message() {
        let right = format!(r#"{{"message":{{"_id":"{}"}},"success":true}}"#, id());
        let cases = [
            ("confirmed", right.as_str(), Ok(())),
            ("refused", r#"{"success":false}"#, Err(ApiError::Refused)),
            (
                "too long",
                r#"{"success":false,"errorType":"error-message-size-exceeded"}"#,
                Err(ApiError::TooLong),
            ),
            (
                "no message",
                r#"{"success":true}"#,
                Err(ApiError::Unconfirmed),
            ),
            (
                "null message",
                r#"{"success":true,"message":null}"#,
                Err(ApiError::Unconfirmed),
            ),
            (
                "another message",
                r#"{"success":true,"message":{"_id":"other"}}"#,
                Err(ApiError::Unconfirmed),
            ),
            (
                "no status",
                r#"{"message":{"_id":"x"}}"#,
                Err(ApiError::Unreadable),
            ),
            (
                "a truncated response",
                &right[..20],
                Err(ApiError::Unreadable),
            ),
            ("a start page", "<!DOCTYPE html>", Err(ApiError::Unreadable)),
            ("nothing", "", Err(ApiError::Unreadable)),
        ];
        for (case, body, expected) in cases {
            assert_eq!(sent(&response(200, body), &id()), expected, "{case}");
        }
    }

    #[test]
    fn a_room_without_the_recipient_is_refused() {
        let alice = Username::parse("alice").expect("is a name");
        let room_of = |members: &str| {
            let body = format!(r#"{{"room":{{"_id":"r"{members}}},"success":true}}"#);
            room(&response(200, &body), &alice).map(|room| room.as_str().to_owned())
        };
        assert_eq!(
            room_of(r#","usernames":["gitlab-bot","alice"]"#),
            Ok("r".to_owned())
        );
        assert_eq!(
            room_of(""),
            Ok("r".to_owned()),
            "a server that does not list the members"
        );
        assert_eq!(
            room_of(r#","usernames":["gitlab-bot"]"#),
            Err(ApiError::Refused)
        );
        assert_eq!(
            room_of(r#","usernames":["gitlab-bot","Alice"]"#),
            Ok("r".to_owned()),
            "usernames differ in more than case"
        );
    }

    #[test]
    fn a_stored_message_has_its_room_and_its_sender() {
        let body = |id: &str| {
            format!(
                r#"{{"message":{{"_id":"{id}","rid":"r","u":{{"_id":"bot"}}}},"success":true}}"#
            )
        };
        let stored = |deleted| {
            Ok(StoredMessage::Readable {
                room: RoomId::parse("r").expect("is an id"),
                sender: UserId::parse("bot").expect("is an id"),
                text: String::new(),
                deleted,
            })
        };
        let right = body(id().as_str());
        assert_eq!(found(&response(200, &right), &id()), stored(false));
        for kept in [r#""t":"rm""#, r#""_hidden":true"#] {
            let body = right.replacen("\"rid\"", &format!("{kept},\"rid\""), 1);
            assert_eq!(found(&response(200, &body), &id()), stored(true), "{kept}");
        }
        for (status, code) in [(400, "error-not-allowed"), (403, "error-forbidden")] {
            let body = format!(r#"{{"success":false,"errorType":"{code}"}}"#);
            let found = found(&response(status, &body), &id());
            assert_eq!(found, Ok(StoredMessage::Unreadable), "{status}");
        }
        for (status, body, error) in [
            (200, body("another"), ApiError::Unconfirmed),
            (400, r#"{"success":false}"#.to_owned(), ApiError::Refused),
            (403, "<html></html>".to_owned(), ApiError::ProxyRefused),
        ] {
            assert_eq!(found(&response(status, &body), &id()), Err(error), "{body}");
        }
    }
}
