//! The settings of the instance, of which the fake has those for requests to the local network.
//! Source: `lib/api/settings.rb`; only administrators may read or change them, and unknown ones are ignored.

use serde_json::{Value, json};

use crate::gitlab::server::Server;
use crate::gitlab::server::access::Caller;
use crate::gitlab::server::call::{Call, is_invalid};
use crate::gitlab::server::reply::Reply;

const LIST: &str = "outbound_local_requests_whitelist";

pub(super) fn show(server: &Server, caller: &Caller) -> Result<Reply, Reply> {
    caller.administrator()?;
    Ok(Reply::ok(&shown(server)))
}

pub(super) fn edit(server: &Server, call: &Call, caller: &Caller) -> Result<Reply, Reply> {
    caller.administrator()?;
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let Some(fields) = body.as_object().filter(|fields| !fields.is_empty()) else {
        return Err(Reply::error(400, "No parameters provided"));
    };
    if let Some(list) = fields.get(LIST) {
        let hosts = list.as_array().ok_or_else(|| is_invalid(LIST))?;
        let hosts: Option<Vec<_>> = hosts
            .iter()
            .map(|host| host.as_str().map(str::to_owned))
            .collect();
        server
            .settings
            .outbound
            .replace(hosts.ok_or_else(|| is_invalid(LIST))?);
    }
    Ok(Reply::ok(&shown(server)))
}

fn shown(server: &Server) -> Value {
    json!({
        "allow_local_requests_from_web_hooks_and_services": server.settings.allows_local_requests,
        "allow_local_requests_from_system_hooks": true,
        LIST: server.settings.outbound.list(),
    })
}
