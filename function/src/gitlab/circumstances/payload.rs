//! Where the answers stand in a body. Owns the places, of all kinds together, and which of several
//! is asked first. What they are for is told in [`circumstances`](super).

use std::time::UNIX_EPOCH;

use serde::Deserialize;

use super::{Circumstances, Progress};
use crate::gitlab::kind::Kind;
use crate::gitlab::lax::Lax;
use crate::gitlab::people::Account;

mod details;
mod lineage;
mod people;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    event_name: Lax,
    action: Lax,
    status: Lax,
    environment: Lax,
    #[serde(rename = "ref")]
    reference: Lax,
    ref_protected: Lax,
    before: Lax,
    after: Lax,
    tag: Lax,
    name: Lax,
    message: Lax,
    description: Lax,
    url: Lax,
    commit_title: Lax,
    deployment_id: Lax,
    deployable_url: Lax,
    #[serde(alias = "job_id")]
    build_id: Lax,
    #[serde(alias = "job_name")]
    build_name: Lax,
    #[serde(alias = "job_stage")]
    build_stage: Lax,
    #[serde(alias = "job_status")]
    build_status: Lax,
    #[serde(alias = "job_duration")]
    build_duration: Lax,
    user_id: Lax,
    user_name: Lax,
    user_username: Lax,
    user_email: Lax,
    user: Option<Account>,
    assignees: Option<Vec<Account>>,
    reviewers: Option<Vec<Account>>,
    project: Option<ProjectPayload>,
    group: Option<GroupPayload>,
    path_with_namespace: Lax,
    project_path_with_namespace: Lax,
    full_path: Lax,
    group_path: Lax,
    object_attributes: Option<Attributes>,
    merge_request: Option<Thing>,
    issue: Option<Thing>,
    snippet: Option<Thing>,
    commit: Option<CommitPayload>,
    commits: Option<Vec<CommitPayload>>,
    builds: Option<Vec<Build>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProjectPayload {
    id: Lax,
    path_with_namespace: Lax,
    web_url: Lax,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupPayload {
    full_path: Lax,
    group_path: Lax,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Lax,
    iid: Lax,
    action: Lax,
    status: Lax,
    state: Lax,
    title: Lax,
    name: Lax,
    note: Lax,
    description: Lax,
    message: Lax,
    url: Lax,
    #[serde(rename = "ref")]
    reference: Lax,
    protected_ref: Lax,
    source_branch: Lax,
    target_branch: Lax,
    author_id: Lax,
    sha: Lax,
    before_sha: Lax,
    source: Lax,
    finished_at: Lax,
    duration: Lax,
    last_commit: Option<CommitPayload>,
}

/// What a comment or a reaction stands on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Thing {
    iid: Lax,
    title: Lax,
    author_id: Lax,
    assignee: Option<Account>,
    last_commit: Option<CommitPayload>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CommitPayload {
    id: Lax,
    title: Lax,
    message: Lax,
    author: Option<Account>,
    author_name: Lax,
    author_email: Lax,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Build {
    name: Lax,
    status: Lax,
    allow_failure: Lax,
}

impl Payload {
    pub(super) fn answer(mut self, known: &Circumstances) -> Circumstances {
        let mut attributes = self.object_attributes.take().unwrap_or_default();
        let lineage = match known.kind {
            Kind::Pipeline => self.lineage(&attributes),
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
            words.into_iter().find_map(Lax::text)
        };
        let status = match known.kind {
            Kind::Pipeline => attributes.status.clone(),
            Kind::Job => self.build_status.clone(),
            Kind::Deployment => self.status.clone(),
            _ => Lax::Nothing,
        };
        let progress = progress(known.kind, known.under_way, &attributes);
        let web_url = self
            .project
            .as_mut()
            .map(|project| std::mem::take(&mut project.web_url));
        Circumstances {
            place: self.place(),
            web_url: web_url.and_then(Lax::text),
            action,
            status: status.text(),
            reference: self.reference(&attributes),
            protected: self
                .ref_protected
                .flag()
                .or(attributes.protected_ref.flag()),
            progress,
            lineage,
            people: self.people(&mut attributes, &mut thing),
            details: self.details(known.kind, attributes, thing),
            ..known.clone()
        }
    }

    /// A row of zeros means that there is no commit.
    fn change(&self) -> &'static str {
        let is_blank = |sha: &Lax| sha.as_str().bytes().all(|byte| byte == b'0');
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
            .map(Lax::as_str)
            .find(|name| !name.is_empty())?;
        let short = name
            .strip_prefix("refs/heads/")
            .or_else(|| name.strip_prefix("refs/tags/"));
        Some(short.unwrap_or(name).to_owned())
    }
}

fn progress(kind: Kind, under_way: bool, attributes: &Attributes) -> Option<Progress> {
    let pipeline = attributes.id.number().filter(|_| kind == Kind::Pipeline)?;
    let finished_at = (!under_way).then(|| seconds(attributes.finished_at.as_str()));
    Some(Progress {
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
