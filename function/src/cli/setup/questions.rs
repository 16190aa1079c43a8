//! Questions about what is missing, if setup runs on a terminal. Owns their texts, and that a question is asked
//! again until its answer is valid; which one is, is decided in [`config`](crate::config). Secrets are read
//! without echo; nothing is asked if standard input is not a terminal, and the settings then say what is missing.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::Request;
use crate::config::setup::problem;
use crate::gitlab_api::ProjectRef;

/// A setting to ask for: its name, the question, and whether the answer is a secret.
type Question = (&'static str, &'static str, bool);

const QUESTIONS: [Question; 4] = [
    ("GITLAB_URL", "Address of GitLab", false),
    (
        "GITLAB_API_TOKEN",
        "Access token of GitLab, with the scope api and the role Maintainer",
        true,
    ),
    ("ROCKETCHAT_URL", "Address of Rocket.Chat", false),
    (
        "WEBHOOK_URL",
        "Address of webhook-app for GitLab, which ends with /webhook",
        false,
    ),
];

const ADMINISTRATOR: [Question; 3] = [
    (
        "ROCKETCHAT_ADMIN_USERNAME",
        "Username of an administrator of Rocket.Chat",
        false,
    ),
    ("ROCKETCHAT_ADMIN_PASSWORD", "Password", true),
    (
        "ROCKETCHAT_ADMIN_CODE",
        "Code of the second factor, empty if there is none",
        false,
    ),
];

/// Asks for what is missing, until the input ends.
pub(super) fn ask(
    request: &mut Request,
    variables: &mut BTreeMap<String, String>,
    needs_administrator: bool,
) -> Result<(), String> {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    let is_given = |name: &str| has(variables, name);
    let has_token = is_given("ROCKETCHAT_ADMIN_TOKEN") || is_given("ROCKETCHAT_ADMIN_USER_ID");
    let administrator = ADMINISTRATOR
        .iter()
        .filter(|_| needs_administrator && !has_token);
    for (name, question, is_secret) in QUESTIONS.iter().chain(administrator) {
        if has(variables, name) {
            continue;
        }
        let Some(answer) = answer(question, *is_secret, |text| problem(name, text))? else {
            return Ok(());
        };
        if !answer.is_empty() {
            variables.insert((*name).to_owned(), answer);
        }
    }
    if request.project.is_none() {
        let question = "Project of GitLab, such as group/app";
        request.project = answer(question, false, |text| {
            let is_project = ProjectRef::parse(text).is_some();
            (!is_project).then(|| "expected a path such as group/app, or an ID".to_owned())
        })?;
    }
    Ok(())
}

fn has(variables: &BTreeMap<String, String>, name: &str) -> bool {
    variables.contains_key(name) || variables.contains_key(&format!("{name}_FILE"))
}

/// Asks until there is no problem with the answer; `None` at the end of the input.
fn answer(
    question: &str,
    is_secret: bool,
    problem: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, String> {
    loop {
        let Some(line) = line(question, is_secret)? else {
            return Ok(None);
        };
        let Some(problem) = problem(&line) else {
            return Ok(Some(line));
        };
        let _ = writeln!(io::stderr().lock(), "{problem}");
    }
}

/// The line that a person types; `None` at the end of the input.
fn line(question: &str, is_secret: bool) -> Result<Option<String>, String> {
    let failed = |error: io::Error| format!("failed to read from the terminal: {}", error.kind());
    let stdin = io::stdin();
    let before = if is_secret {
        tcgetattr(&stdin).ok()
    } else {
        None
    };
    // Before the question, because this drops what has been typed so far.
    if let Some(before) = &before {
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(|error| failed(error.into()))?;
    }
    let _ = write!(io::stderr().lock(), "{question}: ");
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if let Some(before) = &before {
        let _ = tcsetattr(&stdin, OptionalActions::Flush, before);
        let _ = writeln!(io::stderr().lock());
    }
    let length = read.map_err(failed)?;
    Ok((length > 0).then(|| line.trim().to_owned()))
}
