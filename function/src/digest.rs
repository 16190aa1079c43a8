//! One digest of several fields. Owns the rule that the border between two fields counts, so that
//! nobody can move text from one to the next and get the same digest.

use std::fmt::Write as _;

use ring::digest;

/// SHA-256 over the fields, each with its length before it: 64 hex digits.
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
    fn the_border_between_fields_counts() {
        assert_ne!(hex_digest(&["ab", "c"]), hex_digest(&["a", "bc"]));
        assert_ne!(hex_digest(&["ab", ""]), hex_digest(&["ab"]));
        assert_eq!(hex_digest(&["ab", "c"]), hex_digest(&["ab", "c"]));
        assert_eq!(hex_digest(&[]).len(), 64);
    }
}
