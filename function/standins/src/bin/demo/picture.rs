//! How the demonstration draws a message and an answer.

use standins::gitlab::Answer;
use standins::rocketchat::Message;

/// The message in a frame, as its reader would see it, with the links spelled out.
pub(crate) fn framed(message: &Message) -> String {
    let title = format!(
        "Direct message to @{} from @{}",
        message.recipient, message.sender
    );
    let lines: Vec<&str> = message.text.lines().collect();
    let widths = lines.iter().map(|line| line.chars().count());
    let width = widths
        .chain([title.chars().count()])
        .max()
        .unwrap_or_default();
    let rule = "─".repeat(width + 2);
    let row = |text: &str| format!("  │ {text}{} │\n", " ".repeat(width - text.chars().count()));
    let body: String = lines.into_iter().map(row).collect();
    format!(
        "\n  ┌{rule}┐\n{}  ├{rule}┤\n{body}  └{rule}┘\n",
        row(&title)
    )
}

/// The answer in one line.
pub(crate) fn answer(answer: &Answer) -> String {
    let text = answer.text();
    format!("webhook-app answers {} {}", answer.status, text.trim())
}
