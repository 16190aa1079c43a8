//! Testing a hook of a project, also a disabled one, with a sample of what the project has.
//! Source: `lib/api/hooks/trigger_test.rb`, `app/services/test_hooks/*.rb`, `lib/gitlab/data_builder/push.rb`.

use serde_json::{Value, json};

use crate::gitlab::server::access::Caller;
use crate::gitlab::server::call::has_no_valid_value;
use crate::gitlab::server::hook::Owner;
use crate::gitlab::server::limiter::Endpoint;
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::state::{Project, State};
use crate::gitlab::server::webhook::{Executed, Force, Sending};
use crate::gitlab::server::{Server, Trigger};

/// How many commits the sample of a push has.
const COMMITS: usize = 3;

pub(super) async fn run(
    server: &Server,
    caller: &Caller,
    project: u64,
    hook: u64,
    trigger: &str,
) -> Result<Reply, Reply> {
    let trigger = Trigger::of_field(trigger).filter(|trigger| trigger.is_for_project_hooks());
    let trigger = trigger.ok_or_else(|| has_no_valid_value("trigger"))?;
    let body = {
        let mut state = server.state();
        let found = state.hook(Owner::Project(project), hook);
        found.ok_or_else(Reply::no_record)?;
        let now = server.clock.now();
        let limiter = &mut state.limiter;
        limiter.endpoint(Endpoint::Test, project, caller.id, now)?;
        sample(server, &state, caller, project, trigger)
            .map_err(|problem| Reply::message(422, problem))?
    };
    let sending = Sending {
        trigger,
        body,
        idempotency_key: None,
        force: Force::Yes,
    };
    match server.execute(hook, sending).await {
        Executed::Response(attempt, _) if matches!(attempt.status, Some(200..300)) => {
            Ok(Reply::message(201, "201 Created"))
        }
        Executed::Response(_, text) => Err(Reply::message(422, text)),
        Executed::Refused(reason) => Err(Reply::message(422, reason)),
        Executed::Failed(_, error) => Err(Reply::message(422, error)),
    }
}

fn sample(
    server: &Server,
    state: &State,
    caller: &Caller,
    project: u64,
    trigger: Trigger,
) -> Result<Value, &'static str> {
    let mut projects = state.projects.iter();
    let project = projects.find(|other| other.id == project);
    let project = project.ok_or("Project not found")?;
    if matches!(trigger, Trigger::Push | Trigger::TagPush) {
        return push(server, caller, project);
    }
    // The newest one, as it was.
    let newest = |trigger: Trigger| project.repository.of(trigger).next_back();
    let (found, missing) = match trigger {
        Trigger::Issue | Trigger::ConfidentialIssue => {
            let issue = newest(Trigger::Issue).or_else(|| newest(Trigger::ConfidentialIssue));
            (issue, "Ensure the project has issues.")
        }
        Trigger::Note | Trigger::Emoji => (newest(trigger), "Ensure the project has notes."),
        Trigger::MergeRequest => (newest(trigger), "Ensure the project has merge requests."),
        Trigger::Job => (newest(trigger), "Ensure the project has CI jobs."),
        Trigger::Pipeline => (newest(trigger), "Ensure the project has CI pipelines."),
        Trigger::WikiPage => (newest(trigger), "Ensure the wiki is enabled and has pages."),
        Trigger::Release => (newest(trigger), "Ensure the project has releases."),
        _ => (None, "Testing not available for this hook"),
    };
    found.map(|one| one.body.clone()).ok_or(missing)
}

/// A push of the newest commits of the default branch, with the user of the token as the one who pushed. The sample for tags is
/// a push to the branch, too.
fn push(server: &Server, caller: &Caller, project: &Project) -> Result<Value, &'static str> {
    let mut commits = project.repository.newest();
    commits.truncate(COMMITS);
    let (Some(newest), Some(oldest)) = (commits.first(), commits.last()) else {
        return Err("Ensure the project has at least one commit.");
    };
    let listed: Vec<_> = commits.iter().rev().collect();
    Ok(json!({
        "object_kind": "push",
        "event_name": "push",
        "before": oldest["id"],
        "after": newest["id"],
        "ref": "refs/heads/main",
        "ref_protected": true,
        "checkout_sha": newest["id"],
        "message": null,
        "user_id": caller.id,
        "user_name": caller.username,
        "user_username": caller.username,
        "user_email": null,
        "user_avatar": null,
        "project_id": project.id,
        "project": server.webhook_project(project),
        "commits": listed,
        "total_commits_count": commits.len(),
        "push_options": {},
    }))
}
