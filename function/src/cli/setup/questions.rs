//! Questions about what is missing, if setup runs on a terminal. Owns their texts. Secrets are read without
//! echo; nothing is asked if standard input is not a terminal, and the settings then say what is missing.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::Request;

/// A setting to ask for: its name, the question, and whether the answer is a secret.
const QUESTIONS: [(&str, &str, bool); 4] = [
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

/// Asks for what is missing.
pub(super) fn ask(
    request: &mut Request,
    variables: &mut BTreeMap<String, String>,
    needs_administrator: bool,
) -> Result<(), String> {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    for (name, question, is_secret) in QUESTIONS {
        ask_for(variables, name, question, is_secret)?;
    }
    let is_given = |name: &str| has(variables, name);
    let has_token = is_given("ROCKETCHAT_ADMIN_TOKEN") || is_given("ROCKETCHAT_ADMIN_USER_ID");
    if needs_administrator && !has_token {
        let name = "ROCKETCHAT_ADMIN_USERNAME";
        ask_for(
            variables,
            name,
            "Username of an administrator of Rocket.Chat",
            false,
        )?;
        ask_for(variables, "ROCKETCHAT_ADMIN_PASSWORD", "Password", true)?;
        let code = "Code of the second factor, empty if there is none";
        ask_for(variables, "ROCKETCHAT_ADMIN_CODE", code, false)?;
    }
    if request.project.is_none() {
        let project = answer("Project of GitLab, such as group/app", false)?;
        request.project = Some(project).filter(|project| !project.is_empty());
    }
    Ok(())
}

fn has(variables: &BTreeMap<String, String>, name: &str) -> bool {
    variables.contains_key(name) || variables.contains_key(&format!("{name}_FILE"))
}

fn ask_for(
    variables: &mut BTreeMap<String, String>,
    name: &str,
    question: &str,
    is_secret: bool,
) -> Result<(), String> {
    if !has(variables, name) {
        let answer = answer(question, is_secret)?;
        if !answer.is_empty() {
            variables.insert(name.to_owned(), answer);
        }
    }
    Ok(())
}

/// The line that a person types.
fn answer(question: &str, is_secret: bool) -> Result<String, String> {
    let failed = |error: io::Error| format!("failed to read from the terminal: {}", error.kind());
    let _ = write!(io::stderr().lock(), "{question}: ");
    let stdin = io::stdin();
    let before = if is_secret {
        tcgetattr(&stdin).ok()
    } else {
        None
    };
    if let Some(before) = &before {
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(|error| failed(error.into()))?;
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if let Some(before) = &before {
        let _ = tcsetattr(&stdin, OptionalActions::Flush, before);
        let _ = writeln!(io::stderr().lock());
    }
    read.map_err(failed)?;
    Ok(line.trim().to_owned())
}
