//! SHA-256 over several fields. Owns the length prefix of each field, without which moving text
//! from one field to the next would not change the digest.

use std::fmt::Write as _;

use ring::digest;

/// SHA-256 over the fields, each prefixed with its length in bytes, as 64 hex digits.
pub(crate) fn hex_digest(fields: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for field in fields {
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field.as_bytes());
    }
    let mut hex = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
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
}
