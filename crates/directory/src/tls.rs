//! TLS towards a directory server, with three ways to trust it: the system's
//! roots, the administrator's CA, one pinned certificate. There is
//! deliberately no fourth that trusts everybody.

use crate::dial::Stream;
use crate::settings::{Fingerprint, Settings, SignIn, Trust};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};
use tokio_rustls::TlsConnector;

/// Why a handshake failed, in words, and the certificate that was shown.
#[derive(Debug)]
pub struct Failure {
    pub why: String,
    pub seen: Option<Fingerprint>,
}

impl Failure {
    pub fn silent() -> Self {
        Failure { why: "no answer to the TLS handshake".to_owned(), seen: None }
    }
}

/// Wraps the stream. `secret` is the client certificate's private key where
/// the sign-in is by certificate.
pub async fn wrap(
    stream: Box<dyn Stream>,
    host: &str,
    settings: &Settings,
    secret: Option<&SecretString>,
) -> Result<Box<dyn Stream>, Failure> {
    let unseen = |why: String| Failure { why, seen: None };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| unseen(format!("`{host}` is neither a host name nor an address")))?;
    let witness = Arc::new(Witness { judge: judge(&settings.trust).map_err(unseen)?, seen: OnceLock::new() });
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| unseen(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(witness.clone());
    let config = match client_identity(settings, secret).map_err(unseen)? {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|error| {
            unseen(format!("the client certificate and its key do not fit together: {error}"))
        })?,
    };
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            let seen = witness.seen.get().copied();
            Err(Failure { why: words(&error, host), seen })
        }
    }
}

/// Takes the handshake as far as the server's proof that it holds the key of
/// the certificate it shows, and ends it there. Nobody is trusted.
pub async fn look(stream: Box<dyn Stream>, host: &str) -> Result<CertificateDer<'static>, Failure> {
    let unseen = |why: String| Failure { why, seen: None };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| unseen(format!("`{host}` is neither a host name nor an address")))?;
    let looker = Arc::new(Looker::default());
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| unseen(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(looker.clone())
        .with_no_client_auth();
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        // A key exchange without a signature: there is none that we offer.
        Ok(_) => Err(unseen("the server did not prove that it holds its key".to_owned())),
        Err(error) => match (looker.proved.get(), looker.shown.get()) {
            (Some(()), Some(leaf)) => Ok(leaf.clone()),
            (_, shown) => Err(Failure { why: words(&error, host), seen: shown.map(fingerprint) }),
        },
    }
}

/// Checks PEM texts without connecting.
pub fn check(settings: &Settings) -> Result<(), String> {
    if let Trust::CaPem(pem) = &settings.trust {
        roots(pem)?;
    }
    if let Some(pem) = &settings.client_certificate {
        chain(pem)?;
    }
    Ok(())
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())).clone()
}

fn judge(trust: &Trust) -> Result<Arc<dyn ServerCertVerifier>, String> {
    match trust {
        Trust::System => rustls_platform_verifier::Verifier::new(provider())
            .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
            .map_err(|error| format!("the system's certificate authorities cannot be read: {error}")),
        Trust::CaPem(pem) => WebPkiServerVerifier::builder_with_provider(roots(pem)?, provider())
            .build()
            .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
            .map_err(|error| format!("the CA certificate cannot be used: {error}")),
        Trust::Fingerprint(pinned) => Ok(Arc::new(Pinned(*pinned))),
    }
}

fn roots(pem: &str) -> Result<Arc<RootCertStore>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate =
            certificate.map_err(|error| format!("the CA certificate is not PEM text: {error}"))?;
        roots.add(certificate).map_err(|error| format!("the CA certificate cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err(
            "the CA text holds no certificate: paste the part from -----BEGIN CERTIFICATE----- on".to_owned()
        );
    }
    Ok(Arc::new(roots))
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err("the client certificate is not PEM text with -----BEGIN CERTIFICATE-----".to_owned()),
    }
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_identity(settings: &Settings, secret: Option<&SecretString>) -> Result<Option<Identity>, String> {
    let (SignIn::External, Some(pem)) = (&settings.sign_in, &settings.client_certificate) else {
        return Ok(None);
    };
    let key = secret.ok_or("the client certificate's private key is missing")?;
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).map_err(
        |_| "the client certificate's private key is not PEM text with -----BEGIN PRIVATE KEY-----",
    )?;
    Ok(Some((chain(pem)?, key)))
}

