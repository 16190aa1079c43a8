//! A job of a pipeline, which GitLab's payload calls a build. Owns how it is parsed. Its message is
//! rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::{EventAttributes, short_ref};
use super::commit::MaybeCommit;
use super::event::{ParseError, Parsed};
use super::lenient::{Lenient, LenientObject};
use super::merged_result;
use super::meta::{EventHints, digits};
use super::participants::{Account, Participants, User};
use super::pipeline::whole_seconds;
use super::project::{Project, ProjectPayload, path_of};
use super::push::RefKind;
use super::status::Status;
use super::text::Line;

/// A job changed its status. Its name is the attribute `title`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Job {
    /// Id of the job, as in the URL of its page.
    pub(crate) id: u64,
    /// Status of the job.
    pub(crate) status: Status,
    /// Whether it ran for a branch or a tag.
    pub(crate) ref_kind: RefKind,
    /// Reason for the failure, in GitLab's term. GitLab may also send one for jobs that passed.
    pub(crate) failure_reason: Option<String>,
    /// Title of the commit; `None` for a merged result, whose title names two commits.
    pub(crate) commit_title: Option<String>,
}

/// GitLab sends `build_…` although newer documentation says `job_…`; both are accepted.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: User,
    project: Option<ProjectPayload>,
    project_name: Line,
    #[serde(rename = "ref")]
    reference: Line,
    tag: Option<bool>,
    sha: MaybeCommit,
    #[serde(alias = "job_id")]
    build_id: Option<u64>,
    #[serde(alias = "job_name")]
    build_name: Line,
    #[serde(alias = "job_stage")]
    build_stage: Line,
    #[serde(alias = "job_status")]
    build_status: Line,
    #[serde(alias = "job_duration")]
    build_duration: Option<f64>,
    #[serde(alias = "job_failure_reason")]
    build_failure_reason: Line,
    #[serde(alias = "job_allow_failure")]
    build_allow_failure: Lenient,
    #[serde(alias = "job_started_at")]
    build_started_at: Lenient,
    #[serde(alias = "job_finished_at")]
    build_finished_at: Lenient,
    repository: LenientObject<Repository>,
    commit: LenientObject<Commit>,
}

/// In job events the author is in fields of the commit itself, and its id is that of the pipeline.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Commit {
    message: Lenient,
    author_name: Lenient,
    author_email: Lenient,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    homepage: Lenient,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Job>, ParseError> {
        let id = self.build_id.ok_or(ParseError::Missing("build_id"))?;
        let identity = [
            &digits(Some(id)),
            self.build_status.as_str(),
            self.build_started_at.as_str(),
            self.build_finished_at.as_str(),
        ];
        let project = self.project.and_then(ProjectPayload::read);
        let project_path = path_of(project.as_ref());
        let mut meta = hints.meta(project, None, &identity);
        // GitLab before 15.2 sends only the name of the project, and its page as that of the
        // repository.
        let named = self.project_name.0.map(Project::named);
        let homepage = self.repository.0.homepage.text();
        let named = named.map(|project| project.with_page(homepage.as_deref()));
        meta.project = meta.project.or(named);
        let status = Status::parse(self.build_status.as_str());
        let author = Account {
            name: self.commit.0.author_name,
            email: self.commit.0.author_email,
            ..Account::default()
        };
        let reference = self.reference.0.as_deref();
        let mut attributes = EventAttributes {
            project_path,
            reference: reference.map(|name| short_ref(name).to_owned()),
            participants: Participants::of_commit(self.user.person(), author.read()),
            sha: self.sha.0,
            allowed_failure: self.build_allow_failure.flag(),
            number: Some(id),
            title: self.build_name.0,
            stage: self.build_stage.0,
            duration_seconds: self.build_duration.and_then(whole_seconds),
            ..EventAttributes::default()
        };
        let commit_title = self.commit.0.message.text();
        if attributes.merge_request().is_some() {
            attributes.source_sha = commit_title.as_deref().and_then(merged_result::source);
        }
        let is_merged_result = attributes.source_sha.is_some();
        Ok(Parsed {
            meta,
            attributes: attributes.with_status(self.build_status.0, status),
            kind: Job {
                id,
                status,
                ref_kind: RefKind::from_tag(self.tag),
                failure_reason: self.build_failure_reason.0,
                commit_title: commit_title.filter(|_| !is_merged_result),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::commit::CommitSha;
    use super::super::event::EventKind;
    use super::super::fixtures::{body, event};

    /// The title and the commit that are shown.
    fn shown(body: &serde_json::Value) -> (Option<String>, Option<String>) {
        let event = event(body);
        let EventKind::Job(job) = &event.kind else {
            panic!("is no job");
        };
        let sha = event.attributes.shown_commit().map(CommitSha::short);
        (job.commit_title.clone(), sha.map(str::to_owned))
    }

    #[test]
    fn a_job_has_the_title_of_its_commit() {
        let (title, sha) = shown(&body("job_failed"));
        assert_eq!(title.as_deref(), Some("Light the engines in order"));
        assert_eq!(sha.as_deref(), Some("3f2c9d7b"));
    }

    #[test]
    fn a_job_of_a_merged_result_is_about_the_last_commit_of_the_source_branch() {
        let job = body("job_of_a_merge_request");
        assert_eq!(shown(&job), (None, Some("3f2c9d7b".to_owned())));
        // A person can write such a title on a branch.
        let mut pushed = job.clone();
        pushed["ref"] = json!("main");
        let (title, sha) = shown(&pushed);
        assert!(title.is_some_and(|title| title.starts_with("Merge 3f2c9d7b")));
        assert_eq!(sha.as_deref(), Some("c65d1e7f"));
    }
}
