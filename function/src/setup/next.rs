//! The order of the steps. Owns which step follows from what is known; each step is made until what it brings
//! is known, so a step that is not needed is left out.

use url::Url;

use super::bot;
use super::call::Call;
use super::known::{Known, Recipient};
use super::outbound::is_local;
use super::refusal::Refusal;
use super::wishes::Wishes;
use crate::rocketchat::Username;

/// The next step, or `None` at the end.
///
/// Secrets are stored before the first step that uses them, so that no run that is interrupted loses one.
pub(crate) fn next(known: &Known, wishes: &Wishes, hook: &Url) -> Result<Option<Call>, Refusal> {
    let step = step(known, wishes, hook)?;
    let is_write = step.as_ref().is_none_or(|call| call.is_change(false));
    Ok(if known.is_unsaved && is_write {
        Some(Call::Save)
    } else {
        step
    })
}

fn step(known: &Known, wishes: &Wishes, hook: &Url) -> Result<Option<Call>, Refusal> {
    if !known.chat_is_reached {
        return Ok(Some(Call::ChatVersion));
    }
    let Some(gitlab) = &known.gitlab else {
        return Ok(Some(Call::GitLab));
    };
    // What a person may have mistyped is looked up before anything is created.
    if !known.is_project_found {
        return Ok(Some(Call::FindProject));
    }
    let secrets = &known.secrets;
    let proof = if gitlab.has_signing_tokens {
        &secrets.signing_key
    } else {
        &secrets.webhook_token
    };
    if proof.is_none() || secrets.message_id_secret.is_none() {
        return Ok(Some(Call::GenerateKeys));
    }
    let call = bot::step(known, wishes)?;
    if let Some(call) = recipient(known, wishes)?.or(call) {
        return Ok(Some(call));
    }
    if let Some(call) = webhook(known, wishes, hook)? {
        return Ok(Some(call));
    }
    message(known, wishes)
}

/// The recipient exists, which only somebody who has signed in can look up. The administrator surely does.
fn recipient(known: &Known, wishes: &Wishes) -> Result<Option<Call>, Refusal> {
    let Some(to) = &wishes.to else {
        return Ok(None);
    };
    if wishes.bot.matches(to.as_str()) {
        return Err(Refusal::ToBot);
    }
    let is_signed_in = known.administrator.is_some() || known.bot.is_some();
    match known.recipient {
        None if is_signed_in => Ok(Some(Call::FindRecipient { to: to.clone() })),
        Some(Recipient::Unknown) => Err(Refusal::NoRecipient(to.as_str().to_owned())),
        Some(Recipient::Deactivated) => Err(Refusal::RecipientDeactivated(to.as_str().to_owned())),
        None | Some(Recipient::Found) => Ok(None),
    }
}

/// GitLab may send to the address, and the webhook is right.
fn webhook(known: &Known, wishes: &Wishes, hook: &Url) -> Result<Option<Call>, Refusal> {
    // A name may be local for GitLab only, so a person who asks for it is believed.
    if is_local(hook) || wishes.allow_list {
        let Some(rules) = &known.outbound else {
            return Ok(Some(Call::OutboundRules));
        };
        if !rules.is_hidden() && !rules.allow(hook) {
            if !wishes.allow_list {
                let host = hook.host_str().unwrap_or_default();
                return Err(Refusal::LocalRequests(host.to_owned()));
            }
            let hosts = rules.with(hook);
            return Ok(Some(Call::AllowHost { hosts }));
        }
    }
    Ok(match known.is_hook_right {
        None => Some(Call::CompareHook),
        Some(false) if known.has_other_secret => {
            return Err(Refusal::SecretUnknown(wishes.project.as_str().to_owned()));
        }
        Some(false) => Some(Call::WriteHook),
        Some(true) => None,
    })
}

