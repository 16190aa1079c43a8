//! What an answer from Rocket.Chat means. Owns the rule that a 200 may still be a refusal and that
//! an error may hide a success. Knows nothing of sending, see [`client`](super::client), nor of
//! what to do next, see [`delivery`](crate::send).
//!
//! Read at Rocket.Chat 7.0 to 9.0-rc.3: texts and statuses move between majors, so only statuses
//! and the few fields below decide.

use std::time::Duration;

use serde::Deserialize;

use super::{MessageId, RoomId, UserId, Username};

/// One answer as it came over the wire, read to its end or to 64 KiB.
#[derive(Clone, Debug)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// `X-RateLimit-Reset`, turned into the time from now until then.
    pub reset_in: Option<Duration>,
    /// The body; Rocket.Chat writes JSON, whatever stands in front of it may write anything.
    pub body: Vec<u8>,
}

/// Why one call did not do what was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ApiError {
    /// No connection came about, so nothing was sent.
    Connect,
    /// No whole answer in time; the call may have been carried out.
    Timeout,
    /// The connection ended before the whole answer; the call may have been carried out.
    Reset,
    /// The answer is too long or no JSON; the call may have been carried out.
    Unreadable,
    /// 408 or 425: whoever answered asks to try again.
    TryAgain,
    /// 5xx, from the server or from what stands in front; the call may have been carried out.
    ServerError,
    /// 2xx that does not verify_body what was asked for.
    Unconfirmed,
    /// 429: too many calls; the bot role is missing.
    RateLimited(Option<Duration>),
    /// 400 and other refusals: also the answer to a message that is there already.
    Refused,
    /// 401: the token or the user id is wrong.
    Unauthorized,
    /// 403: the account lacks a permission.
    Forbidden,
    /// 404 or 405: the address is no Rocket.Chat.
    NotFound,
    /// 3xx: the address is not the one to call; never followed, for the token would go along.
    Redirected,
}

impl ApiError {
    /// Every error, for tables and for series that must exist from the start.
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

    /// The word for logs and metrics.
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

    /// What a person should look at, to follow "could not deliver the message: ".
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

    /// Whether the call may have been carried out all the same.
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

    /// Whether the same call may fare better in a moment.
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

/// A message that is there, as `chat.getMessage` shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredMessage {
    /// The room it stands in.
    pub room: RoomId,
    /// Who sent it.
    pub sender: UserId,
    /// What it says.
    pub text: String,
}

/// The room that `im.create` made or found for the bot and `recipient`.
///
/// Rocket.Chat 7 and 8 leave out users that they do not know: a misspelt recipient gives a room
/// that holds the bot alone, and every message into it would be a success that nobody reads. A
/// server that does not list the members is believed.
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

/// Whether `chat.sendMessage` stored the message under our id, or `chat.update` changed it.
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

/// What `chat.getMessage` found. [`ApiError::Refused`] means that there is no such message, or none
/// that we may read.
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

/// The body of an answer that reports success in every way it can.
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
