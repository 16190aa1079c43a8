//! Formats a message and a response for the terminal.

use fakes::gitlab::Response;
use fakes::rocketchat::Message;

/// The message in a frame that is open to the right, so that long links are not wrapped.
pub(crate) fn message(message: &Message) -> String {
    let (recipient, sender) = (&message.recipient, &message.sender);
    let title = format!("Direct message to @{recipient} from @{sender}");
    let rule = "─".repeat(title.chars().count() + 2);
    let body = message.text.replace('\n', "\n  │ ");
    format!("\n  ┌{rule}\n  │ {title}\n  ├{rule}\n  │ {body}\n  └{rule}\n")
}

/// The response in one line.
pub(crate) fn response(response: &Response) -> String {
    let text = response.text();
    format!("webhook-app responds {} {}", response.status, text.trim())
}
