//! The test message of setup and its recipient. Owns its ID and its text.

use http::HeaderMap;

use super::{Chat, options};
use crate::cli::setup::failure::{Failure, of};
use crate::rocketchat::client::Client;
use crate::rocketchat::reachability::Unreachable;
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{MessageId, MessageIds, MessageKey, RoomId, Username};
use crate::setup::{Known, Recipient, SecretFile, Wishes};

impl Chat<'_> {
    fn bot(&self) -> Result<&Client, Failure> {
        let missing = || Failure::Other("the bot has not signed in".to_owned());
        self.bot.as_ref().ok_or_else(missing)
    }

    /// Looks up who gets the test message, as the bot or as the administrator.
    pub(in crate::cli::setup) async fn find_recipient(
        &self,
        to: &Username,
    ) -> Result<Recipient, Failure> {
        let client = self.bot.as_ref().map_or_else(|| self.admin(), Ok)?;
        let headers = HeaderMap::new();
        Ok(match of(client.user_info(to, options(&headers)).await)? {
            Some(Unreachable::UnknownUser) => Recipient::Unknown,
            Some(Unreachable::DeactivatedUser) => Recipient::Deactivated,
            _ => Recipient::Found,
        })
    }

    /// Whether the test message is there, also if a person has deleted it and the server keeps it.
    pub(in crate::cli::setup) async fn find_message(
        &self,
        wishes: &Wishes,
        to: &Username,
        known: &Known,
    ) -> Result<bool, Failure> {
        let id = message_id(wishes, to, &known.secrets)?;
        let headers = HeaderMap::new();
        match of(self.bot()?.get_message(&id, options(&headers)).await) {
            Ok(StoredMessage::Readable { sender, .. }) => {
                let bot = known.bot.as_ref();
                Ok(bot.is_some_and(|bot| bot.id == sender.as_str()))
            }
            Ok(StoredMessage::Unreadable) | Err(Failure::Chat(ApiError::Refused, _)) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    pub(in crate::cli::setup) async fn send_message(
        &self,
        wishes: &Wishes,
        to: &Username,
        known: &Known,
    ) -> Result<(), Failure> {
        let id = message_id(wishes, to, &known.secrets)?;
        let headers = HeaderMap::new();
        let bot = self.bot()?;
        let room = of(bot.create_room(to, options(&headers)).await)?;
        let text = format!(
            "Test message of `webhook-app setup`: messages about `{}` can reach you here.",
            wishes.project.as_str()
        );
        of(bot.send_message(&room, &id, &text, options(&headers)).await)
    }
}

/// The same in every run, so that a second one finds the message. It follows from no room, because only a
/// call that may create the room returns its ID.
fn message_id(wishes: &Wishes, to: &Username, secrets: &SecretFile) -> Result<MessageId, Failure> {
    let secret = secrets.message_id_secret.as_ref();
    let user_id = secrets.user_id.as_deref();
    let (Some(secret), Some(user_id), Some(room)) = (secret, user_id, RoomId::parse("setup"))
    else {
        return Err(Failure::Other("a secret is missing".to_owned()));
    };
    let key = MessageKey::derive(&["setup", user_id, wishes.project.as_str(), to.as_str()]);
    Ok(MessageIds::new(secret, None).id("", &key, &room, 0))
}
