//! Real directory servers on loopback, started by scripts/lab, and changed
//! as their administrators would: by ldap-utils over TLS.
//!
//! Every story chooses names and ports (Samba: addresses) of its own. A
//! server is stopped and its state removed when its [`Server`] is dropped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, thread};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Slapd,
    Samba,
    Ds389,
}

/// A running server, and how to reach it.
#[derive(Debug)]
pub struct Server {
    pub kind: Kind,
    pub url: String,
    pub tls_url: String,
    pub ca: PathBuf,
    /// SHA-256 of the server certificate, in hex.
    pub fingerprint: String,
    pub base: String,
    /// The OU that holds everybody, and the one that holds the groups.
    pub people: String,
    pub groups: String,
    /// Logins: may do everything; may write what Rollcall writes; may only read.
    pub admin: String,
    pub writer: String,
    pub reader: String,
    pub password: String,
    pub password_file: PathBuf,
    name: String,
    settings: Vec<(&'static str, String)>,
}

/// OpenLDAP on `port`, with TLS on `port` + 2470.
pub fn slapd(name: &str, port: u16, ldif: &str) -> Server {
    slapd_presenting("good", name, port, ldif)
}

/// The same with a certificate that is `expired`, `wrong-name` or `self-signed`.
pub fn slapd_presenting(certificate: &str, name: &str, port: u16, ldif: &str) -> Server {
    let certificate = certificate.to_owned();
    fresh(Kind::Slapd, name, [("SLAPD_PORT", port.to_string()), ("SLAPD_CERT", certificate)].into(), ldif)
}

/// Samba as an Active Directory domain controller; it needs a loopback address of its own.
pub fn samba(name: &str, addr: &str, ldif: &str) -> Server {
    fresh(Kind::Samba, name, [("SAMBA_ADDR", addr.to_owned())].into(), ldif)
}

/// 389 Directory Server on `port`, with TLS on `port` + 2470.
pub fn ds389(name: &str, port: u16, ldif: &str) -> Server {
    fresh(Kind::Ds389, name, [("DS389_PORT", port.to_string())].into(), ldif)
}

/// LDIF of a made-up company; of nobody, it still has the OUs that [`Server::hire`] needs.
pub fn people(kind: Kind, count: usize, seed: u64) -> String {
    let flavor = match kind {
        Kind::Slapd => "slapd",
        Kind::Samba => "ad",
        Kind::Ds389 => "389",
    };
    let mut command = Command::new(script("people"));
    command.args([count.to_string(), seed.to_string()]).args(["--flavor", flavor]);
    run(&mut command, "").expect("LDIF of people")
}

impl Server {
    /// What `rollcall server add NAME` needs to know, signing in as the writer over ldaps.
    pub fn arguments(&self) -> Vec<String> {
        self.arguments_of(&self.writer)
    }

    pub fn arguments_of(&self, login: &str) -> Vec<String> {
        let kind = match self.kind {
            Kind::Slapd => "openldap",
            Kind::Samba => "active-directory",
            Kind::Ds389 => "389ds",
        };
        let (host, port) =
            self.tls_url.trim_start_matches("ldaps://").split_once(':').expect("the lab's URLs name a port");
        let (ca, secret) = (self.ca.display().to_string(), self.password_file.display().to_string());
        let pairs = [
            ("--type", kind),
            ("--host", host),
            ("--port", port),
            ("--security", "ldaps"),
            ("--ca-file", &ca),
            ("--bind-dn", login),
            ("--password-file", &secret),
            ("--base-dn", &self.base),
        ];
        pairs.iter().flat_map(|(option, value)| [(*option).to_owned(), (*value).to_owned()]).collect()
    }

