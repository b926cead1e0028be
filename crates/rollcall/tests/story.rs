//! One story, told on each of the three directory servers: a company meets its
//! PBX, lives for a while on both sides, loses people and finds some again.

mod support;

use sandbox::company::Photo;
use serde_json::json;
use support::company::{Company, Report};
use support::lab::{self, Kind, Server};
use support::pbx::Pbx;

#[test]
fn on_openldap() {
    story(lab::slapd("story-slapd", 4700, &lab::people(Kind::Slapd, 0, 1)));
}

#[test]
fn on_samba() {
    story(lab::samba("story-samba", "127.0.0.44", &lab::people(Kind::Samba, 0, 1)));
}

#[test]
fn on_389_directory_server() {
    story(lab::ds389("story-ds389", 4701, &lab::people(Kind::Ds389, 0, 1)));
}

/// A name with everything that hurts in a DN, a filter, JSON or HTML.
const HARD: &str = "Ёлкин, \"Ян\" + \\ < > ; = # ' «ß» İ";

fn story(server: Server) {
    let pbx = Pbx::start();
    let staff = employees(&pbx);
    let people = directory(&server);
    let scope = server.people.clone();
    let company = Company::new(server, pbx, &["--ou", &scope, "--numbers", "210-249"]);

    first_sync(&company, &staff, &people);
    answers(&company, &staff, &people);
    changes_on_each_side(&company, &staff, &people);
    both_changed(&company, &staff, &people);
    rename_and_move(&company, &people);
    leavers_and_returns(&company, &people);
    deleted_in_the_pbx(&company);
    nothing_was_told(&company);
}

/// Ids of the employees the PBX starts with.
struct Staff {
    anna: u64,
    boris: u64,
    vera: u64,
    ivan: u64,
    twice: u64,
}

fn employees(pbx: &Pbx) -> Staff {
    pbx.queue("299");
    pbx.hire("205", "Reception", "", "");
    pbx.hire("207", "Zoe Quiet", "zoe@example.test", "");
    Staff {
        anna: pbx.hire("201", "Анна Петрова", "ANNA@example.test", ""),
        boris: pbx.hire("202", "Boris Volkov", "", "79261234567"),
        vera: pbx.hire("203", "Vera Jolkina-Stein", "", ""),
        ivan: pbx.hire("204", "Ivan Ivanov", "", ""),
        twice: pbx.hire("206", "Twice", "twice@example.test", ""),
    }
}

/// The DNs of the people of the directory.
struct People {
    anna: String,
    boris: String,
    vera: String,
    gleb: String,
    hard: String,
    nameless: String,
    nadia: String,
    oleg: String,
    rita: String,
    tara: String,
    ulla: String,
    victor: String,
    walter: String,
}

fn directory(server: &Server) -> People {
    let photo = photo_attribute(server.kind);
    let hire = |login: &str, name: &str, attributes: &[(&str, &str)]| server.hire(login, name, attributes);
    let namesake = |login: &str, mail: &str| {
        let dn = hire(login, login, &[("mail", mail)]);
        server.set(&dn, "displayName", &["Ivan Ivanov"]);
    };
    namesake("ivan1", "ivan1@example.test");
    namesake("ivan2", "ivan2@example.test");
    hire("pavel", "Pavel Twin", &[("mail", "twice@example.test")]);
    hire("polina", "Polina Twin", &[("mail", "Twice@Example.test")]);
    let zoe = hire("zoe", "Zoe Quiet", &[("mail", "zoe@example.test"), ("mobile", "+79990001122")]);
    server.disable(&zoe);
    let yuri = hire("yuri", "Yuri Gone", &[("mail", "yuri@example.test")]);
    server.disable(&yuri);
    let gleb = hire(
        "gleb",
        "Gleb Orlov",
        &[
            ("mail", "gleb@example.test"),
            ("mobile", "+7 903 111-22-33"),
            ("sipPassword", "Gl3b-0wn-Pa55word"),
        ],
    );
    server.set_bytes(&gleb, photo, &Photo::new(1).jpeg());
    let rita = hire("rita", "Rita Picture", &[]);
    server.set_bytes(&rita, photo, &[b"no picture at all, ".as_slice(); 99].concat());
    let nameless = hire("noname", "noname", &[("mail", "noname@example.test")]);
    server.set(&nameless, "displayName", &[]);
    if server.kind != Kind::Samba {
        let sam =
            hire("sam", "Sam Several", &[("mobile", "+7 905 000-00-02"), ("mail", "sam.b@example.test")]);
        server.set(&sam, "mobile", &["+7 905 000-00-02", "+7 905 000-00-01", "8 (905) 000 00 02"]);
        server.set(&sam, "mail", &["sam.b@example.test", "sam.a@example.test"]);
    }
    People {
        anna: hire(
            "anna",
            "Анна Сидорова",
            &[("mail", "anna@example.test"), ("mobile", "+7 (916) 555-01-02")],
        ),
        boris: hire(
            "boris",
            "Boris Volkov",
            &[
                ("mobile", "8 (926) 123-45-67"),
                ("mail", "boris@example.test"),
                ("sipPassword", "B0ris-0wn-Pa55word"),
            ],
        ),
        vera: hire("vera", "Vera Jolkina", &[("ipPhone", "203")]),
        gleb,
        hard: hire("hard", HARD, &[("ipPhone", "250"), ("mail", "hard@example.test")]),
        nameless,
        nadia: hire("nadia", "Nadia Letters", &[("ipPhone", "12a")]),
        oleg: hire("oleg", "Oleg Queue", &[("ipPhone", "299")]),
        rita,
        tara: hire("tara", "Tara Both", &[("mobile", "+79160000001"), ("mail", "tara@example.test")]),
        ulla: hire("ulla", "Ulla Leaver", &[("mail", "ulla@example.test")]),
        victor: hire("victor", "Victor Leaver", &[("mail", "victor@example.test")]),
        walter: hire("walter", "Walter Leaver", &[("mail", "walter@example.test")]),
    }
}

