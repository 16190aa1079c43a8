//! Check `signatures`: signatures with one mutation, and whether the response time of a rejection depends on
//! how much of a signature was right. Owns the mutations and the statistics. It calls the verifier
//! directly, because the noise of a network would hide a timing difference.

use std::hint::black_box;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fakes::gitlab::{Delivery, SAMPLE_KEY, sign};
use http::{HeaderMap, HeaderName, HeaderValue};
use webhook_app::gitlab::signature::SigningKey;
use webhook_app::gitlab::verification::Verifier;
use webhook_app::gitlab::webhook_token::WebhookToken;

use crate::check::{CheckReport, Size};
use crate::rng::Rng;

const ID: &str = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f";

/// A larger t value is significant: the probability of chance is 1 in 100,000.
const MAX_T: f64 = 4.5;

/// Other load on the machine occasionally makes a measurement significant.
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

fn verifier() -> Verifier {
    Verifier::Signature(vec![SigningKey::parse(SAMPLE_KEY).expect("is a key")])
}

/// Whether the verifier accepts it. An invalid header value never reaches the verifier.
fn verifies(verifier: &Verifier, signed: &Signed, at: u64) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in NAMES.into_iter().zip(&signed.parts) {
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return false;
        };
        headers.insert(name, value);
    }
    verifier
        .verify_headers(&headers, at)
        .and_then(|unverified| unverified.verify_body(&signed.body))
        .is_ok()
}

/// Applies one random mutation.
fn mutate(rng: &mut Rng, signed: &mut Signed) {
    let part = rng.below(4) as usize;
    let bytes = signed.parts.get_mut(part).unwrap_or(&mut signed.body);
    let at = rng.below(bytes.len() as u64) as usize;
    match rng.below(6) {
        0 => bytes[at] ^= 1 << rng.below(8),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, rng.number() as u8),
        3 => bytes.truncate(at),
        4 => bytes.extend(rng.number().to_string().into_bytes()),
        _ => bytes[at] = b" ,.=-+0vV"[rng.below(9) as usize],
    }
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let mutations = size.of(10_000, 10_000, 1_000_000);
    let (verifier, at) = (verifier(), now());
    let good = signed(at);
    report.expect(verifies(&verifier, &good, at), || {
        "a valid signature is rejected".to_owned()
    });
    let mut rng = Rng::seeded(7);
    let mut accepted = 0;
    for number in 0..mutations {
        let mut changed = good.clone();
        mutate(&mut rng, &mut changed);
        let same = changed.parts == good.parts && changed.body == good.body;
        if verifies(&verifier, &changed, at) && !same && !is_equivalent(&changed, &good) {
            accepted += 1;
            report.expect(false, || format!("mutation {number} is accepted"));
        }
    }
    let pairs = size.of(50_000, 100_000, 1_000_000);
    let signature = least_suspicious(|| signature_timing(&verifier, &good, at, pairs));
    let token = least_suspicious(|| token_timing(pairs));
    for (name, t) in [("signature", signature), ("token", token)] {
        report.expect(t.abs() < MAX_T, || {
            format!("the time to reject a {name} depends on how much of it was right: t = {t:.1}, expected less than {MAX_T}")
        });
    }
    report.workload(format!(
        "{mutations} signatures with one mutation; {pairs} pairs of rejections, wrong in the first or the last byte"
    ));
    report.measurement(format!(
        "{accepted} accepted; Welch t {signature:.1} (signature), {token:.1} (token)"
    ));
    report
}

/// Whether the mutation does not change the meaning, such as another space in the list of signatures.
fn is_equivalent(changed: &Signed, good: &Signed) -> bool {
    let entry = |signed: &Signed| {
        let text = String::from_utf8_lossy(&signed.parts[2]).into_owned();
        let entries = text
            .split(' ')
            .any(|entry| entry.as_bytes() == good.parts[2]);
        entries && signed.parts[..2] == good.parts[..2] && signed.body == good.body
    };
    entry(changed)
}

/// The smallest t value of a few measurements: a timing leak is in all of them, other load is not.
fn least_suspicious(measure: impl Fn() -> f64) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ATTEMPTS {
        let t = measure();
        if t.abs() < best.abs() {
            best = t;
        }
        if best.abs() < MAX_T {
            break;
        }
    }
    best
}

/// Compares two signatures that are wrong in the first and in the last byte.
fn signature_timing(verifier: &Verifier, good: &Signed, at: u64, pairs: usize) -> f64 {
    // A short body, so that hashing does not dominate the comparison.
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
        verifier
            .verify_headers(headers, at)
            .and_then(|unverified| unverified.verify_body(b"{}"))
            .is_ok()
    })
}

/// Compares two tokens that are wrong in the first and in the last character.
fn token_timing(pairs: usize) -> f64 {
    let token = "x".repeat(200);
    let verifier = Verifier::Token(vec![WebhookToken::parse(&token).expect("is a token")]);
    let wrong = ["y".to_owned() + &token[1..], token[1..].to_owned() + "y"];
    let headers = |token: &str| headers([("x-gitlab-token", token)]);
    welch(pairs, [&wrong[0], &wrong[1]], headers, |headers| {
        verifier.verify_headers(headers, 0).is_ok()
    })
}

fn headers<const N: usize>(values: [(&'static str, &str); N]) -> HeaderMap {
    let value = |value| HeaderValue::from_str(value).expect("is a header value");
    values
        .into_iter()
        .map(|(name, text)| (HeaderName::from_static(name), value(text)))
        .collect()
}

/// Welch's t for the times of two cases, measured in random order, without the slowest 10 % of each,
/// which are noise. Both cases use the same memory, because CPU caches would otherwise distinguish them.
fn welch(
    pairs: usize,
    cases: [&str; 2],
    prepare: impl Fn(&str) -> HeaderMap,
    work: impl Fn(&HeaderMap) -> bool,
) -> f64 {
    let mut rng = Rng::seeded(11);
    let mut times = [Vec::with_capacity(pairs), Vec::with_capacity(pairs)];
    let mut buffer = cases[0].to_owned();
    for _ in 0..pairs * 2 {
        let case = rng.below(2) as usize;
        buffer.clear();
        buffer.push_str(cases[case]);
        let headers = prepare(&buffer);
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
