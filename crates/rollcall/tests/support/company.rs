//! A company: one directory server, one PBX and one installation of Rollcall
//! between them, and what Rollcall reports about it.

use super::lab::{Kind, Server};
use super::pbx::Pbx;
use super::{Output, Rollcall};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::{fmt, fs, path};

/// How every company calls its directory server.
pub const DOMAIN: &str = "domain";

#[derive(Debug)]
pub struct Company {
    pub server: Server,
    pub pbx: Pbx,
    pub rollcall: Rollcall,
    options: Vec<String>,
    /// Everything the commands ever printed.
    said: Mutex<String>,
}

/// What both sides count: requests that changed the PBX, and the change mark
/// of every entry. Equal before and after when nothing was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Counted {
    pbx: u64,
    directory: BTreeMap<String, String>,
}

impl Company {
    /// Rollcall between the two, with write-back, every field mapped and `options`.
    pub fn new(server: Server, pbx: Pbx, options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let company = Company { server, pbx, rollcall: Rollcall::new(), options, said: Mutex::default() };
        company.set_up();
        company
    }

    /// Tells an installation that knows nothing about both sides.
    pub fn set_up(&self) {
        let key = self.rollcall.file("api-key", &format!("{}\n", self.pbx.key())).display().to_string();
        self.run(&["pbx", "set", "--url", &self.pbx.url(), "--api-key-file", &key]).ok();
        let mut add: Vec<String> = ["server", "add", DOMAIN].map(str::to_owned).to_vec();
        add.extend(self.server.arguments());
        add.extend(every_field(self.server.kind));
        add.extend(["--region", "RU", "--write-back"].map(str::to_owned));
        add.extend(self.options.iter().cloned());
        self.run(&add).ok();
    }

    /// Runs a command, as loud as it can be.
    pub fn run<A: AsRef<str>>(&self, args: &[A]) -> Output {
        let output = self.rollcall.run(["-vv"].into_iter().chain(args.iter().map(AsRef::as_ref)));
        self.said
            .lock()
            .expect("no story panics while it writes this")
            .push_str(&(output.stdout.clone() + &output.stderr));
        output
    }

    pub fn preview(&self) -> Report {
        Report::of(self.run(&["preview", DOMAIN, "--json"]))
    }

    pub fn sync(&self) -> Report {
        Report::of(self.run(&["sync", DOMAIN, "--json"]))
    }

    /// Changes the settings of the server.
    pub fn edit(&self, options: &[&str]) {
        self.run(&[&["server", "edit", DOMAIN], options].concat()).ok();
    }

    /// Answers the conflict of this kind about a person, and synchronises.
    pub fn resolve(&self, report: &Report, name: &str, kind: &str, answer: &[&str]) -> Report {
        let id = self.conflict_id(report, name, kind);
        self.run(&[&["conflicts", "resolve", &id], answer].concat()).ok();
        self.sync()
    }

    pub fn conflict_id(&self, report: &Report, name: &str, kind: &str) -> String {
        let person = report.conflict(name, kind)["person"].clone();
        let list = self.run(&["conflicts", "list", "--json"]).ok().json();
        let rows = list["conflicts"].as_array().expect("a list of conflicts").clone();
        let mut ids = rows.iter().filter(|row| row["person"] == person && row["kind"] == kind);
        let id = ids.next().unwrap_or_else(|| panic!("no {kind} of {name} in {list:#}"))["id"].to_string();
        assert!(ids.next().is_none(), "several {kind} of {name} in {list:#}");
        id
    }

    pub fn counted(&self) -> Counted {
        Counted { pbx: self.pbx.writes(), directory: self.server.marks() }
    }

    /// A synchronisation that writes to neither side, as both sides count.
    pub fn quiet(&self) -> Report {
        let before = self.counted();
        let report = self.sync();
        assert_eq!(report.changed(), [""; 0], "{report:#?}");
        assert_eq!(report.writes(), (0, 0), "{report:#?}");
        assert_eq!(self.counted(), before, "something was written without being told: {report:#?}");
        report
    }

    /// Insists that none of these stands in anything that was printed or kept.
    pub fn keeps_secret(&self, secrets: &[String]) {
        assert!(secrets.iter().all(|secret| secret.len() > 4), "{secrets:?}");
        let said = self.said.lock().expect("no story panics while it writes this").clone();
        for secret in secrets {
            assert!(!said.contains(secret), "`{secret}` was printed");
        }
        for file in files(&self.rollcall.state()) {
            let bytes = fs::read(&file).expect("one's own state is readable");
            for secret in secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "`{secret}` stands in {}", file.display());
            }
        }
    }
}