fn first_sync(company: &Company, staff: &Staff, people: &People) {
    let (server, pbx) = (&company.server, &company.pbx);
    let before = company.counted();
    let preview = company.preview().exits(4);
    assert_eq!(company.counted(), before, "a preview writes nothing");
    assert_eq!(preview.json["run"], json!(null));
    the_report_is_the_contract(&preview, server.kind);

    let run = company.sync().exits(4);
    assert!(run.json["run"].is_i64());
    assert_eq!(run.results(), ["done"], "{run:#?}");
    assert_eq!(run.changed(), preview.changed(), "the preview is the plan");
    for key in ["plan", "counts", "conflicts", "directory", "pbx", "server"] {
        assert_eq!(run.json[key], preview.json[key], "{key}");
    }
    let mut conflicts = vec![
        "Ivan Ivanov: ambiguous-match".to_owned(),
        "Ivan Ivanov: ambiguous-match".to_owned(),
        "Nadia Letters: unusable (extension)".to_owned(),
        "Oleg Queue: number-taken (extension)".to_owned(),
        "Pavel Twin: ambiguous-match".to_owned(),
        "Polina Twin: ambiguous-match".to_owned(),
        "Rita Picture: unusable (photo)".to_owned(),
        format!("{}: no-name (name)", nameless_shown(company)),
    ];
    conflicts.sort();
    assert_eq!(run.conflicts(), conflicts, "{run:#?}");
    let sam = u64::from(server.kind != Kind::Samba);
    let counts = run.counts();
    assert_eq!(
        counts["joined"], 4,
        "Anna by e-mail, Boris by name and mobile, Vera by number, Zoe: {run:#?}"
    );
    assert_eq!(counts["created"], 7 + sam, "{run:#?}");
    assert_eq!(counts["disabled"], 1, "Zoe is joined and listed: {run:#?}");
    assert_eq!(counts.get("failed"), None);

    // Joined: what was empty is filled, what differed was decided by policy.
    let anna = pbx.employee(staff.anna);
    assert_eq!((anna.name.as_str(), anna.email.as_str()), ("Анна Сидорова", "ANNA@example.test"));
    assert_eq!(anna.mobile, "79165550102");
    let entry = server.entry(&people.anna).expect("Anna");
    assert_eq!((entry.text("ipPhone"), entry.text("mobile")), ("201".into(), "+7 (916) 555-01-02".into()));
    assert_eq!(entry.text("sipPassword"), anna.secret, "phones are registered with the PBX's");
    let boris = pbx.employee(staff.boris);
    assert_eq!((boris.email.as_str(), boris.mobile.as_str()), ("boris@example.test", "79261234567"));
    let entry = server.entry(&people.boris).expect("Boris");
    assert_eq!((entry.text("mobile"), entry.text("sipPassword")), ("8 (926) 123-45-67".into(), boris.secret));
    assert_eq!(pbx.employee(staff.vera).name, "Vera Jolkina");

    // Created: a free number goes back to the person, one that was asked for is kept.
    let number = run.extension("Gleb Orlov");
    assert!((210..=249).contains(&number.parse::<u32>().expect("a number")), "{number}");
    let gleb = pbx.numbered(&number);
    assert_eq!((gleb.name.as_str(), gleb.email.as_str()), ("Gleb Orlov", "gleb@example.test"));
    assert_eq!((gleb.mobile.as_str(), gleb.secret.as_str()), ("79031112233", "Gl3b-0wn-Pa55word"));
    assert_eq!(pbx.photo(gleb.id), Some(Photo::new(1).jpeg()));
    assert_eq!(server.entry(&people.gleb).expect("Gleb").text("ipPhone"), number);
    let hard = pbx.numbered("250");
    assert_eq!(hard.name, HARD);
    assert_eq!(server.entry(&people.hard).expect("the hard name").text("sipPassword"), hard.secret);
    let rita = pbx.numbered(&run.extension("Rita Picture"));
    assert_eq!(pbx.photo(rita.id), None);
    if sam == 1 {
        let employee = pbx.numbered(&run.extension("Sam Several"));
        assert_eq!(
            (employee.mobile.as_str(), employee.email.as_str()),
            ("79050000001", "sam.a@example.test")
        );
    }

    // Nobody else was touched.
    assert_eq!(pbx.numbered("205").name, "Reception");
    assert_eq!(pbx.numbered("207").mobile, "");
    assert!(pbx.employees().iter().all(|employee| employee.email != "yuri@example.test"));
    assert_eq!(pbx.employees().len() as u64, 7 + 7 + sam);
    company.quiet().exits(4);
}

