//! One message per pipeline that is edited as the pipeline proceeds. Owns the mark in its text that
//! shows the state of the pipeline, so that independent replicas, and deliveries that arrive out of
//! order, agree on which of two texts is the later one.
//!
//! The mark is the fragment of the link to the pipeline. It is part of the text because nothing
//! else of a message can be edited; GitLab ignores it and users do not see it. Escaped outside text
//! contains no number sign after a digit, so it cannot forge a mark. A mark distinguishes only two states, in
//! progress and finished, because the chat server has no conditional edit: a text about a pipeline
//! in progress never replaces another text, so two such texts cannot alternate, and of two finished
//! states the later one wins. A finished state without a readable time replaces every state but
//! itself, and every dated state replaces it: it cannot be ordered, and must not keep a later state
//! from being shown.

use crate::gitlab::attributes::PipelineState;
use crate::rocketchat::MessageKey;

/// The key that all messages about one pipeline share. Their id is derived from it, the instance
/// and the room.
pub fn key(state: &PipelineState) -> MessageKey {
    MessageKey::derive(&["live pipeline", &state.pipeline.to_string()])
}

/// The text with its mark; `None` if it has no link to the pipeline.
pub fn mark(text: &str, state: &PipelineState) -> Option<String> {
    let link = format!("{})", page(state));
    let (before, after) = text.split_once(&link)?;
    let (page, at) = (page(state), at(state));
    Some(format!("{before}{page}#at-{at}){after}"))
}

/// Whether a message with this text shows an earlier state than `state` and must be edited.
pub fn is_behind(text: &str, state: &PipelineState) -> bool {
    let mark = format!("{}#at-", page(state));
    let shown = text.split_once(&mark).map(|(_, rest)| rest);
    if state.undated.is_some() {
        let same = format!("{})", at(state));
        return !shown.is_some_and(|shown| shown.starts_with(&same));
    }
    let shown = shown.and_then(|rest| {
        let digits = rest.split(|char: char| !char.is_ascii_digit()).next()?;
        digits.parse::<u64>().ok()
    });
    shown.unwrap_or(0) < rank(state)
}

/// Identifies a state of the pipeline, for a message about it that cannot be edited.
pub(crate) fn state(state: &PipelineState) -> String {
    at(state)
}

fn page(state: &PipelineState) -> String {
    format!("/-/pipelines/{}", state.pipeline)
}

/// The rank, or for a state without a readable time 0 and its status.
fn at(state: &PipelineState) -> String {
    match state.undated {
        Some(status) => format!("0-{}", status.label()),
        None => rank(state).to_string(),
    }
}

/// 0 while in progress, afterwards the time it finished as a Unix time, at least 1.
fn rank(state: &PipelineState) -> u64 {
    state.finished_at.map_or(0, |seconds| seconds.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitlab::status::Status;
    use crate::rocketchat::markup::InlineCode;

    fn ended(finished_at: Option<u64>, undated: Option<Status>) -> PipelineState {
        PipelineState {
            pipeline: 31,
            finished_at,
            undated,
        }
    }

    fn at(finished_at: Option<u64>) -> PipelineState {
        ended(finished_at, None)
    }

    #[test]
    fn an_undated_state_never_blocks_another_and_is_not_repeated() {
        let undated = |status| ended(Some(0), Some(status));
        let [failed, passed] = [Status::Failed, Status::Success].map(undated);
        let all = [at(None), failed.clone(), passed.clone(), at(Some(100))];
        let text = "Pipeline [31](https://gitlab.example.org/a/b/-/pipelines/31) runs";
        for (shown, expected) in [
            (at(None), [false, true, true, true]),
            (failed, [false, false, true, true]),
            (passed, [false, true, false, true]),
            (at(Some(100)), [false, true, true, false]),
        ] {
            let text = mark(text, &shown).expect("has a link");
            let behind = all.each_ref().map(|news| is_behind(&text, news));
            assert_eq!(behind, expected, "{text}");
        }
    }

    #[test]
    fn outside_text_before_the_link_cannot_forge_a_mark() {
        for outside in [
            "/-/pipelines/31#at-999",
            "/-/pipelines/31\u{200b}#at-999",
            "/-/pipelines/31\u{200d}#at-999",
            "/-/pipelines/31 #at-999",
        ] {
            let title = InlineCode::new(outside, 100).expect("is visible");
            let text = format!("{title} [31](https://gitlab.example.org/a/b/-/pipelines/31)");
            let text = mark(&text, &at(Some(100))).expect("has a link");
            assert!(is_behind(&text, &at(Some(101))), "{text}");
        }
    }

    #[test]
    fn a_text_is_replaced_only_by_a_later_end() {
        let text = "Pipeline [31](https://gitlab.example.org/a/b/-/pipelines/31) runs";
        let way = mark(text, &at(None)).expect("has a link");
        let early = mark(text, &at(Some(100))).expect("has a link");
        let late = mark(text, &at(Some(101))).expect("has a link");
        for (shown, news, expected) in [
            (&way, None, false),
            (&way, Some(0), true),
            (&way, Some(100), true),
            (&early, None, false),
            (&early, Some(100), false),
            (&early, Some(101), true),
            (&late, Some(100), false),
        ] {
            assert_eq!(is_behind(shown, &at(news)), expected, "{shown} {news:?}");
        }
    }

    #[test]
    fn a_text_without_the_link_cannot_be_marked() {
        assert_eq!(mark("Pipeline 31 runs", &at(None)), None);
        assert_eq!(mark("[3](https://x/-/pipelines/3)", &at(None)), None);
        assert_eq!(mark("[311](https://x/-/pipelines/311)", &at(None)), None);
    }
}
