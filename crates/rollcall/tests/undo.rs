//! Undoing runs, as scripts meet it: the real binary between the two sandboxes.

mod support;

use effects::{Random, SeededRandom, SystemClock, SystemRandom};
use sandbox::company::{Company, Photo};
use sandbox::directory::{self, Directory, Personality};
use serde_json::Value;
use sqlx::Connection;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{History, Settlement, SqlStore, State};
use support::Rollcall;
use support::pbx::Pbx;
use tokio::runtime::Runtime;
use uuid::Uuid;

const PASSWORD: &str = "correct-horse-battery";
const BOTH: [Personality; 2] = [Personality::OpenLdap, Personality::ActiveDirectory];
const DAY_MS: i64 = 24 * 3_600_000;

/// A directory, a PBX, and an installation between them.
struct Lab {
    directory: Directory,
    pbx: Pbx,
    rollcall: Rollcall,
    _running: directory::Running,
    // Dropped last: the directory runs on it.
    runtime: Runtime,
}

/// Somebody who has been on both sides for a while.
#[derive(Clone, Copy)]
struct Pair {
    person: Uuid,
    employee: u64,
}

impl Lab {
    fn new(personality: Personality) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let random = Arc::new(SeededRandom::new(1));
        let options = directory::Options::new(personality, PASSWORD.into(), Arc::new(SystemClock), random);
        let directory = Directory::new(options).expect("a directory");
        directory.populate(&Company::new(0, 1)).expect("room for nobody");
        let free = (Ipv4Addr::LOCALHOST, 0).into();
        let running = runtime.block_on(directory::serve(directory.clone(), free)).expect("a free port");
        let lab = Lab { directory, pbx: Pbx::start(), rollcall: Rollcall::new(), _running: running, runtime };
        lab.introduce();
        lab
    }

    fn introduce(&self) {
        let key = self.rollcall.file("key", &format!("{}\n", self.pbx.key()));
        let key = key.to_str().expect("a plain path");
        self.rollcall.run(["pbx", "set", "--url", &self.pbx.url(), "--api-key-file", key]).ok();
        let password = self.rollcall.file("password", &format!("{PASSWORD}\n"));
        let password = password.to_str().expect("a plain path");
        let port = self._running.addr.port().to_string();
        let dn = self.directory.account_dn("pbx-sync").expect("the account");
        let (kind, maps): (_, &[&str]) = match self.directory.personality() {
            Personality::OpenLdap => ("openldap", &["name=displayName", "extension=ipPhone"]),
            Personality::ActiveDirectory => ("active-directory", &[]),
        };
        let mut args = vec!["server", "add", "hq", "--type", kind, "--host", "127.0.0.1", "--port", &port];
        args.extend(["--security", "none", "--bind-dn", &dn, "--password-file", password]);
        args.extend(["--base-dn", self.directory.base(), "--region", "RU", "--write-back"]);
        args.extend(maps.iter().flat_map(|map| ["--map", *map]));
        args.extend(["--map", "sip-password=sipPassword", "--numbers", "240-299"]);
        self.rollcall.run(args).ok();
    }

    /// A company of so many, in step on both sides.
    fn staff(personality: Personality, people: u64) -> (Self, Vec<Pair>) {
        let lab = Lab::new(personality);
        let pairs = (1..=people).map(|at| lab.pair_up(at)).collect();
        lab.sync();
        lab.quiet();
        (lab, pairs)
    }

    fn pair_up(&self, at: u64) -> Pair {
        let name = format!("First{at:02} Last{at:02}");
        let (mail, mobile) = (format!("p{at:02}@example.test"), format!("+7926123{at:04}"));
        let number = (200 + at).to_string();
        let employee = self.pbx.hire(&number, &name, &mail, &mobile[1..]);
        let secret = self.pbx.employee(employee).secret;
        let person = self.hire(
            &format!("p{at:02}"),
            &name,
            &[("mail", &mail), ("mobile", &mobile), ("ipPhone", &number), ("sipPassword", &secret)],
        );
        Pair { person, employee }
    }

    fn hire(&self, login: &str, name: &str, attributes: &[(&str, &str)]) -> Uuid {
        let unit = self.directory.people_unit();
        self.directory.hire(&unit, login, name, attributes).expect("room for a person")
    }

    fn set(&self, person: Uuid, attribute: &str, value: &str) {
        let values: &[&str] = if value.is_empty() { &[] } else { &[value] };
        self.directory.set(person, attribute, values).expect("a known attribute");
    }

    fn theirs(&self, person: Uuid, attribute: &str) -> String {
        self.directory.entry(person).and_then(|entry| entry.text(attribute)).unwrap_or_default()
    }

    fn photo_attribute(&self) -> &'static str {
        match self.directory.personality() {
            Personality::OpenLdap => "jpegPhoto",
            Personality::ActiveDirectory => "thumbnailPhoto",
        }
    }

    fn photo(&self, person: Uuid) -> Option<Vec<u8>> {
        let entry = self.directory.entry(person)?;
        entry.attributes.get(self.photo_attribute())?.first().cloned()
    }

    fn json(&self, args: &[&str], code: i32) -> Value {
        let output = self.rollcall.run(args.iter().chain(&["--json"])).exits(code);
        assert!(!format!("{output:?}").contains(PASSWORD), "a secret was told: {output:?}");
        output.json()
    }

    /// Synchronises; the number of the run.
    fn sync(&self) -> i64 {
        self.synced()["run"].as_i64().expect("a number")
    }

    fn synced(&self) -> Value {
        let output = self.rollcall.run(["sync", "hq", "--json"]);
        assert!(matches!(output.code, Some(0 | 4)), "{output:#?}");
        output.json()
    }

    /// A synchronisation that writes to neither side, as both sides count.
    fn quiet(&self) -> Value {
        let before = self.counted();
        let report = self.synced();
        assert_eq!(self.counted(), before, "{report:#}");
        assert_eq!(
            (&report["writes"]["pbx"], &report["writes"]["directory"]),
            (&0.into(), &0.into()),
            "{report:#}"
        );
        report
    }

    fn counted(&self) -> (u64, u64) {
        (self.pbx.writes(), self.directory.counts().write_requests)
    }

    fn undo(&self, run: i64, args: &[&str], code: i32) -> Value {
        let run = run.to_string();
        self.json(&[&["undo", &run], args].concat(), code)
    }

    /// Undoes all of a run, which leaves nothing out.
    fn undone(&self, run: i64) -> i64 {
        let report = self.undo(run, &[], 0);
        assert_eq!(
            (&report["not_undone"], &report["undoes"]),
            (&Value::from([(); 0]), &run.into()),
            "{report:#}"
        );
        report["run"].as_i64().expect("a number")
    }

    /// `what: state` of every step of a run.
    fn steps(&self, run: i64) -> Vec<String> {
        let past = self.json(&["history", &run.to_string()], 0);
        let step = |step: &Value| {
            format!("{} {}: {}", text(&step["side"]), text(&step["what"]), text(&step["state"]))
        };
        past["steps"].as_array().expect("steps").iter().map(step).collect()
    }

    fn seq(&self, run: i64, what: &str) -> String {
        let past = self.json(&["history", &run.to_string()], 0);
        let steps = past["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["what"] == what).expect("such a step");
        step["step"].to_string()
    }

    /// Meddles with what is remembered.
    fn database(&self, sql: &'static str) {
        self.runtime.block_on(async {
            let url = format!("sqlite://{}?mode=rw", self.rollcall.state().join("rollcall.db").display());
            let mut database = sqlx::SqliteConnection::connect(&url).await.expect("the state");
            sqlx::query(sql).execute(&mut database).await.expect("known tables");
            database.close().await.expect("nothing is left open");
        });
    }

    fn store(&self) -> SqlStore {
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        self.runtime.block_on(SqlStore::open(&self.rollcall.state(), None, random)).expect("the state")
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `what: why` of everything that was not undone.
fn not_undone(report: &Value) -> Vec<String> {
    let rows = report["not_undone"].as_array().expect("a list").iter();
    rows.map(|row| format!("{} {}: {}", text(&row["side"]), text(&row["what"]), text(&row["why"]))).collect()
}

#[test]
fn a_value_comes_back_on_the_side_it_was_written_to_and_rests() {
    for personality in BOTH {
        let (lab, pairs) = Lab::staff(personality, 6);
        let Pair { person, employee } = pairs[0];
        // Written in the PBX.
        lab.set(person, "mobile", "+79160000001");
        let run = lab.sync();
        assert_eq!(lab.pbx.employee(employee).mobile, "79160000001");
        let undo = lab.undone(run);
        assert_eq!(lab.pbx.employee(employee).mobile, "79261230001");
        assert_eq!(lab.theirs(person, "mobile"), "+79160000001");
        assert_eq!(lab.steps(run), ["pbx mobile: undone"]);
        assert_eq!(lab.steps(undo), ["pbx mobile: done"]);
        let quiet = lab.quiet();
        let held =
            quiet["people"].as_array().unwrap().iter().find(|one| one["id"] == person.to_string()).unwrap();
        assert_eq!(held["differs"], serde_json::json!(["mobile"]));
        let explained = lab.json(&["explain", &person.to_string()], 0);
        assert_eq!(explained["people"][0]["fields"]["mobile"]["agreed"]["held"], true);
        // Undoing it twice says so and does nothing.
        let before = lab.counted();
        let twice = lab.undo(run, &[], 0);
        assert_eq!(lab.counted(), before);
        assert_eq!(text(&twice["warnings"][0]), format!("run {run} was undone already"));
        // A new edit flows from there, whichever side it is on.
        lab.set(person, "mobile", "+79160000002");
        lab.sync();
        assert_eq!(lab.pbx.employee(employee).mobile, "79160000002");
        lab.quiet();

        // Written in the directory.
        lab.pbx.edit(employee, serde_json::json!({ "user_email": "new@example.test" }));
        let run = lab.sync();
        assert_eq!(lab.theirs(person, "mail"), "new@example.test");
        lab.undone(run);
        assert_eq!(lab.theirs(person, "mail"), "p01@example.test");
        assert_eq!(lab.pbx.employee(employee).email, "new@example.test");
        lab.quiet();
        lab.pbx.edit(employee, serde_json::json!({ "user_email": "third@example.test" }));
        lab.sync();
        assert_eq!(lab.theirs(person, "mail"), "third@example.test");
        lab.quiet();
    }
}

#[test]
fn an_undo_can_be_undone_and_what_it_undid_can_be_undone_again() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
    let Pair { person, employee } = pairs[0];
    lab.set(person, "mobile", "+79160000001");
    let run = lab.sync();
    let first = lab.undone(run);
    let second = lab.undone(first);
    assert_eq!(lab.pbx.employee(employee).mobile, "79160000001");
    assert_eq!(lab.steps(run), ["pbx mobile: done"], "in force again");
    assert_eq!(lab.steps(first), ["pbx mobile: undone"]);
    lab.quiet();
    let third = lab.undone(second);
    assert_eq!(lab.pbx.employee(employee).mobile, "79261230001");
    assert_eq!(lab.steps(run), ["pbx mobile: undone"]);
    assert_eq!(
        (lab.steps(first), lab.steps(second)),
        (vec!["pbx mobile: done".to_owned()], vec!["pbx mobile: undone".to_owned()])
    );
    lab.quiet();
    lab.undone(third);
    lab.undone(run);
    assert_eq!(lab.pbx.employee(employee).mobile, "79261230001");
    lab.quiet();
}

#[test]
fn what_somebody_changed_since_is_theirs() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
    let Pair { person, employee } = pairs[0];
    lab.set(person, "mobile", "+79160000001");
    lab.set(person, "mail", "new@example.test");
    let run = lab.sync();
    lab.pbx.set_mobile(employee, "79169999999");
    let report = lab.undo(run, &[], 4);
    assert_eq!(not_undone(&report), ["pbx mobile: it was changed since: `79169999999` stands there now"]);
    assert_eq!(report["not_undone"][0]["name"], "First01 Last01");
    let employee = lab.pbx.employee(employee);
    assert_eq!((&*employee.mobile, &*employee.email), ("79169999999", "p01@example.test"));
    lab.sync();
    assert_eq!(lab.theirs(person, "mobile"), "+79169999999", "and flows");
    lab.quiet();
}

