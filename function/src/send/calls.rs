//! The calls to Rocket.Chat for one notification. Owns which call of the client executes which command, and
//! that several notifications to one user create their room with one call. When a call is made is decided in
//! [`machine`](super::machine).

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time;

use super::command::{Call, Input};
use super::sender::{Sender, lock};
use crate::notifier::notification::Notification;
use crate::rocketchat::client::{CallOptions, Timed};
use crate::rocketchat::endpoint::Endpoint;
use crate::rocketchat::reachability::Unreachable;
use crate::rocketchat::response::ApiError;
use crate::rocketchat::{Destination, Username};

impl Sender {
    pub(super) async fn call(
        &self,
        call: Call,
        notification: &Notification,
        options: CallOptions<'_>,
    ) -> Input {
        let text = &notification.text;
        let client = &self.client;
        match call {
            // A configured room is never created.
            Call::CreateRoom => Input::Room(Err(ApiError::Refused)),
            Call::Send(room, id) => {
                let call = client.send_message(&room, &id, text, options).await;
                Input::Sent(self.observed(Endpoint::SendMessage, call))
            }
            Call::Find(id) => {
                let call = client.get_message(&id, options).await;
                Input::Found(self.observed(Endpoint::GetMessage, call))
            }
            Call::Edit(room, id) => {
                let call = client.update_message(&room, &id, text, options).await;
                Input::Edited(self.observed(Endpoint::UpdateMessage, call))
            }
            Call::CheckUser => {
                Input::Checked(self.look_up(&notification.destination, options).await)
            }
            Call::CheckRoom(room) => {
                Input::Checked(self.look_up(&Destination::Room(room), options).await)
            }
        }
    }

    pub(super) async fn look_up(
        &self,
        recipient: &Destination,
        options: CallOptions<'_>,
    ) -> Result<Option<Unreachable>, ApiError> {
        match recipient {
            Destination::User(name) => {
                let call = self.client.user_info(name, options).await;
                self.observed(Endpoint::UserInfo, call)
            }
            Destination::Room(room) => {
                let call = self.client.room_info(room, options).await;
                self.observed(Endpoint::RoomInfo, call)
            }
        }
    }

    fn observed<T>(&self, endpoint: Endpoint, call: Timed<T>) -> Result<T, ApiError> {
        (self.observe)(endpoint, call.result.as_ref().err().copied(), call.elapsed);
        call.result
    }

    /// Creates or finds the room of a user, with one call for all notifications that need it now. A
    /// room that another one got since this one `began` is used too.
    pub(super) async fn room<'a>(
        &'a self,
        name: &Username,
        began: Duration,
        options: CallOptions<'_>,
        permit: &mut Option<SemaphorePermit<'a>>,
    ) -> Input {
        if let Some(room) = lock(&self.rooms).get_since(name, began) {
            return Input::RoomOfAnother(Ok(room));
        }
        let creation = match self.creations.begin(name) {
            Ok(creation) => creation,
            Err(other) => {
                *permit = None;
                let result = time::timeout(options.within.total, other.result()).await;
                return result
                    .ok()
                    .flatten()
                    .map_or(Input::Waited, Input::RoomOfAnother);
            }
        };
        let call = self.client.create_room(name, options).await;
        let room = self.observed(Endpoint::CreateRoom, call);
        match &room {
            Ok(room) => {
                let now = self.epoch.elapsed();
                lock(&self.rooms).insert(name.clone(), room.clone(), now);
            }
            Err(_) => lock(&self.rooms).remove(name),
        }
        creation.finish(&room, self.hands_off);
        Input::Room(room)
    }
}
