//! Check `signatures`: signatures with one thing changed, and whether the time a refusal takes tells how much of
//! one was right. Owns the changes and the statistics; it asks the guard itself, for a network
//! between would hide what is measured.

use std::hint::black_box;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fakes::gitlab::{Delivery, SAMPLE_KEY, sign};
use http::{HeaderMap, HeaderName, HeaderValue};
use webhook_app::gitlab::signature::SigningKey;
use webhook_app::gitlab::verification::{Verifier, WebhookToken};

use crate::check::{Finding, Size};
use crate::rng::Rng;

const ID: &str = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f";

/// Beyond it the difference of two means is no chance (one in 100,000).
const SUSPICIOUS: f64 = 4.5;

/// A machine that does other things makes one measurement in a while look suspicious.
const ATTEMPTS: usize = 3;

/// The headers and the body of a signed delivery.
#[derive(Clone)]
struct Signed {
    parts: [Vec<u8>; 3],
    body: Vec<u8>,
}

const NAMES: [HeaderName; 3] = [
    HeaderName::from_static("webhook-id"),
    HeaderName::from_static("webhook-timestamp"),
    HeaderName::from_static("webhook-signature"),
];

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

fn signed(at: u64) -> Signed {
    let body = Delivery::push_sample().body().to_vec();
    let signature = sign(SAMPLE_KEY, ID, &at.to_string(), &body);
    Signed {
        parts: [ID.into(), at.to_string().into(), signature.into()],
        body,
    }
}

fn guard() -> Verifier {
    Verifier::Signature(vec![SigningKey::parse(SAMPLE_KEY).expect("is a key")])
}

/// Whether the guard lets it in; a value that is no header never reaches it.
fn passes(guard: &Verifier, signed: &Signed, at: u64) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in NAMES.into_iter().zip(&signed.parts) {
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return false;
        };
        headers.insert(name, value);
    }
    guard
        .verify_headers(&headers, at)
        .and_then(|claim| claim.verify_body(&signed.body))
        .is_ok()
}

/// Changes one thing.
fn mutate(dice: &mut Rng, signed: &mut Signed) {
    let part = dice.below(4) as usize;
    let bytes = signed.parts.get_mut(part).unwrap_or(&mut signed.body);
    let at = dice.below(bytes.len() as u64) as usize;
    match dice.below(6) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, dice.number() as u8),
        3 => bytes.truncate(at),
        4 => bytes.extend(dice.number().to_string().into_bytes()),
        _ => bytes[at] = b" ,.=-+0vV"[dice.below(9) as usize],
    }
}

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    let mut finding = Finding::default();
    let mutations = size.of(10_000, 10_000, 1_000_000);
    let (guard, at) = (guard(), now());
    let good = signed(at);
    finding.expect(passes(&guard, &good, at), || {
        "a right signature is refused".to_owned()
    });
    let mut dice = Rng::seeded(7);
    let mut let_in = 0;
    for number in 0..mutations {
        let mut changed = good.clone();
        mutate(&mut dice, &mut changed);
        let same = changed.parts == good.parts && changed.body == good.body;
        if passes(&guard, &changed, at) && !same && !says_the_same(&changed, &good) {
            let_in += 1;
            finding.expect(false, || format!("change {number} is let in"));
        }
    }
    let pairs = size.of(50_000, 100_000, 1_000_000);
    let signature = quietest(|| signature_timing(&guard, &good, at, pairs));
    let token = quietest(|| token_timing(pairs));
    for (name, t) in [("signature", signature), ("token", token)] {
        finding.expect(t.abs() < SUSPICIOUS, || {
            format!("the time of a refused {name} tells how much was right: t = {t:.1}")
        });
    }
    finding.done(format!(
        "{mutations} signatures with one change; {pairs} pairs of refusals, wrong early and late"
    ));
    finding.figure(format!(
        "{let_in} let in; Welch t {signature:.1} (signature), {token:.1} (token)"
    ));
    finding
}

