//! The filter `truncate` of templates. Owns where a text is cut off. Its size is limited in
//! [`filters`](super::filters).

use minijinja::Error;
use minijinja::value::Kwargs;

/// Jinja's default.
const LENGTH: usize = 255;

/// The start of a text of more than `length` characters with `end` after it, together at most
/// `length`. It is cut off after a word, or with `killwords` anywhere.
#[expect(
    clippy::needless_pass_by_value,
    reason = "filters take their named arguments by value"
)]
pub(super) fn truncate(
    text: &str,
    length: Option<usize>,
    killwords: Option<bool>,
    end: Option<&str>,
    named: Kwargs,
) -> Result<String, Error> {
    let length = length.or(named.get("length")?).unwrap_or(LENGTH);
    let killwords = killwords.or(named.get("killwords")?).unwrap_or(false);
    let end = end.or(named.get("end")?).unwrap_or("…");
    named.assert_all_used()?;
    if text.chars().count() <= length {
        return Ok(text.to_owned());
    }
    let kept = length.saturating_sub(end.chars().count());
    let cut = text.char_indices().nth(kept);
    let start = cut.map_or(text, |(index, _)| &text[..index]);
    let words = start.rsplit_once(' ').map_or(start, |(words, _)| words);
    let start = if killwords { start } else { words };
    Ok(format!("{}{end}", start.trim_end()))
}
