//! The triggers of a webhook: the kinds of event that GitLab sends to it. Owns the closed list, with the names
//! that GitLab's API has. Which kinds of event need which trigger is decided in
//! [`hooks`](crate::hooks).

use std::fmt;

/// Declares the triggers, each with its name and the field of the API that switches it on.
macro_rules! triggers {
    ($($(#[$doc:meta])* $trigger:ident = $name:literal,)+) => {
        /// A kind of event that a webhook receives or not.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum Trigger {
            $($(#[$doc])* $trigger,)+
        }

        impl Trigger {
            /// Every trigger.
            pub const ALL: &'static [Self] = &[$(Self::$trigger,)+];

            /// Their names, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];

            /// The name in `HOOKS`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$trigger => $name,)+
                }
            }

            /// The field of a webhook in GitLab's API.
            pub fn field(self) -> &'static str {
                match self {
                    $(Self::$trigger => concat!($name, "_events"),)+
                }
            }
        }
    };
}

triggers! {
    /// Branches.
    Push = "push",
    /// Tags.
    TagPush = "tag_push",
    /// Merge requests.
    MergeRequests = "merge_requests",
    /// Issues and work items.
    Issues = "issues",
    /// Confidential ones.
    ConfidentialIssues = "confidential_issues",
    /// Comments.
    Note = "note",
    /// Comments on confidential issues, and internal ones.
    ConfidentialNote = "confidential_note",
    /// Jobs.
    Job = "job",
    /// Pipelines.
    Pipeline = "pipeline",
    /// Wiki pages.
    WikiPage = "wiki_page",
    /// Deployments.
    Deployment = "deployment",
    /// Releases.
    Releases = "releases",
    /// Milestones.
    Milestone = "milestone",
    /// Emoji reactions.
    Emoji = "emoji",
    /// Feature flags.
    FeatureFlag = "feature_flag",
    /// Access tokens that expire.
    ResourceAccessToken = "resource_access_token",
    /// Deploy tokens that expire.
    ResourceDeployToken = "resource_deploy_token",
    /// Vulnerabilities; not in all editions of GitLab.
    Vulnerability = "vulnerability",
    /// Repositories; only system hooks have it.
    RepositoryUpdate = "repository_update",
}

impl Trigger {
    /// The trigger with this name.
    pub fn with_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.name() == name)
    }
}

/// A set of triggers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Triggers(u32);

impl Triggers {
    /// Those of a project's webhook.
    pub fn of_projects() -> Self {
        let all: Self = Trigger::ALL.iter().copied().collect();
        all.difference([Trigger::RepositoryUpdate].into_iter().collect())
    }

    /// Those of a system hook, which also receives what has no trigger.
    pub fn of_system_hooks() -> Self {
        let all = [
            Trigger::Push,
            Trigger::TagPush,
            Trigger::MergeRequests,
            Trigger::RepositoryUpdate,
        ];
        all.into_iter().collect()
    }

    /// Whether the trigger is in the set.
    pub fn contains(self, trigger: Trigger) -> bool {
        self.0 & (1 << trigger as u32) != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The triggers that are in both sets.
    #[must_use]
    pub fn intersection(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// The triggers that are not in the other set.
    #[must_use]
    pub fn difference(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// The triggers in the order of [`Trigger::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Trigger> {
        let all = Trigger::ALL.iter().copied();
        all.filter(move |trigger| self.contains(*trigger))
    }
}

impl FromIterator<Trigger> for Triggers {
    fn from_iter<I: IntoIterator<Item = Trigger>>(triggers: I) -> Self {
        let bits = triggers.into_iter().map(|trigger| 1 << trigger as u32);
        Self(bits.fold(0, |set, bit| set | bit))
    }
}

impl fmt::Display for Triggers {
    /// The names, separated by commas.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, trigger) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{}", trigger.name())?;
        }
        Ok(())
    }
}
