//! How one directory is reached and read: everything the administrator sets,
//! without any secret.

use crate::dial::LDAPI;
use crate::error::Error;
use crate::map::AttributeMap;
use crate::{dn, filter, tls};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What kind of server it is; decides ids, marks, account state and how a
/// write is protected against lost updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[serde(rename = "active-directory")]
    ActiveDirectory,
    #[serde(rename = "openldap")]
    OpenLdap,
    #[serde(rename = "389ds")]
    Ds389,
    #[serde(rename = "freeipa")]
    FreeIpa,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::ActiveDirectory, Kind::OpenLdap, Kind::Ds389, Kind::FreeIpa];

    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::ActiveDirectory => "active-directory",
            Kind::OpenLdap => "openldap",
            Kind::Ds389 => "389ds",
            Kind::FreeIpa => "freeipa",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    None,
    StartTls,
    Ldaps,
}

impl Security {
    pub const ALL: [Security; 3] = [Security::None, Security::StartTls, Security::Ldaps];

    pub const fn as_str(self) -> &'static str {
        match self {
            Security::None => "none",
            Security::StartTls => "starttls",
            Security::Ldaps => "ldaps",
        }
    }

    pub const fn default_port(self) -> u16 {
        match self {
            Security::None | Security::StartTls => 389,
            Security::Ldaps => 636,
        }
    }
}

/// Whose certificate is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// The system's certificate authorities.
    System,
    /// The authorities in this PEM text, and no others.
    CaPem(String),
    /// This one certificate.
    Fingerprint(Fingerprint),
}

/// The SHA-256 of a certificate, shown as `AB:CD:…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint(pub [u8; 32]);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignIn {
    /// A name and a password. The name is a DN; on Active Directory also
    /// `user@domain` or `DOMAIN\user`.
    Simple { dn: String },
    /// By client certificate, or by the Unix user over `ldapi://`.
    External,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub kind: Kind,
    /// Host names or addresses of equivalent servers, tried in turn;
    /// `ldapi:///path` is a Unix socket.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// A DNS domain that names its servers (SRV), instead of `hosts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// That of `hosts`: a domain names the ports of its servers.
    pub port: u16,
    pub security: Security,
    pub trust: Trust,
    pub sign_in: SignIn,
    /// PEM text; its private key is the directory's secret.
    #[serde(default)]
    pub client_certificate: Option<String>,
    pub base_dn: String,
    /// Subdivisions below the base; none means the whole base.
    #[serde(default)]
    pub ous: Vec<String>,
    /// Subdivisions whose people are out of scope, as if they were elsewhere.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Only members of these groups; none means everybody.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Narrows the people further down.
    #[serde(default)]
    pub filter: Option<String>,
    /// Where the immutable id is, if not where the kind of server has it.
    #[serde(default)]
    pub id_attribute: Option<String>,
    pub map: AttributeMap,
    /// The administrator's explicit word that passwords may cross the network
    /// unprotected.
    #[serde(default)]
    pub allow_plain: bool,
    /// Two-letter region that resolves national phone numbers.
    #[serde(default)]
    pub region: Option<String>,
    pub page_size: u16,
}

impl Settings {
    pub const fn default_page_size(kind: Kind) -> u16 {
        match kind {
            Kind::ActiveDirectory => 1000,
            _ => 500,
        }
    }

    /// Where people are looked for.
    pub fn bases(&self) -> &[String] {
        if self.ous.is_empty() { std::slice::from_ref(&self.base_dn) } else { &self.ous }
    }

