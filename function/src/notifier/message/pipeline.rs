//! The message about a pipeline. Owns its wording; the event is parsed in
//! [`gitlab::pipeline`](crate::gitlab::pipeline).

use super::fragments::{
    actor, at, by, duration, lines, merge_request_page, optional_code, prefixed, project_page,
    ref_noun, title,
};
use super::{MAX_NAME, MAX_PATH, SkipReason};
use crate::gitlab::attributes::EventAttributes;
use crate::gitlab::event::Event;
use crate::gitlab::pipeline::Pipeline;
use crate::gitlab::push::RefKind;
use crate::gitlab::status::Status;
use crate::limits::LIMITS;

pub(super) fn render(event: &Event, pipeline: &Pipeline) -> Result<String, SkipReason> {
    let verb = match event.attributes.allowed_failure {
        Some(true) => "passed with warnings",
        _ => verb(pipeline.status)?,
    };
    Ok(sentence(event, pipeline, verb))
}

/// The message about a fix, for recipients of the failure message.
pub(super) fn render_fix(event: &Event, pipeline: &Pipeline) -> String {
    let verb = match event.attributes.allowed_failure {
        Some(true) => "passed again with warnings",
        _ => "passed again",
    };
    sentence(event, pipeline, verb)
}

fn sentence(event: &Event, pipeline: &Pipeline, verb: &str) -> String {
    let noun = project_page(
        event,
        &format!("-/pipelines/{}", pipeline.id),
        &format!("Pipeline {}", pipeline.id),
    );
    let run = match pipeline.merge_request {
        Some(number) if event.attributes.source_sha.is_some() => {
            for_merge_request(event, "the merged result of ", number)
        }
        Some(number) => for_merge_request(event, "", number),
        None => run(event, pipeline.ref_kind),
    };
    let headline = format!("{noun} {verb}{run}{}", started_and_lasted(event));
    lines(headline, details(event, pipeline))
}

/// The verb for the status of a pipeline or job.
pub(super) fn verb(status: Status) -> Result<&'static str, SkipReason> {
    match status {
        Status::Success => Ok("passed"),
        Status::Failed => Ok("failed"),
        Status::Canceled => Ok("was canceled"),
        Status::Skipped => Ok("was skipped"),
        Status::Unfinished => Ok("is under way"),
        Status::Unknown => Err(SkipReason::UnknownAction),
    }
}

fn for_merge_request(event: &Event, result: &str, number: u64) -> String {
    let page = merge_request_page(event, number);
    format!(" for {result}{page}{}{}", of_project(event), at(event))
}

/// The branch, tag or merge request of a pipeline or job, its project and its commit.
pub(super) fn run(event: &Event, kind: RefKind) -> String {
    if let Some(number) = event.attributes.merge_request() {
        return for_merge_request(event, "", number);
    }
    let before = format!(" on {} ", ref_noun(kind));
    let on = prefixed(
        &before,
        optional_code(event.attributes.reference.as_deref(), MAX_PATH),
    );
    let place = if on.is_empty() {
        super::fragments::in_project(event)
    } else {
        of_project(event)
    };
    format!("{on}{place}{}", at(event))
}

fn of_project(event: &Event) -> String {
    prefixed(" of ", optional_code(event.meta.project_label(), MAX_PATH))
}

/// The user who started a pipeline or job, and its duration.
pub(super) fn started_and_lasted(event: &Event) -> String {
    let by = by(actor(event));
    let started = if by.is_empty() {
        by
    } else {
        format!(", started{by}")
    };
    let seconds = event.attributes.duration_seconds;
    let lasted = seconds.filter(|&seconds| seconds > 0).map(duration);
    format!("{started}{}", prefixed(", after ", lasted))
}

fn details(event: &Event, pipeline: &Pipeline) -> Option<String> {
    let title = title(event.attributes.title.as_deref());
    let failed = match pipeline.status {
        Status::Failed => failed_jobs(&event.attributes),
        _ => None,
    };
    let parts: Vec<_> = [title, failed].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn failed_jobs(attributes: &EventAttributes) -> Option<String> {
    let count = attributes.failed_job_count;
    let named: Vec<_> = attributes
        .failed_jobs
        .iter()
        .filter_map(|job| optional_code(Some(job), MAX_NAME))
        .take(LIMITS.texts.jobs)
        .collect();
    let noun = match count {
        1 => "failed job",
        _ => "failed jobs",
    };
    let more = match count.saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty()).then(|| format!("{noun} {}{more}", named.join(", ")))
}
