//! The calls of setup to Rocket.Chat: as nobody, as the administrator, and as the bot. Owns the clients, and
//! the second factor of their calls. The test message is in `messages`.

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::failure::{Failure, of};
use crate::config::setup::{Administrator, ChatServer, SetupConfig};
use crate::limits::LIMITS;
use crate::rocketchat::administration::{NewAccount, PasswordSignIn};
use crate::rocketchat::client::{CallOptions, Client};
use crate::rocketchat::response::ApiError;
use crate::rocketchat::{CallTime, Credentials, UserId};
use crate::setup::{Account, Known, SecretFile, TOKEN_NAME, Wishes};

mod messages;

/// The clients. Those with an account exist once it has signed in.
pub(super) struct Chat<'a> {
    server: &'a ChatServer,
    administrator: Option<&'a Administrator>,
    nobody: Client,
    admin: Option<Client>,
    /// The session of the bot, its ID, and the second factor of its calls.
    session: Option<(Client, UserId, HeaderMap)>,
    /// With the token.
    bot: Option<Client>,
}

impl<'a> Chat<'a> {
    pub(super) fn new(config: &'a SetupConfig) -> Result<Self, String> {
        let server = &config.chat;
        let limit = LIMITS.client.setup_call_timeout;
        let nobody = Client::anonymous(
            &server.url,
            &server.authorities,
            server.proxy.as_ref(),
            limit,
        );
        Ok(Self {
            server,
            administrator: config.administrator.as_ref(),
            nobody: nobody.map_err(|error| error.to_string())?,
            admin: None,
            session: None,
            bot: None,
        })
    }

    fn client(&self, credentials: &Credentials) -> Result<Client, Failure> {
        let server = self.server;
        let limit = LIMITS.client.setup_call_timeout;
        let proxy = server.proxy.as_ref();
        Client::new(&server.url, credentials, &server.authorities, proxy, limit)
            .map_err(|error| Failure::Other(error.to_string()))
    }

    pub(super) async fn version(&self) -> Result<String, Failure> {
        of(self.nobody.version(options(&HeaderMap::new())).await)
    }

    /// The administrator, and whether there is a session that has to end.
    pub(super) async fn sign_in(&mut self) -> Result<(Account, bool), Failure> {
        let headers = HeaderMap::new();
        match self.administrator {
            None => Err(Failure::NoAdministrator),
            Some(Administrator::Token(credentials)) => {
                let client = self.client(credentials)?;
                let account = of(client.member(options(&headers)).await)?;
                self.admin = Some(client);
                Ok((account.into(), false))
            }
            Some(Administrator::Password(sign_in)) => {
                let (account, credentials) =
                    of(self.nobody.log_in(sign_in, options(&headers)).await)?;
                self.admin = Some(self.client(&credentials)?);
                Ok((account.into(), true))
            }
        }
    }

