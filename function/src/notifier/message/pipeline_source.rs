//! What started a pipeline, in words. Owns the words for GitLab's terms. Whether a message has them is
//! decided in [`pipeline`](super::pipeline).

use super::fragments::in_words;

/// The words for a term of `source`; `None` for a term that this program does not know, which is text
/// from outside.
pub(super) fn words(source: &str) -> Option<&'static str> {
    in_words(WORDS, source)
}

/// The terms of GitLab 19.
const WORDS: &[(&str, &str)] = &[
    ("push", "after a push"),
    ("web", "run by hand"),
    ("webide", "run in the Web IDE"),
    ("chat", "run from a chat"),
    ("schedule", "on a schedule"),
    (
        "pipeline_execution_policy_schedule",
        "on a schedule of a policy",
    ),
    ("security_orchestration_policy", "run by a security policy"),
    ("api", "run by the API"),
    ("trigger", "run by a trigger"),
    ("pipeline", "run by a pipeline of another project"),
    ("parent_pipeline", "run by a parent pipeline"),
    ("merge_request_event", "for a merge request"),
    (
        "external_pull_request_event",
        "for an external pull request",
    ),
    ("external", "run by an external service"),
    (
        "container_registry_push",
        "after a push to the container registry",
    ),
    ("ondemand_dast_scan", "for an on-demand scan"),
    ("ondemand_dast_validation", "for an on-demand validation"),
    ("duo_workflow", "run by a Duo workflow"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifier::routing;

    #[test]
    fn a_source_that_gitlab_knows_has_plain_words() {
        assert_eq!(words("schedule"), Some("on a schedule"));
        for unknown in ["", "unknown", "schedule ", "PUSH"] {
            assert_eq!(words(unknown), None, "{unknown}");
        }
        for (term, words) in WORDS {
            let is_plain = |char: char| char.is_ascii_alphabetic() || " -".contains(char);
            assert!(words.chars().all(is_plain), "{term}: {words}");
            let rows = WORDS.iter().filter(|(other, _)| other == term).count();
            assert_eq!(rows, 1, "{term}");
            let rules = format!("rules: [{{source: {term}, to: '@alice'}}]");
            assert!(routing::parse(&rules).is_ok(), "rules do not know {term}");
        }
    }
}
