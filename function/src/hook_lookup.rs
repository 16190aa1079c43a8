//! Finds the real webhook of each declared one. Owns which projects a declaration stands for: a project that is
//! declared by itself is not taken from a group or from the memberships. What to do about a webhook is decided
//! in [`hooks`](crate::hooks).

use crate::gitlab_api::{ApiError, Client, Hook, HookOwner, Project};
use crate::hooks::{DeclaredHook, Target};
use crate::limits::LIMITS;

/// A declared webhook in one place.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// The place as people know it: the path of a project, or what was declared if it was not found.
    pub(crate) place: String,
    /// How it should be.
    pub(crate) declared: DeclaredHook,
    /// What GitLab has there.
    pub(crate) found: Result<Found, ApiError>,
}

/// What GitLab has in one place.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The place.
    pub(crate) owner: HookOwner,
    /// The webhooks with the declared address, usually none or one, by their IDs.
    pub(crate) hooks: Vec<Hook>,
}

impl Found {
    /// The webhook with the declared address.
    pub(crate) fn hook(&self) -> Option<&Hook> {
        self.hooks.first()
    }
}

/// Looks up all declared webhooks, in their order. An error that concerns every call ends it.
pub(crate) async fn look_up(
    client: &Client,
    declared: &[DeclaredHook],
) -> Result<Vec<Lookup>, ApiError> {
    let mut lookups = Vec::new();
    for (place, declared) in places(client, declared).await? {
        let (place, found) = match place {
            Ok((place, owner)) => (place, look_in(client, owner, &declared).await),
            Err((place, error)) => (place, Err(error)),
        };
        if let Err(error) = found
            && error.concerns_all_calls()
        {
            return Err(error);
        }
        lookups.push(Lookup {
            place,
            declared,
            found,
        });
    }
    Ok(lookups)
}

async fn look_in(
    client: &Client,
    owner: HookOwner,
    declared: &DeclaredHook,
) -> Result<Found, ApiError> {
    let hooks = hooks_of(client, owner, declared).await?;
    Ok(Found { owner, hooks })
}

/// The webhooks with the declared address, the first one first.
pub(crate) async fn hooks_of(
    client: &Client,
    owner: HookOwner,
    declared: &DeclaredHook,
) -> Result<Vec<Hook>, ApiError> {
    let mut hooks = client.hooks(owner).await?;
    hooks.retain(|hook| hook.sends_to(&declared.url));
    hooks.sort_unstable_by_key(|hook| hook.id);
    Ok(hooks)
}

type Place = Result<(String, HookOwner), (String, ApiError)>;

/// Every place with what is declared for it. Projects that are declared by themselves come first.
async fn places(
    client: &Client,
    declared: &[DeclaredHook],
) -> Result<Vec<(Place, DeclaredHook)>, ApiError> {
    let is_many = |hook: &&DeclaredHook| hook.target.is_many();
    let (many, single): (Vec<_>, Vec<_>) = declared.iter().partition(is_many);
    let mut places: Vec<(Place, DeclaredHook)> = Vec::new();
    for hook in single.into_iter().chain(many) {
        match of_target(client, &hook.target).await {
            Ok(found) => {
                let new = found
                    .into_iter()
                    .filter(|(_, owner)| !is_taken(&places, *owner, hook))
                    .map(|place| (Ok(place), hook.clone()));
                let new: Vec<_> = new.collect();
                places.extend(new);
            }
            Err(error) if error.concerns_all_calls() => return Err(error),
            Err(error) => places.push((Err((hook.target.to_string(), error)), hook.clone())),
        }
        if places.len() > LIMITS.gitlab_api.max_hooks {
            return Err(ApiError::TooLarge);
        }
    }
    Ok(places)
}

/// Whether another declaration has the place: a project may have webhooks with several addresses only if each
/// names the project.
fn is_taken(places: &[(Place, DeclaredHook)], owner: HookOwner, hook: &DeclaredHook) -> bool {
    places.iter().any(|(place, other)| {
        let is_same = place.as_ref().is_ok_and(|(_, taken)| *taken == owner);
        is_same && (other.url == hook.url || hook.target.is_many())
    })
}

async fn of_target(client: &Client, target: &Target) -> Result<Vec<(String, HookOwner)>, ApiError> {
    Ok(match target {
        Target::System => vec![(target.to_string(), HookOwner::System)],
        Target::Project(project) => projects(vec![client.project(project).await?]),
        Target::Group(group) => projects(client.group_projects(group).await?),
        Target::Membership => match projects(client.maintained_projects().await?) {
            none if none.is_empty() => return Err(ApiError::NoProject),
            found => found,
        },
    })
}

fn projects(projects: Vec<Project>) -> Vec<(String, HookOwner)> {
    let projects = projects.into_iter();
    projects
        .map(|project| (project.path, HookOwner::Project(project.id)))
        .collect()
}
