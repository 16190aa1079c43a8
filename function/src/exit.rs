//! Exit codes, and the error message on standard error. The text of an error is written where the error
//! is found.

use std::io::{self, Write as _};

/// An error in the command line or the configuration, `EX_USAGE` of sysexits.h.
pub(crate) const USAGE: u8 = 64;

/// Prints an error to standard error.
pub(crate) fn print_error(text: &str) {
    let _ = write!(io::stderr().lock(), "webhook-app: {text}");
}
