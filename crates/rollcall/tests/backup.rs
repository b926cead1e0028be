//! Backup, restore and loss: what the past knows is no reason to overwrite the
//! present, and whoever was made meanwhile is nobody's twin.

mod support;

use sandbox::company::Photo;
use sandbox::directory::Personality::{ActiveDirectory, OpenLdap};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use support::branch::{Office, PASSWORD};
use support::company::DOMAIN;
use uuid::Uuid;

/// An office with everybody in step, and their ids in the directory, by number.
fn in_step(people: usize) -> (Office, Vec<Uuid>) {
    let office = Office::new(OpenLdap, &["--numbers", "300-399"]);
    let hire = |n: usize| {
        let (mail, mobile) = (format!("p{n}@example.test"), format!("+7 916 000-00-{n:02}"));
        let number = format!("2{n:02}");
        office.hire(
            &format!("p{n}"),
            &format!("Person {n}"),
            &[("mail", &mail), ("mobile", &mobile), ("ipPhone", &number)],
        )
    };
    let ids = (0..people).map(hire).collect();
    assert_eq!(office.sync().exits(0).counts()["created"], people as u64);
    office.quiet().exits(0);
    (office, ids)
}

fn back_up(office: &Office, more: &[&str]) -> PathBuf {
    let file = office.rollcall.file("nothing", "").with_file_name("of-today");
    let name = file.display().to_string();
    office.run(&[&["backup", &name], more].concat()).ok();
    file
}

fn restore(office: &Office, more: &[&str]) -> Value {
    let file = office.rollcall.file("nothing", "").with_file_name("of-today").display().to_string();
    office.run(&[&["restore", &file, "--json"], more].concat()).ok().json()
}

/// Losing a state directory, to look at it later.
fn lose(office: &Office) {
    let state = office.rollcall.state();
    fs::rename(&state, state.with_extension("lost")).expect("one's own files");
}

