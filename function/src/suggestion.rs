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
        let is_synonym = spelling != word;
        let spelling = plain(spelling);
        let distance = strsim::osa_distance(&text, &spelling);
        let is_near = distance == 0
            || (distance <= tolerance(&text, &spelling)
                && !(is_synonym && is_other_word(&text, &spelling))
                && !are_opposites(&text, &spelling));
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

/// Whether a word that is near to a synonym probably is another word. There are many synonyms, and a letter
/// in place of another one makes words such as `stage` and `state`, `paused` and `passed`, `on` and `ok`. A
/// letter that is left out, added or moved hardly does, nor does one in a long word.
fn is_other_word(text: &str, synonym: &str) -> bool {
    let letters = |word: &str| {
        let mut letters: Vec<_> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let (ours, theirs) = (letters(text), letters(synonym));
    let is_replaced = ours.len() == theirs.len() && ours.len() < 8 && ours != theirs;
    let is_short = theirs.len() < 4;
    let is_far = strsim::osa_distance(text, synonym) > 1;
    is_short || is_replaced || is_far || text.chars().next() != synonym.chars().next()
}

/// Parts of a word that negate the rest of it.
const NEGATIONS: &[&str] = &["un", "dis", "non", "not", "no"];

/// Whether a part such as `un` or `dis`, which may be anywhere, makes one word the opposite of the other.
fn are_opposites(one: &str, other: &str) -> bool {
    let negations = |word: &str| {
        let parts = word.split('_').filter(|part| NEGATIONS.contains(part));
        // A part of several: `not` alone is a word such as any other.
        parts.filter(|part| *part != word).count()
    };
    negations(one) != negations(other)
        || differ_by_prefix(one, other)
        || differ_by_prefix(other, one)
}

/// Whether `longer` without the prefix of one of its parts is the same word as `shorter`.
fn differ_by_prefix(longer: &str, shorter: &str) -> bool {
    let starts = longer.match_indices('_').map(|(at, _)| at + 1);
    let mut starts = std::iter::once(0).chain(starts);
    starts.any(|start| {
        let (before, part) = longer.split_at(start);
        let prefixes = NEGATIONS.iter().chain(&["re", "in"]);
        let mut rests = prefixes.filter_map(|prefix| part.strip_prefix(prefix));
        rests.any(|rest| {
            let rest = rest.trim_start_matches('_');
            strsim::osa_distance(&format!("{before}{rest}"), shorter) <= 1
        })
    })
}
