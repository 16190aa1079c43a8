//! Microbenchmarks of the three pure steps of a webhook: verify, parse and render. For changes to the core;
//! `make bench` measures the whole program.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use http::{HeaderMap, HeaderName, HeaderValue};
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::signature::SigningKey;
use webhook_app::gitlab::verification::{Verified, Verifier};
use webhook_app::notifier::message::{self, MessageStyle, Visibility};

const HOOK: Option<&[u8]> = Some(b"Push Hook");

/// The sample push, and one with a commit message of about 60 KB.
fn bodies() -> [(&'static str, Vec<u8>); 2] {
    let sample = Delivery::push_sample().body().to_vec();
    let text = String::from_utf8_lossy(&sample).into_owned();
    let long = "It's a \\\"long\\\" story.\\n".repeat(2600);
    let large = text.replacen("\"message\": \"", &format!("\"message\": \"{long}"), 1);
    [("small", sample), ("large", large.into_bytes())]
}

fn verify(criterion: &mut Criterion) {
    let key = SigningKey::parse(SAMPLE_KEY);
    let verifier = Verifier::Signature(key.into_iter().collect());
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    let mut group = criterion.benchmark_group("verify");
    for (name, body) in bodies() {
        let delivery = Delivery::new("Push Hook", body.clone()).signed_with(SAMPLE_KEY);
        let headers = headers(&delivery);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| {
                let unverified = verifier.verify_headers(black_box(&headers), now);
                unverified.and_then(|unverified| unverified.verify_body(black_box(&body)))
            });
        });
    }
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, body) in bodies() {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| Event::parse(HOOK, Verified::by_operator(black_box(&body))));
        });
    }
}

fn render(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render");
    for (name, body) in bodies() {
        let Ok(event) = Event::parse(HOOK, Verified::by_operator(&body)) else {
            panic!("{name} is a push");
        };
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| {
                let (visible, style) = (Visibility::default(), MessageStyle::default());
                let message = message::render(black_box(&event), visible, style);
                message.map(|message| message.text())
            });
        });
    }
}

fn headers(delivery: &Delivery) -> HeaderMap {
    let headers = delivery.headers().into_iter();
    let headers = headers.filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(&value).ok()?))
    });
    headers.collect()
}

criterion_group!(benches, verify, parse, render);
criterion_main!(benches);
