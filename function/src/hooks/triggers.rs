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