    /// Finds what can be found wrong without asking a server.
    pub fn check(&self) -> Result<(), Error> {
        self.check_connection()?;
        let base = check_dn("domain root", &self.base_dn)?;
        for ou in &self.ous {
            if !dn::within(&check_dn("subdivision", ou)?, &base) {
                return wrong(format!(
                    "the subdivision `{ou}` does not lie below the domain root `{}`",
                    self.base_dn
                ));
            }
        }
        self.check_exclusions(&base)?;
        for group in &self.groups {
            check_dn("group", group)?;
        }
        if let Some(text) = &self.filter {
            filter::parse(text).or_else(|error| wrong(format!("additional user filter: {error}")))?;
        }
        if let Some(attribute) = self.id_attribute.as_deref().filter(|name| !filter::is_attribute(name)) {
            return wrong(format!("`{attribute}` is no attribute name (id attribute)"));
        }
        if let Some(region) = self.region.as_deref()
            && !(region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase()))
        {
            return wrong(format!("the region `{region}` is not a two-letter country code such as RU or DE"));
        }
        if self.page_size == 0 {
            return wrong("the page size has to be at least 1".to_owned());
        }
        self.map.check().or_else(wrong)
    }

    fn check_exclusions(&self, base: &[String]) -> Result<(), Error> {
        for text in &self.exclude {
            let excluded = check_dn("excluded subdivision", text)?;
            if !dn::within(&excluded, base) {
                return wrong(format!(
                    "the excluded subdivision `{text}` does not lie below the domain root `{}`",
                    self.base_dn
                ));
            }
            let inside = |base: &&String| dn::parse(base).is_ok_and(|base| dn::within(&base, &excluded));
            if let Some(base) = self.bases().iter().find(inside) {
                return wrong(format!("the excluded subdivision `{text}` leaves nothing of `{base}`"));
            }
        }
        Ok(())
    }

    /// What is about the connection and the sign-in only.
    pub(crate) fn check_connection(&self) -> Result<(), Error> {
        match &self.domain {
            Some(_) if !self.hosts.is_empty() => {
                return wrong(
                    "give either server addresses or a domain that names its servers, not both".to_owned(),
                );
            }
            Some(domain) if !is_domain(domain) => {
                return wrong(format!("`{domain}` is no DNS domain: write it like example.org"));
            }
            None if self.hosts.is_empty() || self.hosts.iter().any(|host| host.trim().is_empty()) => {
                return wrong("the server address is missing".to_owned());
            }
            _ => {}
        }
        if let Some(host) = self.hosts.iter().find(|host| host.contains("://") && !host.starts_with(LDAPI)) {
            return wrong(format!(
                "write the server address `{host}` as a bare name: port and security are set beside it"
            ));
        }
        let exposed = self.domain.iter().chain(&self.hosts).find(|host| !is_local(host));
        if let (Security::None, false, Some(host)) = (self.security, self.allow_plain, exposed) {
            return wrong(format!(
                "without encryption the password and all data would cross the network to `{host}` in the clear: \
                 choose LDAPS or StartTLS, or allow it explicitly"
            ));
        }
        if self.security != Security::None && self.hosts.iter().any(|host| host.starts_with(LDAPI)) {
            return wrong("a Unix socket (ldapi://) needs no TLS: set the security to none".to_owned());
        }
        match &self.sign_in {
            SignIn::Simple { dn } if dn.trim().is_empty() => wrong("the sign-in name is missing".to_owned()),
            SignIn::Simple { dn } if self.kind != Kind::ActiveDirectory => {
                check_dn("sign-in name", dn).map(drop)
            }
            SignIn::External
                if self.client_certificate.is_none()
                    && (self.domain.is_some() || !self.hosts.iter().all(|h| h.starts_with(LDAPI))) =>
            {
                wrong(
                    "signing in by certificate needs a client certificate, or ldapi:// addresses".to_owned(),
                )
            }
            SignIn::External if self.client_certificate.is_some() && self.security == Security::None => {
                wrong("signing in by certificate needs LDAPS or StartTLS".to_owned())
            }
            _ => Ok(()),
        }?;
        tls::check(self).or_else(wrong)
    }
}

fn wrong<T>(what: String) -> Result<T, Error> {
    Err(Error::Settings(what))
}

fn check_dn(what: &str, text: &str) -> Result<Vec<String>, Error> {
    match dn::parse(text) {
        Ok(names) if names.is_empty() => wrong(format!("the {what} is missing")),
        Ok(names) => Ok(names),
        Err(why) => wrong(format!("the {what} `{text}` is not a distinguished name: {why}")),
    }
}

/// Letters, digits and hyphens between dots; an underscore, too, is met.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    text.len() <= 253 && text.split('.').all(is_label) && text.parse::<IpAddr>().is_err()
}

/// Whether nothing leaves this machine on the way to the host.
fn is_local(host: &str) -> bool {
    host.starts_with(LDAPI)
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

macro_rules! text_form {
    ($type:ty, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <$type>::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| {
                    let known = <$type>::ALL.map(<$type>::as_str).join(", ");
                    format!("unknown {} `{text}`: expected one of {known}", $what)
                })
            }
        }
    };
}

