//! The JSON bodies of requests to Rocket.Chat. Owns the fields of each request; the server rejects
//! unknown ones. URLs and headers are set by [`client`](super::client).

use serde::Serialize;

use super::{MessageId, RoomId, Username};

/// The body of `im.create`.
pub(super) fn create_room(recipient: &Username) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        username: &'a str,
    }
    json(&Body {
        username: recipient.as_str(),
    })
}

/// The body of `chat.sendMessage`, without previews of links.
pub(super) fn send_message(room: &RoomId, id: &MessageId, text: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        message: Message<'a>,
        #[serde(rename = "previewUrls")]
        preview_urls: [&'a str; 0],
    }
    #[derive(Serialize)]
    struct Message<'a> {
        #[serde(rename = "_id")]
        id: &'a str,
        rid: &'a str,
        msg: &'a str,
    }
    let message = Message {
        id: id.as_str(),
        rid: room.as_str(),
        msg: text,
    };
    json(&Body {
        message,
        preview_urls: [],
    })
}

/// The body of `chat.update`, which changes only the text.
pub(super) fn update_message(room: &RoomId, id: &MessageId, text: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "roomId")]
        room: &'a str,
        #[serde(rename = "msgId")]
        id: &'a str,
        text: &'a str,
        #[serde(rename = "previewUrls")]
        preview_urls: [&'a str; 0],
    }
    json(&Body {
        room: room.as_str(),
        id: id.as_str(),
        text,
        preview_urls: [],
    })
}

fn json(body: &impl Serialize) -> Vec<u8> {
    // Serializing strings and an empty list cannot fail.
    serde_json::to_vec(body).unwrap_or_default()
}
