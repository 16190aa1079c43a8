//! Where the answers stand in a body. Owns the places, of all kinds together, and which of several
//! is asked first. What they are for is told in [`attributes`](super).

use std::time::UNIX_EPOCH;

use serde::Deserialize;

use super::{EventAttributes, PipelineState};
use crate::gitlab::kind::Kind;
use crate::gitlab::lenient::Lenient;
use crate::gitlab::participants::Account;

mod details;
mod participants;
mod pipeline_revision;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    event_name: Lenient,
    action: Lenient,
    status: Lenient,
    environment: Lenient,
    #[serde(rename = "ref")]
    reference: Lenient,
    ref_protected: Lenient,
    before: Lenient,
    after: Lenient,
    tag: Lenient,
    name: Lenient,
    message: Lenient,
    description: Lenient,
    url: Lenient,
    commit_title: Lenient,
    deployment_id: Lenient,
    deployable_url: Lenient,
    #[serde(alias = "job_id")]
    build_id: Lenient,
    #[serde(alias = "job_name")]
    build_name: Lenient,
    #[serde(alias = "job_stage")]
    build_stage: Lenient,
    #[serde(alias = "job_status")]
    build_status: Lenient,
    #[serde(alias = "job_duration")]
    build_duration: Lenient,
    user_id: Lenient,
    user_name: Lenient,
    user_username: Lenient,
    user_email: Lenient,
    user: Option<Account>,
    assignees: Option<Vec<Account>>,
    reviewers: Option<Vec<Account>>,
    project: Option<ProjectPayload>,
    group: Option<GroupPayload>,
    path_with_namespace: Lenient,
    project_path_with_namespace: Lenient,
    full_path: Lenient,
    group_path: Lenient,
    object_attributes: Option<Attributes>,
    merge_request: Option<Noteable>,
    issue: Option<Noteable>,
    snippet: Option<Noteable>,
    commit: Option<CommitPayload>,
    commits: Option<Vec<CommitPayload>>,
    builds: Option<Vec<Build>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProjectPayload {
    id: Lenient,
    path_with_namespace: Lenient,
    web_url: Lenient,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupPayload {
    full_path: Lenient,
    group_path: Lenient,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Lenient,
    iid: Lenient,
    action: Lenient,
    status: Lenient,
    state: Lenient,
    title: Lenient,
    name: Lenient,
    note: Lenient,
    description: Lenient,
    message: Lenient,
    url: Lenient,
    #[serde(rename = "ref")]
    reference: Lenient,
    protected_ref: Lenient,
    source_branch: Lenient,
    target_branch: Lenient,
    author_id: Lenient,
    sha: Lenient,
    before_sha: Lenient,
    source: Lenient,
    finished_at: Lenient,
    duration: Lenient,
    last_commit: Option<CommitPayload>,
}

/// What a comment or a reaction stands on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Noteable {
    iid: Lenient,
    title: Lenient,
    author_id: Lenient,
    assignee: Option<Account>,
    last_commit: Option<CommitPayload>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CommitPayload {
    id: Lenient,
    title: Lenient,
    message: Lenient,
    author: Option<Account>,
    author_name: Lenient,
    author_email: Lenient,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Build {
    name: Lenient,
    status: Lenient,
    allow_failure: Lenient,
}

impl Payload {
    pub(super) fn answer(mut self, known: &EventAttributes) -> EventAttributes {
        let mut attributes = self.object_attributes.take().unwrap_or_default();
        let pipeline_revision = match known.kind {
            Kind::Pipeline => self.pipeline_revision(&attributes),
            _ => None,
        };
        let things = [
            self.merge_request.take(),
            self.issue.take(),
            self.snippet.take(),
        ];
        // A pipeline names the merge request it runs for; that is not what it is about.
        let about = matches!(known.kind, Kind::Note | Kind::Emoji);
        let thing = things.into_iter().flatten().next().filter(|_| about);
        let mut thing = thing.unwrap_or_default();
        let is_of_ref = matches!(known.kind, Kind::Push | Kind::TagPush);
        let action = if is_of_ref {
            Some(self.change().to_owned())
        } else {
            let words = [
                attributes.action.clone(),
                self.action.clone(),
                attributes.state.clone(),
                self.event_name.clone(),
            ];
            words.into_iter().find_map(Lenient::text)
        };
        let status = match known.kind {
            Kind::Pipeline => attributes.status.clone(),
            Kind::Job => self.build_status.clone(),
            Kind::Deployment => self.status.clone(),
            _ => Lenient::Nothing,
        };
        let pipeline_state = pipeline_state(known.kind, known.in_progress, &attributes);
        let web_url = self
            .project
            .as_mut()
            .map(|project| std::mem::take(&mut project.web_url));
        EventAttributes {
            place: self.place(),
            web_url: web_url.and_then(Lenient::text),
            action,
            status: status.text(),
            reference: self.reference(&attributes),
            protected: self
                .ref_protected
                .flag()
                .or(attributes.protected_ref.flag()),
            pipeline_state,
            pipeline_revision,
            people: self.people(&mut attributes, &mut thing),
            details: self.details(known.kind, attributes, thing),
            ..known.clone()
        }
    }

    /// A row of zeros means that there is no commit.
    fn change(&self) -> &'static str {
        let is_blank = |sha: &Lenient| sha.as_str().bytes().all(|byte| byte == b'0');
        match (is_blank(&self.before), is_blank(&self.after)) {
            (true, false) => "create",
            (_, true) => "delete",
            (false, false) => "push",
        }
    }

    fn place(&mut self) -> String {
        let of_project = self
            .project
            .take()
            .and_then(|project| project.path_with_namespace.text());
        let of_group = self
            .group
            .take()
            .and_then(|group| group.full_path.text().or(group.group_path.text()));
        let own = [
            &mut self.project_path_with_namespace,
            &mut self.path_with_namespace,
            &mut self.full_path,
            &mut self.group_path,
        ];
        let own = own.into_iter().find_map(|path| std::mem::take(path).text());
        of_project.or(of_group).or(own).unwrap_or_default()
    }

    fn reference(&self, attributes: &Attributes) -> Option<String> {
        let named = [
            &attributes.reference,
            &self.reference,
            &attributes.target_branch,
            &self.tag,
        ];
        let name = named
            .into_iter()
            .map(Lenient::as_str)
            .find(|name| !name.is_empty())?;
        let short = name
            .strip_prefix("refs/heads/")
            .or_else(|| name.strip_prefix("refs/tags/"));
        Some(short.unwrap_or(name).to_owned())
    }
}

fn pipeline_state(kind: Kind, in_progress: bool, attributes: &Attributes) -> Option<PipelineState> {
    let pipeline = attributes.id.number().filter(|_| kind == Kind::Pipeline)?;
    let finished_at = (!in_progress).then(|| seconds(attributes.finished_at.as_str()));
    Some(PipelineState {
        pipeline,
        finished_at,
    })
}

/// GitLab writes `2016-08-12 15:26:29 UTC`, or the same as RFC 3339. An end without a time that can
/// be read comes before every other end.
fn seconds(text: &str) -> u64 {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let time = humantime::parse_rfc3339_weak(text).ok();
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read_in_the_forms_gitlab_writes() {
        for text in [
            "2016-08-12 15:26:29 UTC",
            "2016-08-12T15:26:29Z",
            "2016-08-12T15:26:29.123Z",
        ] {
            assert_eq!(seconds(text), 1_471_015_589, "{text}");
        }
        assert_eq!(seconds("yesterday"), 0);
    }
}