#[test]
fn what_was_emptied_comes_back_and_what_was_filled_is_emptied() {
    for personality in BOTH {
        let (lab, pairs) = Lab::staff(personality, 6);
        let photo = Photo::new(7).jpeg();
        let Pair { person, employee } = pairs[0];
        lab.set(person, "mobile", "");
        lab.set(pairs[1].person, "mobile", "");
        lab.sync();
        // Filled in the PBX: a mobile and a picture.
        lab.set(pairs[1].person, "mobile", "+79160000009");
        lab.directory.set(person, lab.photo_attribute(), &[&photo]).expect("a known attribute");
        let run = lab.sync();
        assert_eq!(lab.pbx.photo(employee), Some(photo.clone()));
        lab.undone(run);
        assert_eq!((lab.pbx.photo(employee), lab.photo(person)), (None, Some(photo.clone())));
        assert_eq!(lab.pbx.employee(pairs[1].employee).mobile, "");
        lab.quiet();
        // Emptied in the directory.
        lab.pbx.edit(pairs[2].employee, serde_json::json!({ "user_email": "" }));
        let run = lab.sync();
        assert_eq!(lab.theirs(pairs[2].person, "mail"), "");
        lab.undone(run);
        assert_eq!(lab.theirs(pairs[2].person, "mail"), "p03@example.test");
        lab.quiet();
        // Filled in the directory.
        lab.pbx.set_mobile(employee, "79160000005");
        let run = lab.sync();
        assert_eq!(lab.theirs(person, "mobile"), "+79160000005");
        lab.undone(run);
        assert_eq!(
            (lab.theirs(person, "mobile"), lab.pbx.employee(employee).mobile),
            (String::new(), "79160000005".into())
        );
        lab.quiet();
        lab.quiet();
    }
}