/// The options that map every field of this kind of server to an attribute that may be written.
pub fn every_field(kind: Kind) -> Vec<String> {
    let maps: &[&str] = match kind {
        Kind::Samba => &["sip-password=sipPassword"],
        Kind::Slapd | Kind::Ds389 => &["name=displayName", "extension=ipPhone", "sip-password=sipPassword"],
    };
    maps.iter().flat_map(|map| ["--map".to_owned(), (*map).to_owned()]).collect()
}

fn files(folder: &path::Path) -> Vec<path::PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a state directory").map(|entry| entry.expect("readable").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What `preview` or `sync` answered.
#[derive(Clone)]
pub struct Report {
    pub code: i32,
    pub json: Value,
}

/// The gist, for a story that went wrong.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notes = self
            .people()
            .iter()
            .filter_map(|person| Some((text(&person["name"]), person["reason"].as_str()?)));
        f.debug_struct("Report")
            .field("code", &self.code)
            .field("directory", &self.json["directory"])
            .field("pbx", &self.json["pbx"])
            .field("counts", &self.counts())
            .field("writes", &self.writes())
            .field("changed", &self.changed())
            .field("results", &self.results())
            .field("reasons", &notes.collect::<Vec<_>>())
            .field("conflicts", &self.conflicts())
            .field("halted", &self.json["halted"])
            .field("held back", &self.json["held_back"])
            .field("warnings", &self.json["warnings"])
            .finish()
    }
}

impl Report {
    pub fn of(output: Output) -> Self {
        let code = output.code.expect("no signal ended it");
        assert!([0, 3, 4].contains(&code), "{output:#?}");
        Report { code, json: output.json() }
    }

    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// The counts that are not 0, `unchanged` left out.
    pub fn counts(&self) -> BTreeMap<&str, u64> {
        let counts = self.json["counts"].as_object().expect("counts");
        let counts = counts.iter().map(|(what, count)| (what.as_str(), count.as_u64().expect("a count")));
        counts.filter(|(what, count)| *count > 0 && *what != "unchanged").collect()
    }

    /// Requests that changed something in the PBX and in the directory.
    pub fn writes(&self) -> (u64, u64) {
        let count = |side| self.json["writes"][side].as_u64().expect("a count");
        (count("pbx"), count("directory"))
    }

    pub fn people(&self) -> &[Value] {
        self.json["people"].as_array().expect("people")
    }

    pub fn person(&self, name: &str) -> &Value {
        let mut found = self.people().iter().filter(|person| person["name"] == name);
        let person = found.next().unwrap_or_else(|| panic!("nobody is called {name}: {self:#?}"));
        assert!(found.next().is_none(), "several people are called {name}");
        person
    }

    pub fn extension(&self, name: &str) -> String {
        self.person(name)["extension"].as_str().unwrap_or_default().to_owned()
    }

    /// Every change that was planned or made, one line each, in order.
    pub fn changed(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for person in self.people() {
            for change in person["changes"].as_array().expect("changes") {
                lines.push(format!("{}: {}", text(&person["name"]), line(change)));
            }
        }
        lines.sort();
        lines
    }

    /// The changes of one person.
    pub fn changes(&self, name: &str) -> Vec<String> {
        self.changes_of(self.person(name))
    }

    pub fn changes_of(&self, person: &Value) -> Vec<String> {
        let mut lines: Vec<String> =
            person["changes"].as_array().expect("changes").iter().map(line).collect();
        lines.sort();
        lines
    }

    pub fn results(&self) -> Vec<&str> {
        let changes = self.people().iter().flat_map(|person| person["changes"].as_array().expect("changes"));
        let mut results: Vec<&str> = changes.map(|change| text(&change["result"])).collect();
        results.sort_unstable();
        results.dedup();
        results
    }

    /// `NAME: kind (field)` of every conflict.
    pub fn conflicts(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .all_conflicts()
            .iter()
            .map(|conflict| match conflict["field"].as_str() {
                Some(field) => format!("{}: {} ({field})", text(&conflict["name"]), text(&conflict["kind"])),
                None => format!("{}: {}", text(&conflict["name"]), text(&conflict["kind"])),
            })
            .collect();
        lines.sort();
        lines
    }

    pub fn conflict(&self, name: &str, kind: &str) -> &Value {
        let wanted = |row: &&Value| text(&row["name"]) == name && text(&row["kind"]) == kind;
        let mut found = self.all_conflicts().iter().filter(wanted);
        let conflict = found.next().unwrap_or_else(|| panic!("no conflict {kind} about {name}: {self:#?}"));
        assert!(found.next().is_none(), "several conflicts {kind} about {name}: {self:#?}");
        conflict
    }

    fn all_conflicts(&self) -> &[Value] {
        self.json["conflicts"].as_array().expect("conflicts")
    }
}

/// `pbx mobile: 79261234567 → —`
fn line(change: &Value) -> String {
    let value = |key: &str| change[key].as_str().unwrap_or("—").to_owned();
    format!("{} {}: {} → {}", text(&change["side"]), text(&change["field"]), value("before"), value("after"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
