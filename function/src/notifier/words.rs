//! Words in the operator's rules and templates. Owns that GitLab's word and people's word for the same
//! thing are both accepted. The lists of words are beside their users; how near a suggested word must be is
//! decided in [`suggestion`].

use crate::gitlab::kind::Kind;
use crate::suggestion::{self, plain};

/// Words, each with the one that it stands for or with what to write.
pub(crate) type Synonyms = &'static [(&'static str, &'static str)];

/// Words that are accepted for one thing.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    /// The words of GitLab or of this program.
    pub(crate) known: &'a [&'static str],
    /// Other words, each with the known one that it stands for; left out if that one is not known.
    pub(crate) synonyms: Synonyms,
    /// Words that stand for no known one, each with what to write.
    pub(crate) advice: Synonyms,
}

impl Words<'_> {
    /// The known word, or a suggestion.
    pub(crate) fn find(self, text: &str) -> Result<&'static str, String> {
        let plain = plain(text);
        let mut all = self.all();
        let found = all.find(|(spelling, _)| suggestion::plain(spelling) == plain);
        found
            .map(|(_, word)| word)
            .ok_or_else(|| self.suggest(text))
    }

    /// Says what to write, suggests the nearest word, or lists all known ones.
    pub(crate) fn suggest(self, text: &str) -> String {
        if let Some(advice) = self.advice(text) {
            return advice.to_owned();
        }
        match self.nearest(text) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("expected one of {}", self.known.join(", ")),
        }
    }

    /// The word that was meant; `None` if it is not clear.
    pub(crate) fn nearest(self, text: &str) -> Option<&'static str> {
        suggestion::nearest(text, self.all())
    }

    fn advice(self, text: &str) -> Option<&'static str> {
        let text = plain(text);
        let found = self.advice.iter().find(|(word, _)| *word == text);
        found.map(|(_, advice)| *advice)
    }

    fn all(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let known = self.known.iter().map(|word| (*word, *word));
        let synonyms = self.synonyms.iter().copied();
        known.chain(synonyms.filter(move |(_, word)| self.known.contains(word)))
    }
}

/// People's words for kinds, and GitLab's other ones.
const KINDS: Synonyms = &[
    ("build", "job"),
    ("mr", "merge_request"),
    ("pull_request", "merge_request"),
    ("pr", "merge_request"),
    ("comment", "note"),
    ("commit", "push"),
    ("branch", "push"),
    ("tag", "tag_push"),
    ("wiki", "wiki_page"),
    ("deploy", "deployment"),
    ("environment", "deployment"),
    ("issue_comment", "note"),
    ("reaction", "emoji"),
    ("incident", "issue"),
    ("task", "work_item"),
    ("epic", "work_item"),
    ("ci", "pipeline"),
    ("membership", "member"),
    ("ssh_key", "key"),
    ("expiring_access_token", "access_token"),
    ("resource_access_token", "access_token"),
    ("expiring_deploy_token", "deploy_token"),
    ("resource_deploy_token", "deploy_token"),
];

/// The kind that a word names, in the singular or the plural, or as GitLab names its hooks: `Job Hook`,
/// `merge_requests_events`.
pub(crate) fn kind(text: &str, advice: Synonyms) -> Result<Kind, String> {
    let names: Vec<_> = Kind::known().map(Kind::label).collect();
    let words = Words {
        known: &names,
        synonyms: KINDS,
        advice,
    };
    let plain = plain(text);
    let hook = ["_hook", "_hooks", "_event", "_events"]
        .iter()
        .find_map(|suffix| plain.strip_suffix(suffix));
    let stem = hook.unwrap_or(&plain);
    let singular = match stem.strip_suffix("ies") {
        Some(start) => format!("{start}y"),
        None => stem.strip_suffix('s').unwrap_or(stem).to_owned(),
    };
    let forms = [stem, &singular];
    let found = forms.iter().find_map(|form| words.find(form).ok());
    found.and_then(Kind::with_label).ok_or_else(|| {
        let advice = forms.iter().find_map(|form| words.advice(form));
        advice.map_or_else(|| words.suggest(text), str::to_owned)
    })
}

/// A value of the operator's file in an error, cut off if it is long.
pub(crate) fn echo(text: &str) -> String {
    let visible = |char: char| if char.is_control() { '\u{fffd}' } else { char };
    let mut start = text.chars();
    let shown: String = start.by_ref().take(60).map(visible).collect();
    let rest = if start.next().is_some() { "…" } else { "" };
    format!("`{shown}{rest}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: Words<'static> = Words {
        known: &["success", "failed", "canceled"],
        synonyms: &[("passed", "success")],
        advice: &[],
    };

    const PAIRS: Words<'static> = Words {
        known: &["approved", "unapproved", "open", "reopen", "protected"],
        synonyms: &[("disapproved", "unapproved")],
        advice: &[],
    };

    #[test]
    fn a_suggestion_never_is_the_opposite() {
        for (words, text, expected) in [
            (STATUSES, "passd", "did you mean `success`?"),
            (STATUSES, "faild", "did you mean `failed`?"),
            (STATUSES, "cancelled", "did you mean `canceled`?"),
            (STATUSES, "stalled", "expected one of"),
            (STATUSES, "no", "expected one of"),
            (PAIRS, "disapproved", "did you mean `unapproved`?"),
            (PAIRS, "unaproved", "did you mean `unapproved`?"),
            (PAIRS, "unprotected", "expected one of"),
            (PAIRS, "opne", "did you mean `open`?"),
        ] {
            let suggested = words.suggest(text);
            assert!(suggested.starts_with(expected), "{text}: {suggested}");
        }
        assert_eq!(STATUSES.find("Passed"), Ok("success"));
    }
}
