//! What is said of a pipeline. Owns the words; what they are made of is read in
//! [`gitlab::pipeline`](crate::gitlab::pipeline).

use super::Ignored;
use super::phrase::{
    MAX_NAME, MAX_PATH, at, by, duration, lines, phrase, project_page, quoted, ref_noun, title,
};
use crate::gitlab::pipeline::{Pipeline, Run};
use crate::gitlab::scene::Scene;
use crate::gitlab::status::Status;

/// Failed jobs that are named; the others are counted.
const MAX_JOBS: usize = 5;

pub(super) fn words(pipeline: &Pipeline) -> Result<String, Ignored> {
    Ok(sentence(pipeline, verb(pipeline.status)?))
}

/// The words for those who were told of a failure that this one makes good.
pub(super) fn words_of_fix(pipeline: &Pipeline) -> String {
    sentence(pipeline, "passed again")
}

fn sentence(pipeline: &Pipeline, verb: &str) -> String {
    let scene = &pipeline.scene;
    let noun = project_page(
        scene,
        &format!("-/pipelines/{}", pipeline.id),
        &format!("Pipeline {}", pipeline.id),
    );
    let run = match pipeline.merge_request {
        Some(number) => for_merge_request(pipeline, number),
        None => run(scene, &pipeline.run),
    };
    let headline = format!(
        "{noun} {verb}{run}{}",
        started_and_lasted(scene, pipeline.duration_seconds)
    );
    lines(headline, details(pipeline))
}

/// How a pipeline or job ended, or that it did not.
pub(super) fn verb(status: Status) -> Result<&'static str, Ignored> {
    match status {
        Status::Success => Ok("passed"),
        Status::Failed => Ok("failed"),
        Status::Canceled => Ok("was canceled"),
        Status::Skipped => Ok("was skipped"),
        Status::Unfinished => Ok("is under way"),
        Status::Unknown => Err(Ignored::UnknownAction),
    }
}

fn for_merge_request(pipeline: &Pipeline, number: u64) -> String {
    let scene = &pipeline.scene;
    let page = project_page(
        scene,
        &format!("-/merge_requests/{number}"),
        &format!("merge request {number}"),
    );
    format!(
        " for {page}{}{}",
        of_project(scene),
        at(scene, pipeline.run.sha.as_ref())
    )
}

/// The branch or tag of a pipeline or job, its project and its commit.
pub(super) fn run(scene: &Scene, run: &Run) -> String {
    let before = format!(" on {} ", ref_noun(run.kind));
    let on = phrase(&before, quoted(run.name.as_deref(), MAX_PATH));
    let place = if on.is_empty() {
        super::phrase::place(scene)
    } else {
        of_project(scene)
    };
    format!("{on}{place}{}", at(scene, run.sha.as_ref()))
}

fn of_project(scene: &Scene) -> String {
    let path = scene.project.as_ref().map(|project| project.path.as_str());
    phrase(" of ", quoted(path, MAX_PATH))
}

/// Who started a pipeline or job, and how long it ran.
pub(super) fn started_and_lasted(scene: &Scene, seconds: Option<u64>) -> String {
    let by = by(scene.actor.as_deref());
    let started = if by.is_empty() {
        by
    } else {
        format!(", started{by}")
    };
    let lasted = seconds.filter(|&seconds| seconds > 0).map(duration);
    format!("{started}{}", phrase(", after ", lasted))
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
