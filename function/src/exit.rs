//! How a program of this crate ends for the person or the script that started it: exit codes, and the
//! error line on standard error. What went wrong is described where it is found.

use std::io::{self, Write as _};

/// A mistake in the command line or the configuration, `EX_USAGE` of sysexits.h.
pub(crate) const USAGE: u8 = 64;

/// Prints an error for the person who started the program.
pub(crate) fn print_error(text: &str) {
    let _ = write!(io::stderr().lock(), "webhook-app: {text}");
}
