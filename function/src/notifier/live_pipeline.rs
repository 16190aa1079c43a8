//! One message about a pipeline that is edited as the pipeline moves. Owns the mark in its text that
//! tells how far the message is, so that replicas which know nothing of each other, and deliveries
//! that overtake each other, agree on which of two texts is the later one.
//!
//! The mark is the fragment of the link to the pipeline: it travels with the text, since nothing
//! else of a message can be edited, and neither GitLab nor people see it. Outside text holds no
//! number sign, so nobody can forge one. There are two steps only, under way and at its end, for the
//! chat server has no way to edit a message only if nobody else did: texts about the way never
//! replace anything, so two of them cannot fight, and of two ends the later one wins.

use crate::gitlab::attributes::PipelineState;
use crate::rocketchat::MessageKey;

/// What all messages about one pipeline have in common; with the instance and the room it makes
/// their id.
pub fn key(state: &PipelineState) -> MessageKey {
    MessageKey::derive(&["live pipeline", &state.pipeline.to_string()])
}

/// The text with its mark; `None` if it does not link to the pipeline.
pub fn mark(text: &str, state: &PipelineState) -> Option<String> {
    let link = format!("{})", page(state));
    let (before, after) = text.split_once(&link)?;
    let (page, rank) = (page(state), rank(state));
    Some(format!("{before}{page}#at-{rank}){after}"))
}

/// Whether a message with this text is to be edited so that it tells of `state`.
pub fn is_behind(text: &str, state: &PipelineState) -> bool {
    let mark = format!("{}#at-", page(state));
    let shown = text.split_once(&mark).and_then(|(_, rest)| {
        let digits = rest.split(|char: char| !char.is_ascii_digit()).next()?;
        digits.parse::<u64>().ok()
    });
    shown.unwrap_or(0) < rank(state)
}

fn page(state: &PipelineState) -> String {
    format!("/-/pipelines/{}", state.pipeline)
}

/// Zero on the way, the time of the end at the end.
fn rank(state: &PipelineState) -> u64 {
    state.finished_at.map_or(0, |seconds| seconds.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(finished_at: Option<u64>) -> PipelineState {
        PipelineState {
            pipeline: 31,
            finished_at,
        }
    }

    #[test]
    fn a_text_is_replaced_by_a_later_end_and_by_nothing_else() {
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
