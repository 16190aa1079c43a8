//! What is said of a job. Owns the words; what they are made of is read in
//! [`gitlab::job`](crate::gitlab::job).

use super::Ignored;
use super::phrase::{MAX_NAME, lines, phrase, project_page, quoted};
use super::pipeline::{run, started_and_lasted, verb};
use crate::gitlab::job::Job;
use crate::gitlab::status::Status;

pub(super) fn words(job: &Job) -> Result<String, Ignored> {
    let verb = verb(job.status)?;
    let noun = project_page(
        &job.scene,
        &format!("-/jobs/{}", job.id),
        &format!("Job {}", job.id),
    );
    let name = phrase(" ", quoted(job.name.as_deref(), MAX_NAME));
    let headline = format!(
        "{noun}{name} {verb}{}{}",
        run(&job.scene, &job.run),
        started_and_lasted(&job.scene, job.duration_seconds)
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
