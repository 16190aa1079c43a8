//! Which failures a successful pipeline fixes. Owns the keys of failure and fix messages, by which
//! a failure message is looked up on Rocket.Chat, so that no state is kept here. When a fix is sent
//! is decided in [`send`](crate::send).

use crate::gitlab::attributes::PipelineRevision;
use crate::gitlab::commit::CommitSha;
use crate::rocketchat::MessageKey;

/// The key of the message about all failures of one commit on one ref.
pub fn failure(revision: &PipelineRevision) -> MessageKey {
    key("failure", revision, &revision.sha)
}

/// The key of the message about all fixes of one commit on one ref: a commit that failed once and
/// then passes every night has one fix.
pub fn fix(revision: &PipelineRevision) -> MessageKey {
    key("fix", revision, &revision.sha)
}

/// The keys of the failures that a success fixes: of the same commit, if the pipeline was retried,
/// and of the commit before the push.
pub fn failures_fixed_by(revision: &PipelineRevision) -> Vec<MessageKey> {
    let before = revision.before.as_ref();
    let before = before.filter(|before| **before != revision.sha);
    [Some(&revision.sha), before]
        .into_iter()
        .flatten()
        .map(|sha| key("failure", revision, sha))
        .collect()
}

fn key(what: &str, revision: &PipelineRevision, sha: &CommitSha) -> MessageKey {
    let project = revision.project.to_string();
    MessageKey::derive(&[what, &project, &revision.reference, sha.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(sha: char, before: Option<char>) -> PipelineRevision {
        let sha_of = |digit: char| CommitSha::parse(&digit.to_string().repeat(40));
        PipelineRevision {
            project: 42,
            reference: "main".to_owned(),
            sha: sha_of(sha).expect("is a commit"),
            before: before.and_then(sha_of),
        }
    }

    #[test]
    fn a_success_fixes_the_failure_of_its_commit_and_of_the_one_before() {
        let [a, b] = ['a', 'b'].map(|sha| failure(&revision(sha, None)));
        for (case, success, expected) in [
            ("tried again", revision('a', None), vec![&a]),
            ("pushed", revision('b', Some('a')), vec![&b, &a]),
            ("the same twice", revision('b', Some('b')), vec![&b]),
            ("a new branch", revision('b', Some('0')), vec![&b]),
        ] {
            assert_eq!(
                failures_fixed_by(&success).iter().collect::<Vec<_>>(),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn failures_of_another_project_or_ref_have_another_key() {
        let one = revision('a', None);
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
