//! `webhook-app render`: what a webhook would say and to whom, without sending anything. Owns what is
//! printed; the words and the rules are those of the settings.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::process::ExitCode;

use crate::config;
use crate::gitlab::circumstances::Circumstances;
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::notice::{self, Allowance, Ignored};
use crate::routes::{Hearer, Interest};
use crate::telling::{Telling, Tidings};
use crate::words;

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
    let known = Kind::ALL.iter().filter(|kind| **kind != Kind::Other);
    let mut known = known.copied();
    let kind = name.and_then(|name| known.clone().find(|kind| kind.label() == name));
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

/// Renders with the words and the rules of the environment.
pub(super) fn run(request: &Request) -> ExitCode {
    let read_file = |path: &str| fs::read_to_string(path);
    let telling = match config::telling::load(&config::environment(), &read_file) {
        Ok(telling) => telling,
        Err(errors) => return super::complain_of(errors),
    };
    match read(&request.source) {
        Ok((event, circumstances)) => {
            super::say(&told(&event, &circumstances, &telling, request.explain))
        }
        Err(error) => {
            super::complain(&format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn read(source: &Source) -> Result<(Event, Circumstances), String> {
    let body = match source {
        Source::Sample(kind) => Ok(words::sample(*kind).unwrap_or_default().into()),
        Source::File(path) => {
            fs::read(path).map_err(|error| format!("could not read {path}: {error}"))
        }
        Source::StandardInput => standard_input(),
    }?;
    let event = Event::parse(None, &body).map_err(|error| error.to_string())?;
    let circumstances = Circumstances::read(&event, &body).map_err(|error| error.to_string())?;
    Ok((event, circumstances))
}

fn standard_input() -> Result<Vec<u8>, String> {
    let mut input = io::stdin().lock();
    if input.is_terminal() {
        super::complain("waiting for the body of a webhook; Ctrl-D ends it\n");
    }
    let mut body = Vec::new();
    let read = input.read_to_end(&mut body);
    read.map_err(|error| format!("could not read the standard input: {error}"))?;
    if body.trim_ascii().is_empty() {
        return Err("the standard input is empty; expected the body of a webhook, or a file or --kind KIND after render".to_owned());
    }
    Ok(body)
}

/// Without rules the question is only what would be said; with `--explain` also to whom.
fn told(event: &Event, circumstances: &Circumstances, telling: &Telling, explain: bool) -> String {
    let tidings = explain.then(|| telling.tell(event, circumstances).ok());
    let text = match tidings.flatten() {
        Some(tidings) => Ok(texts(&tidings)),
        None => words_for_anybody(event, circumstances, telling, explain),
    };
    match text {
        Ok(text) if explain => format!("{text}\n{}", explanation(circumstances, telling)),
        Ok(text) => text,
        Err(ignored) => format!("nothing is sent: {}\n", ignored.words()),
    }
}

/// What would be said, if anybody were to hear of it.
fn words_for_anybody(
    event: &Event,
    circumstances: &Circumstances,
    telling: &Telling,
    explain: bool,
) -> Result<String, Ignored> {
    let allowed = Allowance {
        confidential: explain,
        under_way: explain,
    };
    let notice = notice::compose_for(event, allowed)?;
    let notice = telling.words.retell(notice, circumstances);
    notice.map_or(Err(Ignored::NoWords), |notice| {
        Ok(format!("{}\n", notice.text))
    })
}

/// What some hear, and what others hear where that differs.
fn texts(tidings: &[Tidings]) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for tidings in tidings {
        let text = tidings.notice.text.as_str();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    format!("{}\n", texts.join("\n\n"))
}

fn explanation(circumstances: &Circumstances, telling: &Telling) -> String {
    let mut text = String::new();
    let decision = telling.routes.explain(circumstances);
    for line in decision.explanation {
        let _ = writeln!(text, "{line}");
    }
    let _ = match decision.hearers {
        Ok(hearers) => {
            // A condition stands on a line of its own, or it would seem to hold for the next one.
            let (some, all): (Vec<_>, Vec<_>) = hearers
                .iter()
                .partition(|hearer| hearer.interest == Interest::Fix);
            let all: Vec<_> = all.into_iter().map(Hearer::label).collect();
            let all = (!all.is_empty()).then(|| all.join(", "));
            let lines = all.into_iter().chain(some.into_iter().map(Hearer::label));
            lines
                .into_iter()
                .try_for_each(|line| writeln!(text, "told to {line}"))
        }
        Err(ignored) => writeln!(text, "nothing is sent: {}", ignored.words()),
    };
    text
}
