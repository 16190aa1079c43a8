//! What is said of a pipeline. Owns the render; what they are made of is read in
//! [`gitlab::pipeline`](crate::gitlab::pipeline).

use super::SkipReason;
use super::fragments::{
    MAX_NAME, MAX_PATH, at, by, duration, fragments, lines, project_page, quoted, ref_noun, title,
};
use crate::gitlab::meta::EventMeta;
use crate::gitlab::pipeline::{Pipeline, Run};
use crate::gitlab::status::Status;

/// Failed jobs that are named; the others are counted.
const MAX_JOBS: usize = 5;

pub(super) fn render(pipeline: &Pipeline) -> Result<String, SkipReason> {
    Ok(sentence(pipeline, verb(pipeline.status)?))
}

/// The render for those who were told of a failure that this one makes good.
pub(super) fn render_fix(pipeline: &Pipeline) -> String {
    sentence(pipeline, "passed again")
}

fn sentence(pipeline: &Pipeline, verb: &str) -> String {
    let meta = &pipeline.meta;
    let noun = project_page(
        meta,
        &format!("-/pipelines/{}", pipeline.id),
        &format!("Pipeline {}", pipeline.id),
    );
    let run = match pipeline.merge_request {
        Some(number) => for_merge_request(pipeline, number),
        None => run(meta, &pipeline.run),
    };
    let headline = format!(
        "{noun} {verb}{run}{}",
        started_and_lasted(meta, pipeline.duration_seconds)
    );
    lines(headline, details(pipeline))
}

/// How a pipeline or job ended, or that it did not.
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

fn for_merge_request(pipeline: &Pipeline, number: u64) -> String {
    let meta = &pipeline.meta;
    let page = project_page(
        meta,
        &format!("-/merge_requests/{number}"),
        &format!("merge request {number}"),
    );
    format!(
        " for {page}{}{}",
        of_project(meta),
        at(meta, pipeline.run.sha.as_ref())
    )
}

/// The branch or tag of a pipeline or job, its project and its commit.
pub(super) fn run(meta: &EventMeta, run: &Run) -> String {
    let before = format!(" on {} ", ref_noun(run.kind));
    let on = fragments(&before, quoted(run.name.as_deref(), MAX_PATH));
    let place = if on.is_empty() {
        super::fragments::place(meta)
    } else {
        of_project(meta)
    };
    format!("{on}{place}{}", at(meta, run.sha.as_ref()))
}

fn of_project(meta: &EventMeta) -> String {
    let path = meta.project.as_ref().map(|project| project.path.as_str());
    fragments(" of ", quoted(path, MAX_PATH))
}

/// Who started a pipeline or job, and how long it ran.
pub(super) fn started_and_lasted(meta: &EventMeta, seconds: Option<u64>) -> String {
    let by = by(meta.actor.as_deref());
    let started = if by.is_empty() {
        by
    } else {
        format!(", started{by}")
    };
    let lasted = seconds.filter(|&seconds| seconds > 0).map(duration);
    format!("{started}{}", fragments(", after ", lasted))
}

fn details(pipeline: &Pipeline) -> Option<String> {
    let title = title(pipeline.title.as_deref());
    let failed = match pipeline.status {
        Status::Failed => failed_jobs(&pipeline.failed_jobs),
        _ => None,
    };
    let parts: Vec<_> = [title, failed].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn failed_jobs(jobs: &[String]) -> Option<String> {
    let named: Vec<_> = jobs
        .iter()
        .filter_map(|job| quoted(Some(job), MAX_NAME))
        .take(MAX_JOBS)
        .collect();
    let noun = match jobs.len() {
        1 => "failed job",
        _ => "failed jobs",
    };
    let more = match jobs.len().saturating_sub(named.len()) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    (!named.is_empty()).then(|| format!("{noun} {}{more}", named.join(", ")))
}
