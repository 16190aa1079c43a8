//! `webhook-app dead-letters`: lists the messages that the broker has put aside, and sends them again. Owns its
//! output.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::time::Instant;

use crate::config::Config;
use crate::dead_letters::{DeadLetter, Folder};
use crate::exit::{USAGE, print_error};
use crate::hand_off::Sink;

/// What to do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Request {
    #[default]
    List,
    /// Those whose IDs begin with one of these; all if empty.
    Resend(Vec<String>),
}

impl Request {
    /// Parses the arguments after `dead-letters`; an error says what was expected.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, String> {
        match arguments {
            [] => Ok(Self::List),
            [word] if word == "list" => Ok(Self::List),
            [word, all] if word == "resend" && all == "--all" => Ok(Self::Resend(Vec::new())),
            [word, ids @ ..] if word == "resend" && !ids.is_empty() => {
                let wrong = ids.iter().find(|id| {
                    let is_hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
                    !is_hex || !(8..=64).contains(&id.len())
                });
                match wrong {
                    None => Ok(Self::Resend(ids.to_vec())),
                    Some(found) => Err(format!(
                        "expected IDs of 8 to 64 hexadecimal digits, as webhook-app dead-letters lists them, found {}",
                        super::echo(found)
                    )),
                }
            }
            [word] if word == "resend" => {
                Err("expected IDs or --all after dead-letters resend, found nothing".to_owned())
            }
            [found, ..] => Err(format!(
                "expected list or resend after dead-letters, found {}",
                super::echo(found)
            )),
        }
    }
}

/// Runs the command; exits with 1 if something could not be read or sent.
pub(super) fn run(config: Config, request: &Request) -> ExitCode {
    let Some(settings) = &config.dead_letters else {
        print_error(
            "expected DEAD_LETTERS_FOLDER, which is set in the pod that stores dead letters; run this command there\n",
        );
        return ExitCode::from(USAGE);
    };
    let folder = settings.folder.clone();
    let (letters, errors) = match folder.list() {
        Ok(found) => found,
        Err(error) => {
            print_error(&format!("{error}\n"));
            return ExitCode::FAILURE;
        }
    };
    for error in &errors {
        print_error(&format!("{error}\n"));
    }
    let result = match request {
        Request::List => super::print(&table(&letters)),
        Request::Resend(ids) => resend(config, &folder, &letters, ids),
    };
    if errors.is_empty() {
        result
    } else {
        ExitCode::FAILURE
    }
}

fn table(letters: &[DeadLetter]) -> String {
    if letters.is_empty() {
        return "no dead letters\n".to_owned();
    }
    let mut text = format!(
        "{:<12}  {:<20}  {:<6}  RECIPIENT\n",
        "ID", "STORED AT", "STATUS"
    );
    for letter in letters {
        let status = letter
            .status
            .map_or("–".to_owned(), |code| code.to_string());
        let id = letter.id.get(..12).unwrap_or(&letter.id);
        let _ = writeln!(
            text,
            "{id:<12}  {:<20}  {status:<6}  {}",
            letter.stored_at, letter.recipient
        );
    }
    text
}

/// Sends the chosen ones to the broker, and removes each that it has stored.
fn resend(config: Config, folder: &Folder, letters: &[DeadLetter], ids: &[String]) -> ExitCode {
    let chosen = |letter: &&DeadLetter| {
        let mut named = ids.iter();
        ids.is_empty() || named.any(|id| letter.id.starts_with(&id.to_ascii_lowercase()))
    };
    let chosen: Vec<_> = letters.iter().filter(chosen).collect();
    let Some(settings) = config.sink else {
        print_error("expected the address of the broker in SINK_URL or K_SINK, found none\n");
        return ExitCode::from(USAGE);
    };
    let authorities = &config.rocketchat.authorities;
    let keys = Arc::new(config.rocketchat.hand_off_keys);
    let sink = Sink::new(settings, keys, authorities);
    let runtime = Builder::new_current_thread().enable_all().build();
    let (Ok(sink), Ok(runtime)) = (sink, runtime) else {
        print_error("failed to set up the client of the broker\n");
        return ExitCode::FAILURE;
    };
    let mut sent = 0;
    for letter in &chosen {
        let deadline = Instant::now() + config.delivery_timeout;
        let (headers, data) = letter.event();
        let stored = runtime.block_on(sink.receiver.post_until(&headers, &data, deadline));
        let removed = match stored {
            Ok(()) => folder.remove(letter).map_err(|error| error.to_string()),
            Err(error) => Err(format!(
                "the broker has not stored {}: {}",
                letter.id,
                error.label()
            )),
        };
        match removed {
            Ok(()) => sent += 1,
            Err(error) => print_error(&format!("{error}\n")),
        }
    }
    let _ = super::print(&format!("{sent} of {} sent again\n", chosen.len()));
    // An ID that nothing has is a mistake.
    let is_complete = sent == chosen.len() && (ids.is_empty() || !chosen.is_empty());
    if is_complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
