//! The built-in message about an event: `sign what where who` in the first line, and at most four lines
//! below. Owns which events have one, and calls the renderer of the kind. Outside text is escaped in [`markup`](crate::rocketchat::markup); the operator's templates
//! are in [`templates`](super::templates).

use super::SkipReason;
use crate::gitlab::event::{Event, EventKind};
use crate::gitlab::event_kinds;
use crate::limits::LIMITS;

pub(super) mod blocks;
mod event_headline;
mod fragments;
pub(super) use fragments::commit;
mod headline;
mod noun;
mod sign;
pub use sign::MessageStyle;
mod text;
pub use text::Message;

mod push;
mod merge_request;
mod note;
mod issue;
mod pipeline;
mod pipeline_source;
mod job;
mod failure_reason;
mod deployment;
mod release;
mod wiki_page;
mod feature_flag;
mod emoji;
mod milestone;
mod expiring_token;
mod vulnerability;
mod member;
mod system_hook;
mod repository_update;
mod changes;

/// Longest name of a person, job or token in a message, in UTF-16 units. Outside texts within these
/// limits, the words around them and the longest links stay below the
/// [limit of a message](crate::limits::TextLimits::message).
pub(super) const MAX_NAME: usize = LIMITS.texts.name;

/// Longest path of a project, name of a branch or other reference in a message, in UTF-16 units.
pub(super) const MAX_PATH: usize = LIMITS.texts.path;

/// Longest title, or first line of a longer text, in a message, in UTF-16 units.
pub(super) const MAX_TITLE: usize = LIMITS.texts.title;

/// Which events have a message although they have none by default.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Visibility {
    /// Confidential events, which only members of a project may see.
    pub confidential: bool,
    /// Pipelines, jobs and deployments in progress.
    pub in_progress: bool,
    /// Minor updates of which GitLab says what changed.
    pub minor_updates: bool,
}

/// Fails if no event of this kind can have a message, whoever the recipients are.
pub fn check_kind(event: &Event) -> Result<(), SkipReason> {
    match &event.kind {
        EventKind::Unhandled => Err(SkipReason::UnhandledKind),
        EventKind::Incomplete => Err(SkipReason::Incomplete),
        _ => Ok(()),
    }
}

/// The message about an event, or why there is none.
pub fn render(
    event: &Event,
    visible: Visibility,
    style: MessageStyle,
) -> Result<Message, SkipReason> {
    if event.meta.confidential && !visible.confidential {
        return Err(SkipReason::Confidential);
    }
    if event.attributes.in_progress && !visible.in_progress {
        return Err(SkipReason::NotFinal);
    }
    if event.attributes.minor_update && !visible.minor_updates {
        return Err(SkipReason::MinorUpdate);
    }
    let message = render_kind(event)?;
    Ok(message.styled(style, event.attributes.shown_commit()))
}

/// The message about a fix, for recipients of the failure message.
pub fn render_fix(event: &Event, style: MessageStyle) -> Result<Message, SkipReason> {
    let message = match &event.kind {
        EventKind::Pipeline(pipeline) => pipeline::render_fix(event, pipeline),
        _ => render_kind(event)?,
    };
    Ok(message.styled(style, event.attributes.shown_commit()))
}

macro_rules! renderers {
    ($(
        $(#[$_doc:meta])* $module:ident::$type:ident {
            $($(#[$_kind_doc:meta])* $kind:ident = $label:literal: $($name:literal)|+;)+
        }
    )+) => {
        fn render_kind(event: &Event) -> Result<Message, SkipReason> {
            match &event.kind {
                $(EventKind::$type(it) => $module::render(event, it),)+
                EventKind::Unhandled => Err(SkipReason::UnhandledKind),
                EventKind::Incomplete => Err(SkipReason::Incomplete),
            }
        }
    };
}

event_kinds!(renderers);
