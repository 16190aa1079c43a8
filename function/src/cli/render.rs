//! `webhook-app render`: prints the message for a webhook and its recipients, without sending anything.
//! Owns the output; templates and rules come from the settings.

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
use crate::notifier::{EVERYTHING, Notifier, Plan, SkipReason, templates, words};
use crate::suggestion;

/// What to render, and whether to explain the routing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Request {
    source: Source,
    explain: bool,
}

/// The options.
const OPTIONS: [&str; 3] = ["--kind", "--explain", "--help"];

/// Where the body of a webhook comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
enum Source {
    #[default]
    StandardInput,
    File(String),
    /// The example of a kind.
    Example(Kind),
}

impl Request {
    /// Parses the arguments after `render`; an error says what was expected.
    pub(super) fn parse(options: &[String]) -> Result<Self, String> {
        let mut request = Self::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let source = match option.as_str() {
                "--explain" => {
                    request.explain = true;
                    continue;
                }
                "--kind" => example(options.next().map(String::as_str))?,
                option if option.starts_with("--kind=") => example(option.strip_prefix("--kind="))?,
                "-" => Source::StandardInput,
                file if !file.starts_with('-') => Source::File(file.to_owned()),
                other => {
                    let found = super::echo(other);
                    let advice = super::advice(other, &OPTIONS).unwrap_or_default();
                    return Err(format!(
                        "expected a file, --kind KIND or --explain after render, found {found}{advice}"
                    ));
                }
            };
            if request.source != Source::StandardInput {
                return Err(
                    "expected only one file or --kind after render, found several".to_owned(),
                );
            }
            request.source = source;
        }
        Ok(request)
    }
}

fn example(name: Option<&str>) -> Result<Source, String> {
    let mut known = Kind::known();
    let kind = name.and_then(|name| words::kind(name, &[]).ok());
    kind.map(Source::Example).ok_or_else(|| {
        let found = name.map_or_else(String::new, found);
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

/// A name that is no kind, and the kind that was probably meant.
fn found(name: &str) -> String {
    let labels = Kind::known().map(|kind| (kind.label(), kind.label()));
    let advice = suggestion::nearest(name, labels);
    let advice = advice.map_or_else(String::new, |kind| format!(" (did you mean {kind}?)"));
    format!(", found {name:?}{advice}")
}

/// Renders with the templates and rules from the environment.
pub(super) fn run(request: &Request) -> ExitCode {
    let read_file = |path: &str| fs::read_to_string(path);
    let notifier = match config::notifications::load(&config::environment(), &read_file) {
        Ok(notifier) => notifier,
        Err(errors) => return super::print_config_errors(&errors),
    };
    match read(&request.source) {
        Ok(event) => {
            if let Some(problem) = template_failure(&event, &notifier) {
                crate::exit::print_error(&problem);
            }
            super::print(&rendered(&event, &notifier, request.explain))
        }
        Err(error) => {
            crate::exit::print_error(&format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// What webhook-app would log, and why.
fn template_failure(event: &Event, notifier: &Notifier) -> Option<String> {
    let builtin = message::render(event, EVERYTHING, notifier.style).ok()?;
    let error = notifier.templates.failure(event, &builtin)?;
    let kind = event.kind().label();
    Some(format!(
        "the template of {kind} fails for this event, so the built-in message is sent: {error}\n"
    ))
}

fn read(source: &Source) -> Result<Event, String> {
    let body = match source {
        Source::Example(kind) => Ok(templates::example(*kind).unwrap_or_default().into()),
        Source::File(path) => {
            fs::read(path).map_err(|error| format!("failed to read {path}: {error}"))
        }
        Source::StandardInput => standard_input(),
    }?;
    Event::parse(None, Verified::by_operator(&body)).map_err(|error| error.to_string())
}

fn standard_input() -> Result<Vec<u8>, String> {
    let mut input = io::stdin().lock();
    if input.is_terminal() {
        crate::exit::print_error(
            "reading the body of a webhook from the terminal; end it with Ctrl-D\n",
        );
    }
    let mut body = Vec::new();
    let read = input.read_to_end(&mut body);
    read.map_err(|error| format!("failed to read standard input: {error}"))?;
    if body.trim_ascii().is_empty() {
        return Err("expected the body of a webhook on standard input, found nothing; or give a file or --kind KIND after render".to_owned());
    }
    Ok(body)
}

/// The text and, with `--explain`, how its recipients were chosen.
fn rendered(event: &Event, notifier: &Notifier, explain: bool) -> String {
    let text = match notifier.plan(event) {
        Ok(plan) if !plan.notifications.is_empty() => Ok(texts(&plan)),
        Ok(_) | Err(_) => text_without_recipient(event, notifier, explain),
    };
    match text {
        Ok(text) if explain => format!("{text}\n{}", explanation(event, notifier)),
        Ok(text) => text,
        Err(skipped) => format!("nothing is sent: {}\n", skipped.description()),
    }
}

/// The text for an event that has no recipient or whose recipients do not matter.
fn text_without_recipient(
    event: &Event,
    notifier: &Notifier,
    explain: bool,
) -> Result<String, SkipReason> {
    let visible = Visibility {
        confidential: explain,
        in_progress: explain,
        minor_updates: explain,
    };
    let builtin = message::render(event, visible, notifier.style)?;
    let applied = notifier
        .templates
        .apply(NotifyReason::Event, event, &builtin);
    let text = applied.text().ok_or(SkipReason::NoWords)?;
    Ok(format!("{text}\n"))
}

/// Each different text once: recipients of a fix get a different text.
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
        Err(skipped) => {
            let _ = writeln!(text, "nothing is sent: {}", skipped.description());
        }
    }
    text
}

/// Each recipient with a condition has a separate line, because the condition does not apply to the
/// others.
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
    for redacted in &recipients.redacted {
        let _ = writeln!(
            text,
            "would not notify the {} of {}, because GitLab has redacted the address",
            redacted.role, redacted.rule
        );
    }
    if recipients.mentions_unread {
        let _ = writeln!(
            text,
            "would not read the end of the text, and so not notify users whom it mentions"
        );
    }
}
