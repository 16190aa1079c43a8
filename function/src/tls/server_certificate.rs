//! How the certificate of a server is verified. Owns the one exception from the usual verification, for
//! certificates as `openssl req -x509` makes them, and which certificates cannot be used whatever the
//! configuration says. Which certificates are trusted is decided in [`tls`](super).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

/// The certificate of a server cannot be used even if its authority is trusted: the server needs another.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected a certificate for servers (X.509 version 3, RSA of at least 2048 bits or ECDSA with P-256 or P-384, SHA-256), found another"
)]
pub(crate) struct UnusableCertificate;

/// Verifies as usual, and accepts the certificate of an authority as that of a server if the
/// configuration contains exactly this certificate. A self-signed certificate usually is also that of an
/// authority, which a server must not have otherwise.
#[derive(Debug)]
pub(super) struct ServerCertificateVerifier {
    pub(super) usual: Arc<WebPkiServerVerifier>,
    /// The certificates in ROCKETCHAT_CA.
    pub(super) trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for ServerCertificateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let usual = self.usual.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match usual {
            Err(error) if is_authority(&error) && self.trusted.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            Err(error) if self.is_unusable(end_entity, intermediates, &error) => Err(unusable()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let usual = self
            .usual
            .verify_tls12_signature(message, certificate, signature);
        usual.map_err(of_signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let usual = self
            .usual
            .verify_tls13_signature(message, certificate, signature);
        usual.map_err(of_signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

impl ServerCertificateVerifier {
    /// Whether no certificate in ROCKETCHAT_CA helps against an error.
    fn is_unusable(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        error: &Error,
    ) -> bool {
        // An error in parsing may also be that of an unneeded certificate which the server sends along.
        if ParsedCertificate::try_from(end_entity).is_err() || has_short_rsa_key(end_entity) {
            return true;
        }
        let Error::InvalidCertificate(error) = error else {
            return false;
        };
        match error {
            CertificateError::InvalidPurposeContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => true,
            // Either the key of an authority is too short, or another authority has the same name.
            CertificateError::BadSignature => {
                let mut authorities = self.trusted.iter().chain(intermediates);
                authorities.any(|authority| has_short_rsa_key(authority))
            }
            _ => false,
        }
    }
}

/// Whether a certificate was rejected only because it is that of an authority. The library reports this
/// after it checked the time and before it checks the issuer, and its type is in another crate.
fn is_authority(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::Other(cause))
        if cause.0.to_string() == "CaUsedAsEndEntity")
}

/// The key of a certificate that was accepted verifies no signature: it is too short, or not that of the server.
fn of_signature(error: Error) -> Error {
    match error {
        Error::InvalidCertificate(_) => unusable(),
        error => error,
    }
}

fn unusable() -> Error {
    CertificateError::Other(OtherError(Arc::new(UnusableCertificate))).into()
}

/// Whether a certificate in DER format has an RSA key of less than 2048 bits, which the library rejects
/// with the same error as a wrong signature.
fn has_short_rsa_key(certificate: &[u8]) -> bool {
    /// The algorithm of an RSA key, and the tag of the bit string that contains the key.
    const KEY: [u8; 14] = [
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03,
    ];
    /// Begins a length in two bytes, as that of a key of 2048 bits and more.
    const TWO_BYTES: u8 = 0x82;
    let key = certificate.windows(KEY.len() + 1);
    key.filter_map(|bytes| bytes.strip_prefix(&KEY))
        .any(|length| length != [TWO_BYTES])
}
