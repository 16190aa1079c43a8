//! Scans every output line and every response of the program under test for secrets, in all checks.
//! Owns the scan and the secrets of those checks; the check [`secrets`](crate::secrets) reports on it.

use std::sync::atomic::{AtomicUsize, Ordering};

use fakes::gitlab::SAMPLE_KEY;

use crate::check::CheckReport;

/// The secret token of the checks that need one.
pub(crate) const TOKEN: &str = "canary-token-7c1f0f9e55e2";

/// The access token of the fake Rocket.Chat, without its first characters, to find truncated leaks too.
const AUTH_TOKEN: &str = "Tq7vXw2Lr9Ns4Kd8Hb3Zc6Yp1Mf5Jg0Ae";

static SCANNED: AtomicUsize = AtomicUsize::new(0);
static HITS: AtomicUsize = AtomicUsize::new(0);

/// Scans a text that the program under test has made visible.
pub(crate) fn scan(text: &str) {
    SCANNED.fetch_add(1, Ordering::Relaxed);
    if contains_a_secret(text.as_bytes()) {
        HITS.fetch_add(1, Ordering::Relaxed);
        // Without the text, so that the secret is not printed again.
        eprintln!("found a secret in {} bytes of output", text.len());
    }
}

fn contains_a_secret(text: &[u8]) -> bool {
    let key = &SAMPLE_KEY["whsec_".len()..];
    [TOKEN, AUTH_TOKEN, key]
        .iter()
        .any(|secret| contains(text, secret.as_bytes()))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Fails the check unless the scan finds each secret in a text that contains it.
pub(crate) fn self_test(report: &mut CheckReport, secrets: &[String]) {
    for secret in [TOKEN, AUTH_TOKEN, SAMPLE_KEY] {
        let found = contains_a_secret(format!("before {secret} after").as_bytes());
        report.expect(found, || {
            "the scan does not find a secret that is in the text".to_owned()
        });
    }
    for secret in secrets {
        let text = format!("before {secret} after");
        report.expect(contains(text.as_bytes(), secret.as_bytes()), || {
            "the scan does not find a secret that is in the text".to_owned()
        });
    }
}

/// How many texts were scanned, and how many contained a secret.
pub(crate) fn totals() -> (usize, usize) {
    (
        SCANNED.load(Ordering::Relaxed),
        HITS.load(Ordering::Relaxed),
    )
}
