//! The triggers that rules need. Owns which trigger makes GitLab send events of a kind.

use crate::gitlab::kind::Kind;
use crate::gitlab_api::{Trigger, Triggers};
use crate::notifier::routing::RoutingRules;

/// The triggers of the events that the rules notify someone of. `live` says whether pipelines have one message
/// that is edited.
pub(crate) fn needed(rules: &RoutingRules, live: bool) -> Triggers {
    let notified = rules.notified_kinds();
    let triggers = notified
        .into_iter()
        .flat_map(|(kind, confidential)| of_kind(kind, confidential));
    let pipelines = live.then_some(Trigger::Pipeline);
    triggers.chain(pipelines).collect()
}

/// The triggers of a kind; the confidential one too if a rule asks for such events. None for events that only
/// groups and the whole server have: a system hook receives those without a trigger.
fn of_kind(kind: Kind, confidential: bool) -> Vec<Trigger> {
    let (usual, confidential_one) = match kind {
        Kind::Push => (Trigger::Push, None),
        Kind::TagPush => (Trigger::TagPush, None),
        Kind::Issue | Kind::WorkItem => (Trigger::Issues, Some(Trigger::ConfidentialIssues)),
        Kind::Note => (Trigger::Note, Some(Trigger::ConfidentialNote)),
        Kind::MergeRequest => (Trigger::MergeRequests, None),
        Kind::Pipeline => (Trigger::Pipeline, None),
        Kind::Job => (Trigger::Job, None),
        Kind::Deployment => (Trigger::Deployment, None),
        Kind::Release => (Trigger::Releases, None),
        Kind::WikiPage => (Trigger::WikiPage, None),
        Kind::FeatureFlag => (Trigger::FeatureFlag, None),
        Kind::Emoji => (Trigger::Emoji, None),
        Kind::Milestone => (Trigger::Milestone, None),
        Kind::AccessToken => (Trigger::ResourceAccessToken, None),
        Kind::DeployToken => (Trigger::ResourceDeployToken, None),
        Kind::Vulnerability => (Trigger::Vulnerability, None),
        Kind::RepositoryUpdate => (Trigger::RepositoryUpdate, None),
        Kind::Member
        | Kind::Subgroup
        | Kind::Project
        | Kind::User
        | Kind::Group
        | Kind::Key
        | Kind::Other => return Vec::new(),
    };
    let confidential_one = confidential_one.filter(|_| confidential);
    [usual].into_iter().chain(confidential_one).collect()
}

/// Every trigger with the kinds of event that it sends, for the documentation.
pub fn trigger_rows() -> Vec<(&'static str, Vec<Kind>)> {
    let kinds = |trigger: Trigger| {
        let sends = |kind: &Kind| of_kind(*kind, true).contains(&trigger);
        Kind::known().filter(sends).collect()
    };
    let all = Trigger::ALL.iter().copied();
    all.map(|trigger| (trigger.name(), kinds(trigger)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifier::routing;

    fn triggers(rules: &str, live: bool) -> String {
        let rules = routing::parse(rules).expect("are rules");
        needed(&rules, live).to_string()
    }

    #[test]
    fn every_kind_of_event_has_its_trigger() {
        for kind in Kind::ALL {
            let (usual, confidential) = match kind.label() {
                "push" => ("push", None),
                "tag_push" => ("tag_push", None),
                "issue" | "work_item" => ("issues", Some("issues, confidential_issues")),
                "note" => ("note", Some("note, confidential_note")),
                "merge_request" => ("merge_requests", None),
                "pipeline" => ("pipeline", None),
                "job" => ("job", None),
                "deployment" => ("deployment", None),
                "release" => ("releases", None),
                "wiki_page" => ("wiki_page", None),
                "feature_flag" => ("feature_flag", None),
                "emoji" => ("emoji", None),
                "milestone" => ("milestone", None),
                "access_token" => ("resource_access_token", None),
                "deploy_token" => ("resource_deploy_token", None),
                "vulnerability" => ("vulnerability", None),
                "repository_update" => ("repository_update", None),
                "member" | "subgroup" | "project" | "user" | "group" | "key" | "other" => {
                    ("", None)
                }
                other => panic!("{other} has no row here"),
            };
            if *kind == Kind::Other {
                assert!(of_kind(*kind, true).is_empty());
                continue;
            }
            let label = kind.label();
            let rule = format!("rules: [{{event: {label}, to: '@alice'}}]");
            assert_eq!(triggers(&rule, false), usual, "{label}");
            let rule = format!("rules: [{{event: {label}, confidential: true, to: '@alice'}}]");
            let confidential = confidential.unwrap_or(usual);
            assert_eq!(
                triggers(&rule, false),
                confidential,
                "{label}, confidential"
            );
        }
    }

    #[test]
    fn only_events_that_can_notify_someone_need_a_trigger() {
        for (case, rules, expected) in [
            (
                "nobody",
                "[{event: push, to: nobody}, {event: job, to: '@a'}]",
                "job",
            ),
            (
                "hidden by a rule for nobody",
                "[{event: push, to: nobody}, {event: [push, job], to: '@a'}]",
                "job",
            ),
            (
                "partly hidden",
                "[{event: push, ref: main, to: nobody}, {event: push, to: '@a'}]",
                "push",
            ),
            (
                "confidential ones are not hidden",
                "[{event: issue, to: nobody}, {event: issue, confidential: true, to: '@a'}]",
                "issues, confidential_issues",
            ),
            ("a role", "[{to: reviewers}]", "merge_requests, note, emoji"),
            (
                "own actions",
                "[{event: [push, job], to: actor, except_actor: true, continue: true}, {event: job, to: author}]",
                "job",
            ),
            ("a condition", "[{source: schedule, to: '@a'}]", "pipeline"),
            (
                "excluded",
                "[{event: [push, job], not: {event: job}, to: '@a'}]",
                "push",
            ),
        ] {
            assert_eq!(
                triggers(&format!("rules: {rules}"), false),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn live_pipelines_need_the_trigger_of_pipelines() {
        let rules = "rules: [{event: push, to: '@alice'}]";
        assert_eq!(triggers(rules, true), "push, pipeline");
    }

    #[test]
    fn one_recipient_of_everything_needs_all_triggers_but_the_confidential_ones() {
        let rules =
            RoutingRules::to(crate::rocketchat::Username::parse("alice").expect("is a name"));
        let needed = needed(&rules, false);
        let missing = Triggers::of_projects().difference(needed);
        assert_eq!(
            missing.to_string(),
            "confidential_issues, confidential_note"
        );
    }
}
