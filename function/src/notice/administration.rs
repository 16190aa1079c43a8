//! What is said of projects, groups, accounts and keys that come, go and change names. Owns the
//! words; what they are made of is read in
//! [`gitlab::administration`](crate::gitlab::administration).

use super::Ignored;
use super::phrase::{MAX_NAME, MAX_PATH, phrase, quote, quoted};
use crate::gitlab::administration::{Action, Administration};
use crate::gitlab::kind::Kind;

pub(super) fn words(event: &Administration) -> Result<String, Ignored> {
    let noun = noun(event.scene.kind);
    let subject = quote(&event.subject, MAX_PATH);
    let formerly = quoted(event.formerly.as_deref(), MAX_PATH);
    match (event.action, formerly) {
        (Action::Created, _) if event.scene.kind == Kind::Key => {
            Ok(format!("{noun} {subject} added"))
        }
        (Action::Destroyed, _) if event.scene.kind == Kind::Key => {
            Ok(format!("{noun} {subject} removed"))
        }
        (Action::Created, _) => Ok(format!("{noun} {subject} created")),
        (Action::Destroyed, _) => Ok(format!("{noun} {subject} deleted")),
        (Action::Renamed, Some(old)) => Ok(format!("{noun} {old} renamed to {subject}")),
        (Action::Renamed, None) => Ok(format!("{noun} {subject} renamed")),
        (Action::Transferred, Some(old)) => Ok(format!("{noun} {old} moved to {subject}")),
        (Action::Transferred, None) => Ok(format!("{noun} {subject} moved")),
        (Action::FailedLogin, _) => {
            let state = quoted(event.state.as_deref(), MAX_NAME);
            let state = phrase(", the account is ", state);
            Ok(format!("Sign in of user {subject} failed{state}"))
        }
        // GitLab does not say what changed.
        (Action::Updated, _) => Err(Ignored::MinorUpdate),
        (Action::Unknown, _) => Err(Ignored::UnknownAction),
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Project => "Project",
        Kind::Subgroup => "Subgroup",
        Kind::Group => "Group",
        Kind::Key => "SSH key of",
        _ => "User",
    }
}
