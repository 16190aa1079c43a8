//! Why a job failed, in words. Owns the words for GitLab's terms: those of its own pages where they are
//! short. Whether a message has the reason is decided in [`job`](super::job).

use super::fragments::in_words;

/// The words for a term of `build_failure_reason`; `None` for a term that this program does not know,
/// which is text from outside.
pub(super) fn words(reason: &str) -> Option<&'static str> {
    in_words(WORDS, reason)
}

/// The terms of GitLab 19 and earlier versions.
const WORDS: &[(&str, &str)] = &[
    ("unknown_failure", "unknown failure"),
    ("script_failure", "script failure"),
    ("api_failure", "API failure"),
    ("stuck_or_timeout_failure", "stuck or timeout failure"),
    (
        "stuck_pending_with_matching_runners",
        "stuck although runners match",
    ),
    (
        "stuck_pending_no_matching_runners",
        "stuck because no runner matches",
    ),
    ("no_updates_running", "no activity"),
    ("no_updates_canceling", "no activity while it was canceled"),
    ("runner_system_failure", "runner system failure"),
    ("runner_configuration_error", "runner configuration error"),
    (
        "runner_external_dependency_failure",
        "an external dependency of the runner failed",
    ),
    ("runner_interrupted", "runner interrupted"),
    ("runner_unsupported", "unsupported runner"),
    ("missing_dependency_failure", "missing dependency failure"),
    ("stale_schedule", "stale schedule"),
    ("job_execution_timeout", "job execution timeout"),
    ("job_execution_server_timeout", "job execution timeout"),
    ("server_timeout_running", "job execution timeout"),
    ("server_timeout_canceling", "timeout while it was canceled"),
    ("archived_failure", "archived failure"),
    ("unmet_prerequisites", "unmet prerequisites"),
    ("scheduler_failure", "scheduler failure"),
    ("data_integrity_failure", "data integrity failure"),
    ("forward_deployment_failure", "forward deployment failure"),
    (
        "failed_outdated_deployment_job",
        "failed outdated deployment job",
    ),
    (
        "protected_environment_failure",
        "protected environment failure",
    ),
    (
        "environment_creation_failure",
        "environment creation failure",
    ),
    ("deployment_rejected", "deployment rejected"),
    (
        "pipeline_loop_detected",
        "job would create infinitely looping pipelines",
    ),
    (
        "invalid_bridge_trigger",
        "downstream pipeline trigger definition is invalid",
    ),
    (
        "downstream_project_trigger_resolved_to_empty",
        "downstream project is not named",
    ),
    (
        "downstream_bridge_project_not_found",
        "downstream project could not be found",
    ),
    (
        "upstream_bridge_project_not_found",
        "upstream project could not be found",
    ),
    (
        "insufficient_bridge_permissions",
        "no permissions to trigger downstream pipeline",
    ),
    (
        "insufficient_upstream_permissions",
        "no permissions to read upstream project",
    ),
    (
        "bridge_pipeline_is_child_pipeline",
        "creation of child pipeline not allowed from another child pipeline",
    ),
    (
        "downstream_pipeline_creation_failed",
        "downstream pipeline can not be created",
    ),
    (
        "reached_max_descendant_pipelines_depth",
        "reached maximum depth of child pipelines",
    ),
    (
        "reached_max_pipeline_hierarchy_size",
        "downstream pipeline tree is too large",
    ),
    (
        "reached_downstream_pipeline_trigger_rate_limit",
        "too many downstream pipelines triggered in the last minute",
    ),
    (
        "secrets_provider_not_found",
        "secrets provider can not be found",
    ),
    (
        "secrets_manager_access_denied",
        "no access to the secrets manager",
    ),
    ("project_deleted", "pipeline project was deleted"),
    ("user_blocked", "pipeline user was blocked"),
    ("ci_quota_exceeded", "no more compute minutes available"),
    ("no_matching_runner", "no matching runner available"),
    ("trace_size_exceeded", "log size limit exceeded"),
    ("builds_disabled", "project builds are disabled"),
    ("ip_restriction_failure", "IP address restriction failure"),
    ("job_router_failure", "job router failure"),
    ("job_token_expired", "job token expired"),
    (
        "id_token_burned_project_path",
        "no ID token because the path belonged to another project",
    ),
    (
        "duo_workflow_not_allowed",
        "Duo workflow not allowed on this runner",
    ),
    (
        "duo_workflow_connection_failure",
        "Duo workflow connection failure",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_gitlab_knows_has_plain_words() {
        assert_eq!(
            words("no_matching_runner"),
            Some("no matching runner available")
        );
        for unknown in ["", "unknown", "no_matching_runner ", "SCRIPT_FAILURE"] {
            assert_eq!(words(unknown), None, "{unknown}");
        }
        for (term, words) in WORDS {
            let is_plain = |char: char| char.is_ascii_alphabetic() || " -".contains(char);
            assert!(words.chars().all(is_plain), "{term}: {words}");
            let rows = WORDS.iter().filter(|(other, _)| other == term).count();
            assert_eq!(rows, 1, "{term}");
        }
    }
}
