//! What `rooms.info` says about a room of the rules, for `webhook-app check`. Owns which response means that
//! a room does not exist, and which that the account may not see it. What a refused message asks is in
//! [`reachability`](super::reachability).
//!
//! Read at Rocket.Chat 7.0 to 8: `findRoomByIdOrName` throws before access is checked.

use serde::Deserialize;

use super::RoomId;
use super::response::{ApiError, ApiResponse, ErrorBody, accepted};

/// What a look-up by id or by name found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RoomLookup {
    /// A room that the account can see.
    Found {
        /// Its id.
        id: RoomId,
        /// Only users with a permission may write in it.
        read_only: bool,
        /// It is encrypted, so it may accept no plain text.
        encrypted: bool,
    },
    /// No room has the id or name.
    Absent,
    /// The room is archived, so nobody can write in it.
    Archived,
    /// The account is not a member of the room.
    NoMember,
}

/// What a response of `rooms.info` means.
pub(super) fn of(response: &ApiResponse) -> Result<RoomLookup, ApiError> {
    #[derive(Deserialize)]
    struct Body {
        room: Room,
    }
    #[derive(Deserialize)]
    struct Room {
        #[serde(rename = "_id")]
        id: String,
        ro: Option<bool>,
        encrypted: Option<bool>,
    }
    let room = match accepted::<Body>(response) {
        Ok(body) => body.room,
        Err(error @ (ApiError::Refused | ApiError::Forbidden | ApiError::NotFound)) => {
            let body = ErrorBody::of(response);
            return match (body.code(), body.text()) {
                ("error-room-not-found", _) => Ok(RoomLookup::Absent),
                ("error-room-archived", _) => Ok(RoomLookup::Archived),
                (_, "not-allowed") => Ok(RoomLookup::NoMember),
                _ => Err(error),
            };
        }
        Err(error) => return Err(error),
    };
    Ok(RoomLookup::Found {
        id: RoomId::parse(&room.id).ok_or(ApiError::Unconfirmed)?,
        read_only: room.ro == Some(true),
        encrypted: room.encrypted == Some(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_statement_about_the_room_says_that_it_is_absent() {
        let found = RoomLookup::Found {
            id: RoomId::parse("r").expect("is an id"),
            read_only: true,
            encrypted: false,
        };
        for (status, body, expected) in [
            (
                200,
                r#"{"room":{"_id":"r","ro":true},"success":true}"#,
                Ok(found),
            ),
            (
                400,
                r#"{"success":false,"errorType":"error-room-not-found","error":"[error-room-not-found]"}"#,
                Ok(RoomLookup::Absent),
            ),
            (
                400,
                r#"{"success":false,"errorType":"error-room-archived","error":"[error-room-archived]"}"#,
                Ok(RoomLookup::Archived),
            ),
            (
                400,
                r#"{"success":false,"errorType":"Not Allowed","error":"not-allowed"}"#,
                Ok(RoomLookup::NoMember),
            ),
            (400, r#"{"success":false}"#, Err(ApiError::Refused)),
            (404, "<html></html>", Err(ApiError::NotFound)),
            (401, r#"{"success":false}"#, Err(ApiError::Unauthorized)),
        ] {
            let response = ApiResponse {
                status,
                reset_in: None,
                body: body.as_bytes().to_vec(),
            };
            assert_eq!(of(&response), expected, "{status} {body}");
        }
    }
}
