//! The certificate a server shows, for an administrator who is to decide
//! whether it is the right one. Deliberately absent: any verdict. Who is
//! trusted is decided in `tls`, by the settings.

use crate::dial::Dial;
use crate::error::Error;
use crate::settings::{Fingerprint, Security};
use crate::{session, tls};
use serde::Serialize;
use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// Names of a certificate that are shown; the rest is left out.
const NAMES_MAX: usize = 50;
/// A name is shown cut to this many characters.
const NAME_CHARS_MAX: usize = 300;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    /// The hosts it was issued for: names and addresses.
    pub names: Vec<String>,
    pub not_before_ms: i64,
    pub not_after_ms: i64,
    /// What to pin, so that exactly this certificate is believed.
    pub fingerprint: Fingerprint,
}

/// Connects, looks at the certificate and hangs up. The server has proved that
/// it holds the certificate's key; nothing but the handshake was sent.
pub async fn certificate(
    dial: &dyn Dial,
    host: &str,
    port: u16,
    security: Security,
) -> Result<Certificate, Error> {
    if security == Security::None {
        let why = "without encryption the server shows no certificate: choose LDAPS or StartTLS";
        return Err(Error::Settings(why.to_owned()));
    }
    let der = session::shown(dial, host, port, security).await?;
    let fingerprint = tls::fingerprint(&der);
    let Ok((_, parsed)) = X509Certificate::from_der(&der) else {
        let why = "the server's certificate cannot be read".to_owned();
        return Err(Error::Tls { address: format!("{host}:{port}"), why, seen: Some(fingerprint) });
    };
    Ok(Certificate {
        subject: shown(&parsed.subject().to_string()),
        issuer: shown(&parsed.issuer().to_string()),
        names: names(&parsed),
        not_before_ms: parsed.validity().not_before.timestamp().saturating_mul(1000),
        not_after_ms: parsed.validity().not_after.timestamp().saturating_mul(1000),
        fingerprint,
    })
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(shown(name)),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).take(NAMES_MAX).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// A stranger wrote it: no control characters, and not without end.
fn shown(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(NAME_CHARS_MAX).collect()
}
