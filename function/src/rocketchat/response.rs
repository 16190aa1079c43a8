//! What a response of Rocket.Chat means. Owns the rule that a 200 may be a refusal and that an
//! error may hide a success. Calls are made by [`client`](super::client); what to do next is
//! decided in [`machine`](crate::send::machine).
//!
//! Read at Rocket.Chat 7.0 to 9.0-rc.3. Error texts and statuses change between major versions, so
//! only the status and the few fields below are used.

use std::time::Duration;

use serde::Deserialize;

use super::{MessageId, RoomId, UserId, Username};

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

/// Why a call failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ApiError {
    /// No connection was established, so nothing was sent.
    Connect,
    /// No complete response in time; the call may have been applied.
    Timeout,
    /// The connection closed before the complete response; the call may have been applied.
    Reset,
    /// The response is too long or not JSON; the call may have been applied.
    Unreadable,
    /// 408 or 425: the server or a proxy asks to retry.
    TryAgain,
    /// 5xx, from the server or a proxy; the call may have been applied.
    ServerError,
    /// A 2xx that does not confirm the request; the call may have been applied.
    Unconfirmed,
    /// 429: too many calls, usually because the account lacks the role bot. Contains the time until
    /// the limit resets, if sent.
    RateLimited(Option<Duration>),
    /// 400, another 4xx, or a 2xx without success: also the response to an id that is already
    /// stored.
    Refused,
    /// 401: the token or the user id is wrong.
    Unauthorized,
    /// 403: the account lacks a permission.
    Forbidden,
    /// 404 or 405: the URL is not that of Rocket.Chat.
    NotFound,
    /// 3xx: never followed, because that would send the token to another server.
    Redirected,
}

impl ApiError {
    /// Every error, for documentation tables and for metric series that are created at startup.
    pub const ALL: [Self; 13] = [
        Self::Connect,
        Self::Timeout,
        Self::Reset,
        Self::Unreadable,
        Self::TryAgain,
        Self::ServerError,
        Self::Unconfirmed,
        Self::RateLimited(None),
        Self::Refused,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Redirected,
    ];

    /// The label in logs and metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Unreadable => "unreadable",
            Self::TryAgain => "try_again",
            Self::ServerError => "server_error",
            Self::Unconfirmed => "unconfirmed",
            Self::RateLimited(_) => "rate_limited",
            Self::Refused => "refused",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Redirected => "redirected",
        }
    }

    /// What to check, to follow "could not deliver the message: ".
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Connect => {
                "no connection to Rocket.Chat; check ROCKETCHAT_URL, DNS and network policies"
            }
            Self::Timeout => "Rocket.Chat did not respond in time",
            Self::Reset => "the connection to Rocket.Chat closed before the response was complete",
            Self::Unreadable => {
                "the response is not valid for Rocket.Chat; check ROCKETCHAT_URL and any proxy in front of it"
            }
            Self::TryAgain | Self::ServerError => {
                "Rocket.Chat or a proxy in front of it reported an error; check its log"
            }
            Self::Unconfirmed => "Rocket.Chat did not confirm the message",
            Self::RateLimited(_) => {
                "Rocket.Chat limits the rate of calls; give the account the role bot"
            }
            Self::Refused => {
                "Rocket.Chat rejected the request; check the recipient and the roles of the account with `webhook-app check`"
            }
            Self::Unauthorized => {
                "Rocket.Chat does not accept ROCKETCHAT_USER_ID with ROCKETCHAT_AUTH_TOKEN; check both"
            }
            Self::Forbidden => "the account lacks a permission; give it the roles user and bot",
            Self::NotFound => "found no Rocket.Chat at ROCKETCHAT_URL; check the address",
            Self::Redirected => {
                "ROCKETCHAT_URL responds with a redirect; set it to the address that the redirect points to"
            }
        }
    }

    /// Whether the call may have been applied despite the error.
    pub(crate) fn may_have_been_applied(self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::Reset
                | Self::Unreadable
                | Self::ServerError
                | Self::Unconfirmed
                | Self::Refused
        )
    }

    /// Whether a retry may succeed.
    pub(crate) fn is_transient(self) -> bool {
        match self {
            Self::Connect
            | Self::Timeout
            | Self::Reset
            | Self::Unreadable
            | Self::TryAgain
            | Self::ServerError
            | Self::Unconfirmed
            | Self::RateLimited(_) => true,
            Self::Refused
            | Self::Unauthorized
            | Self::Forbidden
            | Self::NotFound
            | Self::Redirected => false,
        }
    }
}