    /// A new person directly below [`Server::people`]. Returns the DN.
    pub fn hire(&self, login: &str, name: &str, attributes: &[(&str, &str)]) -> String {
        let (rdn, class) = match self.kind {
            Kind::Samba => (format!("CN={}", escaped(name)), &["user"][..]),
            Kind::Slapd | Kind::Ds389 => (format!("uid={login}"), &["inetOrgPerson", "pbxPerson"][..]),
        };
        let dn = format!("{rdn},{}", self.people);
        let mut ldif = line("dn", &dn);
        class.iter().for_each(|class| ldif += &line("objectClass", class));
        ldif += &match self.kind {
            // An enabled account that needs no password, because none is set.
            Kind::Samba => line("sAMAccountName", login) + &line("userAccountControl", "544"),
            Kind::Slapd | Kind::Ds389 => line("uid", login) + &line("cn", name) + &line("sn", name),
        };
        ldif += &line("displayName", name);
        attributes.iter().for_each(|(attribute, value)| ldif += &line(attribute, value));
        self.add(&ldif);
        dn
    }

    /// A subdivision directly below [`Server::people`]. Returns the DN.
    pub fn subdivide(&self, name: &str) -> String {
        let dn = format!("ou={},{}", escaped(name), self.people);
        self.add(&(line("dn", &dn) + "objectClass: organizationalUnit\n" + &line("ou", name)));
        dn
    }

    pub fn add(&self, ldif: &str) {
        self.tool("ldapadd", &self.admin, &[], ldif)
            .unwrap_or_else(|refusal| panic!("ldapadd: {refusal}\n{ldif}"));
    }

    pub fn modify(&self, ldif: &str) {
        self.modify_as(&self.admin, ldif).unwrap_or_else(|refusal| panic!("ldapmodify: {refusal}\n{ldif}"));
    }

    /// A modification that may be refused; the refusal in ldapmodify's words.
    pub fn modify_as(&self, login: &str, ldif: &str) -> Result<(), String> {
        self.tool("ldapmodify", login, &[], ldif).map(drop)
    }

    /// Makes these the only values of the attribute; with none, it is gone.
    pub fn set(&self, dn: &str, attribute: &str, values: &[&str]) {
        self.modify(&replace(dn, attribute, values));
    }

    /// The same with a value that is no text.
    pub fn set_bytes(&self, dn: &str, attribute: &str, value: &[u8]) {
        self.try_set_bytes(dn, attribute, value)
            .unwrap_or_else(|refusal| panic!("{attribute} of {dn}: {refusal}"));
    }

    pub fn try_set_bytes(&self, dn: &str, attribute: &str, value: &[u8]) -> Result<(), String> {
        let head = format!("changetype: modify\nreplace: {attribute}\n");
        self.modify_as(&self.admin, &(line("dn", dn) + &head + &line(attribute, value)))
    }

    pub fn set_as(&self, login: &str, dn: &str, attribute: &str, values: &[&str]) -> Result<(), String> {
        self.modify_as(login, &replace(dn, attribute, values))
    }

    pub fn delete(&self, dn: &str) {
        self.tool("ldapdelete", &self.admin, &[dn], "")
            .unwrap_or_else(|refusal| panic!("ldapdelete: {refusal}\n{dn}"));
    }

    /// Renames the entry, or moves it below another parent, or both. Returns the new DN.
    pub fn rename(&self, dn: &str, rdn: &str, parent: &str) -> String {
        let (attribute, value) = rdn.split_once('=').expect("an RDN is ATTRIBUTE=value");
        let rdn = format!("{attribute}={}", escaped(value));
        let ldif = line("dn", dn)
            + "changetype: modrdn\n"
            + &line("newrdn", &rdn)
            + "deleteoldrdn: 1\n"
            + &line("newsuperior", parent);
        self.modify(&ldif);
        format!("{rdn},{parent}")
    }

    pub fn disable(&self, dn: &str) {
        match self.kind {
            Kind::Samba => self.set(dn, "userAccountControl", &["546"]),
            Kind::Slapd => self.set(dn, "pwdAccountLockedTime", &["000001010000Z"]),
            Kind::Ds389 => self.set(dn, "nsAccountLock", &["true"]),
        }
    }

    pub fn enable(&self, dn: &str) {
        match self.kind {
            Kind::Samba => self.set(dn, "userAccountControl", &["544"]),
            Kind::Slapd => self.set(dn, "pwdAccountLockedTime", &[]),
            Kind::Ds389 => self.set(dn, "nsAccountLock", &[]),
        }
    }

