//! The line of output that follows from a step. Owns the words; steps that say nothing are those that a person
//! need not know of.

use super::call::{Call, Mark};
use super::known::{Known, Line, TOKEN_NAME};
use super::wishes::Wishes;

/// The line for a call that changes something; `file` is the name of the file of secrets.
pub(crate) fn line(call: &Call, known: &Known, wishes: &Wishes, file: &str) -> Option<Line> {
    let bot = wishes.bot.as_str();
    let (mark, text) = match call {
        Call::Save if !known.is_save_said => (Mark::Wrote, file.to_owned()),
        Call::CreateBot => (
            Mark::Created,
            format!("account @{bot} with the roles user and bot"),
        ),
        Call::SetRoles { roles, .. } => (
            Mark::Changed,
            format!("roles of @{bot}: {}", roles.join(", ")),
        ),
        Call::SetPassword { .. } => (
            Mark::Changed,
            format!("password of @{bot}, to one that nobody knows"),
        ),
        Call::CreateToken { replace } => {
            let mark = if *replace {
                Mark::Changed
            } else {
                Mark::Created
            };
            (
                mark,
                format!("personal access token {TOKEN_NAME} of @{bot}"),
            )
        }
        Call::AllowHost { hosts } => {
            let host = hosts.last().map_or("", String::as_str);
            (
                Mark::Changed,
                format!("settings of GitLab: it may send to {host}"),
            )
        }
        Call::WriteHook => {
            let (is_new, changes) = &known.hook_changes;
            let mark = if *is_new {
                Mark::Created
            } else {
                Mark::Changed
            };
            let project = wishes.project.as_str();
            (mark, format!("webhook of {project}: {changes}"))
        }
        Call::SendMessage { to } => (Mark::Sent, format!("test message to @{}", to.as_str())),
        _ => return None,
    };
    Some(Line { mark, text })
}