/// A stored message, as `chat.getMessage` returns it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredMessage {
    /// Its room.
    pub room: RoomId,
    /// Who sent it.
    pub sender: UserId,
    /// Its text.
    pub text: String,
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
    let has_recipient = |names: Vec<String>| names.iter().any(|name| name == recipient.as_str());
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
    let body: Body = accepted(response)?;
    if body.message.id == id.as_str() {
        Ok(())
    } else {
        Err(ApiError::Unconfirmed)
    }
}

/// The message that `chat.getMessage` found. [`ApiError::Refused`] if it does not exist or the bot
/// may not read it.
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
    }
    #[derive(Deserialize)]
    struct Sender {
        #[serde(rename = "_id")]
        id: String,
    }
    let message = accepted::<Body>(response)?.message;
    let ids = (RoomId::parse(&message.rid), UserId::parse(&message.u.id));
    match ids {
        (Some(room), Some(sender)) if message.id == id.as_str() => Ok(StoredMessage {
            room,
            sender,
            text: message.msg,
        }),
        _ => Err(ApiError::Unconfirmed),
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
        401 => return Err(ApiError::Unauthorized),
        403 => return Err(ApiError::Forbidden),
        404 | 405 => return Err(ApiError::NotFound),
        408 | 425 => return Err(ApiError::TryAgain),
        429 => return Err(ApiError::RateLimited(response.reset_in)),
        400..=499 => return Err(ApiError::Refused),
        _ => return Err(ApiError::ServerError),
    }
    let status: Status =
        serde_json::from_slice(&response.body).map_err(|_| ApiError::Unreadable)?;
    if !status.success {
        return Err(ApiError::Refused);
    }
    serde_json::from_slice(&response.body).map_err(|_| ApiError::Unconfirmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> ApiResponse {
        ApiResponse {
            status,
            reset_in: None,
            body: body.as_bytes().to_vec(),
        }
    }

    fn id() -> MessageId {
        let key = crate::rocketchat::MessageKey::derive(&["key"]);
        MessageId::derive("", &key, &RoomId::parse("room").expect("is a room"))
    }

    #[test]
    fn every_status_has_a_meaning() {
        let expected = |status: u16| match status {
            200..=299 => None,
            300..=399 => Some(ApiError::Redirected),
            401 => Some(ApiError::Unauthorized),
            403 => Some(ApiError::Forbidden),
            404 | 405 => Some(ApiError::NotFound),
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
    fn a_200_is_a_success_only_if_it_confirms_the_message() {
        let right = format!(r#"{{"message":{{"_id":"{}"}},"success":true}}"#, id());
        let cases = [
            ("confirmed", right.as_str(), Ok(())),
            ("refused", r#"{"success":false}"#, Err(ApiError::Refused)),
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
            Err(ApiError::Refused)
        );
    }

    #[test]
    fn a_stored_message_has_its_room_and_its_sender() {
        let body = |id: &str| {
            format!(
                r#"{{"message":{{"_id":"{id}","rid":"r","u":{{"_id":"bot"}}}},"success":true}}"#
            )
        };
        let stored = found(&response(200, &body(id().as_str())), &id()).expect("is found");
        assert_eq!((stored.room.as_str(), stored.sender.as_str()), ("r", "bot"));
        for (status, body, error) in [
            (200, body("another"), ApiError::Unconfirmed),
            (400, r#"{"success":false}"#.to_owned(), ApiError::Refused),
        ] {
            assert_eq!(found(&response(status, &body), &id()), Err(error), "{body}");
        }
    }
}
