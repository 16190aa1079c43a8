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
    let begin = |sign, words: &'static str, verb: &'static str| {
        let who = VisibleText::or_unnamed(&member.who, MAX_NAME);
        let headline = Headline::new(sign)
            .words(words)
            .subject("member", who, None);
        let headline = headline.words(verb).words(noun);
        headline.place_named(" ", path, None)
    };
    let access = member.access.as_deref();
    let headline = match member.action {
        Action::Joined => {
            begin(Sign::Person, "Member ", " joined ").optional_text(" as ", "access level", access)
        }
        Action::Changed => begin(Sign::Person, "Member ", " changed in ").optional_text(
            ", now ",
            "access level",
            access,
        ),
        Action::Left => begin(Sign::Ended, "Member ", " left "),
        Action::Requested => begin(Sign::Request, "User ", " asks to join ").optional_text(
            " as ",
            "access level",
            access,
        ),
        Action::Denied => begin(Sign::Ended, "Request of ", " to join ").words(" denied"),
        Action::Unknown => return Err(SkipReason::UnknownAction),
    };
    Ok(Message::new(headline))
}
