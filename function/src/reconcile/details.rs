//! Single objects that complete what the lists of GitLab's API say. Owns the calls, and that a body is written without
//! an object that cannot be had.

use serde::de::DeserializeOwned;

use super::backfill::listed::{
    CommitFacts, Comparison, JobFacts, MergeRequestFacts, PipelineFacts, ProjectFacts, RefFacts,
};
use super::backfill::{Replacement, bodies, branch_filter};
use crate::gitlab_api::{ApiError, Client};

/// Looks up single objects of a project.
pub(super) struct Objects<'a> {
    pub(super) client: &'a Client,
    pub(super) project: &'a ProjectFacts,
}

impl Objects<'_> {
    /// `None` if it does not exist, cannot be seen or is too large: a body can be written without it.
    async fn optional<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Option<T>, ApiError> {
        let id = self.project.id.to_string();
        let path = [&["projects", id.as_str()], path].concat();
        match self.client.get(&path, query).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.concerns_all_calls() => Err(error),
            Err(ApiError::RateLimited(wait)) => Err(ApiError::RateLimited(wait)),
            Err(_) => Ok(None),
        }
    }

    pub(super) async fn reference(&self, reference: &str) -> Result<Option<RefFacts>, ApiError> {
        let (kind, name) = match reference.strip_prefix("refs/tags/") {
            Some(tag) => ("tags", tag),
            None => ("branches", branch_filter::branch(reference)),
        };
        self.optional(&["repository", kind, name], &[]).await
    }

    pub(super) async fn commit(&self, sha: Option<&str>) -> Result<Option<CommitFacts>, ApiError> {
        match sha {
            Some(sha) if !sha.is_empty() => {
                self.optional(&["repository", "commits", sha], &[]).await
            }
            _ => Ok(None),
        }
    }

    /// The commits of a push: those since the former commit, and of a new branch those that the default branch lacks.
    pub(super) async fn comparison(
        &self,
        reference: &str,
        before: &str,
        after: &str,
        found: Option<&RefFacts>,
    ) -> Result<Comparison, ApiError> {
        let only = |commit: Option<CommitFacts>| Comparison {
            commits: commit.into_iter().collect(),
            diffs: Vec::new(),
        };
        if reference.starts_with("refs/tags/") {
            return Ok(only(found.and_then(|tag| tag.commit.clone())));
        }
        if after.is_empty() {
            return Ok(Comparison::default());
        }
        let default = self.project.default_branch.as_deref().unwrap_or_default();
        let is_default = reference.strip_prefix("refs/heads/") == Some(default);
        let from = if before.is_empty() && !is_default {
            default
        } else {
            before
        };
        let compared = if from.is_empty() {
            None
        } else {
            let query = [("from", from), ("to", after)];
            self.optional(&["repository", "compare"], &query).await?
        };
        match compared {
            Some(compared) => Ok(compared),
            None => Ok(only(self.commit(Some(after)).await?)),
        }
    }

    pub(super) async fn pipeline(&self, id: u64) -> Result<Option<Replacement>, ApiError> {
        let id = id.to_string();
        let found: Option<PipelineFacts> = self.optional(&["pipelines", &id], &[]).await?;
        let Some(pipeline) = found else {
            return Ok(None);
        };
        let jobs: Option<Vec<JobFacts>> = self
            .optional(&["pipelines", &id, "jobs"], &[("per_page", "100")])
            .await?;
        let commit = self.commit(pipeline.sha.as_deref()).await?;
        let reference = pipeline.reference.as_deref().unwrap_or_default();
        let request = reference.strip_prefix("refs/merge-requests/");
        let request: Option<MergeRequestFacts> =
            match request.and_then(|rest| rest.split('/').next()) {
                Some(number) => self.optional(&["merge_requests", number], &[]).await?,
                None => None,
            };
        Ok(bodies::pipeline(
            self.project,
            &pipeline,
            &jobs.unwrap_or_default(),
            commit.as_ref(),
            request.as_ref(),
        ))
    }
}
