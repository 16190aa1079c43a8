//! What a cluster answers that is not as the recording of `kubectl` has it: a test says it for single calls.

use std::fmt::Display;
use std::fs;

use crate::sandbox::Sandbox;

/// A pattern of a call, the exit status and the output. One that is not kept answers a single call.
pub(crate) struct Answer {
    pattern: String,
    status: u8,
    output: String,
    is_kept: bool,
}

pub(crate) fn once(pattern: &str, status: u8, output: impl Display) -> Answer {
    Answer {
        pattern: pattern.to_owned(),
        status,
        output: output.to_string(),
        is_kept: false,
    }
}

pub(crate) fn always(pattern: &str, status: u8, output: impl Display) -> Answer {
    Answer {
        is_kept: true,
        ..once(pattern, status, output)
    }
}

/// Stores the answers, of which the first that fits a call is used; returns the value of the variable `ANSWERS`.
pub(crate) fn store(sandbox: &Sandbox, answers: &[Answer]) -> String {
    let folder = sandbox.folder("answers");
    fs::remove_dir_all(&folder).expect("can be removed");
    fs::create_dir_all(&folder).expect("can be made");
    for (index, answer) in answers.iter().enumerate() {
        let kept = if answer.is_kept { "+" } else { "" };
        let text = format!("{}\n{}\n{}\n", answer.pattern, answer.status, answer.output);
        fs::write(folder.join(format!("{index:03}{kept}")), text).expect("can be written");
    }
    folder.to_str().expect("is UTF-8").to_owned()
}
