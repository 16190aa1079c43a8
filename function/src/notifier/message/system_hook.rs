//! The message about a project, group, account or key. Owns its wording; the event is parsed in
//! [`gitlab::system_hook`](crate::gitlab::system_hook).

use super::headline::Headline;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::system_hook::{Action, SystemHook};

pub(super) fn render(event: &Event, hook: &SystemHook) -> Result<Message, SkipReason> {
    let thing = Thing::of(event.meta.kind);
    let is_key = event.meta.kind == Kind::Key;
    let subject = hook.subject.as_str();
    let headline = match (hook.action, hook.old_name.as_deref()) {
        (Action::Created, _) => {
            let verb = if is_key { " added" } else { " created" };
            thing.begin(thing.sign, subject).words(verb)
        }
        (Action::Destroyed, _) => {
            let verb = if is_key { " removed" } else { " deleted" };
            thing.begin(Sign::Removed, subject).words(verb)
        }
        (Action::Renamed, Some(old)) => thing.moved(" renamed to", old, subject),
        (Action::Renamed, None) => thing.begin(thing.sign, subject).words(" renamed"),
        (Action::Transferred, Some(old)) => thing.moved(" moved to", old, subject),
        (Action::Transferred, None) => thing.begin(thing.sign, subject).words(" moved"),
        (Action::FailedLogin, _) => {
            let headline = Headline::new(Sign::Failed).words("Sign-in of user");
            let headline = thing.named(headline, subject).words(" failed");
            headline.optional_text(", the account is ", "state", hook.state.as_deref())
        }
        // GitLab does not send what changed.
        (Action::Updated, _) => return Err(SkipReason::MinorUpdate),
        (Action::Unknown, _) => return Err(SkipReason::UnknownAction),
    };
    Ok(Message::new(headline))
}

/// How a kind of thing is shown.
#[derive(Clone, Copy)]
struct Thing {
    sign: Sign,
    words: &'static str,
    /// Whether its name is a path, as of projects and groups, or else a username.
    has_path: bool,
}

impl Thing {
    fn of(kind: Kind) -> Self {
        let (sign, words, has_path) = match kind {
            Kind::Project => (Sign::Project, "Project", true),
            Kind::Subgroup => (Sign::Group, "Subgroup", true),
            Kind::Group => (Sign::Group, "Group", true),
            Kind::Key => (Sign::Key, "SSH key of user", false),
            _ => (Sign::Person, "User", false),
        };
        Self {
            sign,
            words,
            has_path,
        }
    }

    fn begin(self, sign: Sign, name: &str) -> Headline {
        self.named(Headline::new(sign).words(self.words), name)
    }

    fn named(self, headline: Headline, name: &str) -> Headline {
        if self.has_path {
            headline.place_named(" ", name, None)
        } else {
            headline.words(" ").name("user", name)
        }
    }

    fn moved(self, verb: &'static str, old: &str, new: &str) -> Headline {
        let headline = Headline::new(self.sign).words(self.words).words(" ");
        self.named(headline.name("old name", old).words(verb), new)
    }
}
