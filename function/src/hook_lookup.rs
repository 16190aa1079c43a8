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
    /// The webhooks with the declared address, usually none or one.
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
        let (place, owner) = match place {
            Ok((place, owner)) => (place, owner),
            Err((place, error)) => {
                let found = Err(error);
                lookups.push(Lookup {
                    place,
                    declared,
                    found,
                });
                continue;
            }
        };
        let found = match client.hooks(owner).await {
            Ok(hooks) => Ok(Found {
                owner,
                hooks: hooks
                    .into_iter()
                    .filter(|hook| hook.sends_to(&declared.url))
                    .collect(),
            }),
            Err(error) if error.concerns_all_calls() => return Err(error),
            Err(error) => Err(error),
        };
        lookups.push(Lookup {
            place,
            declared,
            found,
        });
    }
    Ok(lookups)
}

type Place = Result<(String, HookOwner), (String, ApiError)>;

/// Every place with what is declared for it.
async fn places(
    client: &Client,
    declared: &[DeclaredHook],
) -> Result<Vec<(Place, DeclaredHook)>, ApiError> {
    let mut places: Vec<(Place, DeclaredHook)> = Vec::new();
    // Projects that are declared by themselves come first.
    let is_single =
        |hook: &&DeclaredHook| !matches!(hook.target, Target::Group(_) | Target::Membership);
    let single = declared.iter().filter(is_single);
    let many = declared.iter().filter(|hook| !is_single(hook));
    for hook in single.chain(many) {
        let found = match &hook.target {
            Target::System => Ok(vec![("system hook".to_owned(), HookOwner::System)]),
            Target::Project(project) => {
                let found = client.project(project).await;
                found
                    .map(|project| projects(vec![project]))
                    .map_err(|error| (project.as_str().to_owned(), error))
            }
            Target::Group(group) => {
                let found = client.group_projects(group).await;
                found
                    .map(projects)
                    .map_err(|error| (format!("group {}", group.as_str()), error))
            }
            Target::Membership => {
                let found = client.maintained_projects().await;
                found
                    .map(projects)
                    .map_err(|error| ("membership".to_owned(), error))
            }
        };
        let found = match found {
            Ok(found) => found,
            Err((_, error)) if error.concerns_all_calls() => return Err(error),
            Err(failed) => {
                places.push((Err(failed), hook.clone()));
                continue;
            }
        };
        for (place, owner) in found {
            // One project may have webhooks with several addresses only if each names the project.
            let is_taken = places.iter().any(|(other, declared)| {
                let is_same = matches!(other, Ok((_, other)) if *other == owner);
                is_same && (declared.url == hook.url || !is_single(&hook))
            });
            if !is_taken {
                places.push((Ok((place, owner)), hook.clone()));
            }
            if places.len() > LIMITS.gitlab_api.max_hooks {
                return Err(ApiError::TooLarge);
            }
        }
    }
    Ok(places)
}

fn projects(projects: Vec<Project>) -> Vec<(String, HookOwner)> {
    let projects = projects.into_iter();
    projects
        .map(|project| (project.path, HookOwner::Project(project.id)))
        .collect()
}