#[test]
fn the_day_after_a_backup_is_not_undone() {
    let (office, people) = in_step(16);
    let (pbx, employee) = (&office.pbx, |n: usize| office.pbx.numbered(&format!("2{n:02}")).id);
    let ids: Vec<u64> = (0..16).map(employee).collect();
    back_up(&office, &[]);

    // A day: everything of it was synchronised, on both sides it is the same.
    office.set(people[0], "mobile", &["+7 917 000-00-00"]);
    pbx.edit(ids[1], json!({ "user_email": "new.p1@example.test" }));
    office.set(people[2], "jpegPhoto", &[Photo::new(2).jpeg()]);
    pbx.edit(ids[3], json!({ "sip_secret": "An0ther-0f-Person-3" }));
    pbx.edit(ids[4], json!({ "number": "404" }));
    office.set(people[5], "ipPhone", &["405"]);
    office.set(people[6], "mobile", &[""; 0]);
    office.set(people[7], "mobile", &["+7 917 000-00-07"]);
    office.set(people[8], "displayName", &["Person 8, married"]);
    pbx.set_mobile(ids[13], "79170000013");
    office.directory.disable(people[9]).expect("an account");
    let nina = office.hire("nina", "Nina New", &[("mail", "nina@example.test")]);
    let only_a_name = office.hire("olga", "Olga Onlyname", &[]);
    office.sync().exits(0);
    office.quiet().exits(0);
    let (nina_has, olga_has) = (office.text(nina, "ipPhone"), office.text(only_a_name, "ipPhone"));
    office.run(&["sync", DOMAIN, "--automatic"]).ok();
    // An evening: edits that nobody synchronised yet.
    pbx.set_mobile(ids[7], "79180000007");
    office.set(people[10], "mobile", &["+7 918 000-00-10"]);
    pbx.edit(ids[11], json!({ "user_username": "Person 11, promoted" }));
    pbx.set_mobile(ids[12], "");
    pbx.set_mobile(ids[13], "79160000013");
    lose(&office);
    let told = restore(&office, &[]);
    assert_eq!((&told["passwords"], &told["moved_to"]), (&json!("restored"), &Value::Null), "{told:#}");

    let before = office.writes();
    // Nothing runs by itself before somebody looked at what the past makes of it.
    office.run(&["sync", DOMAIN, "--automatic"]).exits(3);
    let preview = office.preview().exits(4);
    // What one side changed flows; what both sides agreed on meanwhile is equal;
    // where both differ from the past, nobody can know, and a human is asked.
    let changes = [
        "Person 10: pbx mobile: 79160000010 → 79180000010",
        "Person 11: directory name: Person 11 → Person 11, promoted",
        "Person 12: directory mobile: +7 916 000-00-12 → —",
        // The one thing nobody can tell: changed, agreed on, and changed back in
        // the PBX since. It looks like a change in the directory.
        "Person 13: pbx mobile: 79160000013 → 79170000013",
    ];
    assert_eq!(preview.changed(), changes, "{preview:#?}");
    assert_eq!(preview.conflicts(), ["Person 7: both-changed (mobile)"]);
    assert_eq!(office.writes(), before, "a preview writes nothing");
    let employees = pbx.employees().len();
    let run = office.sync().exits(4);
    assert_eq!((run.changed(), run.conflicts()), (preview.changed(), preview.conflicts()));
    assert_eq!(run.counts()["joined"], 2, "{run:#?}");
    assert_eq!(run.counts()["disabled"], 1, "listed again: {run:#?}");
    assert!(!run.counts().contains_key("created"), "{run:#?}");
    assert_eq!(pbx.employees().len(), employees);
    assert_eq!(
        (pbx.numbered(&nina_has).name, pbx.numbered(&olga_has).name),
        ("Nina New".into(), "Olga Onlyname".into())
    );
    let employee = |n: usize| pbx.employee(ids[n]);
    assert_eq!(
        (employee(7).mobile, office.text(people[7], "mobile")),
        ("79180000007".into(), "+7 917 000-00-07".into())
    );
    assert_eq!((employee(4).number, office.text(people[5], "ipPhone")), ("404".into(), "405".into()));
    office.quiet().exits(4);
}

#[test]
fn without_the_key_no_password_is_overwritten_unasked() {
    let (office, people) = in_step(6);
    let pbx = &office.pbx;
    let ids: Vec<u64> = (0..6).map(|n| pbx.numbered(&format!("2{n:02}")).id).collect();
    let file = back_up(&office, &["--without-key"]);
    let bytes = fs::read(&file).expect("the backup");
    let key = fs::read(office.rollcall.state().join("vault.key")).expect("the key");
    assert!(!bytes.windows(key.len()).any(|window| window == key));
    // Phones work with the new ones; the other side does not know them yet.
    office.set(people[0], "sipPassword", &["N3w-1n-the-d1rectory"]);
    pbx.edit(ids[1], json!({ "sip_secret": "N3w-1n-the-Pbx" }));
    lose(&office);
    let told = restore(&office, &[]);
    assert_eq!(told["passwords"], "missing", "{told:#}");
    let refused = office.run(&["sync", DOMAIN]).exits(1);
    assert!(refused.stderr.contains("password"), "{refused:#?}");
    office.set_pbx();
    office.run(&["server", "edit", DOMAIN, "--password-file", &office.password_file()]).ok();

    let before = office.writes();
    let run = office.sync().exits(4);
    let asked = ["Person 0: first-meeting (sip-password)", "Person 1: first-meeting (sip-password)"];
    assert_eq!((run.conflicts(), run.changed()), (asked.map(str::to_owned).to_vec(), Vec::new()), "{run:#?}");
    assert_eq!(office.writes(), before);
    office.quiet().exits(4);
    // One answer for all of them, as the restore said.
    office.run(&["server", "edit", DOMAIN, "--first-meeting", "sip-password=pbx"]).ok();
    office.sync().exits(0);
    for (id, person) in ids.iter().zip(&people) {
        assert_eq!(office.text(*person, "sipPassword"), pbx.employee(*id).secret);
    }
    office.quiet().exits(0);
}

