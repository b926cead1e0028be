//! Real directory servers for tests, through the scripts of `scripts/lab`.

use directory::{
    AttributeMap, Dial, Directory, Error, Kind, Known, Security, Settings, SignIn, Stream, Target, TcpDial,
    Trust,
};
use effects::{BoxFuture, SystemClock};
use reconcile::canonical::Fingerprinter;
use reconcile::{Field, FieldMap, Person};
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// People in every server, all with an employeeNumber.
pub const PEOPLE: usize = 3500;

pub struct Lab {
    pub kind: Kind,
    env: HashMap<String, String>,
    pub ldif: PathBuf,
}

pub fn slapd() -> &'static Lab {
    static LAB: LazyLock<Lab> = LazyLock::new(|| {
        let env = [("SLAPD_NAME", "slapd-dir"), ("SLAPD_PORT", "3990"), ("SLAPD_FRESH", "1")];
        Lab::start(Kind::OpenLdap, "slapd", &env, PEOPLE)
    });
    &LAB
}

pub fn ds389() -> &'static Lab {
    static LAB: LazyLock<Lab> = LazyLock::new(|| {
        let env = [("DS389_NAME", "ds389-dir"), ("DS389_PORT", "3991"), ("DS389_FRESH", "1")];
        Lab::start(Kind::Ds389, "389", &env, PEOPLE)
    });
    &LAB
}

pub fn samba() -> &'static Lab {
    static LAB: LazyLock<Lab> = LazyLock::new(|| {
        let env = [("SAMBA_NAME", "samba-dir"), ("SAMBA_ADDR", "127.0.0.15"), ("SAMBA_FRESH", "1")];
        Lab::start(Kind::ActiveDirectory, "ad", &env, PEOPLE)
    });
    &LAB
}

/// A slapd of its own with a certificate of this kind.
pub fn slapd_with_certificate(certificate: &str, port: u16) -> Lab {
    let (name, port) = (format!("slapd-dir-{certificate}"), port.to_string());
    let env = [
        ("SLAPD_NAME", name.as_str()),
        ("SLAPD_PORT", &port),
        ("SLAPD_FRESH", "1"),
        ("SLAPD_CERT", certificate),
    ];
    Lab::start(Kind::OpenLdap, "slapd", &env, 1)
}

