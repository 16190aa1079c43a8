//! The attributes of an event as values of the template language. Owns which value each variable has. How
//! values are printed is decided in [`print`](super::print).

use std::sync::{Arc, OnceLock};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::print::{Form, SafeMarkup};
use crate::gitlab::event::Event;
use crate::gitlab::participants::Person;
use crate::limits::LIMITS;
use crate::notifier::message::{self, MAX_NAME, MAX_TITLE, Message, blocks};
use crate::notifier::routing::NotifyReason;
use crate::rocketchat::markup::InlineCode;

/// The variables of templates, sorted. Every kind has all of them; a value that GitLab does not send is
/// none.
pub const VARIABLES: &[&str] = &[
    "action",
    "actor",
    "allowed_failure",
    "assignees",
    "author",
    "branches",
    "changes",
    "commit",
    "commit_line",
    "commits",
    "committer",
    "compare",
    "confidential",
    "default_message",
    "details",
    "duration_seconds",
    "environment",
    "failed_jobs",
    "fixed",
    "headline",
    "jobs",
    "kind",
    "more",
    "number",
    "page",
    "project",
    "protected",
    "reason",
    "ref",
    "reviewers",
    "sha",
    "sign",
    "source_branch",
    "stage",
    "started",
    "status",
    "target_branch",
    "text",
    "title",
    "took",
];

/// The variables that are markup: complete, so that no part of them can be taken, and equal to no text.
pub(super) const MARKUP: &[&str] = &[
    "branches",
    "changes",
    "commit",
    "commit_line",
    "compare",
    "default_message",
    "details",
    "headline",
    "jobs",
    "more",
    "page",
    "reason",
    "sign",
    "started",
    "took",
];

/// The name of GitLab's terms about the event: not an identifier, so that no template can give it another
/// value.
pub(super) const TERMS: &str = "the terms";

/// The variables that are lists.
pub(super) const LISTS: &[&str] = &["assignees", "commits", "failed_jobs", "reviewers"];

/// The variables of one event.
#[derive(Debug)]
pub(super) struct Context {
    reason: NotifyReason,
    event: Event,
    builtin: Message,
    /// The values of [`VARIABLES`], computed on first use: a template may use one in a loop.
    values: [OnceLock<Value>; VARIABLES.len()],
}

impl Context {
    pub(super) fn new(reason: NotifyReason, event: &Event, builtin: &Message) -> Self {
        Self {
            reason,
            event: event.clone(),
            builtin: builtin.clone(),
            values: [const { OnceLock::new() }; VARIABLES.len()],
        }
    }

    /// What GitLab calls the event: the values that are shown as words.
    fn terms(&self) -> Value {
        let names = ["action", "kind", "status"].into_iter();
        names.filter_map(|name| self.value(name)).collect()
    }

