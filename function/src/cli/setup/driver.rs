//! Makes the steps that [`setup`] asks for, one after the other. Owns what an answer adds to what
//! is known. Calls to the servers are made in `chat` and `gitlab`.

use std::process::ExitCode;

use secrecy::ExposeSecret as _;

use super::chat::Chat;
use super::failure::Failure;
use super::gitlab::GitLab;
use super::storage::Storage;
use super::{keys, report};
use crate::config::setup::{Administrator, SetupConfig};
use crate::setup::{self, Account, Call, Known, Lookup, Mark, SecretFile, Wishes};

/// A run.
pub(super) struct Driver<'a> {
    config: &'a SetupConfig,
    wishes: &'a Wishes,
    storage: Storage,
    known: Known,
    chat: Chat<'a>,
    gitlab: GitLab<'a>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        config: &'a SetupConfig,
        wishes: &'a Wishes,
        storage: Storage,
        stored: SecretFile,
    ) -> Result<Self, String> {
        let known = Known {
            secrets: stored,
            ..Known::default()
        };
        Ok(Self {
            config,
            wishes,
            storage,
            known,
            chat: Chat::new(config)?,
            gitlab: GitLab::new(config, wishes)?,
        })
    }

    /// Makes one step after the other; prints a line for each that a person should know of.
    pub(super) async fn run(&mut self) -> Result<(), String> {
        let signs_in_with_password =
            matches!(self.config.administrator, Some(Administrator::Password(_)));
        let mut result = Ok(());
        let dry_run = self.wishes.dry_run;
        self.known.lines.extend(self.storage.protect(dry_run));
        let unused = keys::unused(&self.known.secrets, &self.config.given);
        self.known.lines.extend(unused);
        loop {
            let next = setup::next(&self.known, self.wishes, &self.config.hook);
            let call = match next {
                Ok(Some(call)) => call,
                Ok(None) => break,
                Err(refusal) => {
                    result = Err(refusal.to_string());
                    break;
                }
            };
            let is_assumed = self.wishes.dry_run && call.is_change(signs_in_with_password);
            let line = setup::line(&call, &self.known, self.wishes, self.storage.path());
            if is_assumed {
                self.known.assume(&call);
                if call == Call::SignIn {
                    let text = "a dry run does not sign in with a password, so what is to do about the bot is not known; give a token of the administrator to see it";
                    self.known.say(Mark::Note, text);
                }
            } else if let Err(failure) = self.make(&call).await {
                result = Err(failure.words(&call));
                // The next run must not take the secret of the webhook for its own.
                if matches!(failure, Failure::OtherRun)
                    && let Err(error) = self.storage.write(&self.known.secrets)
                {
                    result = Err(error);
                }
                break;
            }
            self.known.is_save_said |= call == Call::Save;
            self.known.lines.extend(line);
            self.print();
        }
        self.print();
        if result.is_err() {
            self.chat.end_sessions(&self.known).await;
        }
        result
    }

    async fn make(&mut self, call: &Call) -> Result<(), Failure> {
        let known = &mut self.known;
        let bot = self.wishes.bot.as_str();
        match call {
            Call::ChatVersion => {
                let version = self.chat.version().await?;
                known.chat_is_reached = true;
                let address = self.config.chat.url.as_str().trim_end_matches('/');
                known.say(Mark::Ok, format!("Rocket.Chat {version} at {address}"));
            }
            Call::SignIn => {
                let (account, has_session) = self.chat.sign_in().await?;
                let name = &account.username;
                known.say(Mark::Ok, format!("signed in to Rocket.Chat as @{name}"));
                known.has_session = has_session;
                known.administrator = Some(account);
            }
            Call::SignInBot => match self.chat.sign_in_bot(&known.secrets).await? {
                Some(account) => {
                    if !known.is_token_new {
                        let text = format!("account @{} and its token", account.username);
                        known.say(Mark::Kept, text);
                    }
                    known.bot = Some(account);
                }
                None => known.is_token_refused = true,
            },
            Call::GenerateKeys => keys::generate(known, &self.config.given)?,
            Call::GeneratePassword => {
                let password = setup::password().map_err(|_| Failure::Random)?;
                known.change(|secrets| secrets.pending_password = Some(password));
            }
            Call::Save => {
                self.storage.write(&known.secrets).map_err(Failure::Other)?;
                known.is_unsaved = false;
            }
            Call::FindBot => known.found = self.chat.find(bot).await?.into(),
            Call::CreateBot => {
                let created = self.chat.create(self.wishes, &known.secrets).await?;
                known.found = Lookup::Found(created);
                known.is_password_set = true;
            }
            Call::SetRoles { id, roles } => {
                self.chat.set_roles(id, roles).await?;
                known.roles_set(roles);
            }
            Call::SetPassword { id } => {
                self.chat.set_password(id, &known.secrets).await?;
                known.is_password_set = true;
            }
            Call::LogInBot => {
                self.chat.log_in_bot(bot, &known.secrets).await?;
                known.has_bot_session = true;
            }
            Call::ListTokens => {
                known.has_named_token = Some(self.chat.has_named_token().await?);
            }
            Call::CreateToken { replace } => {
                let (id, token) = self.chat.create_token(*replace).await?;
                if ![&id, token.expose_secret()]
                    .iter()
                    .all(|text| SecretFile::can_hold(text))
                {
                    return Err(Failure::Unusable);
                }
                known.token_created(&id, token);
            }
            Call::LogOutBot => {
                self.chat.log_out_bot().await?;
                known.has_bot_session = false;
            }
            Call::LogOut => {
                self.chat.log_out().await?;
                known.has_session = false;
            }
            Call::FindRecipient { to } => {
                known.recipient = Some(self.chat.find_recipient(to).await?);
            }
            Call::FindMessage { to } => {
                let is_stored = self.chat.find_message(self.wishes, to, known).await?;
                known.message_looked_up(is_stored, to.as_str());
            }
            Call::SendMessage { to } => {
                self.chat.send_message(self.wishes, to, known).await?;
                known.is_message_sent = true;
                known.is_message_stored = None;
            }
            Call::GitLab
            | Call::FindProject
            | Call::OutboundRules
            | Call::AllowHost { .. }
            | Call::CompareHook
            | Call::WriteHook => self.gitlab.make(call, known).await?,
        }
        Ok(())
    }

    /// Prints the new lines at once, because a call may take a while.
    fn print(&mut self) {
        let lines = report::lines(&self.known.lines, self.wishes.dry_run);
        self.storage.say(&lines);
    }

    /// What to do next, and what to revoke.
    pub(super) fn finish(mut self) -> ExitCode {
        let outputs = if self.wishes.dry_run {
            Ok(Vec::new())
        } else {
            self.storage
                .outputs(&self.known.secrets, self.config, self.wishes)
        };
        match outputs {
            Ok(lines) => self.known.lines.extend(lines),
            Err(error) => return self.fail(&error),
        }
        self.print();
        let text = report::end(&self.known, self.config, self.wishes, &self.storage);
        self.storage.say_text(&text);
        ExitCode::SUCCESS
    }

    /// What went wrong. What was done before stays, and the next run continues there.
    pub(super) fn fail(self, error: &str) -> ExitCode {
        self.storage
            .say_text(&report::failure(error, &self.known, self.wishes));
        ExitCode::FAILURE
    }
}

impl From<crate::rocketchat::administration::Member> for Account {
    fn from(member: crate::rocketchat::administration::Member) -> Self {
        Self {
            id: member.id,
            username: member.username,
            roles: member.roles,
        }
    }
}