#[test]
fn what_is_left_of_several_values_is_not_exchanged_for_the_one_that_was_taken_out() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 6);
    let Pair { person, employee } = pairs[0];
    let mails = ["p01@example.test", "other@example.test"];
    lab.directory.set(person, "mail", &mails).expect("a known attribute");
    lab.quiet();
    lab.pbx.edit(employee, serde_json::json!({ "user_email": "" }));
    let run = lab.sync();
    assert_eq!(lab.theirs(person, "mail"), "other@example.test");
    let report = lab.undo(run, &[], 4);
    assert_eq!(
        not_undone(&report),
        ["directory email: it was changed since: `other@example.test` stands there now"]
    );
    assert_eq!(lab.theirs(person, "mail"), "other@example.test");
}

#[test]
fn an_overwritten_picture_comes_back_to_the_byte_while_it_is_kept() {
    for personality in BOTH {
        let (lab, pairs) = Lab::staff(personality, 3);
        let [old, new, third] = [1, 2, 3].map(|seed| Photo::new(seed).jpeg());
        let Pair { person, employee } = pairs[0];
        let theirs =
            |photo: &Vec<u8>| lab.directory.set(person, lab.photo_attribute(), &[photo]).expect("set");
        theirs(&old);
        lab.sync();
        theirs(&new);
        let run = lab.sync();
        assert_eq!(lab.pbx.photo(employee), Some(new.clone()));
        let undo = lab.undone(run);
        assert_eq!((lab.pbx.photo(employee), lab.photo(person)), (Some(old.clone()), Some(new.clone())));
        lab.quiet();
        lab.undone(undo);
        assert_eq!(lab.pbx.photo(employee), Some(new.clone()), "the undone one was kept too");
        // In the directory.
        lab.pbx.set_photo(employee, &third);
        let run = lab.sync();
        assert_eq!(lab.photo(person), Some(third.clone()));
        lab.undone(run);
        assert_eq!((lab.photo(person), lab.pbx.photo(employee)), (Some(new.clone()), Some(third)));
        lab.quiet();
        // A picture that is not kept any more.
        theirs(&old);
        let run = lab.sync();
        let now_ms = lab.json(&["history", &run.to_string()], 0)["started_ms"].as_i64().expect("a time");
        let store = lab.store();
        lab.runtime.block_on(store.prune(now_ms + 31 * DAY_MS)).expect("the state");
        drop(store);
        let report = lab.undo(run, &[], 4);
        assert_eq!(
            not_undone(&report),
            ["pbx photo: the picture that was there before is not kept any more"]
        );
        lab.quiet();
    }
}