/// A space more in the list of signatures changes nothing that is said.
fn says_the_same(changed: &Signed, good: &Signed) -> bool {
    let entry = |signed: &Signed| {
        let text = String::from_utf8_lossy(&signed.parts[2]).into_owned();
        let entries = text
            .split(' ')
            .any(|entry| entry.as_bytes() == good.parts[2]);
        entries && signed.parts[..2] == good.parts[..2] && signed.body == good.body
    };
    entry(changed)
}

/// The least suspicious of a few measurements: a leak is in all of them, a disturbance is not.
fn quietest(measure: impl Fn() -> f64) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ATTEMPTS {
        let t = measure();
        if t.abs() < best.abs() {
            best = t;
        }
        if best.abs() < SUSPICIOUS {
            break;
        }
    }
    best
}

/// Two signatures that are wrong in their first and in their last byte.
fn signature_timing(guard: &Verifier, good: &Signed, at: u64, pairs: usize) -> f64 {
    // A short body: what is signed must not drown what is compared.
    let right = sign(SAMPLE_KEY, ID, &at.to_string(), b"{}");
    let right = BASE64_STANDARD.decode(&right[3..]).unwrap_or_default();
    let wrong_at = |index: usize| {
        let mut tag = right.clone();
        tag[index] ^= 1;
        format!("v1,{}", BASE64_STANDARD.encode(tag))
    };
    let [id, timestamp, _] = good
        .parts
        .clone()
        .map(|part| String::from_utf8_lossy(&part).into_owned());
    let headers = |signature: &str| {
        headers([
            ("webhook-id", &id),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", signature),
        ])
    };
    welch(pairs, [&wrong_at(0), &wrong_at(31)], headers, |headers| {
        guard
            .verify_headers(headers, at)
            .and_then(|claim| claim.verify_body(b"{}"))
            .is_ok()
    })
}

/// Two tokens that are wrong in their first and in their last character.
fn token_timing(pairs: usize) -> f64 {
    let token = "x".repeat(200);
    let guard = Verifier::Token(vec![WebhookToken::parse(&token).expect("is a token")]);
    let wrong = ["y".to_owned() + &token[1..], token[1..].to_owned() + "y"];
    let headers = |token: &str| headers([("x-gitlab-token", token)]);
    welch(pairs, [&wrong[0], &wrong[1]], headers, |headers| {
        guard.verify_headers(headers, 0).is_ok()
    })
}

fn headers<const N: usize>(values: [(&'static str, &str); N]) -> HeaderMap {
    let value = |value| HeaderValue::from_str(value).expect("is a header value");
    values
        .into_iter()
        .map(|(name, text)| (HeaderName::from_static(name), value(text)))
        .collect()
}

/// Student's t by Welch for the times of two cases, in an order that nobody can predict, without
/// the slowest tenth of each: those are the machine's. Both come from the same place in memory, for
/// the processor's caches tell places apart, too.
fn welch(
    pairs: usize,
    cases: [&str; 2],
    prepare: impl Fn(&str) -> HeaderMap,
    work: impl Fn(&HeaderMap) -> bool,
) -> f64 {
    let mut dice = Rng::seeded(11);
    let mut times = [Vec::with_capacity(pairs), Vec::with_capacity(pairs)];
    let mut place = cases[0].to_owned();
    for _ in 0..pairs * 2 {
        let case = dice.below(2) as usize;
        place.clear();
        place.push_str(cases[case]);
        let headers = prepare(&place);
        let began = Instant::now();
        black_box(work(black_box(&headers)));
        times[case].push(began.elapsed().as_nanos() as f64);
    }
    let [one, two] = times.map(|mut times| {
        times.sort_unstable_by(f64::total_cmp);
        times.truncate(times.len() * 9 / 10);
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (one.0 - two.0) / (one.1 + two.1).sqrt().max(f64::MIN_POSITIVE)
}
