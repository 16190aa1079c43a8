//! New secrets, from the random bytes of the system. Owns their length and form.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;

/// The system has no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the system returned no random bytes; run setup again")]
pub(crate) struct NoRandom;

fn random() -> Result<[u8; 32], NoRandom> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// `prefix` and the base64 of 32 random bytes: with `whsec_` a signing key, without it a secret.
pub(crate) fn random_key(prefix: &str) -> Result<SecretString, NoRandom> {
    let encoded = BASE64_STANDARD.encode(random()?);
    Ok(format!("{prefix}{encoded}").into())
}

/// A password that every policy of Rocket.Chat accepts: it has letters of both cases, digits and a sign.
pub(crate) fn password() -> Result<SecretString, NoRandom> {
    let encoded = BASE64_URL_SAFE_NO_PAD.encode(random()?);
    Ok(format!("aZ7!{encoded}").into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::gitlab::signature::SigningKey;

    #[test]
    fn keys_and_passwords_are_long_and_never_the_same() {
        let keys = [random_key("whsec_"), random_key("whsec_")];
        let keys = keys.map(|key| key.expect("is random").expose_secret().to_owned());
        assert_ne!(keys[0], keys[1]);
        assert!(SigningKey::parse(&keys[0]).is_ok());
        let passwords = [password(), password()];
        let passwords = passwords.map(|one| one.expect("is random").expose_secret().to_owned());
        assert_ne!(passwords[0], passwords[1]);
        for is_required in [
            |char: char| char.is_ascii_lowercase(),
            |char: char| char.is_ascii_uppercase(),
            |char: char| char.is_ascii_digit(),
            |char: char| char.is_ascii_punctuation(),
        ] {
            assert!(passwords[0].chars().any(is_required));
        }
    }
}
