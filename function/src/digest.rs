//! SHA-256 over several fields. Owns the length prefix of each field, without which moving text
//! from one field to the next would not change the digest, and the hex digits of digests.

use ring::digest;

/// SHA-256 over the fields, each prefixed with its length in bytes, as 64 hex digits.
pub(crate) fn hex_digest(fields: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for field in fields {
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field.as_bytes());
    }
    hex(context.finish().as_ref())
}

/// Two lower-case hex digits per byte. A table, because formatting each byte takes a twentieth of the instructions of
/// a webhook.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_between_fields_changes_the_digest() {
        assert_ne!(hex_digest(&["ab", "c"]), hex_digest(&["a", "bc"]));
        assert_ne!(hex_digest(&["ab", ""]), hex_digest(&["ab"]));
        assert_eq!(hex_digest(&["ab", "c"]), hex_digest(&["ab", "c"]));
        assert_eq!(hex_digest(&[]).len(), 64);
    }

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(hex(&[0x00, 0x0a, 0x9f, 0xa0, 0xff]), "000a9fa0ff");
    }
}