/// The keys that scripts rely on, no more and no less.
fn the_report_is_the_contract(report: &Report, kind: Kind) {
    let keys =
        |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let sorted = |text: &str| {
        let mut keys: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        keys.sort();
        keys
    };
    let json = &report.json;
    let all = "run server plan directory pbx counts writes people conflicts held_back halted warnings undoes not_undone";
    assert_eq!(keys(json), sorted(all));
    assert_eq!(
        json["directory"],
        json!({ "verdict": "complete", "reason": null, "read": if kind == Kind::Samba { 19 } else { 20 } })
    );
    assert_eq!(json["pbx"], json!({ "verdict": "complete", "reason": null, "read": 7 }));
    let counts =
        "unchanged created joined updated_in_pbx updated_in_directory disabled restored conflicts failed";
    assert_eq!(keys(&json["counts"]), sorted(counts));
    assert_eq!(json["writes"], json!({ "pbx": 0, "directory": 0 }));
    let gleb = report.person("Gleb Orlov");
    let person = "id name extension employee values status updated changes reason differs";
    assert_eq!(keys(gleb), sorted(person));
    assert_eq!(keys(&gleb["values"]), sorted("name extension mobile email photo sip-password"));
    assert_eq!(
        gleb["values"]["mobile"],
        json!({ "state": "set", "raw": "+7 903 111-22-33", "canonical": "+79031112233" })
    );
    assert_eq!(gleb["values"]["sip-password"], json!({ "state": "set", "raw": "set", "canonical": "set" }));
    assert_eq!((&gleb["status"], &gleb["updated"]), (&json!("processed"), &json!("both")));
    let change =
        gleb["changes"].as_array().expect("changes").iter().find(|change| change["field"] == "mobile");
    let expected = json!({
        "side": "pbx", "field": "mobile", "before": null, "after": "79031112233",
        "cause": "new-employee", "result": "planned",
    });
    assert_eq!(change, Some(&expected));
    assert_eq!(report.person("Yuri Gone")["status"], "skipped");
    assert_eq!(report.person("Oleg Queue")["status"], "conflict");
}