    /// The account of the stored token; `None` if it is not accepted.
    pub(super) async fn sign_in_bot(
        &mut self,
        secrets: &SecretFile,
    ) -> Result<Option<Account>, Failure> {
        let user_id = secrets.user_id.as_deref().and_then(UserId::parse);
        let (Some(user_id), Some(auth_token)) = (user_id, secrets.auth_token.clone()) else {
            return Ok(None);
        };
        let client = self.client(&Credentials {
            user_id,
            auth_token,
        })?;
        match of(client.member(options(&HeaderMap::new())).await) {
            Ok(account) => {
                self.bot = Some(client);
                Ok(Some(account.into()))
            }
            Err(Failure::Chat(ApiError::Unauthorized, _)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn admin(&self) -> Result<&Client, Failure> {
        self.admin.as_ref().ok_or(Failure::NoAdministrator)
    }

    pub(super) async fn find(&self, bot: &str) -> Result<Option<Account>, Failure> {
        let headers = HeaderMap::new();
        let found = of(self.admin()?.find_member(bot, options(&headers)).await)?;
        Ok(found.map(Account::from))
    }

    pub(super) async fn create(
        &self,
        wishes: &Wishes,
        secrets: &SecretFile,
    ) -> Result<Account, Failure> {
        let account = NewAccount {
            username: wishes.bot.as_str(),
            email: &wishes.email,
            password: pending(secrets)?,
            roles: &["user", "bot"],
        };
        let headers = HeaderMap::new();
        let created = self.admin()?.create_account(account, options(&headers));
        of(created.await).map(Account::from)
    }

    pub(super) async fn set_roles(&self, id: &str, roles: &[String]) -> Result<(), Failure> {
        let headers = self.second_factor();
        let changes = json!({ "roles": roles });
        let update = self.admin()?.update_account(id, changes, options(&headers));
        of(update.await).map(|_| ())
    }

    pub(super) async fn set_password(&self, id: &str, secrets: &SecretFile) -> Result<(), Failure> {
        let headers = self.second_factor();
        let password = pending(secrets)?.expose_secret();
        let changes = json!({ "password": password, "requirePasswordChange": false });
        let update = self.admin()?.update_account(id, changes, options(&headers));
        of(update.await).map(|_| ())
    }

    /// The second factor of the administrator. A token can ignore it.
    fn second_factor(&self) -> HeaderMap {
        match self.administrator {
            Some(Administrator::Password(sign_in)) => second_factor(sign_in),
            _ => HeaderMap::new(),
        }
    }

    pub(super) async fn log_in_bot(
        &mut self,
        bot: &str,
        secrets: &SecretFile,
    ) -> Result<(), Failure> {
        let sign_in = PasswordSignIn {
            username: bot.to_owned(),
            password: pending(secrets)?.clone(),
            code: None,
        };
        let headers = HeaderMap::new();
        let (_, credentials) = of(self.nobody.log_in(&sign_in, options(&headers)).await)?;
        let client = self.client(&credentials)?;
        self.session = Some((client, credentials.user_id, second_factor(&sign_in)));
        Ok(())
    }

    fn session(&self) -> Result<&(Client, UserId, HeaderMap), Failure> {
        let missing = || Failure::Other("the bot has not signed in".to_owned());
        self.session.as_ref().ok_or_else(missing)
    }

    pub(super) async fn has_named_token(&self) -> Result<bool, Failure> {
        let (client, _, _) = self.session()?;
        let names = of(client.token_names(options(&HeaderMap::new())).await)?;
        Ok(names.iter().any(|name| name == TOKEN_NAME))
    }

    /// The ID of the bot, and its new token.
    pub(super) async fn create_token(
        &self,
        replace: bool,
    ) -> Result<(String, SecretString), Failure> {
        let (client, id, headers) = self.session()?;
        let token = client.create_token(TOKEN_NAME, replace, options(headers));
        Ok((id.as_str().to_owned(), of(token.await)?))
    }

    pub(super) async fn log_out_bot(&self) -> Result<(), Failure> {
        let (client, _, _) = self.session()?;
        of(client.log_out(options(&HeaderMap::new())).await)
    }

    pub(super) async fn log_out(&self) -> Result<(), Failure> {
        of(self.admin()?.log_out(options(&HeaderMap::new())).await)
    }

    /// Ends the sessions that are open, after a failure; one that cannot be ended expires.
    pub(super) async fn end_sessions(&self, known: &Known) {
        if known.has_bot_session {
            let _ended = self.log_out_bot().await;
        }
        if known.has_session {
            let _ended = self.log_out().await;
        }
    }
}

fn pending(secrets: &SecretFile) -> Result<&SecretString, Failure> {
    let missing = || Failure::Other("the password of the bot is missing".to_owned());
    secrets.pending_password.as_ref().ok_or_else(missing)
}

fn second_factor(sign_in: &PasswordSignIn) -> HeaderMap {
    let (method, code) = sign_in.second_factor();
    let mut headers = HeaderMap::new();
    let name = HeaderName::from_static("x-2fa-method");
    headers.insert(name, HeaderValue::from_static(method));
    if let Ok(mut code) = HeaderValue::from_str(code.expose_secret()) {
        code.set_sensitive(true);
        headers.insert(HeaderName::from_static("x-2fa-code"), code);
    }
    headers
}

fn options(headers: &HeaderMap) -> CallOptions<'_> {
    let within = CallTime {
        total: LIMITS.client.setup_call_timeout,
        response: LIMITS.client.setup_call_timeout,
    };
    CallOptions { within, headers }
}
