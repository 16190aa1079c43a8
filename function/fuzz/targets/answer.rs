//! Any response of the chat server to any call is parsed or rejected, and is a success only if it contains the id of
//! the message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use webhook_app::rocketchat::reachability::{of_room, of_user};
use webhook_app::rocketchat::response::{ApiResponse, StoredMessage, found, room, sent};
use webhook_app::rocketchat::{MessageIds, MessageKey, RoomId, Username};

fuzz_target!(|bytes: &[u8]| {
    let [high, low, body @ ..] = bytes else { return };
    let answer = ApiResponse {
        status: u16::from_be_bytes([*high, *low]) % 600,
        reset_in: None,
        body: body.to_vec(),
    };
    let key = MessageKey::derive(&["key"]);
    let ids = MessageIds::new(&"secret".into(), None);
    let id = ids.id("", &key, &RoomId::parse("room").expect("is a room"), 0);
    let contains_id = body.windows(id.as_str().len()).any(|window| window == id.as_str().as_bytes());
    let escaped = body.contains(&b'\\');
    let is_found = matches!(found(&answer, &id), Ok(StoredMessage::Readable { .. }));
    let success = sent(&answer, &id).is_ok() || is_found;
    assert!(!success || (contains_id || escaped) && (200..300).contains(&answer.status));
    let _ = room(&answer, &Username::parse("alice").expect("is a name"));
    let _ = (of_user(&answer), of_room(&answer));
});
