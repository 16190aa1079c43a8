//! Ports for programs that keep theirs over restarts. Owns the ranges: below the one from which the kernel takes ports for
//! outgoing connections, which otherwise may take the port of a program that is being restarted, and one for each of
//! several runs at the same time.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 21_000;
const RANGES: u32 = 100;
const PORTS: u16 = 100;

/// Ports that were tried. Each is returned once.
static TRIED: AtomicU16 = AtomicU16::new(0);

/// A port on which nothing listens.
pub(crate) fn reserve() -> u16 {
    let range = u16::try_from(std::process::id() % RANGES).unwrap_or_default();
    let first = FIRST + range * PORTS;
    loop {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        assert!(
            tried < PORTS,
            "expected a free port from {first} on, found none"
        );
        let port = first + tried;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
