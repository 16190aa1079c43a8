//! The settings for recipients and messages. Owns how they depend on each other. Rules are parsed in
//! [`routing`], templates in [`templates`].

use std::collections::BTreeMap;
use std::io;

use super::ConfigErrors;
use super::env::EnvReader;
use crate::gitlab::kind::Kind;
use crate::gitlab::username::GitLabUsername;
use crate::gitlab_api::Triggers;
use crate::hooks;
use crate::notifier::message::MessageStyle;
use crate::notifier::routing::{self, RoutingRules};
use crate::notifier::templates::{self, Templates};
use crate::notifier::{Notifier, live_pipeline};
use crate::rocketchat::Username;

const STYLES: &[(&str, MessageStyle)] = &[
    ("signs", MessageStyle::Signs),
    ("plain", MessageStyle::Plain),
];

/// Reads only these settings, for `webhook-app render`. Without rules and recipient, all events go to a
/// user named `recipient`.
pub fn load(
    variables: &BTreeMap<String, String>,
    read_file: &dyn Fn(&str) -> io::Result<String>,
) -> Result<Notifier, ConfigErrors> {
    let mut variables = variables.clone();
    let names = [
        "ROUTES",
        "ROUTES_FILE",
        "ROCKETCHAT_RECIPIENT",
        "ROCKETCHAT_RECIPIENT_FILE",
    ];
    if !names.iter().any(|name| variables.contains_key(*name)) {
        variables.insert("ROCKETCHAT_RECIPIENT".to_owned(), "recipient".to_owned());
    }
    let mut reader = EnvReader::new(&variables, read_file);
    let notifier = read(&mut reader);
    let (errors, warnings) = reader.finish();
    match notifier {
        Some(notifier) if errors.is_empty() => Ok(notifier),
        _ => Err(ConfigErrors { errors, warnings }),
    }
}

pub(super) fn read(reader: &mut EnvReader) -> Option<Notifier> {
    let routing = routing_rules(reader);
    reader.warn_all(routing.iter().flat_map(RoutingRules::warnings));
    let before = reader.error_count();
    let templates = reader.document("MESSAGES", templates::parse);
    let templates = reader
        .is_clean_since(before)
        .then(|| templates.unwrap_or_default());
    let style = reader.choice("MESSAGE_STYLE", STYLES, MessageStyle::default());
    let live_pipelines = reader.flag("LIVE_PIPELINES");
    if live_pipelines
        && templates
            .as_ref()
            .is_some_and(|templates| !links_to_pipeline(templates))
    {
        reader.error(
            "MESSAGES",
            "expected {{ page }}, {{ headline }} or {{ default_message }} in the template for pipeline, because LIVE_PIPELINES stores the state of a message in the link to its pipeline",
        );
    }
    let reconcile_user = reader.optional("GITLAB_RECONCILE_USER", GitLabUsername::parse);
    let fixes = routing.as_ref().and_then(RoutingRules::first_fixes_line);
    if let Some(line) = fixes.filter(|_| live_pipelines) {
        reader.error(
            "ROUTES",
            format_args!("line {line}: `fixed` cannot be combined with LIVE_PIPELINES, which edits the message of the failed pipeline instead; remove either"),
        );
    }
    Some(Notifier {
        routing: routing?.live(live_pipelines),
        templates: templates?,
        style,
        live_pipelines,
        reconcile_user,
    })
}

/// The triggers of webhooks that the rules need.
pub(super) fn triggers(reader: &mut EnvReader) -> Option<Triggers> {
    let routing = routing_rules(reader);
    let live = reader.flag("LIVE_PIPELINES");
    Some(hooks::needed(&routing?, live))
}

/// The same; without rules and recipient, those of one recipient of everything.
pub(super) fn triggers_or_all(reader: &mut EnvReader) -> Option<Triggers> {
    let names = ["ROUTES", "ROCKETCHAT_RECIPIENT"];
    if names.iter().any(|name| reader.has_value(name)) {
        return triggers(reader);
    }
    let anyone = RoutingRules::to(Username::parse("recipient").ok()?);
    Some(hooks::needed(&anyone, reader.flag("LIVE_PIPELINES")))
}

/// Whether the message for the example links to its pipeline.
fn links_to_pipeline(templates: &Templates) -> bool {
    let Some((applied, event)) = templates.apply_to_example(Kind::Pipeline) else {
        return false;
    };
    let (text, state) = (applied.text(), event.attributes.pipeline_state.as_ref());
    text.zip(state)
        .is_some_and(|(text, state)| live_pipeline::mark(text, state).is_some())
}

/// From `ROUTES`, or from `ROCKETCHAT_RECIPIENT`.
fn routing_rules(reader: &mut EnvReader) -> Option<RoutingRules> {
    let before = reader.error_count();
    let recipient = reader.optional("ROCKETCHAT_RECIPIENT", Username::parse);
    let routes = reader.document("ROUTES", routing::parse);
    match (recipient, routes) {
        (Some(recipient), None) => Some(RoutingRules::to(recipient)),
        (None, Some(routes)) => Some(routes),
        (Some(_), Some(_)) => {
            reader.error(
                "ROCKETCHAT_RECIPIENT",
                "is set, and ROUTES is set too; remove either",
            );
            None
        }
        (None, None) => {
            if reader.is_clean_since(before) {
                reader.missing(
                    &["ROCKETCHAT_RECIPIENT", "ROUTES"],
                    "give the user name that receives all messages, such as alice, or rules in ROUTES",
                );
            }
            None
        }
    }
}
