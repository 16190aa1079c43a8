//! The signature of a delivery as GitLab 19 and later compute it (Standard Webhooks).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The value for `webhook-signature`: `v1,` and the base64 of the HMAC-SHA256 over id, timestamp and body.
///
/// # Panics
/// If the key is not `whsec_` followed by base64.
pub fn sign(key: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let Some(secret) = key
        .strip_prefix("whsec_")
        .and_then(|text| STANDARD.decode(text).ok())
    else {
        panic!("expected a signing key of whsec_ and the base64 of 32 bytes");
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn a_known_delivery_has_its_known_signature() {
        let body = br#"{"object_kind":"push","after":"da1560886d4f094c3e6c9ef40349f7d38b5d27d7"}"#;

        let signature = sign(
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
            "1781200000",
            body,
        );

        assert_eq!(signature, "v1,7/1TAzmZE+AGCz1BP5FtN8T4V3nJaEVhKx1GSZBz6T8=");
    }
}
