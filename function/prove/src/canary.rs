//! Secrets that must not be seen: every line the program prints and every answer it gives in any
//! bar is searched for them. Owns the secrets, the search and the bar S11.

use std::sync::atomic::{AtomicUsize, Ordering};

use standins::gitlab::SAMPLE_KEY;

use crate::bar::{Finding, Size};

/// The secret token of the bars that ask for one.
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

/// S11: no secret in any line or answer of this run, nor in the program itself.
pub(crate) fn prove(_: Size) -> Finding {
    let mut finding = Finding::default();
    for secret in [TOKEN, AUTH_TOKEN, SAMPLE_KEY] {
        let sees = shows_a_secret(format!("before {secret} after").as_bytes());
        finding.expect(sees, || {
            "the search does not find a secret that is there".to_owned()
        });
    }
    let program = std::fs::read(crate::product::program()).unwrap_or_default();
    finding.expect(!program.is_empty(), || {
        "the program cannot be read".to_owned()
    });
    finding.expect(!shows_a_secret(&program), || {
        "the program holds a secret".to_owned()
    });
    let (looks, hits) = (LOOKS.load(Ordering::Relaxed), HITS.load(Ordering::Relaxed));
    finding.expect(looks > 0, || {
        "no other bar has run; run it with others".to_owned()
    });
    finding.expect(hits == 0, || format!("{hits} texts show a secret"));
    finding.done("every log line, answer and header of the bars before, and the program, searched for 3 secrets");
    finding.figure(format!("{hits} hits in {looks} texts"));
    finding
}
