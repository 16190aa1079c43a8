//! The values that an update of a merge request, an issue or a work item replaced. Owns which of them
//! are kept; which actions an update has is decided in [`changes`](super::changes).

/// What an update replaced, apart from people, who are among the
/// [participants](super::participants::Participants). Empty where nothing changed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ChangeDetails {
    /// The title before, unless only the prefix of a draft changed.
    pub(crate) old_title: Option<String>,
    /// The target branch before.
    pub(crate) old_target: Option<String>,
    /// Titles of the labels that were added.
    pub(crate) labels_added: Vec<String>,
    /// Titles of the labels that were removed.
    pub(crate) labels_removed: Vec<String>,
    /// The change of the milestone, of which GitLab sends only the id.
    pub(crate) milestone: Option<MilestoneChange>,
}

/// The change of a milestone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MilestoneChange {
    /// Set or replaced.
    Set,
    /// Removed.
    Removed,
}
