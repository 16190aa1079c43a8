//! The message about a job. Owns its wording; the event is parsed in
//! [`gitlab::job`](crate::gitlab::job).

use super::fragments::{lines, optional_code, prefixed, project_page};
use super::pipeline::{run, started_and_lasted, verb};
use super::{MAX_NAME, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::job::Job;
use crate::gitlab::status::Status;

pub(super) fn render(event: &Event, job: &Job) -> Result<String, SkipReason> {
    let verb = match (job.status, event.attributes.allowed_failure) {
        (Status::Failed, Some(true)) => "failed, which is allowed,",
        (status, _) => verb(status)?,
    };
    let noun = project_page(
        event,
        &format!("-/jobs/{}", job.id),
        &format!("Job {}", job.id),
    );
    let name = prefixed(
        " ",
        optional_code(event.attributes.title.as_deref(), MAX_NAME),
    );
    let headline = format!(
        "{noun}{name} {verb}{}{}",
        run(event, job.ref_kind),
        started_and_lasted(event)
    );
    Ok(lines(headline, details(event, job)))
}

/// Shows the reason only for a failure, because GitLab also sends one for jobs that passed.
fn details(event: &Event, job: &Job) -> Option<String> {
    let stage = optional_code(event.attributes.stage.as_deref(), MAX_NAME)
        .map(|stage| format!("stage {stage}"));
    let failed = job.status == Status::Failed;
    let reason = job.failure_reason.as_deref().filter(|_| failed);
    let reason = optional_code(reason, MAX_NAME).map(|reason| format!("reason {reason}"));
    let parts: Vec<_> = [stage, reason].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
