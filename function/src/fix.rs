//! Which failure of a pipeline a success makes good. Owns the names under which failures are told to
//! those who also hear of their fixes, so that a failure can be looked for on the chat server and
//! nothing has to be remembered here. When a fix is told is decided in
//! [`delivery`](crate::delivery).

use crate::gitlab::circumstances::Lineage;
use crate::gitlab::commit::CommitSha;
use crate::gitlab::delivery_id::DeliveryId;

/// What all failures of one commit on one ref have in common; with the instance and the room it makes
/// the id of their message.
pub fn failure(lineage: &Lineage) -> DeliveryId {
    failure_of(lineage, &lineage.sha)
}

/// The failures that a success makes good: that of its own commit, which was tried again, and that
/// of the commit before the push.
pub fn mended(lineage: &Lineage) -> Vec<DeliveryId> {
    let before = lineage.before.as_ref();
    let before = before.filter(|before| **before != lineage.sha);
    [Some(&lineage.sha), before]
        .into_iter()
        .flatten()
        .map(|sha| failure_of(lineage, sha))
        .collect()
}

fn failure_of(lineage: &Lineage, sha: &CommitSha) -> DeliveryId {
    let project = lineage.project.to_string();
    DeliveryId::from_content(&["failure", &project, &lineage.reference, sha.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(sha: char, before: Option<char>) -> Lineage {
        let sha_of = |digit: char| CommitSha::parse(&digit.to_string().repeat(40));
        Lineage {
            project: 42,
            reference: "main".to_owned(),
            sha: sha_of(sha).expect("is a commit"),
            before: before.and_then(sha_of),
        }
    }

    #[test]
    fn a_success_mends_the_failure_of_its_commit_and_of_the_one_before() {
        let [a, b] = ['a', 'b'].map(|sha| failure(&lineage(sha, None)));
        for (case, success, expected) in [
            ("tried again", lineage('a', None), vec![&a]),
            ("pushed", lineage('b', Some('a')), vec![&b, &a]),
            ("the same twice", lineage('b', Some('b')), vec![&b]),
            ("a new branch", lineage('b', Some('0')), vec![&b]),
        ] {
            assert_eq!(
                mended(&success).iter().collect::<Vec<_>>(),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn failures_of_another_project_or_ref_have_another_name() {
        let one = lineage('a', None);
        let of_project = Lineage {
            project: 43,
            ..one.clone()
        };
        let on_tag = Lineage {
            reference: "v1".to_owned(),
            ..one.clone()
        };
        assert_ne!(failure(&one), failure(&of_project));
        assert_ne!(failure(&one), failure(&on_tag));
    }
}
