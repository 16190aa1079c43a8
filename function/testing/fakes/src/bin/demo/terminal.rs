//! The width of the terminal that the demo prints to.

use std::io::{self, IsTerminal as _};
use std::process::{Command, Stdio};

/// The width of most terminals.
const USUAL: usize = 80;

/// Columns of the terminal; `None` if the output goes elsewhere, where lines may have any length.
pub(crate) fn width() -> Option<usize> {
    io::stdout()
        .is_terminal()
        .then(|| columns().unwrap_or(USUAL))
}

/// Asks the terminal through `stty`, whose output is the rows and the columns of its standard input.
fn columns() -> Option<usize> {
    let stty = Command::new("stty")
        .arg("size")
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .output();
    let size = String::from_utf8(stty.ok()?.stdout).ok()?;
    let columns = size.split_whitespace().nth(1)?.parse().ok()?;
    (columns > 0).then_some(columns)
}
