//! The word that a person probably meant. Owns how near a word must be, and that a suggestion never is the
//! opposite of what was written. Which words exist, and people's other words for them, is beside the users
//! of this module.

/// The word that was meant; `None` if it is not clear. Each word comes with a spelling of it: its own, or
/// another word for the same thing.
pub(crate) fn nearest<'a>(
    text: &str,
    spellings: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<&'a str> {
    let text = plain(text);
    let near = spellings.filter_map(|(spelling, word)| {
        let spelling = plain(spelling);
        let distance = strsim::osa_distance(&text, &spelling);
        let is_near =
            distance <= tolerance(&text, &spelling) && !differ_by_prefix(&text, &spelling);
        is_near.then_some((distance, word))
    });
    let near: Vec<_> = near.collect();
    let (nearest, word) = near.iter().min_by_key(|(distance, _)| distance)?;
    // Two words as near as each other may be opposites.
    let is_clear = near.iter().all(|(at, it)| at > nearest || it == word);
    is_clear.then_some(*word)
}

/// A word without the differences between `Merge Request`, `merge-request` and `merge_request`.
pub(crate) fn plain(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The most differences that are a misspelling: `passed` is not a misspelled `failed`, nor `rejected` a
/// misspelled `detected`. People rarely misspell the first letter, and many words share their ending.
fn tolerance(text: &str, spelling: &str) -> usize {
    let shares_start = text.chars().next() == spelling.chars().next();
    match text.chars().count() {
        0..=1 => 0,
        8.. if shares_start => 2,
        _ => 1,
    }
}

/// Whether a prefix such as `un` or `dis` makes one word the opposite of the other.
fn differ_by_prefix(one: &str, other: &str) -> bool {
    let opposes = |longer: &str, shorter: &str| {
        ["un", "dis", "non", "not", "no", "re", "in"]
            .iter()
            .filter_map(|prefix| longer.strip_prefix(prefix))
            .any(|rest| strsim::osa_distance(rest.trim_start_matches('_'), shorter) <= 1)
    };
    opposes(one, other) || opposes(other, one)
}
