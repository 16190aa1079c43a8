//! Formats a message and a response for the terminal.

use fakes::gitlab::Response;
use fakes::rocketchat::Message;

/// Narrower lines would have a word each.
const NARROWEST: usize = 20;

/// The message in a frame that is open to the right, and no wider than `width`, if that is known.
pub(crate) fn message(message: &Message, width: Option<usize>) -> String {
    let (recipient, sender) = (&message.recipient, &message.sender);
    let title = format!("Direct message to @{recipient} from @{sender}");
    framed(&title, &message.text, width)
}

/// The status and the body of the response; the body in lines no wider than `width`, if that is known.
pub(crate) fn response(response: &Response, width: Option<usize>) -> String {
    let body = response.text();
    answered(response.status, body.trim(), width)
}

fn answered(status: u16, body: &str, width: Option<usize>) -> String {
    const INDENT: &str = "  ";
    // Lines are broken at spaces, and JSON without any is hard to read.
    let body = body.replace(",\"", ", \"");
    let inner = width.map(|width| width.saturating_sub(INDENT.len()).max(NARROWEST));
    let mut text = format!("webhook-app responds {status}");
    for line in wrapped(&body, inner) {
        text.push('\n');
        text.push_str(INDENT);
        text.push_str(line.trim_end());
    }
    text
}

fn framed(title: &str, text: &str, width: Option<usize>) -> String {
    const MARGIN: usize = "  | ".len();
    let inner = width.map(|width| width.saturating_sub(MARGIN).max(NARROWEST));
    let length = title.chars().count() + 2;
    let rule = "─".repeat(inner.map_or(length, |inner| length.min(inner)));
    let lines = |text: &str| {
        let lines = text.lines().flat_map(|line| wrapped(line, inner));
        let framed: Vec<_> = lines.map(|line| format!("  │ {line}\n")).collect();
        framed.concat()
    };
    let (title, body) = (lines(title), lines(text));
    format!("\n  ┌{rule}\n{title}  ├{rule}\n{body}  └{rule}\n")
}

/// The lines of a text: broken at spaces, and within words that are longer than a line, such as links.
fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return vec![text.to_owned()];
    };
    let (mut lines, mut line, mut column) = (Vec::new(), String::new(), 0);
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if column > 0 && column + length > width {
            lines.push(std::mem::take(&mut line));
            column = 0;
        }
        for char in word.chars() {
            if column == width && char != ' ' {
                lines.push(std::mem::take(&mut line));
                column = 0;
            }
            if column < width {
                line.push(char);
                column += 1;
            }
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_and_a_response_fit_the_terminal() {
        let text = "[3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e) pushed to branch `main`\n1 commit, äöü";
        for width in [24, 40, 80] {
            let frame = framed(
                "Direct message to @alice from @gitlab-bot",
                text,
                Some(width),
            );
            for line in frame.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            let shown: String = frame.replace(['\n', '│', ' '], "");
            assert!(shown.contains(&text.replace(['\n', ' '], "")), "{frame}");
        }
        let body = r#"{"status":"delivered","message_id":"gl038fac4ff0ea6abec5d613d9028d4bb3","sha":"3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b","found":true}"#;
        let lines = answered(200, body, Some(80));
        assert!(
            lines.lines().all(|line| line.chars().count() <= 80),
            "{lines}"
        );
        assert_eq!(lines.lines().count(), 3, "{lines}");
        let frame = framed("Direct message", text, None);
        assert!(text.lines().all(|line| frame.contains(line)), "{frame}");
    }
}
