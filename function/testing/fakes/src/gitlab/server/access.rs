//! Who makes a request and what they may do: tokens, scopes, and access to projects.
//! Source: `lib/api/api_guard.rb`, `lib/api/api.rb` and `lib/api/helpers.rb`.

use super::call::Call;
use super::reply::Reply;
use super::state::{Project, State, TokenState};

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that its user may.
    Api,
    /// The same for requests that change nothing: `allow_access_with_scope :read_api, if: get? || head?`.
    ReadApi,
    /// Git only; no request to this part of the API.
    ReadRepository,
}

/// The role of a member, from the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// May look at a private project.
    Guest = 10,
    /// May read the code.
    Reporter = 20,
    /// May push.
    Developer = 30,
    /// May manage webhooks.
    Maintainer = 40,
    /// May delete the project.
    Owner = 50,
}

/// The user of a request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) id: u64,
    pub(super) username: String,
    pub(super) is_admin: bool,
    scope: Scope,
}

impl Caller {
    /// The user whose token the request carries; it may be in `PRIVATE-TOKEN`, `Authorization: Bearer` or `private_token`.
    pub(super) fn of(state: &State, call: &Call) -> Result<Self, Reply> {
        let bearer = call
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let in_query = call.query().text("private_token").ok().flatten();
        let given = call.header("private-token").or(bearer);
        let given = given.map(str::to_owned).or(in_query);
        let token = given.and_then(|given| state.tokens.iter().find(|token| token.value == given));
        let token = token.ok_or_else(Reply::unauthorized)?;
        let user = state.user(token.user).ok_or_else(Reply::unauthorized)?;
        match token.state {
            TokenState::Active => {}
            TokenState::Expired => {
                let text = "Token is expired. You can either do re-authorization or token refresh.";
                return Err(Reply::invalid_token(text));
            }
            TokenState::Revoked => {
                let text = "Token was revoked. You have to re-authorize from the user.";
                return Err(Reply::invalid_token(text));
            }
        }
        let reads = matches!(call.method.as_str(), "GET" | "HEAD");
        match (token.scope, reads) {
            (Scope::Api, _) | (Scope::ReadApi, true) => Ok(Self {
                id: user.id,
                username: user.username.clone(),
                is_admin: user.is_admin,
                scope: token.scope,
            }),
            (_, true) => Err(Reply::insufficient_scope("api read_api")),
            (_, false) => Err(Reply::insufficient_scope("api")),
        }
    }

    pub(super) fn scope(&self) -> Scope {
        self.scope
    }

    /// A project that the caller may see; GitLab does not tell others that it exists.
    pub(super) fn project<'a>(&self, state: &'a State, name: &str) -> Result<&'a Project, Reply> {
        let project = state.project(name);
        let project = project.filter(|project| {
            self.is_admin || project.is_public || state.access(self.id, project).is_some()
        });
        project.ok_or_else(|| Reply::not_found("Project"))
    }

    /// A project on which the caller has at least this access.
    pub(super) fn project_with<'a>(
        &self,
        state: &'a State,
        name: &str,
        least: Access,
    ) -> Result<&'a Project, Reply> {
        let project = self.project(state, name)?;
        if self.is_admin || state.access(self.id, project) >= Some(least) {
            Ok(project)
        } else {
            Err(Reply::forbidden())
        }
    }

    pub(super) fn administrator(&self) -> Result<(), Reply> {
        if self.is_admin {
            Ok(())
        } else {
            Err(Reply::forbidden())
        }
    }
}
