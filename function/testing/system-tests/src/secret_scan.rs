//! Secrets that must not be seen: every line the program prints and every answer it gives in any
//! check is searched for them. Owns the search and the secrets of
//! those checks; the check itself is [`secrets`](crate::secrets).

use std::sync::atomic::{AtomicUsize, Ordering};

use fakes::gitlab::SAMPLE_KEY;

use crate::check::Finding;

/// The secret token of the checks that ask for one.
pub(crate) const TOKEN: &str = "canary-token-7c1f0f9e55e2";

/// The access token of the chat stand-in, without its beginning: a part of a secret is a leak too.
const AUTH_TOKEN: &str = "Tq7vXw2Lr9Ns4Kd8Hb3Zc6Yp1Mf5Jg0Ae";

static LOOKS: AtomicUsize = AtomicUsize::new(0);
static HITS: AtomicUsize = AtomicUsize::new(0);

/// Searches a text that somebody could see.
pub(crate) fn look(text: &str) {
    LOOKS.fetch_add(1, Ordering::Relaxed);
    if shows_a_secret(text.as_bytes()) {
        HITS.fetch_add(1, Ordering::Relaxed);
        // Without the text: what found a leak must not spread it.
        eprintln!("a secret was seen in {} bytes of output", text.len());
    }
}

fn shows_a_secret(text: &[u8]) -> bool {
    let key = &SAMPLE_KEY["whsec_".len()..];
    [TOKEN, AUTH_TOKEN, key]
        .iter()
        .any(|secret| contains(text, secret.as_bytes()))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Breaks the check unless the search finds what is there.
pub(crate) fn prove_search(finding: &mut Finding, secrets: &[String]) {
    for secret in [TOKEN, AUTH_TOKEN, SAMPLE_KEY] {
        let sees = shows_a_secret(format!("before {secret} after").as_bytes());
        finding.expect(sees, || {
            "the search does not find a secret that is there".to_owned()
        });
    }
    for secret in secrets {
        let text = format!("before {secret} after");
        finding.expect(contains(text.as_bytes(), secret.as_bytes()), || {
            "the search does not find a secret that is there".to_owned()
        });
    }
}

/// How many texts were searched, and how many showed a secret.
pub(crate) fn tally() -> (usize, usize) {
    (LOOKS.load(Ordering::Relaxed), HITS.load(Ordering::Relaxed))
}
