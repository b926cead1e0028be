//! Trusting one certificate by its fingerprint: what a MikoPBX with the
//! certificate it made for itself needs.
//!
//! Only the chain and the name go unchecked. The handshake signature is
//! verified as ever, so that knowing the certificate is not enough: its key
//! has to be there.

use crate::error::Error;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};

/// The one certificate that is accepted, if any.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    expected: Option<[u8; 32]>,
    seen: Arc<OnceLock<String>>,
}

impl Pin {
    pub(crate) fn new(expected: [u8; 32]) -> Self {
        Pin { expected: Some(expected), seen: Arc::default() }
    }

    /// Accepts nothing and remembers what was shown.
    pub(crate) fn look() -> Self {
        Pin { expected: None, seen: Arc::default() }
    }

    pub(crate) fn seen(&self) -> Option<String> {
        self.seen.get().cloned()
    }
}

pub(crate) fn pinned(pin: Pin) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier { pin, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Settings(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

/// Why the certificate was the reason to stop, if it was.
pub(crate) fn certificate_failure(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    match error.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(own))) => {
            return Some(own.0.to_string());
        }
        Some(error @ rustls::Error::InvalidCertificate(_)) => return Some(error.to_string()),
        Some(_) | None => {}
    }
    // An I/O error hides the error it carries from `source`.
    let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    carried
        .and_then(|carried| certificate_failure(carried))
        .or_else(|| error.source().and_then(certificate_failure))
}

#[derive(Debug)]
struct Verifier {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug, thiserror::Error)]
#[error("its SHA-256 fingerprint is {0}, which is not the pinned one")]
struct Mismatch(String);

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let digest: [u8; 32] = Sha256::digest(end_entity.as_ref()).into();
        let shown = digest.map(|byte| format!("{byte:02X}")).join(":");
        let _ = self.pin.seen.set(shown.clone());
        if self.pin.expected == Some(digest) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(Mismatch(shown)))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
