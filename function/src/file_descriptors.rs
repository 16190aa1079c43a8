//! How many file descriptors this process may open. Owns reading the limit from `/proc`; what follows
//! from it is decided in [`listener`](crate::http::listener).

use std::fs;

/// The soft limit; `None` on systems other than Linux.
pub(crate) fn limit() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line?.split_whitespace().next()?;
    // Otherwise it says "unlimited".
    Some(soft.parse().unwrap_or(usize::MAX))
}
