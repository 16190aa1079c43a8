//! Any three headers, divided by zero bytes, before any body: nobody gets in without the key.

#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use webhook_app::gitlab::origin::{Guard, WebhookToken};
use webhook_app::gitlab::signature::SigningKey;

const NAMES: [&str; 5] = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-gitlab-token", "idempotency-key"];

fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for (name, value) in NAMES.into_iter().zip(bytes.split(|&byte| byte == 0)) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    // A key that is in no corpus, so nothing can be signed with it.
    let key = SigningKey::parse("whsec_yDkkAVbHFXlXWcQvcHVQ5cTzyEN9EBXDVQPpcGv6yVQ=").expect("is a key");
    let token = WebhookToken::parse("a-token-that-is-in-no-corpus-58a7").expect("is a token");
    let guards = [
        Guard::Signature(vec![key.clone()]),
        Guard::Token(vec![token.clone()]),
        Guard::SignatureOrToken(vec![key], vec![token]),
    ];
    for guard in guards {
        let proof = guard.inspect(&headers, 1_781_200_000).and_then(|claim| claim.confirm(bytes));
        assert!(proof.is_err());
    }
});