/// The test message is there. Then sessions end.
fn message(known: &Known, wishes: &Wishes) -> Result<Option<Call>, Refusal> {
    let administrator = known.administrator.as_ref();
    let administrator = administrator.and_then(|account| Username::parse(&account.username).ok());
    let Some(to) = wishes.to.clone().or(administrator) else {
        // In a dry run it is not known who that is.
        let is_unknown = known.is_bot_unknown || known.administrator.is_some();
        return Ok((!is_unknown).then_some(Call::SignIn));
    };
    if wishes.bot.matches(to.as_str()) {
        return Err(Refusal::ToBot);
    }
    Ok(match (known.is_message_stored, known.is_message_sent) {
        (None, _) if known.bot.is_some() => Some(Call::FindMessage { to }),
        (Some(false) | None, false) => Some(Call::SendMessage { to }),
        (Some(false), true) => return Err(Refusal::MessageLost),
        (Some(true) | None, _) if known.has_session => Some(Call::LogOut),
        (Some(true) | None, _) => None,
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::known::{Account, GitLabFacts};
    use super::super::outbound::OutboundRules;
    use super::super::secret_file::{HookSecretState, SecretFile};
    use super::*;
    use crate::gitlab_api::ProjectRef;

    fn wishes() -> Wishes {
        let name = |name| Username::parse(name).expect("is a name");
        Wishes {
            project: ProjectRef::parse("group/app").expect("is a path"),
            to: Some(name("alice")),
            bot: name("gitlab"),
            email: String::new(),
            allow_list: false,
            renew_token: false,
            dry_run: false,
        }
    }

    fn account(username: &str, roles: &[&str]) -> Account {
        Account {
            id: username.to_owned(),
            username: username.to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
        }
    }

    /// What there is at the servers.
    struct Servers {
        administrator: Account,
        bot: Option<Account>,
        hook: bool,
        message: bool,
        /// The stored secrets.
        file: Option<String>,
        recipient: Recipient,
        /// Whether the wishes allow to replace the secret of the webhook.
        renews: bool,
    }

    impl Servers {
        fn new() -> Self {
            Self {
                administrator: account("root", &["admin"]),
                bot: None,
                hook: false,
                message: false,
                file: None,
                recipient: Recipient::Found,
                renews: false,
            }
        }

        /// What the next run knows at its start.
        fn known(&self) -> Known {
            let secrets = self.file.as_deref().map(SecretFile::parse);
            let secrets = secrets.map(|secrets| secrets.expect("is ours"));
            Known {
                secrets: secrets.unwrap_or_default(),
                ..Known::default()
            }
        }

        /// Makes a call.
        fn answer(&mut self, call: &Call, known: &mut Known) {
            match call {
                Call::ChatVersion => known.chat_is_reached = true,
                Call::GitLab => {
                    let has_signing_tokens = true;
                    known.gitlab = Some(GitLabFacts { has_signing_tokens });
                }
                Call::FindProject => known.is_project_found = true,
                Call::FindRecipient { .. } => known.recipient = Some(self.recipient),
                Call::SignIn => known.administrator = Some(self.administrator.clone()),
                Call::SignInBot => known.bot.clone_from(&self.bot),
                Call::GenerateKeys => known.change(|secrets| {
                    secrets.signing_key = Some("key".into());
                    secrets.message_id_secret = Some("secret".into());
                    secrets.hook_secret = HookSecretState::New;
                }),
                Call::GeneratePassword => {
                    known.change(|secrets| secrets.pending_password = Some("password".into()));
                }
                Call::Save => {
                    self.file = Some(known.secrets.text().expose_secret().to_owned());
                    known.is_unsaved = false;
                }
                Call::LogInBot => known.has_bot_session = true,
                Call::FindBot => known.found = self.bot.clone().into(),
                Call::CreateBot => {
                    self.bot = Some(account("gitlab", &["user", "bot"]));
                    known.found = self.bot.clone().into();
                }
                Call::SetRoles { roles, .. } => {
                    known.roles_set(roles);
                    let bot = self.bot.iter_mut();
                    bot.for_each(|bot| bot.roles.clone_from(roles));
                }
                Call::ListTokens => known.has_named_token = Some(false),
                Call::CreateToken { .. } => known.token_created("gitlab", "token".into()),
                Call::OutboundRules => known.outbound = Some(OutboundRules::default()),
                Call::CompareHook => known.hook_compared(self.hook, self.hook, self.renews),
                Call::FindMessage { .. } => known.is_message_stored = Some(self.message),
                Call::SendMessage { .. } => {
                    self.message = true;
                    known.is_message_sent = true;
                    known.is_message_stored = None;
                }
                call => {
                    self.hook |= *call == Call::WriteHook;
                    known.assume(call);
                }
            }
        }
    }

    /// The steps of a run until its end, or until `limit` of them were made.
    fn run(servers: &mut Servers, wishes: &Wishes, limit: usize) -> Result<Vec<String>, Refusal> {
        let mut known = servers.known();
        let hook = Url::parse("https://hooks.example.org/webhook").expect("is an address");
        let mut steps = Vec::new();
        while let Some(call) = next(&known, wishes, &hook)? {
            if steps.len() == limit {
                break;
            }
            servers.answer(&call, &mut known);
            let name = format!("{call:?}");
            steps.push(name.split(' ').next().unwrap_or_default().to_owned());
            assert!(steps.len() < 50, "does not end: {steps:?}");
        }
        Ok(steps)
    }

    #[test]
    fn secrets_are_stored_before_they_are_used() {
        let steps = run(&mut Servers::new(), &wishes(), 50);
        let expected = "ChatVersion GitLab FindProject GenerateKeys SignIn FindRecipient FindBot GeneratePassword Save CreateBot LogInBot ListTokens CreateToken SignInBot Save LogOutBot CompareHook Save WriteHook FindMessage Save SendMessage FindMessage";
        assert_eq!(steps.map(|steps| steps.join(" ")), Ok(expected.to_owned()));
    }

    #[test]
    fn a_run_that_ends_after_any_step_is_continued_and_the_last_one_only_reads() {
        let complete = 23;
        for steps in 0..=complete {
            let mut servers = Servers::new();
            let first = run(&mut servers, &wishes(), steps);
            assert_eq!(first.map(|steps| steps.len()), Ok(steps));

            let second = run(&mut servers, &wishes(), 50);
            assert!(second.is_ok(), "after {steps}: {second:?}");
            assert!(servers.hook && servers.message, "after {steps}");

            let third = run(&mut servers, &wishes(), 50);
            let expected =
                "ChatVersion GitLab FindProject SignInBot FindRecipient CompareHook FindMessage";
            let third = third.map(|steps| steps.join(" "));
            assert_eq!(third, Ok(expected.to_owned()), "after {steps}");
        }
    }

    #[test]
    fn an_account_is_changed_only_if_it_is_surely_the_bot() {
        let renewing = Wishes {
            renew_token: true,
            ..wishes()
        };
        let name = || "gitlab".to_owned();
        for (roles, wishes, expected) in [
            (&["user"][..], wishes(), Some(Refusal::NameTaken(name()))),
            (
                &["user"],
                renewing.clone(),
                Some(Refusal::NameTaken(name())),
            ),
            (&["bot"], wishes(), Some(Refusal::TokenUnknown(name()))),
            (&["bot"], renewing, None),
        ] {
            let mut servers = Servers::new();
            servers.bot = Some(account("gitlab", roles));
            let result = run(&mut servers, &wishes, 50);
            assert_eq!(result.clone().err(), expected, "{roles:?}: {result:?}");
            if expected.is_none() {
                let bot = servers.bot.expect("exists");
                assert_eq!(bot.roles, ["bot", "user"]);
            }
        }
    }

    #[test]
    fn a_webhook_with_another_secret_is_changed_only_if_that_is_asked_for() {
        for renews in [false, true] {
            let mut servers = Servers::new();
            servers.hook = true;
            servers.renews = renews;
            let result = run(&mut servers, &wishes(), 50);
            let refusal = Refusal::SecretUnknown("group/app".to_owned());
            assert_eq!(result.clone().err(), (!renews).then_some(refusal));
            let is_written = result.is_ok_and(|steps| steps.contains(&"WriteHook".to_owned()));
            assert_eq!(is_written, renews);
        }
    }

    #[test]
    fn a_recipient_who_cannot_receive_the_message_is_refused_before_anything_is_written() {
        let name = || "alice".to_owned();
        for (recipient, expected) in [
            (Recipient::Unknown, Refusal::NoRecipient(name())),
            (
                Recipient::Deactivated,
                Refusal::RecipientDeactivated(name()),
            ),
        ] {
            let mut servers = Servers::new();
            servers.recipient = recipient;
            assert_eq!(run(&mut servers, &wishes(), 50), Err(expected));
            assert!(servers.file.is_none() && servers.bot.is_none());
        }
    }

    #[test]
    fn only_administrators_go_on() {
        let mut servers = Servers::new();
        servers.administrator = account("root", &["user"]);
        let result = run(&mut servers, &wishes(), 50);
        assert_eq!(result, Err(Refusal::NotAdministrator("root".to_owned())));
    }
}
