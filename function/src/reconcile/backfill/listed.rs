//! What GitLab's API lists about a project. Owns the fields that the bodies of webhooks need. Only the IDs are required,
//! because a body can be written without the rest.

use serde::Deserialize;

/// A user.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(crate) struct Account {
    pub(crate) id: Option<u64>,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
}

/// `GET /projects/:id`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ProjectFacts {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
    pub(crate) path_with_namespace: String,
    pub(crate) web_url: Option<String>,
    pub(crate) default_branch: Option<String>,
    pub(crate) ssh_url_to_repo: Option<String>,
    pub(crate) http_url_to_repo: Option<String>,
}

/// `GET /projects/:id/events`: something that a user did.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Activity {
    pub(crate) action_name: Option<String>,
    pub(crate) target_type: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) author: Option<Account>,
    pub(crate) push_data: Option<PushFacts>,
}

/// A push in the list of activities.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PushFacts {
    pub(crate) commit_count: Option<u64>,
    pub(crate) ref_type: Option<String>,
    pub(crate) commit_from: Option<String>,
    pub(crate) commit_to: Option<String>,
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
}

/// `GET /projects/:id/repository/compare`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Comparison {
    pub(crate) commits: Vec<CommitFacts>,
    pub(crate) diffs: Vec<ChangedFile>,
}

/// `GET /projects/:id/repository/commits/:sha`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CommitFacts {
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) author_name: Option<String>,
    pub(crate) author_email: Option<String>,
    pub(crate) committed_date: Option<String>,
    pub(crate) web_url: Option<String>,
}

/// A file of a comparison.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ChangedFile {
    pub(crate) old_path: Option<String>,
    pub(crate) new_path: Option<String>,
    pub(crate) new_file: bool,
    pub(crate) renamed_file: bool,
    pub(crate) deleted_file: bool,
}

/// `GET /projects/:id/repository/branches/:name` or `…/tags/:name`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RefFacts {
    pub(crate) protected: Option<bool>,
    pub(crate) message: Option<String>,
    pub(crate) commit: Option<CommitFacts>,
}

/// `GET /projects/:id/pipelines`: a pipeline in a list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ListedPipeline {
    pub(crate) id: u64,
    pub(crate) status: String,
    pub(crate) updated_at: Option<String>,
}

/// `GET /projects/:id/pipelines/:id`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PipelineFacts {
    pub(crate) id: u64,
    pub(crate) iid: Option<u64>,
    pub(crate) name: Option<String>,
    pub(crate) status: String,
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
    pub(crate) sha: Option<String>,
    pub(crate) before_sha: Option<String>,
    pub(crate) tag: Option<bool>,
    pub(crate) user: Option<Account>,
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    pub(crate) finished_at: Option<String>,
    pub(crate) duration: Option<f64>,
    pub(crate) detailed_status: Option<DetailedStatus>,
    pub(crate) source: Option<String>,
    pub(crate) web_url: Option<String>,
}

/// The status of a pipeline in words.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DetailedStatus {
    pub(crate) label: Option<String>,
}

/// `GET /projects/:id/pipelines/:id/jobs`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct JobFacts {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) allow_failure: Option<bool>,
}

/// `GET /projects/:id/merge_requests`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MergeRequestFacts {
    pub(crate) id: Option<u64>,
    pub(crate) iid: u64,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    pub(crate) merged_at: Option<String>,
    pub(crate) merge_user: Option<Account>,
    pub(crate) closed_at: Option<String>,
    pub(crate) closed_by: Option<Account>,
    pub(crate) source_branch: Option<String>,
    pub(crate) target_branch: Option<String>,
    pub(crate) source_project_id: Option<u64>,
    pub(crate) target_project_id: Option<u64>,
    pub(crate) author: Option<Account>,
    #[serde(default)]
    pub(crate) assignees: Vec<Account>,
    #[serde(default)]
    pub(crate) reviewers: Vec<Account>,
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    pub(crate) draft: Option<bool>,
    pub(crate) sha: Option<String>,
    pub(crate) merge_commit_sha: Option<String>,
    pub(crate) squash_commit_sha: Option<String>,
    pub(crate) web_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::DeserializeOwned;

    use super::super::{bodies, merge_requests};
    use super::*;

    const PUSH: &str = r#"[{"action_name":"pushed to","created_at":"2026-03-02T09:20:05Z","author":{"id":7},
        "push_data":{"ref_type":"branch","ref":"main","commit_from":"a1","commit_to":"b2","commit_count":1}}]"#;
    const PIPELINE: &str = r#"[{"id":7,"status":"failed","updated_at":"2026-03-02T09:20:05Z"},{"id":8,"status":"success"}]"#;
    const MERGE_REQUEST: &str = r#"[{"iid":7,"state":"merged","created_at":"2026-03-02T09:20:05Z",
        "merged_at":"2026-03-02T09:21:05Z","labels":["a"],"author":{"username":"robin"}}]"#;

    /// How many objects a list has; `None` for what is no list.
    fn objects<T: DeserializeOwned>(body: &[u8], of: impl Fn(&T) -> usize) -> Option<usize> {
        let entries: Vec<T> = serde_json::from_slice(body).ok()?;
        Some(entries.iter().map(of).sum())
    }

    fn read(body: &[u8]) -> [Option<usize>; 3] {
        [
            objects(body, |push| usize::from(bodies::pushed(push).is_some())),
            objects(body, |_: &ListedPipeline| 1),
            objects(body, |request| merge_requests::changes(request).len()),
        ]
    }

    #[test]
    fn lists_of_objects_are_read() {
        assert_eq!(read(PUSH.as_bytes())[0], Some(1));
        assert_eq!(read(PIPELINE.as_bytes())[1], Some(2));
        assert_eq!(read(MERGE_REQUEST.as_bytes())[2], Some(2));
    }

    #[test]
    fn a_hostile_list_is_an_error_or_has_no_objects() {
        for list in [PUSH, PIPELINE, MERGE_REQUEST] {
            for length in 0..list.len() {
                assert_eq!(read(&list.as_bytes()[..length]), [None; 3], "{length}");
            }
            let twice = list.replacen(
                '{',
                r#"{"iid":1,"iid":1,"id":1,"id":1,"created_at":"","created_at":"","#,
                1,
            );
            assert_eq!(read(twice.as_bytes()), [None; 3], "{twice}");
            let mut bytes = list.as_bytes().to_vec();
            let text = list.find("2026").expect("has a time");
            bytes[text] = 0xff;
            let found = read(&bytes).into_iter().flatten().sum::<usize>();
            assert_eq!(found, 0, "{list}");
        }
        for deep in ["[".repeat(100_000), r#"[{"author":"#.repeat(100_000)] {
            assert_eq!(read(deep.as_bytes()), [None; 3]);
        }
        let huge = "9".repeat(1_000_000);
        let time = format!(r#"[{{"id":1,"iid":1,"status":"","created_at":"{huge}"}}]"#);
        assert_eq!(read(time.as_bytes()), [Some(0), Some(1), Some(0)]);
        let number = format!(
            r#"[{{"id":{huge},"iid":{huge},"status":"","push_data":{{"commit_count":{huge}}}}}]"#
        );
        assert_eq!(read(number.as_bytes()), [None; 3]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_lists_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            value in "(?s).{0,40}",
        ) {
            let _ = read(&bytes);
            let value = serde_json::to_string(&value).expect("is JSON");
            for list in [PUSH, PIPELINE, MERGE_REQUEST] {
                let _ = read(list.replace("\"2026-03-02T09:20:05Z\"", &value).as_bytes());
            }
        }
    }
}
