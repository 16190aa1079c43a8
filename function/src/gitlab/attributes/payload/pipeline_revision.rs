//! What a pipeline ran for. Owns which pipelines are never taken for a fix, nor their failures for
//! one that a fix is told of.

use super::{Attributes, Payload};
use crate::gitlab::attributes::PipelineRevision;
use crate::gitlab::commit::CommitSha;

/// GitLab's word for the source of a pipeline that another one of its project started.
const PARENT_PIPELINE: &str = "parent_pipeline";

impl Payload {
    pub(super) fn pipeline_revision(&self, attributes: &Attributes) -> Option<PipelineRevision> {
        if attributes.source.as_str() == PARENT_PIPELINE {
            return None;
        }
        Some(PipelineRevision {
            project: self.project.as_ref()?.id.number()?,
            reference: self.merge_request().or(self.reference(attributes))?,
            sha: CommitSha::parse(attributes.sha.as_str())?,
            before: CommitSha::parse(attributes.before_sha.as_str()),
        })
    }

    /// The merge request that a pipeline runs for.
    fn merge_request(&self) -> Option<String> {
        let number = self.merge_request.as_ref()?.iid.number()?;
        Some(format!("merge request {number}"))
    }
}
