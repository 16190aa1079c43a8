//! What a delivery about a merge request, an issue or a work item changed. Owns which fields of
//! `changes` are which action, because GitLab calls all of them `update`. Which of them have a message
//! is decided in [`routing`](crate::notifier::routing).

use serde::Deserialize;

use super::change_details::{ChangeDetails, MilestoneChange};
use super::labels::Labels;
use super::lenient::{Lenient, LenientList, LenientObject};
use super::participants::{Account, Person};

/// A change that rules can name as an action. One delivery can have several.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChangeAction {
    /// A user became a reviewer, or was asked for another review.
    ReviewRequested,
    /// A user became an assignee.
    Assigned,
    /// A draft became ready.
    Ready,
    /// The merge request became a draft.
    Draft,
    /// The title changed, apart from the prefix of a draft.
    Retitled,
    /// The labels changed.
    Relabeled,
    /// The target branch changed.
    Retargeted,
    /// The milestone was set, replaced or removed.
    Milestoned,
}

impl ChangeAction {
    /// Every change.
    pub const ALL: &[Self] = &[
        Self::ReviewRequested,
        Self::Assigned,
        Self::Ready,
        Self::Draft,
        Self::Retitled,
        Self::Relabeled,
        Self::Retargeted,
        Self::Milestoned,
    ];

    /// The name in rules.
    pub fn label(self) -> &'static str {
        match self {
            Self::ReviewRequested => "review_requested",
            Self::Assigned => "assigned",
            Self::Ready => "ready",
            Self::Draft => "draft",
            Self::Retitled => "retitled",
            Self::Relabeled => "relabeled",
            Self::Retargeted => "retargeted",
            Self::Milestoned => "milestoned",
        }
    }
}

/// The field `changes` of a body: only what changed, each with its previous and its current value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Changes {
    title: Change<Lenient>,
    draft: Change<Lenient>,
    target_branch: Change<Lenient>,
    milestone_id: Change<Lenient>,
    labels: Change<Labels>,
    assignees: Change<LenientList<Member>>,
    reviewers: Change<LenientList<Member>>,
}

/// `None` if the field did not change.
type Change<T> = Option<LenientObject<Values<T>>>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, bound = "T: Default + Deserialize<'de>")]
struct Values<T> {
    previous: T,
    current: T,
}

/// A reviewer or an assignee. `re_requested` is true only for a reviewer who is asked again.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Member {
    id: Lenient,
    name: Lenient,
    username: Lenient,
    email: Lenient,
    re_requested: Lenient,
}

/// What a delivery changed.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) actions: Vec<ChangeAction>,
    /// The values that it replaced.
    pub(super) details: ChangeDetails,
    /// Who became a reviewer or was asked for another review.
    pub(super) reviewers: Vec<Person>,
    /// Who became an assignee.
    pub(super) assignees: Vec<Person>,
}

