//! The message about a job. Owns its wording; the event is parsed in
//! [`gitlab::job`](crate::gitlab::job).

use super::failure_reason;
use super::fragments::{code, commit_line, facts, name, took};
use super::headline::Headline;
use super::noun::Noun;
use super::pipeline::{ran_for, verb};
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::job::Job;
use crate::gitlab::status::Status;

pub(super) fn render(event: &Event, job: &Job) -> Result<Message, SkipReason> {
    let attributes = &event.attributes;
    let (sign, verb) = match (job.status, attributes.allowed_failure) {
        (Status::Failed, Some(true)) => (Sign::Warnings, "failed (allowed)"),
        (status, _) => verb(event, status)?,
    };
    let id = job.id;
    let noun = Noun::of_project(event, &format!("-/jobs/{id}"), format!("Job {id}"));
    let headline = Headline::new(sign)
        .noun(&noun)
        .optional_name(" ", "job", attributes.title.as_deref())
        .words(" ")
        .words(verb);
    let headline = ran_for(headline, event, attributes.merge_request(), job.ref_kind);
    let stage = attributes.stage.as_deref().and_then(name);
    let stage = stage.map(|stage| format!("stage {stage}"));
    Ok(Message::new(headline)
        .line(facts([reason(job), stage, took(event)]))
        .line(commit_line(event, job.commit_title.as_deref())))
}

/// Why the job failed. GitLab also sends a reason for jobs that passed.
pub(super) fn reason(job: &Job) -> Option<String> {
    let reason = job.failure_reason.as_deref();
    let reason = reason.filter(|_| job.status == Status::Failed)?;
    match failure_reason::words(reason) {
        Some(words) => Some(words.to_owned()),
        None => code(reason).map(|reason| format!("reason {reason}")),
    }
}