#[test]
fn a_number_comes_back_if_nobody_has_it() {
    for personality in BOTH {
        let (lab, pairs) = Lab::staff(personality, 6);
        lab.set(pairs[0].person, "ipPhone", "277");
        lab.pbx.edit(pairs[1].employee, serde_json::json!({ "number": "278" }));
        let run = lab.sync();
        assert_eq!(
            (&*lab.pbx.employee(pairs[0].employee).number, &*lab.theirs(pairs[1].person, "ipPhone")),
            ("277", "278")
        );
        // Its own cool-down does not stand in the way.
        lab.undone(run);
        assert_eq!(
            (&*lab.pbx.employee(pairs[0].employee).number, &*lab.theirs(pairs[1].person, "ipPhone")),
            ("201", "202")
        );
        lab.quiet();

        lab.set(pairs[2].person, "ipPhone", "279");
        let run = lab.sync();
        lab.pbx.queue("203");
        let report = lab.undo(run, &[], 4);
        let [told] = &not_undone(&report)[..] else { panic!("{report:#}") };
        assert!(told.contains("number 203 belongs to a call queue"), "{told}");
        assert_eq!(lab.json(&["conflicts", "list"], 0)["conflicts"], serde_json::json!([]));
        lab.quiet();
    }
}

#[test]
fn an_answer_does_not_do_again_what_was_undone() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
    let Pair { person, employee } = pairs[0];
    lab.set(person, "ipPhone", "12a");
    lab.sync();
    let conflict = lab.json(&["conflicts", "list"], 0)["conflicts"][0]["id"].to_string();
    lab.rollcall.run(["conflicts", "resolve", &conflict, "--number", "277"]).ok();
    let run = lab.sync();
    let numbers = || (lab.theirs(person, "ipPhone"), lab.pbx.employee(employee).number);
    assert_eq!(numbers(), ("277".into(), "277".into()));
    lab.undone(run);
    assert_eq!(numbers(), ("12a".into(), "201".into()));
    lab.quiet();
    assert_eq!(numbers(), ("12a".into(), "201".into()));
    // It is asked again instead.
    let conflict = &lab.json(&["conflicts", "list"], 0)["conflicts"][0];
    assert_eq!((&conflict["kind"], &conflict["answer"]), (&"unusable".into(), &Value::Null));
}

