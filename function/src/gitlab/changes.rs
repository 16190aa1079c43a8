//! What a delivery about a merge request, an issue or a work item changed. Owns which fields of
//! `changes` are which action, because GitLab calls all of them `update`. Which of them have a message
//! is decided in [`routing`](crate::notifier::routing).

use serde::Deserialize;

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
    /// Who became a reviewer or was asked for another review.
    pub(super) reviewers: Vec<Person>,
    /// Who became an assignee.
    pub(super) assignees: Vec<Person>,
}

impl Changes {
    /// The changes of a delivery with this action. When an object is opened, GitLab lists every field
    /// as changed, so that only its reviewers and assignees count.
    pub(super) fn read(self, action: &str, reviewers: &[Person], assignees: &[Person]) -> Changed {
        let is_new = action == "open";
        let (new_reviewers, new_assignees) = if is_new {
            (reviewers.to_vec(), assignees.to_vec())
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
        if !is_new {
            let draft = self
                .draft
                .filter(|draft| differs(Some(draft)))
                .and_then(|LenientObject(draft)| draft.current.flag());
            let title = self.title.map(|LenientObject(title)| title);
            let prefix = title.as_ref().and_then(draft_by_prefix);
            let draft = draft.or(prefix);
            add(draft == Some(false), ChangeAction::Ready);
            add(draft == Some(true), ChangeAction::Draft);
            add(title.is_some_and(is_retitled), ChangeAction::Retitled);
            add(differs(self.labels.as_ref()), ChangeAction::Relabeled);
            add(
                differs(self.target_branch.as_ref()),
                ChangeAction::Retargeted,
            );
            add(
                differs(self.milestone_id.as_ref()),
                ChangeAction::Milestoned,
            );
        }
        Changed {
            actions,
            reviewers: new_reviewers,
            assignees: new_assignees,
        }
    }
}

/// Whether GitLab lists a change of the field, and its values are not the same.
fn differs<T: PartialEq>(change: Option<&LenientObject<Values<T>>>) -> bool {
    change.is_some_and(|LenientObject(values)| values.previous != values.current)
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

fn is_retitled(title: Values<Lenient>) -> bool {
    let plain = |title: Lenient| {
        let title = title.text().unwrap_or_default();
        without_prefix(&title).map(str::to_owned).unwrap_or(title)
    };
    plain(title.previous) != plain(title.current)
}
