//! What is said of a job. Owns the render; what they are made of is read in
//! [`gitlab::job`](crate::gitlab::job).

use super::SkipReason;
use super::fragments::{MAX_NAME, fragments, lines, project_page, quoted};
use super::pipeline::{run, started_and_lasted, verb};
use crate::gitlab::job::Job;
use crate::gitlab::status::Status;

pub(super) fn render(job: &Job) -> Result<String, SkipReason> {
    let verb = verb(job.status)?;
    let noun = project_page(
        &job.meta,
        &format!("-/jobs/{}", job.id),
        &format!("Job {}", job.id),
    );
    let name = fragments(" ", quoted(job.name.as_deref(), MAX_NAME));
    let headline = format!(
        "{noun}{name} {verb}{}{}",
        run(&job.meta, &job.run),
        started_and_lasted(&job.meta, job.duration_seconds)
    );
    Ok(lines(headline, details(job)))
}

/// GitLab sends a reason for the failure also with jobs that passed.
fn details(job: &Job) -> Option<String> {
    let stage = quoted(job.stage.as_deref(), MAX_NAME).map(|stage| format!("stage {stage}"));
    let failed = job.status == Status::Failed;
    let reason = job.failure.as_deref().filter(|_| failed);
    let reason = quoted(reason, MAX_NAME).map(|reason| format!("reason {reason}"));
    let parts: Vec<_> = [stage, reason].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