#[test]
fn a_wrong_join_is_undone_and_not_repeated() {
    for personality in BOTH {
        let (lab, _) = Lab::staff(personality, 3);
        let anna =
            lab.hire("anna", "Anna Smirnova", &[("mail", "sales@example.test"), ("mobile", "+79269999999")]);
        let desk = lab.pbx.hire("209", "Sales Desk", "sales@example.test", "");
        let before = lab.pbx.employee(desk);
        let run = lab.sync();
        assert_eq!((&*lab.pbx.employee(desk).name, &*lab.theirs(anna, "ipPhone")), ("Anna Smirnova", "209"));
        let report = lab.undo(run, &[], 4);
        assert_eq!(lab.pbx.employee(desk), before);
        let told = not_undone(&report);
        assert_eq!(told.len(), 2, "{told:#?}");
        assert!(told[0].starts_with("directory extension: it was empty before"), "{told:#?}");
        assert!(told[1].contains("give a new one on either side"), "{told:#?}");
        let state = || lab.json(&["explain", "Anna Smirnova"], 0)["people"][0]["state"].clone();
        assert_eq!(state(), "unlinked");
        for _ in 0..2 {
            let report = lab.quiet();
            assert_eq!(report["conflicts"][0]["kind"], "ambiguous-match", "{report:#}");
            assert_eq!(state(), "unlinked");
        }
        assert_eq!(lab.pbx.employees().len(), 4, "nobody was created");
        assert!(lab.steps(run).contains(&"rollcall join: undone".to_owned()), "{:#?}", lab.steps(run));

        // The undo was wrong: undone itself, it joins the two as they were.
        let undo = report["run"].as_i64().expect("a number");
        lab.undone(undo);
        assert_eq!((&*lab.pbx.employee(desk).name, state()), ("Anna Smirnova", "active".into()));
        assert_eq!(lab.theirs(anna, "ipPhone"), "209");
        lab.quiet();
        lab.quiet();
    }
}

#[test]
fn a_join_stays_while_a_value_of_it_cannot_be_put_back() {
    let (lab, _) = Lab::staff(Personality::OpenLdap, 3);
    lab.hire("anna", "Anna Smirnova", &[("mail", "sales@example.test"), ("mobile", "+79269999999")]);
    let desk = lab.pbx.hire("209", "Sales Desk", "sales@example.test", "");
    let run = lab.sync();
    lab.pbx.misbehave("pbx.locked=always");
    let report = lab.undo(run, &[], 4);
    let told = not_undone(&report);
    assert!(told.iter().any(|one| one.starts_with("rollcall join: ")), "{told:#?}");
    lab.pbx.misbehave("");
    lab.quiet();
    assert_eq!(lab.json(&["explain", "Anna Smirnova"], 0)["people"][0]["state"], "active");
    lab.undo(run, &[], 4);
    assert_eq!(lab.pbx.employee(desk).name, "Sales Desk");
    assert_eq!(lab.json(&["explain", "Anna Smirnova"], 0)["people"][0]["state"], "unlinked");
}

#[test]
fn who_was_created_left_or_has_another_secret_is_listed() {
    let (lab, pairs) = Lab::staff(Personality::ActiveDirectory, 6);
    let zoe = lab.hire("zoe", "Zoe New", &[("mail", "zoe@example.test")]);
    lab.directory.disable(pairs[0].person).expect("an account");
    lab.set(pairs[1].person, "sipPassword", "An0ther-g00d-Secret");
    let run = lab.sync();
    let number = lab.theirs(zoe, "ipPhone");
    let employees = lab.pbx.employees();
    let before = lab.counted();
    let report = lab.undo(run, &[], 4);
    assert_eq!((lab.counted(), lab.pbx.employees()), (before, employees));
    let told = not_undone(&report).join("\n");
    let id = lab.pbx.numbered(&number).id;
    for part in [
        &*format!(
            "rollcall create: employees are never deleted by us: if this one is not wanted, delete employee {id}, number {number}"
        ),
        "rollcall leave: account state is only observed",
        "pbx sip-password: a SIP password is not kept",
        "directory extension: it was empty before",
    ] {
        assert!(told.contains(part.trim_start_matches("rollcall create: ")), "{part} in {told}");
    }
    lab.quiet();
}

