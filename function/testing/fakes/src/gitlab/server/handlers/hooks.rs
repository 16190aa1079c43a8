//! Listing, showing, creating, changing and deleting the hooks of a project.
//! Source: `lib/api/project_hooks.rb`, `lib/api/helpers/web_hooks_helpers.rb`, `app/services/web_hooks/create_service.rb`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::gitlab::server::access::{Access, Caller};
use crate::gitlab::server::call::{Call, Parameters, has_no_valid_value};
use crate::gitlab::server::hook::{Hook, Owner};
use crate::gitlab::server::pagination::Page;
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::webhook::check_url;
use crate::gitlab::server::{Server, Trigger};

/// `Gitlab::CurrentSettings`' plan limit of project hooks.
const MOST: usize = 100;
const LONGEST_TEMPLATE: usize = 4096;

/// The ID of a project whose hooks the caller may manage.
pub(super) fn authorized(server: &Server, caller: &Caller, project: &str) -> Result<u64, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Maintainer)?;
    Ok(project.id)
}

pub(super) fn list(server: &Server, call: &Call, project: u64) -> Result<Reply, Reply> {
    let page = Page::of(&call.query())?;
    let state = server.state();
    let hooks = state.hooks_of(Owner::Project(project));
    let shown: Vec<_> = hooks.map(|hook| server.shown(hook, true)).collect();
    Ok(page.reply(&shown, call, &server.settings.base_url))
}

pub(super) fn show(server: &Server, project: u64, hook: u64) -> Result<Reply, Reply> {
    let state = server.state();
    let hook = state.hook(Owner::Project(project), hook);
    let hook = hook.ok_or_else(Reply::no_record)?;
    Ok(Reply::ok(&server.shown(hook, false)))
}

pub(super) fn create(server: &Server, call: &Call, project: u64) -> Result<Reply, Reply> {
    let parameters = call.parameters()?;
    create_for(server, &parameters, Owner::Project(project))
}

pub(super) fn edit(server: &Server, call: &Call, project: u64, hook: u64) -> Result<Reply, Reply> {
    edit_of(server, call, Owner::Project(project), hook)
}

pub(super) fn delete(server: &Server, project: u64, hook: u64) -> Result<Reply, Reply> {
    delete_of(server, Owner::Project(project), hook)
}

pub(super) fn create_for(
    server: &Server,
    parameters: &Parameters,
    owner: Owner,
) -> Result<Reply, Reply> {
    if !parameters.has("url") {
        return Err(Reply::error(400, "url is missing"));
    }
    let mut state = server.state();
    if matches!(owner, Owner::Project(_)) && state.hooks_of(owner).count() >= MOST {
        let error = format!("Maximum number of project hooks ({MOST}) exceeded");
        return Err(Reply::error(422, &error));
    }
    let mut hook = Hook::new(0, owner, server.clock.now());
    apply(server, &mut hook, parameters)?;
    hook.id = state.next_id();
    let shown = server.shown(&hook, false);
    state.hooks.push(hook);
    Ok(Reply::json(201, &shown))
}

pub(super) fn edit_of(
    server: &Server,
    call: &Call,
    owner: Owner,
    hook: u64,
) -> Result<Reply, Reply> {
    let parameters = call.parameters()?;
    let mut state = server.state();
    let found = state.hook(owner, hook).ok_or_else(Reply::no_record)?;
    let mut changed = found.clone();
    if !apply(server, &mut changed, &parameters)? {
        return Err(Reply::error(400, "No parameters provided"));
    }
    let shown = server.shown(&changed, false);
    if let Some(hook) = state.hook_mut(hook) {
        *hook = changed;
    }
    Ok(Reply::ok(&shown))
}

pub(super) fn delete_of(server: &Server, owner: Owner, hook: u64) -> Result<Reply, Reply> {
    let mut state = server.state();
    state.hook(owner, hook).ok_or_else(Reply::no_record)?;
    state.hooks.retain(|other| other.id != hook);
    state.events.retain(|event| event.hook != hook);
    Ok(Reply::no_content())
}

/// Sets the fields that the parameters have, and returns whether there were any. Unknown parameters are ignored.
pub(in crate::gitlab::server) fn apply(
    server: &Server,
    hook: &mut Hook,
    parameters: &Parameters,
) -> Result<bool, Reply> {
    let before = hook.address();
    let mut any = apply_triggers(hook, parameters)?;
    let texts = [
        ("name", &mut hook.name),
        ("description", &mut hook.description),
        ("push_events_branch_filter", &mut hook.branch_filter),
        ("custom_webhook_template", &mut hook.template),
    ];
    for (name, field) in texts {
        if let Some(text) = parameters.text(name)? {
            *field = Some(text);
            any = true;
        }
    }
    if let Some(strategy) = parameters.text("branch_filter_strategy")? {
        if !["wildcard", "regex", "all_branches"].contains(&strategy.as_str()) {
            return Err(has_no_valid_value("branch_filter_strategy"));
        }
        hook.branch_filter_strategy = strategy;
        any = true;
    }
    if let Some(verify) = parameters.boolean("enable_ssl_verification")? {
        hook.ssl_verification = verify;
        any = true;
    }
    if let Some(url) = parameters.text("url")? {
        hook.url = url;
        any = true;
    }
    any |= apply_secrets(server, hook, parameters, &before)?;
    validate(server, hook)?;
    Ok(any)
}