    /// The value of one of the [`VARIABLES`].
    fn value(&self, name: &str) -> Option<Value> {
        let (meta, it) = (&self.event.meta, &self.event.attributes);
        let people = &it.participants;
        Some(match name {
            "action" => optional(it.action.as_deref(), word),
            "actor" => person(people.actor.as_ref()),
            "allowed_failure" => optional(it.allowed_failure, Value::from),
            "assignees" => persons(&people.assignees),
            "author" => person(people.author.as_ref()),
            "branches" => optional(blocks::branches(&self.event), safe_markup),
            "changes" => optional(blocks::changes(&self.event), block),
            "commit" => optional(it.shown_commit(), |sha| {
                safe_markup(message::commit(&self.event, sha))
            }),
            "commit_line" => optional(blocks::commit_line(&self.event), block),
            "commits" => blocks::commits(&self.event)
                .into_iter()
                .map(|line| Value::from_object(SafeMarkup::new(line, Form::Line)))
                .collect(),
            "committer" => person(people.committer.as_ref()),
            "compare" => optional(blocks::compare(&self.event), safe_markup),
            "confidential" => Value::from(meta.confidential),
            "default_message" => block(self.builtin.text()),
            "details" => optional(
                Some(self.builtin.details()).filter(|it| !it.is_empty()),
                block,
            ),
            "duration_seconds" => optional(it.duration_seconds, Value::from),
            "environment" => optional(it.environment.as_deref(), name_or_placeholder),
            "failed_jobs" => it
                .failed_jobs
                .iter()
                .map(|job| name_or_placeholder(job))
                .collect(),
            "fixed" => Value::from(self.reason == NotifyReason::Fix),
            "headline" => block(self.builtin.headline()),
            "jobs" => optional(blocks::jobs(&self.event), safe_markup),
            "kind" => word(&meta.kind.label().replace('_', " ")),
            "more" => optional(blocks::more(&self.event), safe_markup),
            "number" => optional(it.number, Value::from),
            "page" => safe_markup(blocks::page(&self.event)),
            "project" => optional(
                Some(it.project_path.as_str()).filter(|it| !it.is_empty()),
                name_or_placeholder,
            ),
            "protected" => optional(it.protected, Value::from),
            "reason" => optional(blocks::reason(&self.event), safe_markup),
            "ref" => match it.merge_request() {
                Some(number) => Value::from(format!("merge request {number}")),
                None => optional(it.reference.as_deref(), name_or_placeholder),
            },
            "reviewers" => persons(&people.reviewers),
            "sha" => optional(it.sha.as_ref(), |sha| Value::from(sha.as_str())),
            "sign" => optional(self.builtin.sign(), |sign| safe_markup(sign.to_string())),
            "source_branch" => optional(it.source_branch.as_deref(), name_or_placeholder),
            "stage" => optional(it.stage.as_deref(), name_or_placeholder),
            "started" => optional(blocks::started(&self.event), safe_markup),
            "status" => optional(it.status.as_deref(), word),
            "target_branch" => optional(it.target_branch.as_deref(), name_or_placeholder),
            "text" => optional(it.text.as_deref(), |text| outside(text, MAX_TITLE)),
            "title" => optional(it.title.as_deref(), |text| outside(text, MAX_TITLE)),
            "took" => optional(blocks::took(&self.event), safe_markup),
            _ => return None,
        })
    }
}

impl Object for Context {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if name == TERMS {
            return Some(self.terms());
        }
        let index = VARIABLES.binary_search(&name).ok()?;
        let value = self.values[index].get_or_init(|| self.value(name).unwrap_or_default());
        Some(value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// Markup without outside text that is plain.
fn safe_markup(markup: String) -> Value {
    Value::from_object(SafeMarkup::new(markup, Form::Code))
}

/// Markup that may contain outside text as plain text.
fn block(markup: String) -> Value {
    Value::from_object(SafeMarkup::new(markup, Form::Plain))
}

/// One of GitLab's terms, such as `failed`. It is marked as safe, so that [`print()`](super::print::print) shows it
/// without a code span if it consists of lower-case letters and spaces.
fn word(word: &str) -> Value {
    Value::from_safe_string(word.to_owned())
}

fn optional<T>(value: Option<T>, show: impl FnOnce(T) -> Value) -> Value {
    value.map_or_else(|| Value::from(()), show)
}

/// None if no visible text is left, so that `{% if title %}` works as expected.
fn outside(text: &str, limit: usize) -> Value {
    optional(InlineCode::new(text, limit), |code| {
        Value::from(code.into_text())
    })
}

/// A required name; `?` if it has no visible characters.
fn name_or_placeholder(name: &str) -> Value {
    Value::from(
        InlineCode::new(name, LIMITS.texts.path)
            .map_or_else(|| "?".to_owned(), InlineCode::into_text),
    )
}

fn person(person: Option<&Person>) -> Value {
    optional(person.and_then(Person::display_name), |name| {
        outside(name, LIMITS.texts.name)
    })
}

fn persons(people: &[Person]) -> Value {
    let names = people.iter().filter_map(Person::display_name);
    names
        .filter_map(|name| InlineCode::new(name, MAX_NAME))
        .map(|code| Value::from(code.into_text()))
        .collect()
}