#[test]
fn a_part_of_a_run_is_undone() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 6);
    for pair in &pairs[..3] {
        lab.set(pair.person, "mail", &format!("{}@example.test", pair.employee));
        lab.set(pair.person, "mobile", &format!("+7916000000{}", pair.employee % 10));
    }
    let run = lab.sync();
    let mails = || [0, 1, 2].map(|at| lab.pbx.employee(pairs[at].employee).email.starts_with('p'));
    let preview = lab.undo(run, &["--person", "first01 last01", "--preview"], 0);
    assert_eq!((&preview["run"], mails()), (&Value::Null, [false; 3]));
    assert_eq!(preview["people"].as_array().map(Vec::len), Some(1));
    lab.undo(run, &["--person", "First01 Last01"], 0);
    assert_eq!(mails(), [true, false, false]);
    let person = pairs[1].person.to_string();
    let seq = {
        let past = lab.json(&["history", &run.to_string()], 0);
        let steps = past["steps"].as_array().expect("steps").clone();
        let step = steps.iter().find(|step| step["person"] == *person && step["what"] == "email");
        step.expect("such a step")["step"].to_string()
    };
    lab.undo(run, &["--person", &person, "--step", &seq], 0);
    assert_eq!(mails(), [true, true, false]);
    assert_ne!(lab.pbx.employee(pairs[1].employee).mobile, "79261230002", "not asked for");
    // The rest; what is undone already is said and no failure.
    let rest = lab.undo(run, &[], 0);
    assert_eq!(mails(), [true; 3]);
    assert_eq!(text(&rest["warnings"][0]), format!("3 steps of run {run} were undone already"));
    lab.quiet();
    assert_eq!(lab.json(&["history"], 0)["runs"][1]["trigger"], "undo");
}

#[test]
fn an_undo_is_previewed_stopped_and_released_like_any_plan() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 8);
    for pair in &pairs[..7] {
        lab.set(pair.person, "mail", &format!("new{}@example.test", pair.employee));
    }
    let output = lab.rollcall.run(["sync", "hq", "--json"]).exits(3).json();
    let plan = text(&output["plan"]).to_owned();
    let run = lab.json(&["apply", &plan, "--release"], 0)["run"].as_i64().expect("a number");
    let preview = lab.undo(run, &["--preview"], 3);
    let before = lab.counted();
    let halted = lab.undo(run, &[], 3);
    assert_eq!((lab.counted(), &halted["plan"]), (before, &preview["plan"]));
    assert_eq!(halted["halted"]["tripped"][0]["people"], 7);
    lab.json(&["apply", text(&halted["plan"])], 3);
    assert_eq!(lab.counted(), before);
    // It stops nothing but itself.
    lab.set(pairs[7].person, "mail", "eight@example.test");
    lab.json(&["sync", "hq"], 0);
    assert_eq!(lab.pbx.employee(pairs[7].employee).email, "eight@example.test");
    let released = lab.json(&["apply", text(&halted["plan"]), "--release"], 0);
    assert_eq!(released["undoes"], run);
    assert!(pairs[..7].iter().all(|pair| lab.pbx.employee(pair.employee).email.starts_with('p')));
    assert_eq!(lab.json(&["history"], 0)["runs"][0]["trigger"], "undo");
    lab.quiet();
}

#[test]
fn a_reviewed_undo_leaves_out_what_moved() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 6);
    for pair in &pairs[..2] {
        lab.set(pair.person, "mail", &format!("new{}@example.test", pair.employee));
    }
    let run = lab.sync();
    let preview = lab.undo(run, &["--preview"], 0);
    lab.pbx.edit(pairs[0].employee, serde_json::json!({ "user_email": "third@example.test" }));
    let report = lab.json(&["apply", text(&preview["plan"])], 4);
    assert_eq!(not_undone(&report).len(), 1, "{report:#}");
    let mails = [0, 1].map(|at| lab.pbx.employee(pairs[at].employee).email);
    assert_eq!(mails, ["third@example.test", "p02@example.test"]);
}

#[test]
fn what_is_refused_is_listed_and_not_tried_again() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
    let Pair { person, employee } = pairs[0];
    lab.pbx.edit(employee, serde_json::json!({ "user_email": "new@example.test" }));
    let run = lab.sync();
    lab.directory
        .with_account("pbx-sync", |account| account.rights.writes = directory::Writes::Nothing)
        .expect("the account");
    let report = lab.undo(run, &[], 4);
    assert_eq!(not_undone(&report).len(), 1, "{report:#}");
    assert_eq!(
        (lab.theirs(person, "mail"), &report["conflicts"]),
        ("new@example.test".to_owned(), &serde_json::json!([]))
    );
    let quiet = lab.quiet();
    assert_eq!(quiet["conflicts"], serde_json::json!([]), "nothing is set aside");
    assert_eq!(lab.steps(run), ["directory email: done"]);
}