/// Every conflict of the first day finds its way out.
fn answers(company: &Company, staff: &Staff, people: &People) {
    let (server, pbx) = (&company.server, &company.pbx);
    let quiet = company.quiet();
    let taken = quiet.conflict("Oleg Queue", "number-taken");
    let reason = taken["reason"].as_str().expect("a reason");
    assert!(reason.contains("299") && reason.contains("queue"), "{reason}");

    // The two Ivans: this one is the employee, the other one is new.
    let ids: Vec<String> = {
        let list = company.run(&["conflicts", "list", "--json"]).ok().json();
        let rows = list["conflicts"].as_array().expect("conflicts").clone();
        rows.iter().filter(|row| row["name"] == "Ivan Ivanov").map(|row| row["id"].to_string()).collect()
    };
    assert_eq!(ids.len(), 2);
    let ivan = staff.ivan.to_string();
    company.run(&["conflicts", "resolve", &ids[0], "--employee", &ivan]).ok();
    company.run(&["conflicts", "resolve", &ids[1], "--new"]).ok();
    let twice = staff.twice.to_string();
    let pavel = company.conflict_id(&quiet, "Pavel Twin", "ambiguous-match");
    let polina = company.conflict_id(&quiet, "Polina Twin", "ambiguous-match");
    company.run(&["conflicts", "resolve", &pavel, "--employee", &twice]).ok();
    company.run(&["conflicts", "resolve", &polina, "--new"]).ok();
    let nadia = company.conflict_id(&quiet, "Nadia Letters", "unusable");
    company.run(&["conflicts", "resolve", &nadia, "--number", "260"]).ok();
    let oleg = company.conflict_id(&quiet, "Oleg Queue", "number-taken");
    company.run(&["conflicts", "resolve", &oleg, "--number", "298", "--keep-in-pbx"]).ok();
    server.set(&people.nameless, "displayName", &["Nora Name"]);
    server.set_bytes(&people.rita, photo_attribute(server.kind), &Photo::new(2).jpeg());

    let run = company.sync().exits(0);
    let counts = run.counts();
    assert_eq!((counts["joined"], counts["created"]), (2, 5), "{run:#?}");
    let ivans: Vec<_> =
        pbx.employees().into_iter().filter(|employee| employee.name == "Ivan Ivanov").collect();
    assert_eq!(ivans.len(), 2);
    assert_ne!(ivans[0].email, ivans[1].email);
    assert_eq!(pbx.numbered("206").name, "Pavel Twin");
    assert_eq!(server.entry(&people.nadia).expect("Nadia").text("ipPhone"), "260");
    assert_eq!(pbx.numbered("260").name, "Nadia Letters");
    assert_eq!(server.entry(&people.oleg).expect("Oleg").text("ipPhone"), "299", "kept in the PBX only");
    assert_eq!(pbx.numbered("298").name, "Oleg Queue");
    assert_eq!(pbx.numbered(&run.extension("Nora Name")).email, "noname@example.test");
    let rita = pbx.numbered(&run.extension("Rita Picture"));
    assert_eq!(pbx.photo(rita.id), Some(Photo::new(2).jpeg()));
    company.quiet().exits(0);
}

fn changes_on_each_side(company: &Company, staff: &Staff, people: &People) {
    let (server, pbx) = (&company.server, &company.pbx);
    let photo = photo_attribute(server.kind);

    // Another spelling of the same number is no change, in neither direction.
    server.set(&people.anna, "mobile", &["8 916 555 01 02"]);
    company.quiet().exits(0);

    // In the directory.
    server.set(&people.anna, "mobile", &["+7 916 555-01-03"]);
    server.set(&people.vera, "displayName", &["Vera Stein"]);
    server.set(&people.vera, "mail", &["vera@example.test"]);
    server.set(&people.gleb, "sipPassword", &["Gl3b-n3w-Pa55word"]);
    server.set(&people.gleb, "mobile", &[]);
    server.set_bytes(&people.gleb, photo, &Photo::new(3).jpeg());
    // In the PBX.
    let boris_secret = "B0ris-fr0m-the-PBX";
    pbx.edit(staff.boris, json!({ "user_email": "b.volkov@example.test", "sip_secret": boris_secret }));
    pbx.edit(staff.ivan, json!({ "number": "255" }));
    let hard = pbx.numbered("250").id;
    pbx.edit(hard, json!({ "user_email": "" }));
    pbx.set_photo(hard, &Photo::new(4).jpeg());

    let preview = company.preview().exits(0);
    let run = company.sync().exits(0);
    assert_eq!(run.changed(), preview.changed());
    assert_eq!(run.results(), ["done"]);
    let gleb = pbx.numbered(&run.extension("Gleb Orlov"));
    assert_eq!(pbx.employee(staff.anna).mobile, "79165550103");
    assert_eq!(pbx.employee(staff.vera).name, "Vera Stein");
    assert_eq!(pbx.employee(staff.vera).email, "vera@example.test");
    assert_eq!((gleb.secret.as_str(), gleb.mobile.as_str()), ("Gl3b-n3w-Pa55word", ""));
    assert_eq!(pbx.photo(gleb.id), Some(Photo::new(3).jpeg()));
    let boris = server.entry(&people.boris).expect("Boris");
    assert_eq!(
        (boris.text("mail"), boris.text("sipPassword")),
        ("b.volkov@example.test".into(), boris_secret.into())
    );
    let ivan = server.find("(ipPhone=255)");
    assert_eq!(ivan.len(), 1);
    assert_eq!(ivan[0].text("displayName"), "Ivan Ivanov");
    let hard = server.entry(&people.hard).expect("the hard name");
    assert_eq!(hard.text("mail"), "", "a cleared e-mail is cleared");
    assert_eq!(hard.bytes(photo), [Photo::new(4).jpeg()]);
    company.quiet().exits(0);
}

