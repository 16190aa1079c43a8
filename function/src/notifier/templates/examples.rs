//! One sample of a webhook's body a kind, compiled in from the folder `examples/` beside it:
//! to try templates on at start, and to look at.

use crate::gitlab::kind::Kind;

macro_rules! examples {
    ($($kind:ident = $name:literal;)+) => {
        /// The body of a webhook of this kind.
        pub fn example(kind: Kind) -> Option<&'static str> {
            match kind {
                $(Kind::$kind => Some(include_str!(concat!("examples/", $name, ".json"))),)+
                Kind::Other => None,
            }
        }
    };
}

examples! {
    Push = "push";
    TagPush = "tag_push";
    MergeRequest = "merge_request";
    Note = "note";
    Issue = "issue";
    WorkItem = "work_item";
    Pipeline = "pipeline";
    Job = "job";
    Deployment = "deployment";
    Release = "release";
    WikiPage = "wiki_page";
    FeatureFlag = "feature_flag";
    Emoji = "emoji";
    Milestone = "milestone";
    AccessToken = "access_token";
    DeployToken = "deploy_token";
    Vulnerability = "vulnerability";
    Member = "member";
    Subgroup = "subgroup";
    Project = "project";
    RepositoryUpdate = "repository_update";
    User = "user";
    Group = "group";
    Key = "key";
}
