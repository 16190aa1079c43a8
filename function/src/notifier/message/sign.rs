//! The sign at the start of a message, which tells at a glance what happened. Owns the signs and which of
//! them mean what; the word beside a sign says the same. Which sign an event has is decided by the
//! renderer of its kind.

/// Whether messages begin with a sign.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MessageStyle {
    /// With a sign.
    #[default]
    Signs,
    /// With words only.
    Plain,
}

/// The meaning of a sign. Signs of one kind that a reader must tell apart differ in shape, not only in
/// color.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sign {
    /// Passed, succeeded or resolved.
    Passed,
    /// Failed.
    Failed,
    /// Passed or failed with a failure that is allowed.
    Warnings,
    /// Ended without a result: canceled, skipped, closed, dismissed, denied or left.
    Ended,
    /// In progress.
    UnderWay,
    /// Taken back: a branch, an approval or an emoji.
    TakenBack,
    /// Deleted or removed.
    Removed,
    /// Reached its end: merged or closed.
    Done,
    /// Somebody should look at it.
    Look,
    /// Approved.
    Approved,
    /// Another change of a merge request.
    MergeRequest,
    /// New commits.
    Commits,
    /// A new branch.
    NewBranch,
    /// A new or moved tag.
    Tag,
    /// A comment.
    Comment,
    /// An issue or work item.
    Issue,
    /// An incident or a vulnerability.
    Alarm,
    /// A release.
    Release,
    /// A wiki page.
    Wiki,
    /// A feature flag.
    Flag,
    /// An emoji reaction.
    Reaction,
    /// A milestone.
    Milestone,
    /// Something that expires.
    Expiry,
    /// A user or member.
    Person,
    /// A request for membership.
    Request,
    /// A project.
    Project,
    /// A group.
    Group,
    /// An SSH key.
    Key,
}

impl Sign {
    /// One code point, which every version of Rocket.Chat's parser since 0.31 takes for an emoji and
    /// which needs no variation selector.
    fn char(self) -> char {
        match self {
            Self::Passed => '✅',
            Self::Failed => '❌',
            Self::Warnings => '🔶',
            Self::Ended => '⚪',
            Self::UnderWay => '⏳',
            Self::TakenBack => '⏪',
            Self::Removed => '🚮',
            Self::Done => '🏁',
            Self::Look => '👀',
            Self::Approved => '👍',
            Self::MergeRequest => '🔀',
            Self::Commits => '📥',
            Self::NewBranch => '🌱',
            Self::Tag => '🔖',
            Self::Comment => '💬',
            Self::Issue => '📌',
            Self::Alarm => '🚨',
            Self::Release => '📦',
            Self::Wiki => '📖',
            Self::Flag => '🚩',
            Self::Reaction => '🙂',
            Self::Milestone => '🎯',
            Self::Expiry => '⏰',
            Self::Person => '👤',
            Self::Request => '✋',
            Self::Project => '📁',
            Self::Group => '👥',
            Self::Key => '🔑',
        }
    }

    /// The sign; `None` in a style without signs.
    pub(super) fn shown(self, style: MessageStyle) -> Option<char> {
        (style == MessageStyle::Signs).then(|| self.char())
    }
}
