//! What rules and templates can ask of an event, in one form for all kinds: where, by whom, on which
//! ref, how far. Owns at which places of a body the answers stand. Messages of ours are not made
//! from it but from what the file of the kind has read, see [`event`](super::event); it is read only
//! where somebody asks.

use super::commit::CommitSha;
use super::event::{Event, ParseError, read};
use super::kind::Kind;
use super::participants::Participants;

mod payload;

use payload::Payload;

/// What can be asked of an event. What GitLab does not say is empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventAttributes {
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
    pub in_progress: bool,
    /// Whether only members may see it.
    pub confidential: bool,
    /// Branch or tag, without `refs/heads/` or `refs/tags/`.
    pub reference: Option<String>,
    /// Whether the branch or tag is protected.
    pub protected: Option<bool>,
    /// Everybody who has to do with it.
    pub people: Participants,
    /// How far a pipeline is.
    pub pipeline_state: Option<PipelineState>,
    /// What a pipeline ran for. None where GitLab does not say all of it, and of a pipeline that
    /// another one of its project started: that one tells how both ended.
    pub pipeline_revision: Option<PipelineRevision>,
    /// What else templates may show.
    pub details: Details,
}

/// How far a pipeline is, in a way that two deliveries can be put in order by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PipelineState {
    /// Its number on its GitLab.
    pub pipeline: u64,
    /// When it came to its end, in seconds since 1970; `None` while it is under way.
    pub finished_at: Option<u64>,
}

/// What a pipeline ran for, and what had been there before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PipelineRevision {
    /// Number of the project on its GitLab.
    pub project: u64,
    /// Branch or tag, or the merge request: its source branch may have pipelines of its own.
    pub reference: String,
    /// The commit.
    pub sha: CommitSha,
    /// The commit that the ref was at before the push. GitLab names it for pipelines that a push to
    /// a branch started, and for no others.
    pub before: Option<CommitSha>,
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
    /// Destination branch of a merge request.
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

impl EventAttributes {
    /// What is known of an event of which nobody asks more.
    pub fn of(event: &Event) -> Self {
        Self {
            kind: event.kind(),
            place: String::new(),
            web_url: None,
            action: None,
            status: None,
            in_progress: event.is_in_progress(),
            confidential: event.is_confidential(),
            reference: None,
            protected: None,
            people: Participants::default(),
            pipeline_state: None,
            pipeline_revision: None,
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
