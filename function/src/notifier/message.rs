//! What people are told. Owns what a message is, and finds its words by the family of the event. How
//! outside text is made harmless is [`markup`](crate::rocketchat::markup)'s business; who hears it is set in the
//! configuration.

use url::Url;

use crate::gitlab::commit::CommitSha;
use crate::gitlab::event::Event;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::gitlab::meta::EventMeta;
use crate::gitlab::project::Project;
use crate::gitlab::push::RefChange;

use super::SkipReason;

mod fragments;

mod deployment;
mod emoji;
mod expiring_token;
mod feature_flag;
mod issue;
mod job;
mod member;
mod merge_request;
mod milestone;
mod note;
mod pipeline;
mod push;
mod release;
mod repository_update;
mod system_hook;
mod vulnerability;
mod wiki_page;

/// Rocket.Chat's default limit of a message, in UTF-16 units.
pub const MAX_UNITS: usize = 5000;

/// One message, ready to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The text in Rocket.Chat's markup, at most 5000 UTF-16 units.
    pub text: String,
    /// The commit it is about, where there is one.
    pub sha: Option<CommitSha>,
    /// Where it happened, for logs: the project's path, as GitLab wrote it.
    pub project: Option<String>,
    /// Scheme and host of the GitLab it came from, part of the message id; empty if unknown.
    pub instance: String,
    /// Stands in for an idempotency key.
    pub content_id: IdempotencyKey,
}

/// What is told although it is not by default.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Visibility {
    /// What only members of a project may see.
    pub confidential: bool,
    /// Pipelines, jobs and deployments before their end.
    pub in_progress: bool,
}

/// Turns an event into a message, or says why nobody is told.
pub fn build(event: &Event) -> Result<Message, SkipReason> {
    build_for(event, Visibility::default())
}

/// The same for those who may hear more.
pub fn build_for(event: &Event, allowed: Visibility) -> Result<Message, SkipReason> {
    if event.is_confidential() && !allowed.confidential {
        return Err(SkipReason::Confidential);
    }
    if event.is_in_progress() && !allowed.in_progress {
        return Err(SkipReason::NotFinal);
    }
    render(event)
}

/// The words for those who hear of it since it makes a failure good.
pub fn build_fix(event: &Event) -> Result<Message, SkipReason> {
    match event {
        Event::Pipeline(it) => {
            let text = pipeline::render_fix(it);
            Ok(told(text, &it.meta, it.run.sha.as_ref(), None))
        }
        event => render(event),
    }
}

#[rustfmt::skip] // One line a family.
fn render(event: &Event) -> Result<Message, SkipReason> {
    let (text, meta, sha, page) = match event {
        Event::RefChange(it) => return Ok(ref_change(it)),
        Event::Issue(it) => (issue::render(it)?, &it.meta, None, it.page.as_ref()),
        Event::MergeRequest(it) => (merge_request::render(it)?, &it.meta, it.sha.as_ref(), it.page.as_ref()),
        Event::Note(it) => (note::render(it)?, &it.meta, it.on.sha(), it.page.as_ref()),
        Event::Pipeline(it) => (pipeline::render(it)?, &it.meta, it.run.sha.as_ref(), None),
        Event::Job(it) => (job::render(it)?, &it.meta, it.run.sha.as_ref(), None),
        Event::Deployment(it) => (deployment::render(it)?, &it.meta, it.sha.as_ref(), it.page.as_ref()),
        Event::Release(it) => (release::render(it)?, &it.meta, it.sha.as_ref(), it.page.as_ref()),
        Event::WikiPage(it) => (wiki_page::render(it)?, &it.meta, None, it.page.as_ref()),
        Event::FeatureFlag(it) => (feature_flag::render(it), &it.meta, None, None),
        Event::Emoji(it) => (emoji::render(it)?, &it.meta, it.on.sha(), it.page.as_ref()),
        Event::Milestone(it) => (milestone::render(it)?, &it.meta, None, None),
        Event::ExpiringToken(it) => (expiring_token::render(it), &it.meta, None, None),
        Event::Vulnerability(it) => (vulnerability::render(it)?, &it.meta, None, it.page.as_ref()),
        Event::Member(it) => (member::render(it)?, &it.meta, None, None),
        Event::SystemHook(it) => (system_hook::render(it)?, &it.meta, None, None),
        Event::RepositoryUpdate(it) => (repository_update::render(it), &it.meta, it.sha.as_ref(), None),
        Event::Unhandled(_) => return Err(SkipReason::UnhandledKind),
        Event::Incomplete(_) => return Err(SkipReason::Incomplete),
    };
    Ok(told(text, meta, sha, page.map(String::as_str)))
}

fn ref_change(change: &RefChange) -> Message {
    Message {
        text: push::render(change),
        sha: change.change.sha().cloned(),
        project: Some(change.project.path.clone()),
        instance: instance(Some(&change.project), None),
        content_id: change.content_id.clone(),
    }
}

fn told(text: String, meta: &EventMeta, sha: Option<&CommitSha>, page: Option<&str>) -> Message {
    let project = meta.project.as_ref();
    Message {
        text,
        sha: sha.cloned(),
        project: project.map(|project| project.path.clone()),
        instance: instance(project, page),
        content_id: meta.content_id.clone(),
    }
}

/// Taken from the body, which is signed, and not from `X-Gitlab-Instance`, which is not.
fn instance(project: Option<&Project>, page: Option<&str>) -> String {
    let project = project.and_then(|project| project.web_url.as_deref());
    let mut urls = [project, page].into_iter().flatten();
    let url = urls.find_map(|url| Url::parse(url).ok());
    url.map(|url| url.origin().ascii_serialization())
        .unwrap_or_default()
}
