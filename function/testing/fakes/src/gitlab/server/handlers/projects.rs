//! Projects and groups that a user may see, and who the user is.
//! Source: the documentation of the projects, groups, users and personal access tokens API.

use serde_json::{Value, json};

use crate::gitlab::server::Server;
use crate::gitlab::server::access::{Access, Caller, Scope};
use crate::gitlab::server::call::{Call, has_no_valid_value};
use crate::gitlab::server::pagination::Page;
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::state::Project;

pub(super) fn user(server: &Server, caller: &Caller) -> Reply {
    let mut shown = json!({
        "id": caller.id,
        "username": caller.username,
        "name": caller.username,
        "state": "active",
        "web_url": format!("{}/{}", server.settings.instance_url, caller.username),
    });
    // GitLab shows `is_admin` only to administrators.
    if caller.is_admin {
        shown["is_admin"] = true.into();
    }
    Reply::ok(&shown)
}

pub(super) fn token(caller: &Caller) -> Reply {
    let scope = match caller.scope() {
        Scope::Api => "api",
        Scope::ReadApi => "read_api",
        Scope::ReadRepository => "read_repository",
    };
    Reply::ok(&json!({
        "user_id": caller.id, "scopes": [scope], "active": true, "revoked": false,
    }))
}

/// The projects that the caller may see: of a group, or all. `membership` and `min_access_level` leave out others.
pub(super) fn list(
    server: &Server,
    call: &Call,
    caller: &Caller,
    group: Option<&str>,
) -> Result<Reply, Reply> {
    let query = call.query();
    let page = Page::of(&query)?;
    let membership = query.boolean("membership")?.unwrap_or(false);
    let subgroups = query.boolean("include_subgroups")?.unwrap_or(false);
    let least = match query.number("min_access_level")? {
        None => None,
        Some(level) => Some(access(level).ok_or_else(|| has_no_valid_value("min_access_level"))?),
    };
    let state = server.state();
    let group = match group {
        None => None,
        Some(name) => {
            let group = state.group(name).filter(|group| {
                caller.is_admin
                    || state.projects.iter().any(|project| {
                        project.is_in(&group.path) && state.access(caller.id, project).is_some()
                    })
                    || group.members.contains_key(&caller.id)
            });
            Some(group.ok_or_else(|| Reply::not_found("Group"))?)
        }
    };
    let is_listed = |project: &&Project| {
        let own = state.access(caller.id, project);
        let in_group = group.is_none_or(|group| {
            project.namespace() == group.path || (subgroups && project.is_in(&group.path))
        });
        let visible = caller.is_admin || project.is_public || own.is_some();
        in_group
            && visible
            && (!membership || own.is_some())
            && least.is_none_or(|least| own >= Some(least))
    };
    // Newest first, as `order_by=created_at`.
    let listed = state.projects.iter().rev().filter(is_listed);
    let shown: Vec<_> = listed.map(|project| shown(server, project)).collect();
    Ok(page.reply(&shown, call, &server.settings.base_url))
}

pub(super) fn show(server: &Server, caller: &Caller, project: &str) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project(&state, project)?;
    let mut shown = shown(server, project);
    let own = state.access(caller.id, project);
    let own = own.map(|access| json!({ "access_level": access as u8, "notification_level": 3 }));
    shown["permissions"] = json!({ "project_access": own, "group_access": null });
    Ok(Reply::ok(&shown))
}

pub(super) fn group(server: &Server, caller: &Caller, name: &str) -> Result<Reply, Reply> {
    let state = server.state();
    let group = state
        .group(name)
        .filter(|group| caller.is_admin || group.members.contains_key(&caller.id));
    let group = group.ok_or_else(|| Reply::not_found("Group"))?;
    Ok(Reply::ok(
        &json!({ "id": group.id, "full_path": group.path, "path": group.path }),
    ))
}

fn access(level: i64) -> Option<Access> {
    match level {
        10 => Some(Access::Guest),
        20 => Some(Access::Reporter),
        30 => Some(Access::Developer),
        40 => Some(Access::Maintainer),
        50 => Some(Access::Owner),
        _ => None,
    }
}

fn shown(server: &Server, project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name(),
        "path": project.name(),
        "path_with_namespace": project.path,
        "name_with_namespace": project.path,
        "description": null,
        "default_branch": "main",
        "visibility": if project.is_public { "public" } else { "private" },
        "archived": false,
        "web_url": format!("{}/{}", server.settings.instance_url, project.path),
        "namespace": { "full_path": project.namespace() },
    })
}
