//! The message about a membership. Owns its wording; the event is parsed in
//! [`gitlab::member`](crate::gitlab::member).

use super::headline::Headline;
use super::sign::Sign;
use super::{MAX_NAME, Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::member::{Action, Member};
use crate::rocketchat::markup::VisibleText;

pub(super) fn render(event: &Event, member: &Member) -> Result<Message, SkipReason> {
    let (noun, path) = match (&member.group, &event.meta.project) {
        (Some(group), _) => ("group", group.as_str()),
        (None, Some(project)) => ("project", project.label()),
        (None, None) => return Err(SkipReason::UnknownAction),
    };
    let who = |sign, words: &'static str| {
        let name = VisibleText::or_unnamed(&member.who, MAX_NAME);
        Headline::new(sign)
            .words(words)
            .subject("member", name, None)
    };
    let at = |headline: Headline, verb: &'static str| {
        headline
            .words(verb)
            .words(noun)
            .place_named(" ", path, None)
    };
    let access = member.access.as_deref();
    let access = access.and_then(|access| VisibleText::new(access, MAX_NAME));
    let with_access = |headline: Headline, words: &'static str| match &access {
        Some(access) => headline
            .words(words)
            .subject("access level", access.clone(), None),
        None => headline,
    };
    let headline = match member.action {
        Action::Joined => with_access(at(who(Sign::Person, "Member "), " joined "), " as "),
        Action::Changed if access.is_none() => at(who(Sign::Person, "Member "), " changed in "),
        Action::Changed => at(
            with_access(who(Sign::Person, "Member "), " is now "),
            " in ",
        ),
        Action::Left => at(who(Sign::Ended, "User "), " is no longer in "),
        Action::Requested => with_access(at(who(Sign::Request, "User "), " asks to join "), " as "),
        // GitLab also says this of a request that the user withdrew.
        Action::Denied => at(who(Sign::Ended, "Request of "), " to join ").words(" has ended"),
        Action::Unknown => return Err(SkipReason::UnknownAction),
    };
    Ok(Message::new(headline))
}