    /// Takes the right to read an attribute from everybody but the
    /// administrator. No entry changes by that, and none says so.
    pub fn hide(&self, attribute: &str) {
        match self.kind {
            Kind::Slapd => {
                let rule = format!("{{0}}to attrs={attribute} by * none");
                let ldif = change("olcDatabase={1}mdb,cn=config", "add", "olcAccess", &[&rule]);
                self.modify_as("cn=config", &ldif).expect("slapd takes access rules");
            }
            Kind::Ds389 => {
                let rule = format!(
                    "(targetattr=\"{attribute}\")(version 3.0; acl \"hide {attribute}\"; deny (all) userdn=\"ldap:///all\";)"
                );
                self.modify(&change(&self.base, "add", "aci", &[&rule]));
            }
            Kind::Samba => panic!("hiding is not offered on Samba"),
        }
    }

    /// The entry with this DN, as the administrator sees it.
    pub fn entry(&self, dn: &str) -> Option<Entry> {
        match self.tool("ldapsearch", &self.admin, &["-LLL", "-b", dn, "-s", "base", "*", "+"], "") {
            Ok(ldif) => entries(&ldif).pop(),
            Err(refusal) if refusal.contains("No such object") => None,
            Err(refusal) => panic!("ldapsearch: {refusal}\n{dn}"),
        }
    }

    /// Everything below the base that the filter takes, in no order.
    pub fn find(&self, filter: &str) -> Vec<Entry> {
        self.find_as(&self.admin, filter)
    }

    pub fn find_as(&self, login: &str, filter: &str) -> Vec<Entry> {
        let paged = ["-LLL", "-E", "pr=500/noprompt", "-b", &self.base, filter, "*", "+"];
        entries(
            &self
                .tool("ldapsearch", login, &paged, "")
                .unwrap_or_else(|refusal| panic!("ldapsearch: {refusal}\n{filter}")),
        )
    }

    /// Every entry below [`Server::people`] with its change mark: equal before and after when nothing was written.
    pub fn marks(&self) -> BTreeMap<String, String> {
        let mark = match self.kind {
            Kind::Slapd => "entryCSN",
            Kind::Samba => "uSNChanged",
            Kind::Ds389 => "entryusn",
        };
        let paged = ["-LLL", "-E", "pr=500/noprompt", "-b", &self.people, "(objectClass=*)", mark];
        let found =
            self.tool("ldapsearch", &self.admin, &paged, "").expect("the administrator may read everything");
        entries(&found).into_iter().map(|entry| (entry.dn.clone(), entry.text(mark))).collect()
    }

    /// Stops the server; its data stay.
    pub fn stop(&self) {
        run(Command::new(script("down")).arg(&self.name), "").expect("the server stops");
    }

    /// Ends the server with SIGKILL, as if the machine had lost power.
    pub fn kill(&self) {
        run(Command::new(script("down")).args(["--kill", &self.name]), "").expect("the server dies");
    }

    /// Starts the server again with its data, at the same place.
    pub fn start(&self) {
        up(self.kind, &self.name, &self.settings, None);
    }

    /// An ldap-utils program, signed in over TLS. Its output, or its complaint.
    fn tool(&self, program: &str, login: &str, args: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new(program);
        command.env("LDAPTLS_CACERT", &self.ca);
        command.args(["-x", "-H", &self.tls_url, "-D", login, "-y"]).arg(&self.password_file);
        if program == "ldapsearch" {
            command.args(["-o", "ldif-wrap=no"]);
        }
        run(command.args(args), input)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = run(Command::new(script("down")).args(["--wipe", &self.name]), "");
        if !thread::panicking() {
            stopped.expect("the server stops");
        }
    }
}

/// An entry with the values of its attributes; their names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub dn: String,
    pub attributes: BTreeMap<String, Vec<Vec<u8>>>,
}