fn both_changed(company: &Company, staff: &Staff, people: &People) {
    let (server, pbx) = (&company.server, &company.pbx);
    let tara = pbx.named("Tara Both").id;
    server.set(&people.tara, "mobile", &["+79160000002"]);
    pbx.set_mobile(tara, "+79160000003");
    // Changed to the same: nothing to ask.
    server.set(&people.tara, "mail", &["tara.new@example.test"]);
    pbx.edit(tara, json!({ "user_email": "Tara.New@example.test" }));
    // The SIP password has the policy "newest", and who was first cannot be told: the PBX's.
    server.set(&people.vera, "sipPassword", &["Vera-d1rect0ry-Pa55"]);
    pbx.edit(staff.vera, json!({ "sip_secret": "Vera-pbx-Pa55word-7" }));
    // Everyone else is synchronised meanwhile.
    server.set(&people.anna, "mobile", &["+7 916 555-01-04"]);

    let run = company.sync().exits(4);
    assert_eq!(run.conflicts(), ["Tara Both: both-changed (mobile)"]);
    let conflict = run.conflict("Tara Both", "both-changed");
    assert_eq!(conflict["directory_value"], "+79160000002");
    assert_eq!(conflict["pbx_value"], "+79160000003");
    assert_eq!(pbx.employee(staff.anna).mobile, "79165550104");
    assert_eq!(server.entry(&people.vera).expect("Vera").text("sipPassword"), "Vera-pbx-Pa55word-7");
    company.quiet().exits(4);

    let run = company.resolve(&run, "Tara Both", "both-changed", &["--use", "pbx"]).exits(0);
    assert_eq!(run.changes("Tara Both"), ["directory mobile: +79160000002 → +79160000003"]);
    assert_eq!(server.entry(&people.tara).expect("Tara").text("mobile"), "+79160000003");
    company.quiet().exits(0);

    // Left as it is, until one side changes again.
    server.set(&people.tara, "mobile", &["+79160000004"]);
    pbx.set_mobile(tara, "+79160000005");
    let run = company.sync().exits(4);
    let run = company.resolve(&run, "Tara Both", "both-changed", &["--leave-as-is"]).exits(0);
    assert_eq!(run.person("Tara Both")["differs"], json!(["mobile"]));
    company.quiet().exits(0);
    server.set(&people.tara, "mobile", &["+79160000006"]);
    let run = company.sync().exits(0);
    assert_eq!(run.changes("Tara Both"), ["pbx mobile: +79160000005 → 79160000006"]);
    company.quiet().exits(0);
}

/// The same person under another name and in another place.
fn rename_and_move(company: &Company, people: &People) {
    let server = &company.server;
    let id = |report: &Report| report.person("Tara Both")["id"].clone();
    let before = id(&company.preview());
    let ou = server.subdivide("ИТ, связь + \"PBX\"");
    let rdn = if server.kind == Kind::Samba { "CN=Tara, Moved" } else { "uid=tara.moved" };
    let moved = server.rename(&people.tara, rdn, &ou);
    let run = company.quiet().exits(0);
    assert_eq!(id(&run), before);
    server.set(&moved, "mobile", &["+79160000007"]);
    let run = company.sync().exits(0);
    assert_eq!(run.changes("Tara Both"), ["pbx mobile: 79160000006 → 79160000007"]);
}

