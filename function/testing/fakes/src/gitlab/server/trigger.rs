//! The triggers of webhooks, with the three names that GitLab has for each.
//! Source: `app/models/concerns/triggerable_hooks.rb`.

/// What a webhook is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A push to a branch.
    Push,
    /// A tag.
    TagPush,
    /// An issue.
    Issue,
    /// A confidential issue.
    ConfidentialIssue,
    /// A comment.
    Note,
    /// A comment on a confidential issue, or an internal one.
    ConfidentialNote,
    /// A merge request.
    MergeRequest,
    /// A job.
    Job,
    /// A pipeline.
    Pipeline,
    /// A page of the wiki.
    WikiPage,
    /// A deployment.
    Deployment,
    /// A feature flag.
    FeatureFlag,
    /// A release.
    Release,
    /// A milestone.
    Milestone,
    /// An emoji reaction.
    Emoji,
    /// An access token that expires soon.
    ResourceAccessToken,
    /// A vulnerability.
    Vulnerability,
    /// An update of a repository, which only system hooks have.
    RepositoryUpdate,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Push,
        Self::TagPush,
        Self::Issue,
        Self::ConfidentialIssue,
        Self::Note,
        Self::ConfidentialNote,
        Self::MergeRequest,
        Self::Job,
        Self::Pipeline,
        Self::WikiPage,
        Self::Deployment,
        Self::FeatureFlag,
        Self::Release,
        Self::Milestone,
        Self::Emoji,
        Self::ResourceAccessToken,
        Self::Vulnerability,
        Self::RepositoryUpdate,
    ];

    /// The name in the event log, such as `push_hooks`; the field of a hook, such as `push_events`.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Push => ("push_hooks", "push_events"),
            Self::TagPush => ("tag_push_hooks", "tag_push_events"),
            Self::Issue => ("issue_hooks", "issues_events"),
            Self::ConfidentialIssue => ("confidential_issue_hooks", "confidential_issues_events"),
            Self::Note => ("note_hooks", "note_events"),
            Self::ConfidentialNote => ("confidential_note_hooks", "confidential_note_events"),
            Self::MergeRequest => ("merge_request_hooks", "merge_requests_events"),
            Self::Job => ("job_hooks", "job_events"),
            Self::Pipeline => ("pipeline_hooks", "pipeline_events"),
            Self::WikiPage => ("wiki_page_hooks", "wiki_page_events"),
            Self::Deployment => ("deployment_hooks", "deployment_events"),
            Self::FeatureFlag => ("feature_flag_hooks", "feature_flag_events"),
            Self::Release => ("release_hooks", "releases_events"),
            Self::Milestone => ("milestone_hooks", "milestone_events"),
            Self::Emoji => ("emoji_hooks", "emoji_events"),
            Self::ResourceAccessToken => (
                "resource_access_token_hooks",
                "resource_access_token_events",
            ),
            Self::Vulnerability => ("vulnerability_hooks", "vulnerability_events"),
            Self::RepositoryUpdate => ("repository_update_hooks", "repository_update_events"),
        }
    }

    /// The name in the event log.
    pub const fn hook_name(self) -> &'static str {
        self.names().0
    }

    /// The field of a hook, which is also the name in the path of a test.
    pub const fn field(self) -> &'static str {
        self.names().1
    }

    /// The value of `X-Gitlab-Event`, such as `Push Hook`.
    pub fn event(self) -> String {
        let words = self.hook_name().trim_end_matches('s').split('_');
        let titled = words.map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        titled.collect::<Vec<_>>().join(" ")
    }

    /// Whether system hooks have it.
    pub(super) const fn is_for_system_hooks(self) -> bool {
        matches!(
            self,
            Self::Push | Self::TagPush | Self::MergeRequest | Self::RepositoryUpdate
        )
    }

    /// Whether hooks of projects have it.
    pub(super) const fn is_for_project_hooks(self) -> bool {
        !matches!(self, Self::RepositoryUpdate)
    }

    pub(super) fn of_hook_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.hook_name() == name)
    }

    pub(super) fn of_field(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.field() == name)
    }
}
