//! Parts of the built-in message that templates can use. Owns which events have which part; the parts
//! themselves are worded by the renderers of the kinds.

use super::fragments;
use super::noun::{Noun, numbered};
use super::{issue, job, merge_request, pipeline, push, repository_update};
use crate::gitlab::event::{Event, EventKind};
use crate::gitlab::kind::Kind;
use crate::gitlab::merge_request::Action;

pub(in crate::notifier) use fragments::branches;

/// The kind and the number, as a link if the page has a valid URL.
pub(in crate::notifier) fn page(event: &Event) -> String {
    let kind = event.kind().label().replace('_', " ");
    let (number, address) = (event.attributes.number, event.attributes.page.as_deref());
    let of_project = |folder: &str| match number {
        Some(number) => {
            let path = format!("-/{folder}/{number}");
            Noun::of_project(event, &path, format!("{kind} {number}"))
        }
        None => Noun::unlinked(kind.as_str()),
    };
    let noun = match event.kind() {
        Kind::Pipeline => of_project("pipelines"),
        Kind::Job => of_project("jobs"),
        // The number is that of what the comment or reaction is about.
        Kind::Note | Kind::Emoji => Noun::page(address, kind),
        _ => Noun::page(address, numbered(&kind, number)),
    };
    noun.to_string()
}

/// One line for each of the newest commits of a push.
pub(in crate::notifier) fn commits(event: &Event) -> Vec<String> {
    match &event.kind {
        EventKind::RefChange(change) => push::commit_lines(event, &change.commits),
        _ => Vec::new(),
    }
}

/// How many more commits a push has.
pub(in crate::notifier) fn more(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::RefChange(change) => push::more(event, change),
        _ => None,
    }
}

/// A link to all commits that are new, or that were taken back.
pub(in crate::notifier) fn compare(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::RefChange(change) => push::comparison(event, change),
        EventKind::MergeRequest(request) if request.action == Some(Action::Pushed) => {
            merge_request::comparison(event, request, "compare")
        }
        EventKind::RepositoryUpdate(update) => repository_update::comparison(event, update),
        _ => None,
    }
}

/// The commit and its title.
pub(in crate::notifier) fn commit_line(event: &Event) -> Option<String> {
    let title = match &event.kind {
        EventKind::RefChange(_) | EventKind::Pipeline(_) | EventKind::Deployment(_) => {
            event.attributes.title.as_deref()
        }
        EventKind::Job(job) => job.commit_title.as_deref(),
        EventKind::Release(release) => release.commit_title.as_deref(),
        _ => None,
    };
    event.attributes.shown_commit()?;
    fragments::commit_line(event, title)
}

/// The jobs that made a pipeline fail.
pub(in crate::notifier) fn jobs(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Pipeline(pipeline) => pipeline::failed_jobs(event, pipeline),
        _ => None,
    }
}

/// What started a pipeline.
pub(in crate::notifier) fn started(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Pipeline(pipeline) => pipeline::started(event, pipeline),
        _ => None,
    }
}

/// Why a job failed.
pub(in crate::notifier) fn reason(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Job(job) => job::reason(job),
        _ => None,
    }
}

/// How long a pipeline or job took.
pub(in crate::notifier) fn took(event: &Event) -> Option<String> {
    fragments::took(event)
}

/// What an update changed, or the people and labels of a new merge request or issue.
pub(in crate::notifier) fn changes(event: &Event) -> Option<String> {
    let facts = match &event.kind {
        EventKind::MergeRequest(request) => merge_request::details(event, request),
        EventKind::Issue(issue) => issue::details(event, issue),
        _ => Vec::new(),
    };
    fragments::facts(facts.into_iter().map(Some))
}
