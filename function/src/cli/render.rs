//! `webhook-app render`: what a webhook would say and to whom, without sending anything. Owns what is
//! printed; the words and the rules are those of the settings.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::process::ExitCode;

use crate::config;
use crate::gitlab::circumstances::Circumstances;
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::notice::{self, Allowance, Ignored};
use crate::routes::Target;
use crate::telling::Telling;
use crate::words;

/// What to render, and how much to say of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Request {
    /// The sample of this kind; the standard input if there is none.
    kind: Option<Kind>,
    explain: bool,
}

impl Request {
    pub(super) fn parse(options: &[String]) -> Option<Self> {
        let mut request = Self::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match option.as_str() {
                "--explain" => request.explain = true,
                "--kind" => request.kind = Some(Kind::with_label(options.next()?)?),
                _ => return None,
            }
        }
        Some(request)
    }
}

/// Renders with the words and the rules of the environment.
pub(super) fn run(request: Request) -> ExitCode {
    let read_file = |path: &str| std::fs::read_to_string(path);
    let telling = match config::telling::load(&config::environment(), &read_file) {
        Ok(telling) => telling,
        Err(errors) => return super::complain_of(errors),
    };
    match read(request.kind) {
        Ok((event, circumstances)) => {
            super::say(&told(&event, &circumstances, &telling, request.explain))
        }
        Err(error) => {
            super::complain(&format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn read(kind: Option<Kind>) -> Result<(Event, Circumstances), String> {
    let mut body = Vec::new();
    if let Some(sample) = kind.and_then(words::sample) {
        body.extend_from_slice(sample.as_bytes());
    } else {
        let read = io::stdin().lock().read_to_end(&mut body);
        read.map_err(|error| format!("could not read the payload from standard input: {error}"))?;
    }
    let event = Event::parse(None, &body).map_err(|error| error.to_string())?;
    let circumstances = Circumstances::read(&event, &body).map_err(|error| error.to_string())?;
    Ok((event, circumstances))
}

/// Without rules the question is only what would be said; with `--explain` also to whom.
fn told(event: &Event, circumstances: &Circumstances, telling: &Telling, explain: bool) -> String {
    let allowed = Allowance {
        confidential: explain,
        under_way: explain,
    };
    let notice = notice::compose_for(event, allowed);
    let notice = notice.and_then(|notice| {
        let retold = telling.words.retell(notice, circumstances);
        retold.ok_or(Ignored::NoWords)
    });
    let mut text = match notice {
        Ok(notice) => format!("{}\n", notice.text),
        Err(ignored) => return format!("nothing is sent: {}\n", ignored.words()),
    };
    if explain {
        text.push('\n');
        explanation(circumstances, telling, &mut text);
    }
    text
}

fn explanation(circumstances: &Circumstances, telling: &Telling, text: &mut String) {
    let decision = telling.routes.explain(circumstances);
    for line in decision.explanation {
        let _ = writeln!(text, "{line}");
    }
    let _ = match decision.targets {
        Ok(targets) => {
            let labels: Vec<_> = targets.iter().map(Target::label).collect();
            writeln!(text, "told to {}", labels.join(", "))
        }
        Err(ignored) => writeln!(text, "nothing is sent: {}", ignored.words()),
    };
}
