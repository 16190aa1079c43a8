//! The jobs of a pipeline that failed. Owns which of them made the pipeline fail, and how many are
//! kept. The event about one job is parsed in [`job`](super::job).

use serde::Deserialize;

use super::lenient::Lenient;
use super::list::Summary;
use super::text::Line;
use crate::limits::LIMITS;

/// Failed jobs: the first ones and the number of all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct FailedJobs {
    /// As many as a message names.
    pub(crate) first: Vec<FailedJob>,
    /// The number of all.
    pub(crate) count: usize,
}

/// A job that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FailedJob {
    /// Its id, as in the URL of its page.
    pub(crate) id: Option<u64>,
    /// Its name.
    pub(crate) name: String,
}

/// What is kept of the field `builds` of a pipeline. GitLab lists no job that was retried and none
/// that starts another pipeline.
#[derive(Debug, Default)]
pub(super) struct Builds {
    /// The jobs that made the pipeline fail.
    pub(super) failed: FailedJobs,
    /// Their names, of more of them than a message names, because templates print them too.
    pub(super) failed_names: Vec<String>,
    /// The jobs that failed and may fail.
    pub(super) allowed: FailedJobs,
}

/// A job in the body of a pipeline.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Build {
    id: Lenient,
    name: Line,
    status: Line,
    allow_failure: Option<bool>,
}

impl Summary for Builds {
    type Entry = Build;

    fn add(&mut self, build: Build) {
        let has_failed = build.status.as_str() == "failed";
        let Some(name) = build.name.0.filter(|_| has_failed) else {
            return;
        };
        let id = build.id.number();
        if build.allow_failure == Some(true) {
            self.allowed.add(id, &name);
        } else {
            self.failed.add(id, &name);
            if self.failed_names.len() < LIMITS.events.max_list_entries {
                self.failed_names.push(name);
            }
        }
    }
}

impl FailedJobs {
    fn add(&mut self, id: Option<u64>, name: &str) {
        self.count += 1;
        if self.first.len() < LIMITS.texts.jobs {
            let name = name.to_owned();
            self.first.push(FailedJob { id, name });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::event::EventKind;
    use super::super::fixtures::{body, event};
    use super::super::pipeline::Pipeline;
    use super::*;

    fn read(body: &Value) -> Pipeline {
        match event(body).kind {
            EventKind::Pipeline(pipeline) => *pipeline,
            kind => panic!("{kind:?}"),
        }
    }

    fn jobs(jobs: &[(u64, &str)]) -> FailedJobs {
        let job = |(id, name): &(u64, &str)| FailedJob {
            id: Some(*id),
            name: (*name).to_owned(),
        };
        FailedJobs {
            first: jobs.iter().map(job).collect(),
            count: jobs.len(),
        }
    }

    #[test]
    fn a_pipeline_keeps_the_jobs_that_made_it_fail_apart_from_those_that_may_fail() {
        let failed = read(&body("pipeline_failed"));
        assert_eq!(failed.failed, jobs(&[(377, "engines")]));
        assert_eq!(failed.allowed, jobs(&[(378, "paint")]));
        let passed = read(&body("pipeline_passed"));
        assert_eq!(passed.failed, FailedJobs::default());
        assert_eq!(passed.allowed, FailedJobs::default());
    }

    #[test]
    fn no_more_jobs_are_kept_than_a_message_names() {
        let mut pipeline = body("pipeline_failed");
        for allowed in [false, true] {
            let job = |id: u64| json!({ "id": id, "name": "a", "status": "failed", "allow_failure": allowed });
            pipeline["builds"] = (1..=9).map(job).collect();
            let read = read(&pipeline);
            let (kept, none) = if allowed {
                (read.allowed, read.failed)
            } else {
                (read.failed, read.allowed)
            };
            assert_eq!(kept.first.len(), LIMITS.texts.jobs);
            assert_eq!((kept.first[0].id, kept.count), (Some(1), 9));
            assert_eq!(none, FailedJobs::default());
        }
    }

    #[test]
    fn a_job_without_a_valid_id_keeps_its_name() {
        let mut pipeline = body("pipeline_failed");
        pipeline["builds"][1]["id"] = json!("377");
        let job = &read(&pipeline).failed.first[0];
        assert_eq!((job.id, job.name.as_str()), (None, "engines"));
    }
}
