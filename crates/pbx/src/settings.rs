//! Where a PBX is, how we sign in and whom we trust. Holds no secret: the API
//! key or the password comes in beside it.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `https://pbx.example.org`, or `http://127.0.0.1` on the PBX itself.
    pub url: String,
    pub sign_in: SignIn,
    pub trust: Trust,
}

/// What we sign in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum SignIn {
    /// Nothing: the PBX trusts its own loopback.
    Local,
    /// The secret is an API key.
    ApiKey,
    /// The secret is the password of this web login.
    Login { login: String },
}

/// Which certificate we accept. Never "any".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Trust {
    #[default]
    SystemRoots,
    /// Only these authorities.
    Authority { pem: String },
    /// Only the certificate with this SHA-256 fingerprint, whatever it says.
    Pinned { sha256: String },
}

/// Something that works and that the administrator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// Credentials and SIP passwords travel in clear text.
    PlainHttp,
    /// The trust settings have no meaning for http.
    TrustUnused,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Warning::PlainHttp => {
                "the address says http: the sign-in and every SIP password travel in clear text; use https"
            }
            Warning::TrustUnused => "the address says http: the chosen certificate trust is not used",
        })
    }
}

/// A checked address: scheme, host and port, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub text: String,
    pub loopback: bool,
    pub https: bool,
}

impl Settings {
    pub fn check(&self) -> Result<Vec<Warning>, Error> {
        let origin = self.origin()?;
        match &self.sign_in {
            SignIn::Local if !origin.loopback => {
                return Err(unusable(
                    "signing in without credentials works on the PBX itself only (127.0.0.1)",
                ));
            }
            SignIn::Login { login } if login.trim().is_empty() => {
                return Err(unusable("the login is empty"));
            }
            SignIn::Local | SignIn::ApiKey | SignIn::Login { .. } => {}
        }
        match &self.trust {
            Trust::SystemRoots => {}
            Trust::Authority { pem } if pem.contains("-----BEGIN CERTIFICATE-----") => {}
            Trust::Authority { .. } => return Err(unusable("the authority is not a PEM certificate")),
            Trust::Pinned { sha256 } => {
                fingerprint(sha256)?;
            }
        }
        let mut warnings = Vec::new();
        if !origin.https && !origin.loopback {
            warnings.push(Warning::PlainHttp);
        }
        if !origin.https && self.trust != Trust::SystemRoots {
            warnings.push(Warning::TrustUnused);
        }
        Ok(warnings)
    }

    pub(crate) fn origin(&self) -> Result<Origin, Error> {
        let scheme = self.url.trim().split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let https = match scheme.as_deref() {
            Some("https") => true,
            Some("http") => false,
            _ => {
                return Err(unusable(
                    "the address must begin with http:// or https://, like https://pbx.example.org",
                ));
            }
        };
        let url = reqwest::Url::parse(self.url.trim())
            .map_err(|error| unusable(format!("`{}` is not an address: {error}", self.url)))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unusable("the address must not contain a user name or a password"));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| unusable("the address names no host"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(unusable(
                "the address must be like https://pbx.example.org, without anything behind it",
            ));
        }
        Ok(Origin { loopback: is_loopback(host), https, text: url.origin().ascii_serialization() })
    }
}

/// Reads a SHA-256 fingerprint as people copy it: hex, with or without colons.
pub(crate) fn fingerprint(text: &str) -> Result<[u8; 32], Error> {
    let text = text.trim();
    let text = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("SHA256:")).unwrap_or(text);
    let halves: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' ' | '-'))
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let halves = halves.filter(|halves| halves.len() == 64).ok_or_else(|| {
        unusable("the pinned fingerprint must be SHA-256: 64 hexadecimal digits, colons allowed")
    })?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(halves.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Ok(bytes)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn unusable(why: impl Into<String>) -> Error {
    Error::Settings(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> Settings {
        Settings { url: url.into(), sign_in: SignIn::ApiKey, trust: Trust::SystemRoots }
    }

    #[test]
    fn addresses() {
        for (url, loopback) in [
            ("https://pbx.example.org", false),
            ("https://pbx.example.org:8443/", false),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]", true),
            ("http://localhost", true),
            ("https://10.0.0.5", false),
        ] {
            assert_eq!(settings(url).origin().unwrap().loopback, loopback, "{url}");
        }
        for url in ["pbx", "ftp://pbx", "https://a:b@pbx", "https://pbx/admin-cabinet", "https://pbx?x=1", ""]
        {
            assert!(settings(url).check().is_err(), "{url}");
        }
        assert_eq!(
            settings("HTTPS://PBX.example.org:443/").origin().unwrap().text,
            "https://pbx.example.org"
        );
    }

    #[test]
    fn plain_http_is_said() {
        assert_eq!(settings("http://pbx.example.org").check().unwrap(), [Warning::PlainHttp]);
        assert_eq!(settings("http://127.0.0.1").check().unwrap(), []);
        let pinned =
            Settings { trust: Trust::Pinned { sha256: "ab".repeat(32) }, ..settings("http://127.0.0.1") };
        assert_eq!(pinned.check().unwrap(), [Warning::TrustUnused]);
    }

    #[test]
    fn no_credentials_only_on_loopback() {
        let local = |url| Settings { sign_in: SignIn::Local, ..settings(url) };
        assert!(local("http://127.0.0.1").check().is_ok());
        assert!(local("https://pbx.example.org").check().is_err());
    }

    #[test]
    fn fingerprints() {
        let colons = ["AB"; 32].join(":");
        for text in [&"ab".repeat(32), &colons, &format!("sha256:{}", "AB".repeat(32))] {
            assert_eq!(fingerprint(text).unwrap(), [0xab; 32], "{text}");
        }
        for text in
            ["", "ab", &"ab".repeat(31), &"ab".repeat(33), &"zz".repeat(32), &format!("{}x", "ab".repeat(32))]
        {
            assert!(fingerprint(text).is_err(), "{text}");
        }
    }
}
