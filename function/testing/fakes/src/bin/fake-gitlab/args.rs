//! Parses the command line.

use crate::load::{Load, Proof, Sender};

pub(crate) const USAGE: &str = "\
A fake GitLab, which posts pushes to webhook-app.

usage:
  fake-gitlab idle                           wait for SIGTERM
  fake-gitlab reach HOST:PORT…               try to connect to each address
  fake-gitlab hold HOST:PORT CLIENTS SECONDS open connections, send no body
  fake-gitlab curl URL [signed|forged|none]  print a curl command for one push
  fake-gitlab send URL [OPTIONS]             post pushes, print the responses
  fake-gitlab happen URL [OPTIONS]           let the fake-gitlab-api at this URL
                                             send pushes and record them, print
                                             the responses

options of send and happen; the proof and the host are for send only:
  --count NUMBER                    how many pushes, 1 by default
  --rate PER-SECOND                 how many pushes per second, with --seconds
  --seconds NUMBER                  for how long, with --rate
  --proof signed|forged|none        how they are signed, signed by default
  --bytes NUMBER                    the size of a body
  --host NAME                       another value for the header Host
  --chat URL                        count the messages that the fake Rocket.Chat
                                    at this address has stored";

/// What to do.
pub(crate) enum Args {
    /// Print the usage.
    Help,
    /// Wait for SIGTERM.
    Idle,
    /// Try to connect to each address.
    Reach(Vec<String>),
    /// Keep connections open that send no body.
    Hold {
        address: String,
        clients: usize,
        seconds: u64,
    },
    /// Print a curl command that posts one delivery.
    Curl { to: String, proof: Proof },
    /// Post deliveries.
    Send(Load),
}

impl Args {
    /// Parses the command line; the error says what is wrong.
    pub(crate) fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Self, String> {
        let command = arguments.next();
        match command.as_deref() {
            Some("help" | "--help" | "-h") => Ok(Self::Help),
            Some("idle") => Ok(Self::Idle),
            Some("reach") => Ok(Self::Reach(arguments.collect())),
            Some("hold") => Ok(Self::Hold {
                address: arguments.next().ok_or(USAGE)?,
                clients: number("CLIENTS", &arguments.next().ok_or(USAGE)?)?,
                seconds: number("SECONDS", &arguments.next().ok_or(USAGE)?)?,
            }),
            Some("curl") => Ok(Self::Curl {
                to: arguments.next().ok_or(USAGE)?,
                proof: proof(arguments.next().as_deref().unwrap_or("signed"))?,
            }),
            Some(command @ ("send" | "happen")) => {
                let sender = match command {
                    "send" => Sender::Load,
                    _ => Sender::GitLab,
                };
                let to = arguments.next().ok_or(USAGE)?;
                load(Load::single(to, sender), arguments).map(Self::Send)
            }
            Some(other) => Err(format!(
                "expected help, idle, reach, hold, curl, send or happen, found {other:?}\n{USAGE}"
            )),
            None => Err(USAGE.to_owned()),
        }
    }
}

fn load(mut load: Load, mut arguments: impl Iterator<Item = String>) -> Result<Load, String> {
    let (mut rate, mut seconds) = (None, None);
    while let Some(flag) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--host" | "--proof" if load.sender == Sender::GitLab => {
                return Err(format!(
                    "{flag} is an option of send, not of happen\n{USAGE}"
                ));
            }
            "--host" => load.host = Some(value),
            "--chat" => load.chat = Some(value),
            "--count" => load.count = number(&flag, &value)?,
            "--bytes" => load.bytes = number(&flag, &value)?,
            "--rate" => rate = Some(number(&flag, &value)?),
            "--seconds" => seconds = Some(number(&flag, &value)?),
            "--proof" => load.proof = proof(&value)?,
            _ => return Err(format!("unknown option {flag}\n{USAGE}")),
        }
    }
    if let (Some(rate), Some(seconds)) = (rate, seconds) {
        load.set_rate(rate, seconds);
    } else if rate.is_some() || seconds.is_some() {
        return Err("--rate and --seconds must be given together".to_owned());
    }
    Ok(load)
}

fn number<N: std::str::FromStr>(flag: &str, value: &str) -> Result<N, String> {
    let number = value.parse();
    number.map_err(|_| format!("{flag} needs a whole number, found {value}"))
}

fn proof(text: &str) -> Result<Proof, String> {
    match text {
        "signed" => Ok(Proof::Signed),
        "forged" => Ok(Proof::Forged),
        "none" => Ok(Proof::None),
        _ => Err(format!(
            "expected a proof of signed, forged or none, found {text}"
        )),
    }
}
