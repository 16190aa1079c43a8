//! What people are told. Owns what a message is, and finds its words by the family of the event. How
//! outside text is made harmless is [`markup`](crate::markup)'s business; who hears it is set in the
//! configuration.

use url::Url;

use crate::gitlab::commit::CommitSha;
use crate::gitlab::delivery_id::DeliveryId;
use crate::gitlab::event::Event;
use crate::gitlab::project::Project;
use crate::gitlab::push::RefChange;
use crate::gitlab::scene::Scene;

pub use ignored::Ignored;

mod ignored;
mod phrase;

mod administration;
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
mod vulnerability;
mod wiki_page;

/// Rocket.Chat's default limit of a message, in UTF-16 units.
pub const MAX_UNITS: usize = 5000;

/// One message, ready to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// The text in Rocket.Chat's markup, at most 5000 UTF-16 units.
    pub text: String,
    /// The commit it is about, where there is one.
    pub sha: Option<CommitSha>,
    /// Where it happened, for logs: the project's path, as GitLab wrote it.
    pub project: Option<String>,
    /// Scheme and host of the GitLab it came from, part of the message id; empty if unknown.
    pub instance: String,
    /// Stands in for an idempotency key.
    pub content_id: DeliveryId,
}

/// What is told although it is not by default.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Allowance {
    /// What only members of a project may see.
    pub confidential: bool,
    /// Pipelines, jobs and deployments before their end.
    pub under_way: bool,
}

/// Turns an event into a message, or says why nobody is told.
pub fn compose(event: &Event) -> Result<Notice, Ignored> {
    compose_for(event, Allowance::default())
}

/// The same for those who may hear more.
pub fn compose_for(event: &Event, allowed: Allowance) -> Result<Notice, Ignored> {
    if event.is_confidential() && !allowed.confidential {
        return Err(Ignored::Confidential);
    }
    if event.is_under_way() && !allowed.under_way {
        return Err(Ignored::NotFinal);
    }
    words(event)
}

/// The words for those who hear of it since it makes a failure good.
pub fn compose_fix(event: &Event) -> Result<Notice, Ignored> {
    match event {
        Event::Pipeline(it) => {
            let text = pipeline::words_of_fix(it);
            Ok(told(text, &it.scene, it.run.sha.as_ref(), None))
        }
        event => words(event),
    }
}

#[rustfmt::skip] // One line a family.
fn words(event: &Event) -> Result<Notice, Ignored> {
    let (text, scene, sha, page) = match event {
        Event::RefChange(it) => return Ok(ref_change(it)),
        Event::Issue(it) => (issue::words(it)?, &it.scene, None, it.page.as_ref()),
        Event::MergeRequest(it) => (merge_request::words(it)?, &it.scene, it.sha.as_ref(), it.page.as_ref()),
        Event::Note(it) => (note::words(it)?, &it.scene, it.on.sha(), it.page.as_ref()),
        Event::Pipeline(it) => (pipeline::words(it)?, &it.scene, it.run.sha.as_ref(), None),
        Event::Job(it) => (job::words(it)?, &it.scene, it.run.sha.as_ref(), None),
        Event::Deployment(it) => (deployment::words(it)?, &it.scene, it.sha.as_ref(), it.page.as_ref()),
        Event::Release(it) => (release::words(it)?, &it.scene, it.sha.as_ref(), it.page.as_ref()),
        Event::WikiPage(it) => (wiki_page::words(it)?, &it.scene, None, it.page.as_ref()),
        Event::FeatureFlag(it) => (feature_flag::words(it), &it.scene, None, None),
        Event::Emoji(it) => (emoji::words(it)?, &it.scene, it.on.sha(), it.page.as_ref()),
        Event::Milestone(it) => (milestone::words(it)?, &it.scene, None, None),
        Event::ExpiringToken(it) => (expiring_token::words(it), &it.scene, None, None),
        Event::Vulnerability(it) => (vulnerability::words(it)?, &it.scene, None, it.page.as_ref()),
        Event::Member(it) => (member::words(it)?, &it.scene, None, None),
        Event::Administration(it) => (administration::words(it)?, &it.scene, None, None),
        Event::RepositoryUpdate(it) => (repository_update::words(it), &it.scene, it.sha.as_ref(), None),
        Event::Unhandled(_) => return Err(Ignored::UnhandledKind),
        Event::Incomplete(_) => return Err(Ignored::Incomplete),
    };
    Ok(told(text, scene, sha, page.map(String::as_str)))
}

fn ref_change(change: &RefChange) -> Notice {
    Notice {
        text: push::words(change),
        sha: change.change.sha().cloned(),
        project: Some(change.project.path.clone()),
        instance: instance(Some(&change.project), None),
        content_id: change.content_id.clone(),
    }
}

fn told(text: String, scene: &Scene, sha: Option<&CommitSha>, page: Option<&str>) -> Notice {
    let project = scene.project.as_ref();
    Notice {
        text,
        sha: sha.cloned(),
        project: project.map(|project| project.path.clone()),
        instance: instance(project, page),
        content_id: scene.content_id.clone(),
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