#[test]
fn a_backup_from_the_middle_of_a_run_is_as_good_as_any() {
    let office = Office::new(OpenLdap, &["--numbers", "300-399"]);
    let people = 60;
    for n in 0..people {
        office.hire(&format!("p{n}"), &format!("Person {n}"), &[("mail", &format!("p{n}@example.test"))]);
    }
    office.pbx.misbehave("pbx.latency=10ms-20ms");
    let mut run = office.rollcall.start(["sync", DOMAIN]);
    while office.pbx.employees().len() < 15 {
        assert_eq!(run.ended(), None, "too fast for this test");
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    let file = back_up(&office, &[]);
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    // The run holds the store: not even by force.
    let name = file.display().to_string();
    let refused = office.run(&["restore", &name, "--force"]).exits(1);
    assert!(refused.stderr.contains("another process of Rollcall"), "{refused:#?}");
    while run.ended().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    office.pbx.misbehave("");
    office.run(&["restore", &name]).exits(2);
    let told = restore(&office, &["--force"]);
    let aside = PathBuf::from(told["moved_to"].as_str().expect("a place"));
    assert!(aside.join("rollcall.db").exists() && aside.join("vault.key").exists());

    let before = office.writes();
    let run = office.sync().exits(0);
    assert_eq!((run.writes(), office.writes()), ((0, 0), before), "{run:#?}");
    assert!(run.counts()["joined"] >= 30, "{run:#?}");
    let employees = office.pbx.employees();
    let numbers: BTreeSet<&str> = employees.iter().map(|employee| employee.number.as_str()).collect();
    assert_eq!((employees.len(), numbers.len()), (people, people));
    let history = office.run(&["history", "--json"]).ok().json();
    let outcomes: Vec<&str> = history["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| run["outcome"].as_str().expect("a word"))
        .collect();
    assert_eq!(outcomes, ["done", "interrupted"], "{history:#}");
    office.quiet().exits(0);
}

#[test]
fn a_memory_that_is_lost_altogether() {
    for personality in [OpenLdap, ActiveDirectory] {
        let office = Office::new(personality, &["--numbers", "310-399"]);
        let pbx = &office.pbx;
        let photo = if personality == OpenLdap { "jpegPhoto" } else { "thumbnailPhoto" };
        let mut people = 0;
        let mut hire = |login: &str, name: &str, attributes: &[(&str, &str)]| {
            people += 1;
            office.hire(login, name, attributes)
        };
        hire("zeno", "Zeno Zero", &[("ipPhone", "0042"), ("mail", "zeno@example.test")]);
        hire(
            "anna",
            "Anna Ask",
            &[("ipPhone", "205"), ("mobile", "8 (916) 555-01-02"), ("mail", "ANNA@example.test")],
        );
        hire("free", "Frida Free", &[("mail", "frida@example.test"), ("sipPassword", "Fr1das-0wn-Pa55word")]);
        hire("only", "Olga Onlyname", &[]);
        let pia = hire("pia", "Pia Picture", &[("mail", "pia@example.test")]);
        office.set(pia, photo, &[Photo::new(1).jpeg()]);
        let large = hire("lars", "Lars Large", &[("mail", "lars@example.test")]);
        let left = hire("dora", "Dora Disabled", &[("mail", "dora@example.test"), ("ipPhone", "207")]);
        let mobile = ("mobile", "+7 905 000-00-02");
        let sam = hire("sam", "Sam Several", &[mobile, ("mail", "sam.b@example.test")]);
        let ines = hire("ines", "Ines Inactive", &[("mail", "ines@example.test")]);
        if personality == OpenLdap {
            office.set(sam, "mobile", &["+7 905 000-00-02", "+7 905 000-00-01", "8 (905) 000 00 02"]);
            office.set(sam, "mail", &["sam.b@example.test", "sam.a@example.test"]);
        }
        office.directory.disable(ines).expect("an account");
        office.sync().exits(0);
        // Whoever left keeps an employee; a picture too large for AD has a small twin there.
        office.directory.disable(left).expect("an account");
        pbx.set_photo(pbx.named("Lars Large").id, &noise());
        pbx.hire("299", "Reception", "", "");
        office.sync().exits(0);
        office.quiet().exits(0);
        let (employees, picture) = (pbx.employees(), office.directory.entry(large).expect("Lars"));
        assert!(pbx.numbered("0042").name == "Zeno Zero" && !picture.attributes[photo].is_empty());

        lose(&office);
        office.set_up();
        let before = office.writes();
        let run = office.sync().exits(0);
        let joined = people - 1;
        assert_eq!(run.counts(), [("joined", joined), ("disabled", 1)].into(), "{run:#?}");
        assert_eq!((run.changed(), run.writes(), office.writes()), (Vec::new(), (0, 0), before), "{run:#?}");
        assert_eq!(pbx.employees(), employees);
        office.quiet().exits(0);
        let disabled = office.run(&["disabled", "--json"]).ok().json();
        assert_eq!(disabled["disabled"].as_array().map(Vec::len), Some(1), "{disabled:#}");
        // From here on edits flow as ever.
        office.set(sam, "mobile", &["+7 905 000-00-09"]);
        let run = office.sync().exits(0);
        assert_eq!(run.writes(), (1, 0), "{run:#?}");
    }
}

#[test]
fn what_the_commands_promise() {
    let (office, _) = in_step(2);
    let file = back_up(&office, &[]).display().to_string();
    let told = office.run(&["backup", &file, "--json"]).ok().json();
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&told), ["bytes", "file", "key", "made_ms", "schema", "version"]);
    assert_eq!((&told["key"], &told["version"]), (&json!("included"), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(told["bytes"], fs::metadata(&file).expect("a file").len());
    // Passwords and pairs are in it, readable is none of them.
    let bytes = fs::read(&file).expect("the backup");
    for secret in office.pbx.secrets().into_iter().chain([PASSWORD.to_owned(), office.pbx.key()]) {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    let nothing = office.rollcall.state().with_file_name("nowhere").display().to_string();
    office.rollcall.run(["--state", &nothing, "backup", &file]).exits(2);
    let password = office.password_file();
    let refused = office.run(&["backup", &password]).exits(2);
    assert!(refused.stderr.contains("is no backup made by"), "{refused:#?}");
    assert_eq!(fs::read_to_string(&password).expect("a file"), format!("{PASSWORD}\n"));
    office.run(&["restore", &password, "--force"]).exits(2);
    office.run(&["restore", "/nowhere/at-all", "--force"]).exits(1);
    let mut damaged = bytes;
    damaged.truncate(2_000);
    fs::write(&file, damaged).expect("one's own file");
    let refused = office.run(&["restore", &file, "--force", "--json"]).exits(1);
    assert!(refused.json()["error"].as_str().is_some_and(|why| why.contains("damaged")), "{refused:#?}");
    back_up(&office, &[]);
    let told = restore(&office, &["--force"]);
    let expected = ["file", "made_ms", "moved_to", "passwords", "schema", "servers", "version"];
    assert_eq!((keys(&told), &told["servers"]), (expected.map(str::to_owned).to_vec(), &json!([DOMAIN])));
    office.quiet().exits(0);
}

/// A JPEG of more than Active Directory takes.
fn noise() -> Vec<u8> {
    let mut state = 1u32;
    let picture = image::RgbImage::from_fn(900, 700, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
    });
    let mut jpeg = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 90);
    picture.write_with_encoder(encoder).expect("a picture");
    jpeg
}