/// Remembers the certificate that was shown, so that an error can name it.
#[derive(Debug)]
struct Witness {
    judge: Arc<dyn ServerCertVerifier>,
    seen: OnceLock<Fingerprint>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let _ = self.seen.set(fingerprint(leaf));
        match self.judge.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            // Signed by another authority of the same name: one that was set up anew.
            Err(rustls::Error::InvalidCertificate(CertificateError::BadSignature)) => {
                Err(CertificateError::UnknownIssuer.into())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

/// Exactly one certificate is trusted, whatever its chain, name and dates say.
/// That the server holds its key is still verified.
#[derive(Debug)]
struct Pinned(Fingerprint);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if fingerprint(leaf) == self.0 {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Trusts nobody, and remembers who was there.
#[derive(Debug, Default)]
struct Looker {
    shown: OnceLock<CertificateDer<'static>>,
    proved: OnceLock<()>,
}

impl Looker {
    /// Where the signature is good, the handshake has told everything.
    fn enough<T>(&self, signature: Result<T, rustls::Error>) -> Result<T, rustls::Error> {
        signature?;
        let _ = self.proved.set(());
        Err(CertificateError::ApplicationVerificationFailure.into())
    }
}

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let _ = self.shown.set(leaf.clone().into_owned());
        // The proof that the server holds the key comes next, and ends it.
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        self.enough(verify_tls12_signature(message, certificate, signature, &algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        self.enough(verify_tls13_signature(message, certificate, signature, &algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

pub(crate) fn fingerprint(leaf: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(leaf).into())
}

fn words(error: &std::io::Error, host: &str) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(certificate)) => certificate_words(certificate, host),
        Some(rustls::Error::InvalidMessage(_)) => {
            "the server does not speak TLS on this port: check the port and the security setting".to_owned()
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            format!(
                "the server ended the TLS handshake: {alert:?}; it may want a client certificate or another TLS version"
            )
        }
        Some(other) => format!("the TLS handshake failed: {other}"),
        None => format!(
            "the connection ended during the TLS handshake ({error}): does the server have a certificate, and is this its TLS port?"
        ),
    }
}

fn certificate_words(error: &CertificateError, host: &str) -> String {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => {
            "the server's certificate has expired: have it renewed, and check the clock of this machine".to_owned()
        }
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: check the clocks of both machines".to_owned()
        }
        E::UnknownIssuer => "the server's certificate was issued by an authority that is not trusted here: \
             give the CA certificate, or pin this certificate by its fingerprint"
            .to_owned(),
        E::NotValidForName => format!(
            "the server's certificate is not for the name `{host}`: use the name it was issued for, or pin it by its fingerprint"
        ),
        E::NotValidForNameContext { presented, .. } if !presented.is_empty() => format!(
            "the server's certificate is not for the name `{host}` but for {}: use that name, or pin the certificate by its fingerprint",
            presented.iter().map(|name| bare_name(name)).collect::<Vec<_>>().join(", ")
        ),
        E::NotValidForNameContext { .. } => format!(
            "the server's certificate names no host in its subjectAltName, so it cannot be matched with `{host}`: pin it by its fingerprint"
        ),
        E::ApplicationVerificationFailure => {
            "the server shows another certificate than the one that was pinned: if it was renewed, pin the new one; \
             if nobody renewed it, somebody may be listening"
                .to_owned()
        }
        E::BadSignature => "the server does not hold the key of the certificate it shows".to_owned(),
        E::Revoked => "the server's certificate has been revoked".to_owned(),
        E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the server's certificate is signed in a way that is no longer trusted (SHA-1?): renew it, or pin it by its fingerprint".to_owned()
        }
        E::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server shows a CA certificate as its own (self-signed): pin it by its fingerprint".to_owned()
        }
        other => format!("the server's certificate was refused: {other}"),
    }
}

/// rustls spells names as `DnsName("host")`.
fn bare_name(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}
