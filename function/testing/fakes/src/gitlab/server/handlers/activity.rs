//! The events of a project, of which this fake has pushes and comments.
//! Source: `lib/api/project_events.rb`, `lib/api/helpers/events_helpers.rb`, `app/finders/events_finder.rb`,
//! `lib/api/entities/{event,push_event_payload}.rb`.

use std::time::Duration;

use serde_json::{Value, json};

use super::people;
use crate::clock::iso;
use crate::gitlab::server::access::{Access, Caller};
use crate::gitlab::server::call::{Call, Parameters};
use crate::gitlab::server::pagination::Page;
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::repository::{Happened, is_blank, name_of_ref};
use crate::gitlab::server::{Server, Trigger};

const ACTIONS: [&str; 12] = [
    "created",
    "updated",
    "closed",
    "reopened",
    "pushed",
    "commented",
    "merged",
    "joined",
    "left",
    "destroyed",
    "expired",
    "approved",
];
const DAY: u64 = 86_400;

pub(super) fn list(
    server: &Server,
    call: &Call,
    caller: &Caller,
    project: &str,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project(&state, project)?;
    let query = call.query();
    let action = query.one_of("action", &ACTIONS)?;
    let sort = query.one_of("sort", &["asc", "desc"])?;
    let page = Page::of(&query)?;
    // Whole days: after the end of the one, and before the start of the other.
    let after = day(&query, "after")?.map(|day| Duration::from_secs((day + 1) * DAY));
    let before = day(&query, "before")?.map(|day| Duration::from_secs(day * DAY));
    let reads_code = caller.is_admin || state.access(caller.id, project) >= Some(Access::Reporter);
    let pushes = project.repository.history.iter().filter(|one| {
        let is_push = matches!(one.trigger, Trigger::Push | Trigger::TagPush);
        let is_comment = one.trigger == Trigger::Note;
        let name = if is_comment { "commented" } else { "pushed" };
        let is_asked_for = action.as_deref().is_none_or(|action| action == name);
        (is_push || is_comment) && is_asked_for && reads_code
    });
    let pushes = pushes.filter(|one| after.is_none_or(|after| one.at >= after));
    let pushes = pushes.filter(|one| before.is_none_or(|before| one.at < before));
    let mut shown: Vec<_> = pushes.map(|push| shown(server, project.id, push)).collect();
    if sort.as_deref() != Some("asc") {
        shown.reverse();
    }
    Ok(page.reply(&shown, call, &server.settings.base_url))
}

fn day(query: &Parameters, name: &str) -> Result<Option<u64>, Reply> {
    Ok(query.time(name)?.map(|time| time.as_secs() / DAY))
}

fn shown(server: &Server, project: u64, push: &Happened) -> Value {
    let body = &push.body;
    if push.trigger == Trigger::Note {
        return commented(server, project, push);
    }
    let author = people::pusher(server, body);
    let commits = body["commits"].as_array().map_or(0, Vec::len);
    let newest = body["commits"]
        .as_array()
        .and_then(|commits| commits.last());
    let newest = newest.map_or(Value::Null, |commit| commit["title"].clone());
    let (from, to) = (is_blank(&body["before"]), is_blank(&body["after"]));
    let (action, action_name) = match (from, to) {
        (true, _) => ("created", "pushed new"),
        (_, true) => ("removed", "deleted"),
        _ => ("pushed", "pushed to"),
    };
    let ref_type = if push.trigger == Trigger::TagPush {
        "tag"
    } else {
        "branch"
    };
    let known = |blank: bool, name: &str| {
        if blank {
            Value::Null
        } else {
            body[name].clone()
        }
    };
    json!({
        "id": push.id,
        "project_id": project,
        "action_name": action_name,
        "target_id": null,
        "target_iid": null,
        "target_type": null,
        "author_id": author["id"],
        "target_title": null,
        "created_at": iso(push.at),
        "author": author,
        "imported": false,
        "push_data": {
            "commit_count": body["total_commits_count"].as_u64().unwrap_or(commits as u64),
            "action": action,
            "ref_type": ref_type,
            "commit_from": known(from, "before"),
            "commit_to": known(to, "after"),
            "ref": name_of_ref(body["ref"].as_str().unwrap_or_default()),
            "commit_title": newest,
            "ref_count": null,
        },
        "author_username": author["username"],
    })
}

fn commented(server: &Server, project: u64, comment: &Happened) -> Value {
    let author = people::shown(server, &comment.body["user"]);
    json!({
        "id": comment.id,
        "project_id": project,
        "action_name": "commented on",
        "target_id": comment.body["object_attributes"]["id"],
        "target_iid": null,
        "target_type": "Note",
        "author_id": author["id"],
        "target_title": null,
        "created_at": iso(comment.at),
        "author": author,
        "imported": false,
        "author_username": author["username"],
    })
}