impl Changes {
    /// The changes of a delivery with this action. When an object is opened, GitLab lists every field
    /// as changed, so that only its reviewers and assignees count.
    /// `reviewers` is `None` for an issue, which has neither reviewers nor drafts.
    pub(super) fn read(
        self,
        action: &str,
        reviewers: Option<&[Person]>,
        assignees: &[Person],
    ) -> Changed {
        let has_drafts = reviewers.is_some();
        let is_new = action == "open";
        let (new_reviewers, new_assignees) = if is_new {
            (reviewers.unwrap_or_default().to_vec(), assignees.to_vec())
        } else {
            (added(self.reviewers), added(self.assignees))
        };
        let mut actions = Vec::new();
        let mut add = |has: bool, action| {
            if has {
                actions.push(action);
            }
        };
        add(!new_reviewers.is_empty(), ChangeAction::ReviewRequested);
        add(!new_assignees.is_empty(), ChangeAction::Assigned);
        let mut details = ChangeDetails::default();
        if !is_new {
            let draft = changed(self.draft).and_then(|draft| draft.current.flag());
            let title = changed(self.title);
            let draft = draft.or(title.as_ref().and_then(draft_by_prefix));
            let draft = draft.filter(|_| has_drafts);
            add(draft == Some(false), ChangeAction::Ready);
            add(draft == Some(true), ChangeAction::Draft);
            if let Some(title) = title.filter(|title| !has_drafts || is_retitled(title)) {
                add(true, ChangeAction::Retitled);
                details.old_title = title.previous.text();
            }
            if let Some(labels) = changed(self.labels) {
                details.labels_added = labels.current.titles_without(&labels.previous);
                details.labels_removed = labels.previous.titles_without(&labels.current);
                // Another order is no change.
                let is_changed = [&details.labels_added, &details.labels_removed]
                    .iter()
                    .any(|labels| !labels.is_empty());
                add(is_changed, ChangeAction::Relabeled);
            }
            if let Some(target) = changed(self.target_branch) {
                add(true, ChangeAction::Retargeted);
                details.old_target = target.previous.text();
            }
            if let Some(milestone) = changed(self.milestone_id) {
                add(true, ChangeAction::Milestoned);
                details.milestone = Some(match milestone.current {
                    Lenient::Missing => MilestoneChange::Removed,
                    _ => MilestoneChange::Set,
                });
            }
        }
        Changed {
            actions,
            details,
            reviewers: new_reviewers,
            assignees: new_assignees,
        }
    }
}

/// The values of a field that GitLab lists as changed, unless they are the same.
fn changed<T: PartialEq>(change: Change<T>) -> Option<Values<T>> {
    let LenientObject(values) = change?;
    (values.previous != values.current).then_some(values)
}

/// Who is in the current list and not in the previous one, or is asked again.
fn added(change: Change<LenientList<Member>>) -> Vec<Person> {
    let Some(LenientObject(change)) = change else {
        return Vec::new();
    };
    let previous: Vec<_> = people(change.previous).map(|(person, _)| person).collect();
    let is_same = |one: &Person, other: &Person| match (one.id, other.id) {
        (Some(one), Some(other)) => one == other,
        _ => one.username == other.username,
    };
    let current = people(change.current);
    let added = current.filter(|(person, is_asked_again)| {
        *is_asked_again || !previous.iter().any(|known| is_same(known, person))
    });
    added.map(|(person, _)| person).collect()
}

fn people(list: LenientList<Member>) -> impl Iterator<Item = (Person, bool)> {
    list.0.into_iter().filter_map(|member| {
        let is_asked_again = member.re_requested.flag() == Some(true);
        let account = Account {
            id: member.id,
            name: member.name,
            username: member.username,
            email: member.email,
        };
        Some((account.read()?, is_asked_again))
    })
}

/// The prefixes that make a merge request a draft.
const DRAFT_PREFIXES: &[&str] = &["Draft:", "[Draft]", "(Draft)"];

/// The title of a draft without the prefix that says so.
pub(crate) fn without_draft(title: &str) -> &str {
    let rest = without_prefix(title).filter(|rest| !rest.is_empty());
    rest.unwrap_or(title)
}

fn without_prefix(title: &str) -> Option<&str> {
    DRAFT_PREFIXES.iter().find_map(|prefix| {
        let start = title.get(..prefix.len())?;
        let rest = &title[prefix.len()..];
        start
            .eq_ignore_ascii_case(prefix)
            .then(|| rest.trim_start())
    })
}

/// Whether it is a draft now, if the prefix of the title changed: not every version of GitLab lists
/// `draft` as changed.
fn draft_by_prefix(title: &Values<Lenient>) -> Option<bool> {
    let is_draft = |title: &Lenient| without_prefix(title.as_str()).is_some();
    let (previous, current) = (is_draft(&title.previous), is_draft(&title.current));
    (previous != current).then_some(current)
}

fn is_retitled(title: &Values<Lenient>) -> bool {
    let [previous, current] = [&title.previous, &title.current].map(Lenient::as_str);
    let plain = |title| without_prefix(title).unwrap_or(title);
    plain(previous) != plain(current)
}
