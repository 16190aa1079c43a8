//! Regular expressions in place of patterns. Owns which signs of one no name of a condition has. Which other
//! mistakes a pattern can have is in [`pattern_mistakes`](super::pattern_mistakes).

use super::condition::Condition;

/// Whether a pattern of the condition is a regular expression. Labels may have every sign, and paths most.
pub(super) fn is_regular_expression(condition: Condition, text: &str) -> bool {
    let has_any = |chars: &[char]| text.contains(chars);
    let is_label = condition == Condition::Labels;
    let is_anchored = text.starts_with('^') && (!is_label || text.ends_with('$'));
    if is_anchored || (!is_label && has_alternatives(text)) {
        return true;
    }
    let is_between = is_between_slashes(text);
    match condition {
        Condition::Labels => matches!(text, ".*" | ".+") || text.ends_with("::.*"),
        // Files such as `.env` begin with a dot.
        Condition::Paths => {
            let has_sign = has_any(&['^', '$', '\\', '(', '|', '[', '+']);
            let is_escaped = text.contains("\\.");
            is_escaped || ((is_between || has_any_text(text)) && has_sign)
        }
        Condition::Project => {
            is_between || has_any_text(text) || has_any(&['^', '$', '\\', '(', '|', '[', '+'])
        }
        Condition::Ref => {
            is_between || has_any_text(text) || has_any(&['^', '\\', '[']) || text.ends_with('$')
        }
        // Bots of other services have brackets in their e-mail addresses.
        Condition::Actor | Condition::Author => {
            is_between || has_any_text(text) || has_any(&['\\', '|']) || text.ends_with('$')
        }
        _ => is_between,
    }
}

/// Whether it is between two slashes, with flags or without. A path may begin and end with a slash by mistake.
fn is_between_slashes(text: &str) -> bool {
    let flags = text
        .strip_prefix('/')
        .and_then(|rest| rest.rsplit_once('/'));
    flags.is_some_and(|(inner, flags)| {
        !inner.is_empty() && flags.bytes().all(|byte| b"gimsuxy".contains(&byte))
    })
}

/// Whether it has alternatives such as `(main|dev)`.
fn has_alternatives(text: &str) -> bool {
    let after = text
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once('|'));
    after.is_some_and(|(_, rest)| rest.contains(')'))
}

/// Whether it has `.*` or `.+` where no name has a dot: `rocket.*` may mean names with one.
fn has_any_text(text: &str) -> bool {
    [".*", ".+"].iter().any(|sign| {
        let mut before = text.match_indices(sign).map(|(at, _)| &text[..at]);
        before.any(|before| before.is_empty() || before.ends_with(['/', '-', '_', '(']))
    })
}
