//! `webhook-app render`: what a webhook would say and to whom, without sending anything. Owns what is
//! printed; the words and the rules are those of the settings.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::process::ExitCode;

use crate::config;
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::verification::Verified;
use crate::limits::LIMITS;
use crate::notifier::message::{self, Visibility};
use crate::notifier::routing::{NotifyReason, Recipient, Recipients};
use crate::notifier::{Notifier, Plan, SkipReason, templates};

/// What to render, and how much to say of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Request {
    source: Source,
    explain: bool,
}

/// Where the body of a webhook comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
enum Source {
    #[default]
    StandardInput,
    File(String),
    /// The sample of a kind.
    Sample(Kind),
}

impl Request {
    /// Reads what stands after `render`, or says what is wrong with it.
    pub(super) fn parse(options: &[String]) -> Result<Self, String> {
        let mut request = Self::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let source = match option.as_str() {
                "--explain" => {
                    request.explain = true;
                    continue;
                }
                "--kind" => sample(options.next())?,
                "-" => Source::StandardInput,
                file if !file.starts_with('-') => Source::File(file.to_owned()),
                other => {
                    return Err(format!(
                        "render knows no {other}; expected a file, --kind KIND, --explain or nothing"
                    ));
                }
            };
            if request.source != Source::StandardInput {
                return Err("expected one file or one --kind".to_owned());
            }
            request.source = source;
        }
        Ok(request)
    }
}

fn sample(name: Option<&String>) -> Result<Source, String> {
    let mut known = Kind::known();
    let kind = name.and_then(|name| Kind::with_label(name));
    kind.map(Source::Sample).ok_or_else(|| {
        let found = name.map_or_else(String::new, |name| format!(", found {name}"));
        let mut list = String::new();
        if let Some(first) = known.next() {
            list.push_str(first.label());
        }
        for kind in known {
            let _ = write!(list, ", {}", kind.label());
        }
        format!("expected one of these kinds after --kind{found}: {list}")
    })
}

/// Renders with the templates and the rules of the environment.
pub(super) fn run(request: &Request) -> ExitCode {
    let read_file = |path: &str| fs::read_to_string(path);
    let notifier = match config::notifications::load(&config::environment(), &read_file) {
        Ok(notifier) => notifier,
        Err(errors) => return super::print_config_errors(errors),
    };
    match read(&request.source) {
        Ok(event) => super::say(&rendered(&event, &notifier, request.explain)),
        Err(error) => {
            crate::exit::print_error(&format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn read(source: &Source) -> Result<Event, String> {
    let body = match source {
        Source::Sample(kind) => Ok(templates::example(*kind).unwrap_or_default().into()),
        Source::File(path) => {
            fs::read(path).map_err(|error| format!("could not read {path}: {error}"))
        }
        Source::StandardInput => standard_input(),
    }?;
    Event::parse(None, Verified::by_operator(&body)).map_err(|error| error.to_string())
}

fn standard_input() -> Result<Vec<u8>, String> {
    let mut input = io::stdin().lock();
    if input.is_terminal() {
        crate::exit::print_error("waiting for the body of a webhook; Ctrl-D ends it\n");
    }
    let mut body = Vec::new();
    let read = input.read_to_end(&mut body);
    read.map_err(|error| format!("could not read the standard input: {error}"))?;
    if body.trim_ascii().is_empty() {
        return Err("the standard input is empty; expected the body of a webhook, or a file or --kind KIND after render".to_owned());
    }
    Ok(body)
}

/// Without rules the question is only which text would be sent; with `--explain` also to whom.
fn rendered(event: &Event, notifier: &Notifier, explain: bool) -> String {
    let plan = explain.then(|| notifier.plan(event).ok()).flatten();
    let text = match plan {
        Some(plan) => Ok(texts(&plan)),
        None => text_for_anybody(event, notifier, explain),
    };
    match text {
        Ok(text) if explain => format!("{text}\n{}", explanation(event, notifier)),
        Ok(text) => text,
        Err(skipped) => format!("nothing is sent: {}\n", skipped.description()),
    }
}

/// The text that would be sent if there were a recipient.
fn text_for_anybody(
    event: &Event,
    notifier: &Notifier,
    explain: bool,
) -> Result<String, SkipReason> {
    let visible = Visibility {
        confidential: explain,
        in_progress: explain,
    };
    let builtin = message::render(event, visible)?;
    let applied = notifier
        .templates
        .apply(NotifyReason::Event, event, builtin);
    let text = applied.text().ok_or(SkipReason::NoWords)?;
    Ok(format!("{text}\n"))
}

/// Every text once: recipients of a fix get another one.
fn texts(plan: &Plan) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for notification in &plan.notifications {
        if !texts.contains(&notification.text.as_str()) {
            texts.push(&notification.text);
        }
    }
    format!("{}\n", texts.join("\n\n"))
}

fn explanation(event: &Event, notifier: &Notifier) -> String {
    let mut text = String::new();
    let decision = notifier.routing.explain(event);
    for line in decision.explanation {
        let _ = writeln!(text, "{line}");
    }
    match decision.recipients {
        Ok(recipients) => explain_recipients(&recipients, &mut text),
        Err(ignored) => {
            let _ = writeln!(text, "nothing is sent: {}", ignored.description());
        }
    }
    text
}

/// Recipients under a condition are on lines of their own, or the condition would seem to apply to
/// the next one too.
fn explain_recipients(recipients: &Recipients, text: &mut String) {
    let (conditional, others): (Vec<_>, Vec<_>) = recipients
        .list
        .iter()
        .partition(|recipient| recipient.reason == NotifyReason::Fix);
    let others: Vec<_> = others.into_iter().map(Recipient::label).collect();
    let others = (!others.is_empty()).then(|| others.join(", "));
    let conditional = conditional.into_iter().map(Recipient::label);
    for line in others.into_iter().chain(conditional) {
        let _ = writeln!(text, "would notify {line}");
    }
    if recipients.truncated > 0 {
        let _ = writeln!(
            text,
            "would leave out {} more, because an event has at most {} recipients",
            recipients.truncated, LIMITS.routing.max_recipients
        );
    }
}