fn leavers_and_returns(company: &Company, people: &People) {
    let (server, pbx) = (&company.server, &company.pbx);
    let everybody = pbx.employees();
    server.disable(&people.ulla);
    server.delete(&people.victor);
    let rdn = people.walter.split_once(',').expect("a DN").0;
    let away = server.rename(&people.walter, rdn, &server.groups);
    let writes = pbx.writes();
    let run = company.sync().exits(0);
    assert_eq!(run.counts(), [("disabled", 3)].into());
    assert_eq!(
        (pbx.writes(), run.writes()),
        (writes, (0, 0)),
        "a leaver's employee keeps working, untouched"
    );
    assert_eq!(pbx.employees(), everybody);
    let reasons = disabled(company);
    let ulla_reason = if server.kind == Kind::Slapd { "locked" } else { "disabled" };
    assert_eq!(reason_of(&reasons, "Ulla Leaver"), ulla_reason);
    assert_eq!(reason_of(&reasons, "Victor Leaver"), "deleted");
    assert_eq!(reason_of(&reasons, "Walter Leaver"), "moved-out");
    company.quiet().exits(0);

    // While disabled nothing moves; back, what changed meanwhile does.
    server.set(&people.ulla, "mobile", &["+79161112233"]);
    company.quiet().exits(0);
    server.enable(&people.ulla);
    server.rename(&away, rdn, &server.people);
    let run = company.sync().exits(0);
    assert_eq!(run.counts()["restored"], 2);
    assert_eq!(run.changed(), ["Ulla Leaver: pbx mobile: — → 79161112233"]);
    company.quiet().exits(0);

    // Hired again under a new id: a human says that it is the same employee.
    let number = pbx.named("Victor Leaver").number;
    let victor = server.hire("victor", "Victor Leaver", &[("mail", "victor@example.test")]);
    let run = company.sync().exits(4);
    assert_eq!(run.conflicts(), ["Victor Leaver: back-under-new-id"]);
    let run = company.resolve(&run, "Victor Leaver", "back-under-new-id", &["--relink"]).exits(0);
    assert_eq!(run.counts()["joined"], 1);
    assert_eq!(server.entry(&victor).expect("Victor").text("ipPhone"), number);
    assert_eq!(pbx.employees().len(), everybody.len());
    assert_eq!(disabled(company).len(), 1, "only Zoe is left");
    company.quiet().exits(0);
}

fn deleted_in_the_pbx(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    let (ulla, walter) = (pbx.named("Ulla Leaver"), pbx.named("Walter Leaver"));
    pbx.delete(ulla.id);
    pbx.delete(walter.id);
    let run = company.sync().exits(4);
    assert_eq!(run.conflicts(), ["Ulla Leaver: employee-deleted", "Walter Leaver: employee-deleted"]);
    company.quiet().exits(4);
    company.resolve(&run, "Walter Leaver", "employee-deleted", &["--leave-out"]).exits(4);
    let run = company.resolve(&run, "Ulla Leaver", "employee-deleted", &["--new"]).exits(0);
    assert_eq!(run.counts()["created"], 1);
    let again = pbx.named("Ulla Leaver");
    assert_eq!((again.number.as_str(), again.mobile.as_str()), (ulla.number.as_str(), "79161112233"));
    assert_ne!(again.id, ulla.id);
    let entry = server.find("(mail=ulla@example.test)").remove(0);
    assert_eq!(entry.text("sipPassword"), again.secret);
    assert!(pbx.employees().iter().all(|employee| employee.name != "Walter Leaver"));
    company.quiet().exits(0);
}

/// No secret in anything that was printed or kept.
fn nothing_was_told(company: &Company) {
    for args in [
        &["history", "--json"][..],
        &["people", "domain", "--json"],
        &["explain", "Gleb Orlov"],
        &["disabled"],
    ] {
        company.run(args).ok();
    }
    let mut secrets = company.pbx.secrets();
    secrets.push(company.pbx.key());
    secrets.push(company.server.password.clone());
    secrets.extend(["Gl3b-0wn-Pa55word", "B0ris-0wn-Pa55word", "Vera-d1rect0ry-Pa55"].map(str::to_owned));
    company.keeps_secret(&secrets);
}

fn disabled(company: &Company) -> Vec<serde_json::Value> {
    company.run(&["disabled", "--json"]).ok().json()["disabled"].as_array().expect("a list").clone()
}

fn reason_of(rows: &[serde_json::Value], name: &str) -> String {
    let row = rows.iter().find(|row| row["name"] == name);
    assert!(row.is_some(), "{name} is not among {rows:#?}");
    row.expect("just seen")["reason"].as_str().expect("a reason").to_owned()
}

/// Somebody without a name is shown by their place.
fn nameless_shown(company: &Company) -> String {
    company.server.find("(mail=noname@example.test)").remove(0).dn
}

fn photo_attribute(kind: Kind) -> &'static str {
    match kind {
        Kind::Samba => "thumbnailPhoto",
        Kind::Slapd | Kind::Ds389 => "jpegPhoto",
    }
}
