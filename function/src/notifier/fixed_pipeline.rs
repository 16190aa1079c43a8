//! Which failure of a pipeline a success makes good. Owns the names under which both are told to
//! those who hear of fixes, so that a failure can be looked for on the chat server and nothing has to
//! be remembered here. When a fix is told is decided in [`delivery`](crate::send).

use crate::gitlab::attributes::PipelineRevision;
use crate::gitlab::commit::CommitSha;
use crate::gitlab::idempotency_key::IdempotencyKey;

/// What all failures of one commit on one ref have in common; with the instance and the room it makes
/// the id of their message.
pub fn failure(pipeline_revision: &PipelineRevision) -> IdempotencyKey {
    name("failure", pipeline_revision, &pipeline_revision.sha)
}

/// The same for fixes: a commit that was red once and is tried every night is not news every night.
pub fn fix(pipeline_revision: &PipelineRevision) -> IdempotencyKey {
    name("fix", pipeline_revision, &pipeline_revision.sha)
}

/// The failures that a success makes good: that of its own commit, which was tried again, and that
/// of the commit before the push.
pub fn failures_fixed_by(pipeline_revision: &PipelineRevision) -> Vec<IdempotencyKey> {
    let before = pipeline_revision.before.as_ref();
    let before = before.filter(|before| **before != pipeline_revision.sha);
    [Some(&pipeline_revision.sha), before]
        .into_iter()
        .flatten()
        .map(|sha| name("failure", pipeline_revision, sha))
        .collect()
}

fn name(what: &str, pipeline_revision: &PipelineRevision, sha: &CommitSha) -> IdempotencyKey {
    let project = pipeline_revision.project.to_string();
    IdempotencyKey::from_content(&[what, &project, &pipeline_revision.reference, sha.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline_revision(sha: char, before: Option<char>) -> PipelineRevision {
        let sha_of = |digit: char| CommitSha::parse(&digit.to_string().repeat(40));
        PipelineRevision {
            project: 42,
            reference: "main".to_owned(),
            sha: sha_of(sha).expect("is a commit"),
            before: before.and_then(sha_of),
        }
    }

    #[test]
    fn a_success_mends_the_failure_of_its_commit_and_of_the_one_before() {
        let [a, b] = ['a', 'b'].map(|sha| failure(&pipeline_revision(sha, None)));
        for (case, success, expected) in [
            ("tried again", pipeline_revision('a', None), vec![&a]),
            ("pushed", pipeline_revision('b', Some('a')), vec![&b, &a]),
            (
                "the same twice",
                pipeline_revision('b', Some('b')),
                vec![&b],
            ),
            ("a new branch", pipeline_revision('b', Some('0')), vec![&b]),
        ] {
            assert_eq!(
                failures_fixed_by(&success).iter().collect::<Vec<_>>(),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn failures_of_another_project_or_ref_have_another_name() {
        let one = pipeline_revision('a', None);
        let of_project = PipelineRevision {
            project: 43,
            ..one.clone()
        };
        let on_tag = PipelineRevision {
            reference: "v1".to_owned(),
            ..one.clone()
        };
        assert_ne!(failure(&one), failure(&of_project));
        assert_ne!(failure(&one), failure(&on_tag));
    }
}
