//! A company that needs nothing installed: the sandbox's directory and PBX in
//! the process of the test, and one installation of Rollcall between them.

use super::company::{DOMAIN, Report, every_field};
use super::lab::Kind;
use super::pbx::Pbx;
use super::{Output, Rollcall};
use effects::{SeededRandom, SystemClock};
use sandbox::directory::{Directory, Options, Personality, Running, serve};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub const PASSWORD: &str = "correct-horse-battery";

#[derive(Debug)]
pub struct Office {
    pub directory: Directory,
    pub pbx: Pbx,
    pub rollcall: Rollcall,
    options: Vec<String>,
    running: Running,
    // Dropped last: the directory runs on it.
    _runtime: Runtime,
}

impl Office {
    /// Rollcall between the two, with write-back, every field mapped and `options`.
    pub fn new(personality: Personality, options: &[&str]) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let random = Arc::new(SeededRandom::new(1));
        let made = Options::new(personality, PASSWORD.into(), Arc::new(SystemClock), random);
        let directory = Directory::new(made).expect("a directory");
        directory.found_unit(directory.base(), "People").expect("room for a unit");
        let free = (Ipv4Addr::LOCALHOST, 0).into();
        let running = runtime.block_on(serve(directory.clone(), free)).expect("a free port");
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let (pbx, rollcall) = (Pbx::start(), Rollcall::new());
        let office = Office { directory, pbx, rollcall, options, running, _runtime: runtime };
        office.set_up();
        office
    }

    /// Tells an installation that knows nothing about both sides.
    pub fn set_up(&self) {
        self.set_pbx();
        let kind = match self.directory.personality() {
            Personality::OpenLdap => Kind::Slapd,
            Personality::ActiveDirectory => Kind::Samba,
        };
        let word = if kind == Kind::Samba { "active-directory" } else { "openldap" };
        let dn = self.directory.account_dn("pbx-sync").expect("the account");
        let port = self.running.addr.port().to_string();
        let mut add: Vec<String> = ["server", "add", DOMAIN, "--type", word].map(str::to_owned).to_vec();
        add.extend(["--host", "127.0.0.1", "--port", &port, "--security", "none"].map(str::to_owned));
        add.extend(["--bind-dn", &dn, "--password-file", &self.password_file()].map(str::to_owned));
        add.extend(["--base-dn", self.directory.base(), "--region", "RU", "--write-back"].map(str::to_owned));
        add.extend(every_field(kind));
        add.extend(self.options.iter().cloned());
        self.run(&add).ok();
    }

    pub fn set_pbx(&self) {
        let key = self.rollcall.file("api-key", &format!("{}\n", self.pbx.key())).display().to_string();
        self.run(&["pbx", "set", "--url", &self.pbx.url(), "--api-key-file", &key]).ok();
    }

    pub fn password_file(&self) -> String {
        self.rollcall.file("password", &format!("{PASSWORD}\n")).display().to_string()
    }

    pub fn run<A: AsRef<str>>(&self, args: &[A]) -> Output {
        let output = self.rollcall.run(args.iter().map(AsRef::as_ref));
        assert!(!format!("{output:?}").contains(PASSWORD), "a secret was told: {output:?}");
        output
    }

    pub fn preview(&self) -> Report {
        Report::of(self.run(&["preview", DOMAIN, "--json"]))
    }

    pub fn sync(&self) -> Report {
        Report::of(self.run(&["sync", DOMAIN, "--json"]))
    }

    /// Requests of clients that changed something, or meant to.
    pub fn writes(&self) -> (u64, u64) {
        (self.pbx.writes(), self.directory.counts().write_requests)
    }

    /// A synchronisation that asks neither side to change anything.
    pub fn quiet(&self) -> Report {
        let before = self.writes();
        let report = self.sync();
        assert_eq!((report.changed(), report.writes()), (Vec::new(), (0, 0)), "{report:#?}");
        assert_eq!(self.writes(), before, "{report:#?}");
        report
    }

    /// A new person. The first value of an attribute that is named twice comes first.
    pub fn hire(&self, login: &str, name: &str, attributes: &[(&str, &str)]) -> Uuid {
        let parent = format!("ou=People,{}", self.directory.base());
        self.directory.hire(&parent, login, name, attributes).expect("room for a person")
    }

    pub fn set<V: AsRef<[u8]>>(&self, person: Uuid, attribute: &str, values: &[V]) {
        self.directory.set(person, attribute, values).expect("a person and an attribute");
    }

    /// The first value of an attribute, or nothing.
    pub fn text(&self, person: Uuid, attribute: &str) -> String {
        self.directory.entry(person).and_then(|entry| entry.text(attribute)).unwrap_or_default()
    }
}