#[test]
fn what_is_wrong_with_the_question_is_said() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
    lab.set(pairs[0].person, "mail", "new@example.test");
    let run = lab.sync().to_string();
    let quiet = lab.sync().to_string();
    for (args, why) in [
        (&["undo", "99"][..], "there is no run 99"),
        (&["undo", &quiet], "wrote nothing"),
        (&["undo", &run, "--step", "7"], "no step 7"),
        (&["undo", &run, "--person", "Nobody"], "did nothing about `Nobody`"),
        (&["undo", &run, "--person", "First02 Last02"], "did nothing about"),
        (&["undo", "soon"], "invalid value"),
    ] {
        let output = lab.rollcall.run(args).exits(2);
        assert!(output.stderr.contains(why), "{output:#?}");
    }
    let text = lab.rollcall.run(["history", &run]).ok().stdout;
    assert!(text.contains(&format!("rollcall undo {run}")), "{text}");
    lab.rollcall.run(["server", "remove", "hq"]).ok();
    let output = lab.rollcall.run(["undo", &run]).exits(2);
    assert!(output.stderr.contains("server `hq`, which was removed"), "{output:#?}");
}

/// The answer never comes: exactly as if the process had died in between.
#[test]
fn an_undo_that_was_written_and_not_answered_is_held_by_the_next_run() {
    for personality in BOTH {
        let (lab, pairs) = Lab::staff(personality, 6);
        let Pair { person, employee } = pairs[0];
        lab.set(person, "mobile", "+79160000001");
        lab.set(person, "mail", "new@example.test");
        let run = lab.sync();
        lab.pbx.misbehave("pbx.timeout-done=always");
        let report = lab.undo(run, &[], 4);
        lab.pbx.misbehave("");
        assert_eq!(lab.pbx.employee(employee).mobile, "79261230001", "{report:#}");
        assert_eq!(lab.steps(run), ["pbx mobile: done", "pbx email: done"]);
        // A preview knows it, and writes nothing of it down.
        let preview = lab.json(&["preview", "hq"], 0);
        assert_eq!(preview["counts"]["updated_in_directory"], 0, "{preview:#}");
        assert_eq!(lab.steps(run), ["pbx mobile: done", "pbx email: done"]);
        lab.quiet();
        assert_eq!(lab.steps(run), ["pbx mobile: undone", "pbx email: undone"]);
        assert_eq!(
            (lab.theirs(person, "mobile"), lab.pbx.employee(employee).mobile),
            ("+79160000001".into(), "79261230001".into())
        );
        lab.quiet();
        lab.set(person, "mobile", "+79160000002");
        lab.sync();
        assert_eq!(lab.pbx.employee(employee).mobile, "79160000002");
    }
}

/// The process is killed at whatever instant it is at, again and again.
#[test]
fn an_undo_that_was_killed_is_either_not_done_or_held() {
    for side in ["pbx", "directory"] {
        let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
        let Pair { person, employee } = pairs[0];
        let mail = |lab: &Lab| match side {
            "pbx" => lab.pbx.employee(employee).email,
            _ => lab.theirs(person, "mail"),
        };
        for round in 0..4_u64 {
            let (old, new) = (mail(&lab), format!("new{round}@example.test"));
            match side {
                "pbx" => lab.set(person, "mail", &new),
                _ => lab.pbx.edit(employee, serde_json::json!({ "user_email": new })),
            }
            let run = lab.sync();
            assert_eq!(mail(&lab), new);
            let writes = lab.counted();
            let mut undo = lab.rollcall.start(["undo", &run.to_string()]);
            let began = Instant::now();
            while lab.counted() == writes
                && undo.ended().is_none()
                && began.elapsed() < Duration::from_secs(30)
            {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_micros(round * 1_500));
            undo.kill();
            let now = mail(&lab);
            assert!(now == old || now == new, "{now}");
            lab.quiet();
            assert_eq!(mail(&lab), now, "nothing is made good again");
            let step = &lab.steps(run)[0];
            let expected = if now == old { "undone" } else { "done" };
            assert_eq!(*step, format!("{side} email: {expected}"));
            // Whatever became of it, it can be asked again.
            lab.undone(run);
            assert_eq!(mail(&lab), old);
            lab.quiet();
        }
    }
}

