//! Signing in as the account of the bot, to check the credentials. Owns that it is a single call outside of
//! deliveries: it takes no permit and is not counted in the metrics of calls for webhooks.

use http::HeaderMap;

use super::sender::Sender;
use crate::rocketchat::CallTime;
use crate::rocketchat::client::CallOptions;
use crate::rocketchat::response::ApiError;

impl Sender {
    /// Signs in and returns the name of the account.
    pub(crate) async fn sign_in(&self) -> Result<String, ApiError> {
        let options = CallOptions {
            within: CallTime {
                total: self.limit,
                response: self.limit,
            },
            headers: &HeaderMap::new(),
        };
        let call = self.client.me(options).await;
        call.result.map(|(account, _)| account.username)
    }
}