text_form!(Kind, "kind of directory");
text_form!(Security, "security");

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if i == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Takes upper and lower case, with or without colons and blanks.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|char| !matches!(char, ':' | ' ')).collect();
        let mut bytes = [0; 32];
        let is_hex = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Err("a SHA-256 fingerprint has 64 hexadecimal digits".to_owned());
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).map_err(|error| error.to_string())?;
        }
        Ok(Fingerprint(bytes))
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            kind: Kind::ActiveDirectory,
            hosts: vec!["dc1.example.test".to_owned()],
            domain: None,
            port: 636,
            security: Security::Ldaps,
            trust: Trust::System,
            sign_in: SignIn::Simple { dn: "EXAMPLE\\sync".to_owned() },
            client_certificate: None,
            base_dn: "DC=example,DC=test".to_owned(),
            ous: Vec::new(),
            exclude: Vec::new(),
            groups: Vec::new(),
            filter: None,
            id_attribute: None,
            map: AttributeMap::default_of(Kind::ActiveDirectory),
            allow_plain: false,
            region: Some("RU".to_owned()),
            page_size: 1000,
        }
    }

    #[test]
    fn good_settings_pass_and_survive_json() {
        let mut good = settings();
        good.trust = Trust::Fingerprint(Fingerprint([0xa5; 32]));
        assert_eq!(good.check(), Ok(()));
        let json = serde_json::to_string(&good).unwrap();
        assert!(json.contains("\"A5:A5:"), "{json}");
        assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), good);
    }

    #[test]
    fn every_mistake_is_named() {
        let mistake = |change: fn(&mut Settings), what: &str| {
            let mut settings = settings();
            change(&mut settings);
            let error = settings.check().expect_err(what).to_string();
            assert!(error.contains(what), "{error}");
        };
        mistake(|s| s.hosts.clear(), "address is missing");
        mistake(|s| s.hosts = vec!["ldaps://dc1".to_owned()], "bare name");
        mistake(|s| s.security = Security::None, "in the clear");
        mistake(|s| s.base_dn = String::new(), "domain root is missing");
        mistake(|s| s.base_dn = "example.test".to_owned(), "not a distinguished name");
        mistake(|s| s.ous = vec!["OU=a,DC=other,DC=test".to_owned()], "does not lie below");
        mistake(|s| s.exclude = vec!["OU=a,DC=other,DC=test".to_owned()], "does not lie below");
        mistake(|s| s.exclude = vec!["dc=EXAMPLE,dc=test".to_owned()], "leaves nothing");
        mistake(|s| s.groups = vec!["Phones".to_owned()], "the group `Phones` is not");
        mistake(|s| s.filter = Some("(cn=x".to_owned()), "wrong at character 6");
        mistake(|s| s.id_attribute = Some("my id".to_owned()), "attribute name");
        mistake(|s| s.region = Some("Russia".to_owned()), "two-letter");
        mistake(|s| s.page_size = 0, "page size");
        mistake(|s| s.sign_in = SignIn::Simple { dn: " ".to_owned() }, "sign-in name is missing");
        mistake(|s| s.sign_in = SignIn::External, "client certificate");
        mistake(|s| s.trust = Trust::CaPem("nonsense".to_owned()), "holds no certificate");
        mistake(
            |s| {
                s.kind = Kind::OpenLdap;
                s.sign_in = SignIn::Simple { dn: "sync@example.test".to_owned() };
            },
            "not a distinguished name",
        );
        mistake(
            |s| {
                s.hosts = vec!["ldapi:///run/slapd".to_owned()];
                s.sign_in = SignIn::External;
            },
            "needs no TLS",
        );
    }

    #[test]
    fn active_directory_is_asked_to_leave_our_account_out() {
        let filter = |name: &str, filter: Option<&str>| {
            let sign_in = SignIn::Simple { dn: name.to_owned() };
            Settings { sign_in, filter: filter.map(str::to_owned), ..settings() }.people_filter().unwrap()
        };
        let own = "(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE))";
        for (name, left_out) in [
            ("sync@example.test", "(!(userPrincipalName=sync@example.test))(!(sAMAccountName=sync))"),
            (" EXAMPLE\\sync ", "(!(sAMAccountName=sync))"),
            ("CN=a@b\\, c,DC=example", "(!(distinguishedName=CN=a@b\\5c, c,DC=example))"),
            ("sync", ""),
        ] {
            assert_eq!(Ok(filter(name, None)), filter::parse(&format!("(&(&{own}){left_out})")), "{name}");
            let narrowed = filter::parse(&format!("(&(&(&{own}){left_out})(l=x))"));
            assert_eq!(Ok(filter(name, Some("(l=x)"))), narrowed, "{name}");
        }
    }

    #[test]
    fn plain_ldap_is_for_loopback_or_after_an_explicit_word() {
        let mut plain = settings();
        plain.security = Security::None;
        for host in ["localhost", "127.0.0.5", "::1", "ldapi:///run/slapd/ldapi"] {
            plain.hosts = vec![host.to_owned()];
            assert_eq!(plain.check(), Ok(()), "{host}");
        }
        plain.hosts.push("10.0.0.1".to_owned());
        assert!(plain.check().is_err());
        plain.allow_plain = true;
        assert_eq!(plain.check(), Ok(()));
    }

    #[test]
    fn names_and_fingerprints_have_one_text_form() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse::<Kind>(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        for security in Security::ALL {
            assert_eq!(serde_json::to_string(&security).unwrap(), format!("\"{security}\""));
        }
        assert!("ad".parse::<Kind>().unwrap_err().contains("active-directory"));
        let fingerprint: Fingerprint = "a5".repeat(32).parse().unwrap();
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert!("a5".parse::<Fingerprint>().is_err());
        assert!("é".repeat(32).parse::<Fingerprint>().is_err());
    }
}
