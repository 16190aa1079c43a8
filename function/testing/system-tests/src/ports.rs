//! Ports for programs that keep theirs over restarts. Owns the range: below the one from which the kernel takes ports for
//! outgoing connections, which otherwise may take the port of a program that is being restarted.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 21_000;
const LAST: u16 = 31_000;

/// The next port to try. Each is returned once.
static NEXT: AtomicU16 = AtomicU16::new(FIRST);

/// A port on which nothing listens.
pub(crate) fn reserve() -> u16 {
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(port < LAST, "expected a free port from {FIRST} to {LAST}");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
