//! Keys for several purposes from one secret. Owns how they are derived, so that a key for one purpose
//! says nothing about the key for another one.

use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// HMAC-SHA256 with a key from HKDF. `label` names the purpose.
pub(crate) fn derived_key(secret: &SecretString, label: &'static str) -> hmac::Key {
    let secret = secret.expose_secret().as_bytes();
    let root = Salt::new(HKDF_SHA256, b"webhook-app").extract(secret);
    let label = [label.as_bytes()];
    let expanded = root.expand(&label, hmac::HMAC_SHA256);
    // Fails only for keys that are much longer.
    expanded.map_or_else(
        |_| hmac::Key::new(hmac::HMAC_SHA256, secret),
        hmac::Key::from,
    )
}
