//! The settings that decide who hears of what and in which words. Owns how they go together; the
//! rules themselves are read in [`routes`](crate::notifier::routing), the templates in [`words`](crate::notifier::templates).

use std::collections::BTreeMap;
use std::io;

use super::ConfigErrors;
use super::env::EnvReader;
use crate::gitlab::kind::Kind;
use crate::notifier::routing::{self, RoutingRules};
use crate::notifier::templates::{self, Templates};
use crate::notifier::{Notifier, live_pipeline};
use crate::rocketchat::Username;

/// Reads these settings alone, for a look at what they do. Without rules and recipient everything
/// goes to somebody called `recipient`.
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
    match (notifier, reader.into_mistakes()) {
        (Some(notifier), mistakes) if mistakes.is_empty() => Ok(notifier),
        (_, mistakes) => Err(ConfigErrors(mistakes)),
    }
}

pub(super) fn read(reader: &mut EnvReader) -> Option<Notifier> {
    let routing = routing_rules(reader);
    let before = reader.mistake_count();
    let templates = reader.document("MESSAGES", templates::parse);
    let templates = reader
        .is_clean_since(before)
        .then(|| templates.unwrap_or_default());
    let live_pipelines = reader.flag("LIVE_PIPELINES");
    if live_pipelines
        && templates
            .as_ref()
            .is_some_and(|templates| !links_to_pipeline(templates))
    {
        reader.mistake(
            "MESSAGES",
            "the template for pipeline must show {{ page }} or {{ default_message }}, for with LIVE_PIPELINES the link to the pipeline tells how far a message is",
        );
    }
    let fixes = routing.as_ref().and_then(RoutingRules::first_fixes_line);
    if let Some(line) = fixes.filter(|_| live_pipelines) {
        reader.mistake(
            "ROUTES",
            format_args!("line {line}: `fixed` cannot be told with LIVE_PIPELINES, for there the message of the failed pipeline itself changes; leave out one of them"),
        );
    }
    Some(Notifier {
        routing: routing?.live(live_pipelines),
        templates: templates?,
        live_pipelines,
    })
}

/// Whether the message about the example links to its pipeline.
fn links_to_pipeline(templates: &Templates) -> bool {
    let Some((applied, event)) = templates.apply_to_example(Kind::Pipeline) else {
        return false;
    };
    let (text, state) = (applied.text(), event.attributes.pipeline_state.as_ref());
    text.zip(state)
        .is_some_and(|(text, state)| live_pipeline::mark(text, state).is_some())
}

/// One of the two ways to say it.
fn routing_rules(reader: &mut EnvReader) -> Option<RoutingRules> {
    let before = reader.mistake_count();
    let recipient = reader.optional("ROCKETCHAT_RECIPIENT", Username::parse);
    let routes = reader.document("ROUTES", routing::parse);
    match (recipient, routes) {
        (Some(recipient), None) => Some(RoutingRules::to(recipient)),
        (None, Some(routes)) => Some(routes),
        (Some(_), Some(_)) => {
            reader.mistake(
                "ROCKETCHAT_RECIPIENT",
                "is set and so is ROUTES; remove one of them",
            );
            None
        }
        (None, None) => {
            if reader.is_clean_since(before) {
                reader.mistake(
                    "ROCKETCHAT_RECIPIENT",
                    "is not set; give the user name that gets the messages, such as alice, or rules in ROUTES",
                );
            }
            None
        }
    }
}
