//! Whether Rocket.Chat says that a recipient cannot receive messages. Owns which responses are
//! evidence of that. An error of a call is none: `error-not-allowed`, for example, also means that
//! the account lost its role. When to ask is decided in [`machine`](crate::send::machine).
//!
//! Read at Rocket.Chat 7.0 to 9.0-rc.3.

use serde::Deserialize;

use super::response::{ApiError, ApiResponse, ErrorBody, accepted};

/// Why a recipient cannot receive messages.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Unreachable {
    /// No user has this name.
    UnknownUser,
    /// The user is deactivated.
    DeactivatedUser,
    /// The room is read-only, as a direct message room with a deactivated user is.
    ReadOnlyRoom,
    /// The room is encrypted and accepts no plain text.
    EncryptedRoom,
    /// The user, or the account, has blocked the other one.
    BlockedRoom,
    /// The account is muted in the room.
    MutedAccount,
    /// The room is archived.
    ArchivedRoom,
}

impl Unreachable {
    /// Every cause, for documentation tables and for metric series that are created at startup.
    pub const ALL: [Self; 7] = [
        Self::UnknownUser,
        Self::DeactivatedUser,
        Self::ReadOnlyRoom,
        Self::EncryptedRoom,
        Self::BlockedRoom,
        Self::MutedAccount,
        Self::ArchivedRoom,
    ];

    /// The label in logs and metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::DeactivatedUser => "deactivated_user",
            Self::ReadOnlyRoom => "read_only_room",
            Self::EncryptedRoom => "encrypted_room",
            Self::BlockedRoom => "blocked_room",
            Self::MutedAccount => "muted_account",
            Self::ArchivedRoom => "archived_room",
        }
    }

    /// What to do, to follow the name of the recipient.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::UnknownUser => {
                "does not exist on Rocket.Chat; check ROCKETCHAT_RECIPIENT, ROUTES or the mapping `users` in it"
            }
            Self::DeactivatedUser => {
                "is deactivated on Rocket.Chat; activate the user or change ROCKETCHAT_RECIPIENT or ROUTES"
            }
            Self::ReadOnlyRoom => {
                "has a read-only room; let the account write in it or change ROCKETCHAT_RECIPIENT or ROUTES"
            }
            Self::EncryptedRoom => {
                "has an encrypted room, which accepts no plain text; turn off encryption in it or change ROCKETCHAT_RECIPIENT or ROUTES"
            }
            Self::BlockedRoom => {
                "has blocked the account, or is blocked by it (room_is_blocked); unblock the user in the direct message room or change ROCKETCHAT_RECIPIENT or ROUTES"
            }
            Self::MutedAccount => {
                "has a room in which the account is muted (You_have_been_muted); unmute it there or change ROCKETCHAT_RECIPIENT or ROUTES"
            }
            Self::ArchivedRoom => {
                "has an archived room (room_is_archived); unarchive it or change ROCKETCHAT_RECIPIENT or ROUTES"
            }
        }
    }

    /// The cause that an error of `chat.sendMessage` names. It is a text without a code, or a code, which is
    /// in brackets in the text.
    pub(super) fn of_error(text: &str) -> Option<Self> {
        match text.trim_matches(['[', ']']) {
            "room_is_blocked" => Some(Self::BlockedRoom),
            "You_have_been_muted" => Some(Self::MutedAccount),
            "room_is_archived" => Some(Self::ArchivedRoom),
            _ => None,
        }
    }
}

/// What `users.info` says about a user: `None` if the user exists and is active.
pub fn of_user(response: &ApiResponse) -> Result<Option<Unreachable>, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        user: User,
    }
    #[derive(Deserialize)]
    struct User {
        active: Option<bool>,
    }
    match accepted::<Body>(response) {
        Ok(body) if body.user.active == Some(false) => Ok(Some(Unreachable::DeactivatedUser)),
        Ok(_) => Ok(None),
        Err(_) if is_unknown(response) => Ok(Some(Unreachable::UnknownUser)),
        Err(error) => Err(error),
    }
}

/// What `rooms.info` says about a room: `None` if nothing keeps the account from writing in it.
pub fn of_room(response: &ApiResponse) -> Result<Option<Unreachable>, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        room: Room,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Room {
        ro: Option<bool>,
        encrypted: Option<bool>,
    }
    let room = accepted::<Body>(response)?.room;
    Ok(match (room.ro, room.encrypted) {
        (Some(true), _) => Some(Unreachable::ReadOnlyRoom),
        (_, Some(true)) => Some(Unreachable::EncryptedRoom),
        _ => None,
    })
}

/// Whether an error says that the user does not exist, and not, for example, that the account may
/// not see the user.
fn is_unknown(response: &ApiResponse) -> bool {
    let error = ErrorBody::of(response);
    matches!(response.status, 400 | 404)
        && (matches!(error.code(), "error-invalid-user" | "error-user-not-found")
            || error.text().starts_with("User not found"))
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

    #[test]
    fn only_a_statement_about_the_user_is_evidence() {
        for (status, body, expected) in [
            (200, r#"{"user":{"active":true},"success":true}"#, Ok(None)),
            (200, r#"{"user":{},"success":true}"#, Ok(None)),
            (
                200,
                r#"{"user":{"active":false},"success":true}"#,
                Ok(Some(Unreachable::DeactivatedUser)),
            ),
            (
                400,
                r#"{"success":false,"error":"User not found."}"#,
                Ok(Some(Unreachable::UnknownUser)),
            ),
            (
                400,
                r#"{"success":false,"error":"The user is invalid [error-invalid-user]","errorType":"error-invalid-user"}"#,
                Ok(Some(Unreachable::UnknownUser)),
            ),
            (
                400,
                r#"{"success":false,"error":"Not allowed [error-not-allowed]","errorType":"error-not-allowed"}"#,
                Err(ApiError::Refused),
            ),
            (400, "", Err(ApiError::ProxyRefused)),
            (
                403,
                r#"{"success":false,"error":"User not found."}"#,
                Err(ApiError::Forbidden),
            ),
            (404, "<html></html>", Err(ApiError::NotFound)),
            (502, "", Err(ApiError::ServerError)),
        ] {
            assert_eq!(
                of_user(&response(status, body)),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn only_a_statement_about_the_room_is_evidence() {
        for (status, body, expected) in [
            (200, r#"{"room":{},"success":true}"#, Ok(None)),
            (
                200,
                r#"{"room":{"ro":false,"encrypted":false},"success":true}"#,
                Ok(None),
            ),
            (
                200,
                r#"{"room":{"ro":true},"success":true}"#,
                Ok(Some(Unreachable::ReadOnlyRoom)),
            ),
            (
                200,
                r#"{"room":{"encrypted":true},"success":true}"#,
                Ok(Some(Unreachable::EncryptedRoom)),
            ),
            (
                400,
                r#"{"success":false,"error":"Not allowed [error-not-allowed]"}"#,
                Err(ApiError::Refused),
            ),
        ] {
            assert_eq!(
                of_room(&response(status, body)),
                expected,
                "{status} {body}"
            );
        }
    }
}
