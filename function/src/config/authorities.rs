//! The certificate authorities in ROCKETCHAT_CA and GITLAB_CA. Owns the format of the settings, and what is said about a
//! value in another one. Whether a certificate can be used as an authority is decided in
//! [`tls`](crate::tls). An error never shows the value.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// Values without a certificate: what they contain, and the advice.
const OTHERS: [(&str, &str); 7] = [
    (
        CERTIFICATE,
        "expected certificates in PEM format, found one without its line breaks; keep them, or give the file in the setting that ends with _FILE",
    ),
    (
        "PRIVATE KEY-----",
        "expected a certificate in PEM format, found a private key; remove it from here, and give the certificate of the authority, which starts with -----BEGIN CERTIFICATE-----",
    ),
    (
        "-----BEGIN CERTIFICATE REQUEST-----",
        "expected a certificate in PEM format, found a certificate request; give the certificate of the authority",
    ),
    (
        "-----BEGIN PUBLIC KEY-----",
        "expected a certificate in PEM format, found a public key; give the certificate of the authority",
    ),
    (
        "-----BEGIN TRUSTED CERTIFICATE-----",
        "expected a certificate in PEM format, found OpenSSL's form with trust settings; convert it with `openssl x509 -in FILE -out ca.pem`",
    ),
    (
        "-----BEGIN PKCS7-----",
        "expected a certificate in PEM format, found PKCS #7; convert it with `openssl pkcs7 -print_certs -in FILE -out ca.pem`",
    ),
    (
        "-----BEGIN",
        "expected a certificate in PEM format, which starts with -----BEGIN CERTIFICATE-----, found no certificate in it",
    ),
];

/// For DER in base64.
const BARE: &str = "expected a certificate in PEM format, found one without its first and last line; add -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----";

const NONE: &str = "expected certificates in PEM format, which start with -----BEGIN CERTIFICATE-----, found no certificate in it";

/// Parses the certificates of authorities.
pub(super) fn parse(text: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(other(text)),
        Ok(certificates) => Ok(certificates),
        Err(_) if !text.contains(CERTIFICATE) || !text.contains('\n') => Err(other(text)),
        Err(_) => Err("expected certificates in PEM format, found a malformed one"),
    }
}

fn other(text: &str) -> &'static str {
    let found = OTHERS.iter().find(|(mark, _)| text.contains(mark));
    match found {
        Some((_, advice)) => advice,
        None if text.starts_with("MII") => BARE,
        None => NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_a_certificate_is_told_what_it_is_and_not_shown() {
        let pem = |label: &str| format!("-----BEGIN {label}-----\ncanary\n-----END {label}-----");
        for (value, expected) in [
            (
                pem("PRIVATE KEY"),
                "found a private key; remove it from here",
            ),
            (pem("EC PRIVATE KEY"), "found a private key"),
            (pem("ENCRYPTED PRIVATE KEY"), "found a private key"),
            (pem("CERTIFICATE REQUEST"), "found a certificate request"),
            (pem("PUBLIC KEY"), "found a public key"),
            (pem("TRUSTED CERTIFICATE"), "`openssl x509 -in FILE"),
            (pem("PKCS7"), "`openssl pkcs7 -print_certs"),
            (pem("X509 CRL"), "found no certificate in it"),
            (
                pem("CERTIFICATE").replace('\n', " "),
                "without its line breaks",
            ),
            ("MIIBcanary".to_owned(), "without its first and last line"),
            (
                "<html>canary</html>".to_owned(),
                "found no certificate in it",
            ),
            (
                "-----BEGIN CERTIFICATE-----\ncanary".to_owned(),
                "found a malformed one",
            ),
        ] {
            let error = parse(&value).expect_err(&value);
            assert!(error.contains(expected), "{value}: {error}");
            assert!(!error.contains("canary"), "{value}: {error}");
        }
    }
}
