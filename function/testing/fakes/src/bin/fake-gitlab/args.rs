//! The command line: what to do, to whom, how often.

use crate::load::{Load, Proof};

const USAGE: &str = "usage:
  fake-gitlab idle
  fake-gitlab reach HOST:PORT…
  fake-gitlab curl URL [signed|forged|none]
  fake-gitlab send URL [--host NAME] [--count NUMBER | --rate A-SECOND --seconds NUMBER]
                          [--proof signed|forged|none] [--bytes NUMBER] [--chat URL]";

/// What the program was asked to do.
pub(crate) enum Args {
    /// Nothing, until it is ended.
    Idle,
    /// Find out which addresses can be connected to.
    Reach(Vec<String>),
    /// Print a command for a shell that posts one delivery.
    Curl { to: String, proof: Proof },
    /// Post deliveries.
    Send(Load),
}

impl Args {
    /// Reads the command line; says what is wrong with it.
    pub(crate) fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Self, String> {
        let verb = arguments.next();
        match verb.as_deref() {
            Some("idle") => Ok(Self::Idle),
            Some("reach") => Ok(Self::Reach(arguments.collect())),
            Some("curl") => Ok(Self::Curl {
                to: arguments.next().ok_or(USAGE)?,
                proof: proof(arguments.next().as_deref().unwrap_or("signed"))?,
            }),
            Some("send") => {
                let to = arguments.next().ok_or(USAGE)?;
                volley(Load::of_one(to), arguments).map(Self::Send)
            }
            _ => Err(USAGE.to_owned()),
        }
    }
}

fn volley(mut volley: Load, mut arguments: impl Iterator<Item = String>) -> Result<Load, String> {
    let (mut rate, mut seconds) = (None, None);
    while let Some(flag) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--host" => volley.host = Some(value),
            "--chat" => volley.chat = Some(value),
            "--count" => volley.count = number(&flag, &value)?,
            "--bytes" => volley.bytes = number(&flag, &value)?,
            "--rate" => rate = Some(number(&flag, &value)?),
            "--seconds" => seconds = Some(number(&flag, &value)?),
            "--proof" => volley.proof = proof(&value)?,
            _ => return Err(format!("{flag} is unknown\n{USAGE}")),
        }
    }
    if let (Some(rate), Some(seconds)) = (rate, seconds) {
        volley.steady(rate, seconds);
    } else if rate.is_some() || seconds.is_some() {
        return Err("--rate and --seconds belong together".to_owned());
    }
    Ok(volley)
}

fn number<N: std::str::FromStr>(flag: &str, value: &str) -> Result<N, String> {
    let number = value.parse();
    number.map_err(|_| format!("{flag} needs a whole number, not {value}"))
}

fn proof(text: &str) -> Result<Proof, String> {
    match text {
        "signed" => Ok(Proof::Signed),
        "forged" => Ok(Proof::Forged),
        "none" => Ok(Proof::None),
        _ => Err(format!("a proof is signed, forged or none, not {text}")),
    }
}
