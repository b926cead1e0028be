//! A small office without any server of the system: the sandbox directory and
//! the sandbox PBX in the process of the test, the real binary between them.

use super::company::Report;
use super::pbx::Pbx;
use super::{Output, Rollcall};
use effects::{SeededRandom, SystemClock};
use sandbox::directory::{self, Directory};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub const SERVER: &str = "hq";
pub const PASSWORD: &str = "correct-horse-battery";

/// Everybody has a name, a number, a mobile and a mail address.
pub struct Office {
    pub pbx: Pbx,
    pub directory: Directory,
    pub rollcall: Rollcall,
    /// From person 1 on.
    people: Vec<Uuid>,
    running: Option<directory::Running>,
    // Dropped last: the directory runs on it.
    runtime: Runtime,
}

impl Office {
    /// Both sides know nothing of each other yet.
    pub fn new(people: usize) -> Self {
        let office = Office::unknown(people);
        office.introduce();
        office
    }

    /// Rollcall knows nothing of either side yet.
    pub fn unknown(people: usize) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SeededRandom::new(1)));
        let personality = directory::Personality::ActiveDirectory;
        let options = directory::Options::new(personality, PASSWORD.into(), clock, random);
        let directory = Directory::new(options).expect("a directory");
        directory.found_unit(directory.base(), "Staff").expect("room for a unit");
        let free = (Ipv4Addr::LOCALHOST, 0).into();
        let running = runtime.block_on(directory::serve(directory.clone(), free)).expect("a free port");
        let (pbx, rollcall) = (Pbx::start(), Rollcall::new());
        let mut office =
            Office { pbx, directory, rollcall, people: Vec::new(), running: Some(running), runtime };
        (1..=people).for_each(|n| office.hire(n));
        office
    }

    /// Everybody synchronised, as a human does it first.
    pub fn in_step(people: usize) -> Self {
        let office = Office::new(people);
        office.sync().exits(0);
        office
    }

    fn hire(&mut self, n: usize) {
        let (number, mail) = ((300 + n).to_string(), format!("p{n}@example.test"));
        let mobile = format!("+7 916 000-0{n:03}");
        let unit = format!("OU=Staff,{}", self.directory.base());
        let attributes = [("ipPhone", number.as_str()), ("mail", &mail), ("mobile", &mobile)];
        let hired = self.directory.hire(&unit, &format!("p{n}"), &format!("Person {n:02}"), &attributes);
        self.people.push(hired.expect("room for a person"));
    }

    fn introduce(&self) {
        let key = self.rollcall.file("api-key", &format!("{}\n", self.pbx.key())).display().to_string();
        self.rollcall.run(["pbx", "set", "--url", &self.pbx.url(), "--api-key-file", &key]).ok();
        let port = self.port().to_string();
        let dn = self.directory.account_dn("pbx-sync").expect("the account");
        let password = self.password_file();
        let to =
            ["server", "add", SERVER, "--type", "active-directory", "--host", "127.0.0.1", "--port", &port];
        let sign_in = ["--security", "none", "--bind-dn", &dn, "--password-file", &password];
        let what =
            ["--base-dn", self.directory.base(), "--region", "RU", "--write-back", "--numbers", "400-499"];
        self.rollcall.run(to.iter().chain(&sign_in).chain(&what)).ok();
    }

    pub fn port(&self) -> u16 {
        self.running.as_ref().expect("it is running").addr.port()
    }

    pub fn password_file(&self) -> String {
        self.rollcall.file("password", &format!("{PASSWORD}\n")).display().to_string()
    }

    pub fn run(&self, args: &[&str]) -> Output {
        let output = self.rollcall.run(args);
        assert!(!format!("{output:?}").contains(PASSWORD), "a secret was told: {output:?}");
        output
    }

    pub fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, &["--json"]].concat()).ok().json()
    }

    /// What a command that prints a report reported.
    pub fn report(&self, args: &[&str]) -> Report {
        Report::of(self.run(&[args, &["--json"]].concat()))
    }

    pub fn sync(&self) -> Report {
        self.report(&["sync", SERVER])
    }

    pub fn automatic(&self) -> Report {
        self.report(&["sync", SERVER, "--automatic"])
    }

    pub fn preview(&self) -> Report {
        self.report(&["preview", SERVER])
    }

    pub fn edit(&self, options: &[&str]) {
        self.run(&[&["server", "edit", SERVER], options].concat()).ok();
    }

    /// Requests that changed something in the PBX and in the directory, as both count.
    pub fn writes(&self) -> (u64, u64) {
        (self.pbx.writes(), self.directory.writes())
    }

    pub fn disable(&self, people: impl IntoIterator<Item = usize>) {
        people.into_iter().for_each(|n| self.directory.disable(self.people[n - 1]).expect("they are there"));
    }

    pub fn enable(&self, people: impl IntoIterator<Item = usize>) {
        people.into_iter().for_each(|n| self.directory.enable(self.people[n - 1]).expect("they are there"));
    }

    pub fn set(&self, n: usize, attribute: &str, values: &[&str]) {
        self.directory.set(self.people[n - 1], attribute, values).expect("they are there");
    }

    /// The first value of an attribute, or nothing.
    pub fn text(&self, n: usize, attribute: &str) -> String {
        self.text_of(self.people[n - 1], attribute)
    }

    pub fn text_of(&self, person: Uuid, attribute: &str) -> String {
        self.directory.entry(person).and_then(|entry| entry.text(attribute)).unwrap_or_default()
    }

    /// Deletes the account of somebody in the directory.
    pub fn delete_person(&self, n: usize) {
        self.directory.delete(self.people[n - 1]).expect("they are there");
    }

    /// Deletes employees in the PBX's own page.
    pub fn delete_employees(&self, people: impl IntoIterator<Item = usize>) {
        for n in people {
            self.pbx.delete(self.pbx.named(&format!("Person {n:02}")).id);
        }
    }

    /// Nobody answers for the directory any more.
    pub fn close_directory(&mut self) {
        let _runtime = self.runtime.enter();
        drop(self.running.take());
    }

    /// Who is on the list of those who left.
    pub fn disabled(&self) -> Vec<String> {
        let rows = self.json(&["disabled"])["disabled"].clone();
        let rows = rows.as_array().expect("a list").clone();
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    }
}
