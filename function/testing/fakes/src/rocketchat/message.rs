//! A direct message as the stand-in stored it.

use serde::Serialize;
use serde_json::Value;

/// One stored message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// `_id`: chosen by the client, or made up by the server when the client chose none.
    pub id: String,
    /// The room it is in; for two people their user ids, sorted and joined.
    pub room_id: String,
    /// The username of who gets it; several are joined with commas.
    pub recipient: String,
    /// The username of who wrote it.
    pub sender: String,
    /// The text, after the last edit.
    pub text: String,
    /// What the server took for a mention: `@name` and `#channel`, existing or not. Each one may notify somebody.
    pub mentions: Vec<String>,
    /// `previewUrls` of the request; `None` lets the server fetch a preview of every link.
    pub preview_urls: Option<Vec<String>>,
    /// Shown instead of the sender's name.
    pub alias: Option<String>,
    /// Shown instead of the sender's picture.
    pub avatar: Option<String>,
    /// Shown instead of the sender's picture, when there is no avatar.
    pub emoji: Option<String>,
    /// Attachments as they were sent.
    pub attachments: Option<Value>,
    /// How often `chat.update` changed the text.
    pub edits: usize,
    /// When it was stored, ISO 8601 in UTC.
    pub stored_at: String,
}