fn apply_triggers(hook: &mut Hook, parameters: &Parameters) -> Result<bool, Reply> {
    let mut any = false;
    for trigger in Trigger::ALL {
        let is_declared = match hook.owner {
            Owner::Project(_) => trigger.is_for_project_hooks(),
            Owner::System => trigger.is_for_system_hooks(),
        };
        let value = parameters.boolean(trigger.field())?;
        if let Some(on) = value.filter(|_| is_declared) {
            hook.triggers.retain(|&other| other != trigger);
            if on {
                hook.triggers.push(trigger);
            }
            any = true;
        }
    }
    Ok(any)
}

/// Another URL clears the secrets that the request does not set, and all custom headers: whoever may change the URL could
/// otherwise read them.
fn apply_secrets(
    server: &Server,
    hook: &mut Hook,
    parameters: &Parameters,
    before: &str,
) -> Result<bool, Reply> {
    let token = parameters.text("token")?;
    let can_sign = server.settings.version.accepts_signing_tokens();
    let signing_token = parameters.text("signing_token")?.filter(|_| can_sign);
    let variables = parameters.pairs("url_variables")?;
    let headers = parameters.pairs("custom_headers")?;
    let any =
        token.is_some() || signing_token.is_some() || variables.is_some() || headers.is_some();
    if let Some(variables) = &variables {
        merge(&mut hook.url_variables, variables);
    }
    if let Some(headers) = &headers {
        merge(&mut hook.custom_headers, headers);
    }
    if !before.is_empty() && hook.address() != before {
        hook.token = None;
        hook.signing_token = None;
        hook.custom_headers.clear();
        if variables.is_none() {
            hook.url_variables.clear();
        }
    }
    let set = |value: String| Some(value).filter(|value| !value.is_empty());
    if let Some(token) = token {
        hook.token = set(token);
    }
    if let Some(token) = signing_token {
        hook.signing_token = set(token);
    }
    Ok(any)
}

fn merge(pairs: &mut Vec<(String, String)>, others: &[(String, String)]) {
    for (key, value) in others {
        pairs.retain(|(known, _)| known != key);
        pairs.push((key.clone(), value.clone()));
    }
}

fn validate(server: &Server, hook: &Hook) -> Result<(), Reply> {
    let address = hook.address();
    if check_url(&address, &server.settings).is_err() || address.contains('{') {
        return Err(Reply::error(422, "Invalid url given"));
    }
    if !is_branch_filter(hook) {
        return Err(Reply::error(422, "Invalid branch filter given"));
    }
    if hook
        .token
        .as_deref()
        .is_some_and(|token| token.contains('\n'))
    {
        return Err(Reply::message(422, json!({ "token": ["is invalid"] })));
    }
    let template = hook.template.as_deref().unwrap_or_default();
    if template.chars().count() > LONGEST_TEMPLATE {
        let error = "is too long (maximum is 4096 characters)";
        return Err(Reply::message(
            422,
            json!({ "custom_webhook_template": [error] }),
        ));
    }
    match &hook.signing_token {
        Some(token) if !is_signing_token(token) => {
            let error = "must be whsec_ and the base64 of 32 bytes";
            Err(Reply::message(422, json!({ "signing_token": [error] })))
        }
        _ => Ok(()),
    }
}

/// The wildcard must be what a branch may be called, besides `*` (`app/validators/branch_filter_validator.rb`).
fn is_branch_filter(hook: &Hook) -> bool {
    let filter = hook.branch_filter.as_deref().unwrap_or_default();
    if filter.is_empty() || hook.branch_filter_strategy != "wildcard" {
        return true;
    }
    let is_refused = |letter: char| letter.is_ascii_control() || " ~^:?[\\".contains(letter);
    let parts = ["..", "//", "@{"];
    !filter.contains(is_refused)
        && !parts.iter().any(|part| filter.contains(part))
        && !filter.starts_with(['/', '-'])
        && !filter.ends_with(['/', '.'])
}

fn is_signing_token(token: &str) -> bool {
    let encoded = token.strip_prefix("whsec_");
    let key = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    key.is_some_and(|key| key.len() == 32)
}
