//! The message about a pipeline. Owns its wording; the event is parsed in
//! [`gitlab::pipeline`](crate::gitlab::pipeline).

use super::fragments::{and_more, code, commit_line, facts, has_short_address, name, took};
use super::headline::Headline;
use super::noun::Noun;
use super::pipeline_source;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::failed_jobs::{FailedJob, FailedJobs};
use crate::gitlab::pipeline::Pipeline;
use crate::gitlab::push::RefKind;
use crate::gitlab::status::Status;

const STARTED_BY: &str = ", started by ";

pub(super) fn render(event: &Event, pipeline: &Pipeline) -> Result<Message, SkipReason> {
    let (sign, verb) = match event.attributes.allowed_failure {
        Some(true) => (Sign::Warnings, "passed with warnings"),
        _ => verb(event, pipeline.status)?,
    };
    Ok(message(event, pipeline, sign, verb))
}

/// The message about a fix, for recipients of the failure message.
pub(super) fn render_fix(event: &Event, pipeline: &Pipeline) -> Message {
    let (sign, verb) = match event.attributes.allowed_failure {
        Some(true) => (Sign::Warnings, "passed again with warnings"),
        _ => (Sign::Passed, "passed again"),
    };
    message(event, pipeline, sign, verb)
}

fn message(event: &Event, pipeline: &Pipeline, sign: Sign, verb: &'static str) -> Message {
    let id = pipeline.id;
    let noun = Noun::of_project(
        event,
        &format!("-/pipelines/{id}"),
        format!("Pipeline {id}"),
    );
    let merge_request = merge_request(event, pipeline);
    let headline = Headline::new(sign).noun(&noun).words(" ").words(verb);
    let headline = ran_for(headline, event, merge_request, pipeline.ref_kind);
    Message::new(headline)
        .line(jobs_line(event, pipeline))
        .line(commit_line(event, event.attributes.title.as_deref()))
        .line(details(event, pipeline))
}

fn merge_request(event: &Event, pipeline: &Pipeline) -> Option<u64> {
    pipeline.merge_request.or(event.attributes.merge_request())
}

/// The sign and the verb for the status of a pipeline or job.
pub(super) fn verb(event: &Event, status: Status) -> Result<(Sign, &'static str), SkipReason> {
    match status {
        Status::Success => Ok((Sign::Passed, "passed")),
        Status::Failed => Ok((Sign::Failed, "failed")),
        Status::Canceled => Ok((Sign::Ended, "canceled")),
        Status::Skipped => Ok((Sign::Ended, "skipped")),
        Status::Unfinished => Ok((Sign::UnderWay, verb_of_unfinished(event))),
        Status::Unknown => Err(SkipReason::UnknownAction),
    }
}

/// The verb for a pipeline, job or deployment that has not finished.
pub(super) fn verb_of_unfinished(event: &Event) -> &'static str {
    match event.attributes.status.as_deref().unwrap_or_default() {
        "created" => "is created",
        "preparing" => "is being prepared",
        "waiting_for_resource" => "waits for a resource",
        "waiting_for_callback" => "waits for a callback",
        "pending" => "is pending",
        "running" => "is running",
        "manual" => "waits for a manual action",
        "scheduled" => "is scheduled",
        "blocked" => "waits for an approval",
        "canceling" => "is being canceled",
        _ => "is under way",
    }
}

/// The merge request, branch or tag of a pipeline or job, its project, and who started it.
pub(super) fn ran_for(
    headline: Headline,
    event: &Event,
    merge_request: Option<u64>,
    kind: RefKind,
) -> Headline {
    let headline = match merge_request {
        Some(number) => headline.place(" for ", Noun::merge_request(event, number)),
        None => headline.on_ref(kind, event.attributes.reference.as_deref()),
    };
    headline.in_project(event).actor_of(STARTED_BY, event)
}

fn jobs_line(event: &Event, pipeline: &Pipeline) -> Option<String> {
    match (pipeline.status, event.attributes.allowed_failure) {
        (Status::Failed, _) => failed_jobs(event, pipeline).map(|jobs| format!("failed: {jobs}")),
        (_, Some(true)) => {
            jobs(event, pipeline, &pipeline.allowed).map(|jobs| format!("allowed to fail: {jobs}"))
        }
        _ => None,
    }
}

/// The jobs that made the pipeline fail.
pub(super) fn failed_jobs(event: &Event, pipeline: &Pipeline) -> Option<String> {
    jobs(event, pipeline, &pipeline.failed)
}

fn jobs(event: &Event, pipeline: &Pipeline, jobs: &FailedJobs) -> Option<String> {
    let first = jobs.first.iter().filter_map(|job| one_job(event, job));
    let first: Vec<_> = first.collect();
    let more = jobs.count.saturating_sub(first.len());
    let more = (more > 0).then(|| {
        let path = format!("-/pipelines/{}/failures", pipeline.id);
        linked(event, &path, format!("{more} more"))
    });
    and_more(&first, more)
}

fn one_job(event: &Event, job: &FailedJob) -> Option<String> {
    let name = code(&job.name)?;
    Some(match job.id {
        Some(id) => {
            let log = linked(event, &format!("-/jobs/{id}"), "log".to_owned());
            format!("{name} {log}")
        }
        None => name,
    })
}

/// A page of the project in a list.
fn linked(event: &Event, path: &str, words: String) -> Noun {
    if has_short_address(event) {
        Noun::of_project(event, path, words)
    } else {
        Noun::unlinked(words)
    }
}

fn details(event: &Event, pipeline: &Pipeline) -> Option<String> {
    let attributes = &event.attributes;
    let is_merged_result = attributes.source_sha.is_some();
    let merged = is_merged_result.then(|| "merged result".to_owned());
    let workflow = attributes.text.as_deref().and_then(name);
    facts([merged, took(event), started(event, pipeline), workflow])
}

/// What started the pipeline, unless the first line says it.
pub(super) fn started(event: &Event, pipeline: &Pipeline) -> Option<String> {
    let source = event.attributes.source.as_deref()?;
    let is_said = merge_request(event, pipeline).is_some() && source == "merge_request_event";
    let words = pipeline_source::words(source).filter(|_| !is_said)?;
    Some(words.to_owned())
}