impl Lab {
    fn start(kind: Kind, flavor: &str, env: &[(&str, &str)], people: usize) -> Self {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lab");
        let made =
            run(Command::new(scripts.join("people")).args([&people.to_string(), "1", "--flavor", flavor]));
        let ldif = std::env::temp_dir().join(format!("rollcall-directory-{}.ldif", env[0].1));
        std::fs::write(&ldif, made).unwrap();
        let up = match kind {
            Kind::ActiveDirectory => "samba-up",
            Kind::OpenLdap => "slapd-up",
            Kind::Ds389 | Kind::FreeIpa => "ds389-up",
        };
        let described = run(Command::new(scripts.join(up)).arg(&ldif).envs(env.iter().copied()));
        let described = String::from_utf8(described).unwrap();
        let lines = described.lines().filter_map(|line| line.split_once('='));
        Lab { kind, env: lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), ldif }
    }

    pub fn get(&self, name: &str) -> &str {
        self.env.get(name).unwrap_or_else(|| panic!("the lab says no {name}"))
    }

    pub fn ca(&self) -> String {
        std::fs::read_to_string(self.get("LDAP_CA")).unwrap()
    }

    /// The attribute that holds the login.
    pub fn login(&self) -> &'static str {
        if self.kind == Kind::ActiveDirectory { "sAMAccountName" } else { "uid" }
    }

    pub fn photo(&self) -> &'static str {
        if self.kind == Kind::ActiveDirectory { "thumbnailPhoto" } else { "jpegPhoto" }
    }

    /// Settings for the account whose name is in this variable, over LDAPS,
    /// with every field mapped.
    pub fn settings(&self, account: &str) -> Settings {
        let map = |field| match field {
            Field::Name => "displayName",
            Field::Extension => "ipPhone",
            Field::Mobile => "mobile",
            Field::Email => "mail",
            Field::Photo => self.photo(),
            Field::SipPassword => "sipPassword",
        };
        let fields = FieldMap::from_fn(|field| Some(map(field).parse().unwrap()));
        let mut settings = Settings {
            kind: self.kind,
            hosts: Vec::new(),
            domain: None,
            port: 0,
            security: Security::Ldaps,
            trust: Trust::CaPem(self.ca()),
            sign_in: SignIn::Simple { dn: self.get(account).to_owned() },
            client_certificate: None,
            base_dn: self.get("LDAP_BASE").to_owned(),
            ous: vec![self.get("LDAP_PEOPLE").to_owned()],
            exclude: Vec::new(),
            groups: Vec::new(),
            filter: None,
            id_attribute: None,
            map: AttributeMap { fields, account_state: None },
            allow_plain: false,
            region: Some("RU".to_owned()),
            page_size: Settings::default_page_size(self.kind),
        };
        self.point(&mut settings, Security::Ldaps);
        settings
    }

    /// Points the settings at the port for this security.
    pub fn point(&self, settings: &mut Settings, security: Security) {
        let url = self.get(if security == Security::Ldaps { "LDAPS_URL" } else { "LDAP_URL" });
        let (host, port) = url.rsplit('/').next().unwrap().split_once(':').unwrap();
        settings.hosts = vec![host.to_owned()];
        settings.port = port.parse().unwrap();
        settings.security = security;
    }

    /// Settings that see only the person with this login.
    pub fn only(&self, login: &str) -> Settings {
        Settings { filter: Some(format!("({}={login})", self.login())), ..self.settings("LDAP_WRITER") }
    }

    pub fn open(&self, settings: Settings) -> Directory {
        self.open_with(settings, Arc::new(TcpDial))
    }

    pub fn open_with(&self, settings: Settings, dial: Arc<dyn Dial>) -> Directory {
        let password = Some(self.get("LDAP_PASSWORD").to_owned().into());
        Directory::new(settings, password, Fingerprinter::new([7; 32]), dial, Arc::new(SystemClock)).unwrap()
    }

    pub fn dn(&self, login: &str) -> String {
        let rdn = if self.kind == Kind::ActiveDirectory { "CN" } else { "uid" };
        format!("{rdn}={login},{}", self.get("LDAP_PEOPLE"))
    }

    /// Adds a person with these attributes (LDIF lines) and opens a directory
    /// that sees only them.
    pub async fn hire(&self, login: &str, lines: &str) -> (Directory, Target) {
        let classes = match self.kind {
            Kind::ActiveDirectory => {
                format!("objectClass: user\nsAMAccountName: {login}\nuserAccountControl: 544")
            }
            _ => format!(
                "objectClass: inetOrgPerson\nobjectClass: pbxPerson\nuid: {login}\ncn: {login}\nsn: {login}"
            ),
        };
        self.ldif(&format!("dn: {}\nchangetype: add\n{classes}\n{lines}\n", self.dn(login)));
        let mut directory = self.open(self.only(login));
        let person = the_person(&mut directory).await;
        let target = Target::from(&person);
        (directory, target)
    }

    /// Changes the person as somebody else: `lines` are an LDIF modify.
    pub fn edit(&self, login: &str, lines: &str) {
        self.ldif(&format!("dn: {}\nchangetype: modify\n{lines}\n", self.dn(login)));
    }

    /// Carries out LDIF as the administrator.
    pub fn ldif(&self, text: &str) {
        self.ldif_command().apply(text);
    }

    /// The same, to be done later and elsewhere.
    pub fn ldif_command(&self) -> Ldif {
        Ldif {
            url: self.get("LDAPS_URL").to_owned(),
            ca: self.get("LDAP_CA").to_owned(),
            admin: self.get("LDAP_ADMIN").to_owned(),
            password: self.get("LDAP_PASSWORD_FILE").to_owned(),
        }
    }

    /// All values of an attribute of the person, as the server has them.
    pub fn values(&self, login: &str, attribute: &str) -> Vec<String> {
        let filter = format!("({}={login})", self.login());
        let mut command = self.ldif_command().tool("ldapsearch");
        command.args(["-LLL", "-o", "ldif-wrap=no", "-b", self.get("LDAP_BASE"), &filter, attribute]);
        let answer = String::from_utf8(run(&mut command)).unwrap();
        let mut values: Vec<String> = answer
            .lines()
            .filter_map(|line| line.strip_prefix(attribute)?.strip_prefix(": ").map(str::to_owned))
            .collect();
        values.sort();
        values
    }
}

/// `ldapmodify` as the administrator.
pub struct Ldif {
    url: String,
    ca: String,
    admin: String,
    password: String,
}

impl Ldif {
    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("LDAPTLS_CACERT", &self.ca);
        command.args(["-x", "-H", &self.url, "-D", &self.admin, "-y", &self.password]);
        command
    }

    pub fn apply(&self, text: &str) {
        let mut child = self.tool("ldapmodify").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "ldapmodify refused:\n{text}");
    }
}

pub async fn read_all(directory: &mut Directory) -> Result<directory::PeopleRead, Error> {
    directory.read_people(&Known::default(), &mut |_| {}).await
}

/// The one person this directory sees.
pub async fn the_person(directory: &mut Directory) -> Person {
    let mut rows = read_all(directory).await.unwrap().snapshot.rows;
    assert_eq!(rows.len(), 1, "exactly one person is expected");
    rows.remove(0)
}

/// A valid JPEG of some size; another one for another `seed`.
pub fn jpeg(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
    bytes.extend(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    bytes.extend([0xff, 0xfe, 8, 2]);
    bytes.extend(vec![seed; 2048]);
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// Runs something just before one of the requests of a write.
#[derive(Clone, Default)]
pub struct Racing(Arc<Mutex<Option<(usize, Deed)>>>);

type Deed = Box<dyn FnOnce() + Send>;

impl Racing {
    /// The request that changes, after the one that looks.
    pub const CHANGE: usize = 2;
    pub const READ_BACK: usize = 3;

    pub fn arm(&self, request: usize, deed: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap() = Some((request, Box::new(deed)));
    }

    fn request(&self) {
        let mut armed = self.0.lock().unwrap();
        if let Some((requests, deed)) = armed.take() {
            match requests {
                1 => deed(),
                more => *armed = Some((more - 1, deed)),
            }
        }
    }
}

impl std::fmt::Debug for Racing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Racing")
    }
}

impl Dial for Racing {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let inner = TcpDial.dial(host, port).await?;
            Ok(Box::new(Watched { inner, racing: self.clone() }) as Box<dyn Stream>)
        })
    }
}

/// One request is one write, under TLS as well.
struct Watched {
    inner: Box<dyn Stream>,
    racing: Racing,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.racing.request();
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
