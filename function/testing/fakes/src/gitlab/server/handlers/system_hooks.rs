//! The hooks of the whole instance, which only administrators manage and which have no event log in the API.
//! Source: `lib/api/system_hooks.rb` and `lib/api/hooks/test.rb`.

use serde_json::json;

use super::hooks::{create_for, delete_of, edit_of};
use crate::gitlab::server::access::Caller;
use crate::gitlab::server::call::Call;
use crate::gitlab::server::hook::Owner;
use crate::gitlab::server::pagination::Page;
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::webhook::{Force, Sending};
use crate::gitlab::server::{Server, Trigger};

pub(super) fn list(server: &Server, call: &Call, caller: &Caller) -> Result<Reply, Reply> {
    caller.administrator()?;
    let page = Page::of(&call.query())?;
    let state = server.state();
    let hooks = state.hooks_of(Owner::System);
    let shown: Vec<_> = hooks.map(|hook| server.shown(hook, true)).collect();
    Ok(page.reply(&shown, call, &server.settings.base_url))
}

pub(super) fn show(server: &Server, hook: u64) -> Result<Reply, Reply> {
    let state = server.state();
    let hook = state.hook(Owner::System, hook);
    let hook = hook.ok_or_else(Reply::no_record)?;
    Ok(Reply::ok(&server.shown(hook, false)))
}

pub(super) fn create(server: &Server, call: &Call, caller: &Caller) -> Result<Reply, Reply> {
    caller.administrator()?;
    create_for(server, &call.parameters()?, Owner::System)
}

pub(super) fn edit(server: &Server, call: &Call, hook: u64) -> Result<Reply, Reply> {
    edit_of(server, call, Owner::System, hook)
}

pub(super) fn delete(server: &Server, hook: u64) -> Result<Reply, Reply> {
    delete_of(server, Owner::System, hook)
}

/// Sends a fixed sample and answers with it, whatever came of it.
pub(super) async fn test(server: &Server, hook: u64) -> Result<Reply, Reply> {
    {
        let state = server.state();
        state
            .hook(Owner::System, hook)
            .ok_or_else(Reply::no_record)?;
    }
    let body = json!({
        "event_name": "project_create",
        "name": "Ruby",
        "path": "ruby",
        "project_id": 1,
        "owner_name": "Someone",
        "owner_email": "example@gitlabhq.com",
    });
    let sending = Sending {
        trigger: Trigger::RepositoryUpdate,
        body: body.clone(),
        idempotency_key: None,
        force: Force::No,
    };
    let _sent = server.execute(hook, sending).await;
    Ok(Reply::json(201, &body))
}