/// The store refuses the agreement: what a death right before it comes to.
#[test]
fn an_undo_that_was_not_agreed_is_held_by_the_next_run() {
    for side in ["pbx", "directory"] {
        let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
        let Pair { person, employee } = pairs[0];
        match side {
            "pbx" => lab.set(person, "mail", "new@example.test"),
            _ => lab.pbx.edit(employee, serde_json::json!({ "user_email": "new@example.test" })),
        }
        let run = lab.sync();
        lab.database(
            "CREATE TRIGGER dead BEFORE UPDATE ON link WHEN OLD.name = 'First01 Last01' \
             BEGIN SELECT RAISE(ABORT, 'dead'); END",
        );
        lab.undo(run, &[], 4);
        lab.database("DROP TRIGGER dead");
        let mails = || (lab.theirs(person, "mail"), lab.pbx.employee(employee).email);
        let (old, new) = ("p01@example.test".to_owned(), "new@example.test".to_owned());
        let undone = if side == "pbx" { (new, old) } else { (old, new) };
        assert_eq!((mails(), lab.steps(run)), (undone.clone(), vec![format!("{side} email: done")]));
        lab.quiet();
        assert_eq!((mails(), lab.steps(run)), (undone, vec![format!("{side} email: undone")]));
        lab.quiet();
    }
}

/// The same with the end of a link: before it nothing is lost, behind it nothing repeated.
#[test]
fn an_undone_join_that_died_is_still_there_or_not_repeated() {
    let (lab, _) = Lab::staff(Personality::OpenLdap, 3);
    lab.hire("anna", "Anna Smirnova", &[("mail", "sales@example.test"), ("mobile", "+79269999999")]);
    let desk = lab.pbx.hire("209", "Sales Desk", "sales@example.test", "");
    let run = lab.sync();
    let state = || lab.json(&["explain", "Anna Smirnova"], 0)["people"][0]["state"].clone();
    lab.database("CREATE TRIGGER dead BEFORE DELETE ON link BEGIN SELECT RAISE(ABORT, 'dead'); END");
    lab.undo(run, &[], 4);
    lab.database("DROP TRIGGER dead");
    lab.quiet();
    assert_eq!((&*lab.pbx.employee(desk).name, state()), ("Sales Desk", "active".into()));
    assert!(lab.steps(run).contains(&"rollcall join: done".to_owned()));

    let undo = lab.undo(run, &[], 4)["run"].as_i64().expect("a number");
    assert_eq!((lab.steps(undo), state()), (vec!["rollcall unlink: done".to_owned()], "unlinked".into()));
    lab.database("UPDATE journal SET state = 'intended' WHERE what = 'unlink'");
    lab.database("UPDATE journal SET state = 'done' WHERE what = 'join'");
    lab.quiet();
    assert_eq!((lab.steps(undo), state()), (vec!["rollcall unlink: done".to_owned()], "unlinked".into()));
    assert!(lab.steps(run).contains(&"rollcall join: undone".to_owned()));
}

#[test]
fn an_undo_that_died_before_it_was_settled_is_settled() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
    lab.set(pairs[0].person, "mail", "new@example.test");
    let run = lab.sync();
    let undo = lab.undone(run);
    // Agreed, and killed right behind that.
    let store = lab.store();
    let back = |run: i64, state| {
        let settlement = Settlement { state, after: None, employee: None };
        lab.runtime.block_on(store.settle(store::RunId(run), 1, &settlement)).expect("the step");
    };
    back(run, State::Done);
    back(undo, State::Intended);
    drop(store);
    lab.quiet();
    assert_eq!(
        (lab.steps(run), lab.steps(undo)),
        (vec!["pbx email: undone".to_owned()], vec!["pbx email: done".to_owned()])
    );
    assert_eq!(lab.pbx.employee(pairs[0].employee).email, "p01@example.test");
}

#[test]
fn a_run_that_was_killed_can_be_undone() {
    let (lab, pairs) = Lab::staff(Personality::OpenLdap, 3);
    let Pair { person, employee } = pairs[0];
    lab.set(person, "mobile", "+79160000001");
    lab.pbx.misbehave("pbx.timeout-done=always");
    let run = lab.sync();
    lab.pbx.misbehave("");
    assert_eq!(lab.steps(run), ["pbx mobile: unknown"]);
    assert_eq!(lab.pbx.employee(employee).mobile, "79160000001");
    lab.undone(run);
    assert_eq!(lab.pbx.employee(employee).mobile, "79261230001");
    assert_eq!(lab.steps(run), ["pbx mobile: undone"]);
    lab.quiet();
}

#[test]
fn secrets_are_not_told_by_an_undo() {
    let (lab, pairs) = Lab::staff(Personality::ActiveDirectory, 3);
    lab.set(pairs[0].person, "sipPassword", "An0ther-g00d-Secret");
    let run = lab.sync();
    let seq = lab.seq(run, "sip-password");
    let report = lab.undo(run, &["--step", &seq], 4);
    let past = lab.json(&["history", &run.to_string()], 0);
    let secrets = lab.pbx.secrets();
    for text in [report.to_string(), past.to_string()] {
        assert!(secrets.iter().all(|secret| !text.contains(secret.as_str())), "{text}");
        assert!(!text.contains("fp:") && !text.contains("canonical\":\"fp"), "{text}");
    }
}