impl Entry {
    pub fn bytes(&self, attribute: &str) -> &[Vec<u8>] {
        self.attributes.get(&attribute.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The values as text, in the server's order.
    pub fn texts(&self, attribute: &str) -> Vec<String> {
        self.bytes(attribute).iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// The only value, or nothing.
    pub fn text(&self, attribute: &str) -> String {
        let mut values = self.texts(attribute);
        assert!(values.len() < 2, "{} has several values of {attribute}: {values:?}", self.dn);
        values.pop().unwrap_or_default()
    }
}

fn fresh(kind: Kind, name: &str, settings: Vec<(&'static str, String)>, ldif: &str) -> Server {
    let env = up(kind, name, &settings, Some(ldif));
    let get = |key: &str| {
        env.get(key).unwrap_or_else(|| panic!("the lab says nothing about {key}: {env:?}")).clone()
    };
    Server {
        kind,
        url: get("LDAP_URL"),
        tls_url: get("LDAPS_URL"),
        ca: get("LDAP_CA").into(),
        fingerprint: get("LDAP_FINGERPRINT"),
        base: get("LDAP_BASE"),
        people: get("LDAP_PEOPLE"),
        groups: get("LDAP_GROUPS"),
        admin: get("LDAP_ADMIN"),
        writer: get("LDAP_WRITER"),
        reader: get("LDAP_READER"),
        password: get("LDAP_PASSWORD"),
        password_file: get("LDAP_PASSWORD_FILE").into(),
        name: name.to_owned(),
        settings,
    }
}

/// Starts a server, anew when there is LDIF to load, and returns its env.
fn up(kind: Kind, name: &str, settings: &[(&str, String)], ldif: Option<&str>) -> BTreeMap<String, String> {
    let (program, variable) = match kind {
        Kind::Slapd => ("slapd-up", "SLAPD"),
        Kind::Samba => ("samba-up", "SAMBA"),
        Kind::Ds389 => ("ds389-up", "DS389"),
    };
    let mut command = Command::new(script(program));
    command.env(format!("{variable}_NAME"), name).envs(settings.iter().map(|(key, value)| (key, value)));
    if let Some(ldif) = ldif {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.ldif"));
        fs::write(&path, ldif).expect("the target directory is writable");
        command.env(format!("{variable}_FRESH"), "1").arg(path);
    }
    let env = run(&mut command, "").unwrap_or_else(|complaint| panic!("{name}: {complaint}"));
    env.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lab").join(name)
}

/// Runs a program to its end: its output, or what it complained of. Only
/// pipes of its own are read to their end: a server that it leaves behind has
/// none of them.
fn run(command: &mut Command, input: &str) -> Result<String, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let output = thread::scope(|scope| {
        // A program that does not want its input closes it early; what it says then counts.
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child.wait_with_output().expect("a child can be waited for")
    });
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{} {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
}

fn replace(dn: &str, attribute: &str, values: &[&str]) -> String {
    change(dn, "replace", attribute, values)
}

fn change(dn: &str, operation: &str, attribute: &str, values: &[&str]) -> String {
    let mut ldif = line("dn", dn);
    let _ = write!(ldif, "changetype: modify\n{operation}: {attribute}\n");
    values.iter().for_each(|value| ldif += &line(attribute, value));
    ldif
}

/// A line of LDIF; base64 spares every question of what may stand there.
fn line(attribute: &str, value: impl AsRef<[u8]>) -> String {
    format!("{attribute}:: {}\n", STANDARD.encode(value))
}

/// One RDN value by RFC 4514, for values that begin and end with neither a space nor `#`.
fn escaped(value: &str) -> String {
    value.chars().flat_map(|ch| ",+\"\\<>;=".contains(ch).then_some('\\').into_iter().chain([ch])).collect()
}

/// The entries in unwrapped LDIF; comments, references among them, are left out.
fn entries(ldif: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in ldif.lines().filter(|line| !line.starts_with('#')) {
        let Some((attribute, rest)) = line.split_once(':') else { continue };
        let value = match rest.strip_prefix(':') {
            Some(encoded) => STANDARD.decode(encoded.trim()).expect("ldapsearch writes base64"),
            None => rest.trim_start().as_bytes().to_vec(),
        };
        match entries.last_mut() {
            _ if attribute == "dn" => {
                let dn = String::from_utf8(value).expect("a DN is UTF-8");
                entries.push(Entry { dn, attributes: BTreeMap::new() });
            }
            Some(entry) => entry.attributes.entry(attribute.to_lowercase()).or_default().push(value),
            None => panic!("no entry before {line}"),
        }
    }
    entries
}
