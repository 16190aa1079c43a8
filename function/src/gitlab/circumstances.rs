//! What rules and templates can ask of an event, in one form for all kinds: where, by whom, on which
//! ref, how far. Owns at which places of a body the answers stand. Messages of ours are not made
//! from it but from what the file of the kind has read, see [`event`](super::event); it is read only
//! where somebody asks.

use std::time::UNIX_EPOCH;

use serde::Deserialize;

use super::event::{Event, ParseError, read};
use super::kind::Kind;
use super::lax::Lax;
use super::people::{Account, People, Person};

/// What can be asked of an event. What GitLab does not say is empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Circumstances {
    /// What kind of event it is.
    pub kind: Kind,
    /// Path of the project or else the group, such as `acme/rocket`.
    pub place: String,
    /// Page of the project, as GitLab sent it; not yet safe to link to.
    pub web_url: Option<String>,
    /// GitLab's word for what was done, such as `open` or `merge`; for a branch or tag `create`,
    /// `push` or `delete`.
    pub action: Option<String>,
    /// GitLab's word for how far it is: of pipelines, jobs and deployments.
    pub status: Option<String>,
    /// Whether it is one of those and goes on.
    pub under_way: bool,
    /// Whether only members may see it.
    pub confidential: bool,
    /// Branch or tag, without `refs/heads/` or `refs/tags/`.
    pub reference: Option<String>,
    /// Whether the branch or tag is protected.
    pub protected: Option<bool>,
    /// Everybody who has to do with it.
    pub people: People,
    /// How far a pipeline is.
    pub progress: Option<Progress>,
    /// What else templates may show.
    pub details: Details,
}

/// How far a pipeline is, in a way that two deliveries can be put in order by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Progress {
    /// Its number on its GitLab.
    pub pipeline: u64,
    /// When it came to its end, in seconds since 1970; `None` while it is under way.
    pub finished_at: Option<u64>,
}

/// Texts and numbers from outside, for templates.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Details {
    /// Number of the thing as people know it: of an issue, a pipeline, a job.
    pub number: Option<u64>,
    /// Its page, as GitLab sent it; not yet safe to link to.
    pub page: Option<String>,
    /// What it is called: title, name, or the title of the commit.
    pub title: Option<String>,
    /// First line of what was written: a comment, a description, the message of a tag.
    pub text: Option<String>,
    /// Source branch of a merge request.
    pub source_branch: Option<String>,
    /// Target branch of a merge request.
    pub target_branch: Option<String>,
    /// Where a deployment goes.
    pub environment: Option<String>,
    /// Stage of a job.
    pub stage: Option<String>,
    /// How long a pipeline or job ran.
    pub duration_seconds: Option<u64>,
    /// Jobs that made a pipeline fail.
    pub failed_jobs: Vec<String>,
}

impl Circumstances {
    /// What is known of an event of which nobody asks more.
    pub fn of(event: &Event) -> Self {
        Self {
            kind: event.kind(),
            place: String::new(),
            web_url: None,
            action: None,
            status: None,
            under_way: event.is_under_way(),
            confidential: event.is_confidential(),
            reference: None,
            protected: None,
            people: People::default(),
            progress: None,
            details: Details::default(),
        }
    }

    /// Everything that can be asked of `event`, out of its body.
    pub fn read(event: &Event, body: &[u8]) -> Result<Self, ParseError> {
        let body =
            std::str::from_utf8(body).map_err(|error| ParseError::NotUtf8(error.valid_up_to()))?;
        let known = Self::of(event);
        if known.kind == Kind::Other {
            return Ok(known);
        }
        let payload: Payload = read(body)?;
        Ok(payload.answer(&known))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
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
    fn answer(mut self, known: &Circumstances) -> Circumstances {
        let mut attributes = self.object_attributes.take().unwrap_or_default();
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

    fn people(&mut self, attributes: &mut Attributes, thing: &mut Thing) -> People {
        let list =
            |people: Option<Vec<Account>>| people.into_iter().flatten().filter_map(Account::read);
        let newest = attributes.last_commit.take().or(thing.last_commit.take());
        let committer = self.committer(newest);
        let mut people = People {
            actor: self.actor(),
            assignees: list(self.assignees.take()).collect(),
            reviewers: list(self.reviewers.take()).collect(),
            author: None,
            committer,
        };
        let of_thing = thing.assignee.as_ref().map(|account| Person {
            id: account.id.number(),
            username: account.username.clone().text(),
            ..Person::default()
        });
        people.assignees.extend(of_thing);
        let author_id = match thing.author_id.number() {
            None if thing.iid == Lax::Nothing => attributes.author_id.number(),
            id => id,
        };
        // The author of a comment on a commit is whoever acted, not who wrote the commit.
        let on_commit = self.commit.is_some() || author_id.is_none();
        people.author = match author_id.filter(|_| !on_commit) {
            Some(id) => Some(people.with_id(id)),
            None => people.committer.clone(),
        };
        people
    }

    fn actor(&mut self) -> Option<Person> {
        let own = Account {
            id: std::mem::take(&mut self.user_id),
            name: std::mem::take(&mut self.user_name),
            username: std::mem::take(&mut self.user_username),
            email: std::mem::take(&mut self.user_email),
        };
        self.user
            .take()
            .and_then(Account::read)
            .or_else(|| own.read())
    }

    /// The author of the newest commit: of a push the one its head names.
    fn committer(&mut self, newest: Option<CommitPayload>) -> Option<Person> {
        let commits = self.commits.take().unwrap_or_default();
        let head = commits.into_iter().rfind(|commit| commit.id == self.after);
        if let Some(commit) = head.or(newest) {
            return commit.author.and_then(Account::read);
        }
        let commit = self.commit.as_mut()?;
        let own = commit.author.take().and_then(Account::read);
        // A job names the author in fields of its own.
        let named = Account {
            name: commit.author_name.clone(),
            email: commit.author_email.clone(),
            ..Account::default()
        };
        own.or_else(|| named.read())
    }

    fn details(self, kind: Kind, attributes: Attributes, thing: Thing) -> Details {
        let first = |texts: Vec<Lax>| texts.into_iter().find_map(Lax::text);
        let commit = self.commit.unwrap_or_default();
        let numbers = [
            &thing.iid,
            &self.build_id,
            &self.deployment_id,
            if kind == Kind::Pipeline {
                &attributes.id
            } else {
                &attributes.iid
            },
        ];
        let failed = |build: &Build| {
            build.status.as_str() == "failed" && build.allow_failure.flag() != Some(true)
        };
        let builds = self.builds.unwrap_or_default().into_iter();
        Details {
            number: numbers.into_iter().find_map(Lax::number),
            page: first(vec![attributes.url, self.url, self.deployable_url]),
            title: first(vec![
                thing.title,
                attributes.title,
                self.build_name,
                attributes.name,
                self.name,
                self.commit_title,
                commit.title,
                commit.message,
            ]),
            text: first(vec![
                attributes.note,
                attributes.message,
                attributes.description,
                self.description,
                self.message,
            ]),
            source_branch: attributes.source_branch.text(),
            target_branch: attributes.target_branch.text(),
            environment: self.environment.text(),
            stage: self.build_stage.text(),
            duration_seconds: attributes
                .duration
                .number()
                .or(self.build_duration.number()),
            failed_jobs: builds
                .filter(failed)
                .filter_map(|build| build.name.text())
                .collect(),
        }
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
