//! How the demonstration draws a message and an answer.

use fakes::gitlab::Answer;
use fakes::rocketchat::Message;

/// The message beside a bar, its links spelled out; open to the right, so that a long link stays in one piece.
pub(crate) fn framed(message: &Message) -> String {
    let (recipient, sender) = (&message.recipient, &message.sender);
    let title = format!("Direct message to @{recipient} from @{sender}");
    let rule = "─".repeat(title.chars().count() + 2);
    let body = message.text.replace('\n', "\n  │ ");
    format!("\n  ┌{rule}\n  │ {title}\n  ├{rule}\n  │ {body}\n  └{rule}\n")
}

/// The answer in one line.
pub(crate) fn answer(answer: &Answer) -> String {
    let text = answer.text();
    format!("webhook-app answers {} {}", answer.status, text.trim())
}
