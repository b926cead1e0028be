//! What goes wrong around a synchronisation: each fault is told in words that
//! name the place and the remedy, or is a conflict that names person, field
//! and side, while everyone else is synchronised.

mod support;

use serde_json::json;
use support::company::{Company, DOMAIN, Report};
use support::lab::{self, Kind, Server};
use support::pbx::Pbx;

/// A directory that cannot be read: the command that says so, and what.
struct Fault<'a> {
    what: &'a str,
    server: &'a Server,
    options: Vec<String>,
    says: Vec<String>,
}

impl<'a> Fault<'a> {
    fn of(what: &'a str, server: &'a Server, options: &[&str], says: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Fault { what, server, options: owned(options), says: owned(says) }
    }
}

#[test]
fn a_directory_that_cannot_be_read() {
    let server = lab::slapd("faults-slapd", 4710, &lab::people(Kind::Slapd, 3, 1));
    let expired = lab::slapd_presenting("expired", "faults-expired", 4711, "");
    let elsewhere = lab::slapd_presenting("wrong-name", "faults-elsewhere", 4712, "");
    let own_ca = lab::slapd_presenting("self-signed", "faults-self-signed", 4713, "");
    let company = Company::new(lab::slapd("faults-quiet", 4714, ""), Pbx::start(), &[]);
    let wrong = company.rollcall.file("wrong", "not the password\n").display().to_string();
    let other_ca = expired.ca.display().to_string();
    let marks = server.marks();

    let on = |what, options: &[&str], says: &[&str]| Fault::of(what, &server, options, says);
    let of = |what, server, says: &[&str]| Fault::of(what, server, &[], says);
    let faults = [
        on("port", &["--port", "4799"], &["127.0.0.1:4799", "refused", "check the port"]),
        on(
            "host",
            &["--host", "nosuch.invalid"],
            &["nosuch.invalid", "the name is unknown", "check the server address"],
        ),
        on(
            "password",
            &["--password-file", &wrong],
            &["sign-in was refused", "password is wrong", "code 49"],
        ),
        on(
            "user",
            &["--bind-dn", "cn=nobody,dc=example,dc=test"],
            &["sign-in was refused", "the name or the password"],
        ),
        on(
            "base",
            &["--base-dn", "dc=wrong,dc=test"],
            &["domain root `dc=wrong,dc=test`", "check the name of the domain root"],
        ),
        on(
            "ou",
            &["--ou", "ou=nowhere,dc=example,dc=test"],
            &["`ou=nowhere,dc=example,dc=test`", "no such entry"],
        ),
        on(
            "ca",
            &["--ca-file", &other_ca],
            &["authority that is not trusted", "give the CA certificate", &fingerprint(&server)],
        ),
        on("no-tls", &["--security", "none"], &["connection was lost", "choose LDAPS"]),
        on("starttls", &["--security", "starttls"], &["connection was lost", "choose LDAPS"]),
        on("ldaps", &["--port", "4710"], &["TLS handshake", "is this its TLS port?"]),
        of("expired", &expired, &["has expired", "have it renewed", &fingerprint(&expired)]),
        of(
            "elsewhere",
            &elsewhere,
            &["`127.0.0.1`", "but for elsewhere.example.test", &fingerprint(&elsewhere)],
        ),
        of("self-signed", &own_ca, &["self-signed", "pin it by its fingerprint", &fingerprint(&own_ca)]),
    ];
    for fault in faults {
        let options: Vec<&str> = fault.options.iter().map(String::as_str).collect();
        add(&company, fault.what, fault.server, &options).ok();
        for command in [["server", "test"], ["preview", "--json"], ["sync", "--json"]] {
            let output = company.run(&[&command[..], &[fault.what]].concat()).exits(1);
            let told = words(&(output.stdout.clone() + &output.stderr));
            for words in &fault.says {
                assert!(told.contains(words), "{}: no `{words}` in {output:#?}", fault.what);
            }
        }
        let output = company.run(&["sync", fault.what, "--json"]);
        assert!(output.json()["error"].is_string(), "{output:#?}");
    }

    // What can be found wrong without asking is refused at once.
    let output = add(&company, "filter", &server, &["--filter", "(&(cn=a)(cn=b)"]).exits(2);
    assert!(output.stderr.contains("wrong at character 15: a closing parenthesis is missing"), "{output:#?}");
    // A pinned certificate may be self-signed, expired or somebody else's.
    for (what, server) in
        [("pinned-self-signed", &own_ca), ("pinned-expired", &expired), ("pinned-name", &elsewhere)]
    {
        add(&company, what, server, &["--fingerprint", &server.fingerprint]).ok();
        let report = Report::of(company.run(&["sync", what, "--json"])).exits(0);
        assert_eq!(report.json["directory"], json!({ "verdict": "complete", "reason": null, "read": 0 }));
    }
    let output = add(&company, "nobody", &server, &["--filter", "(cn=nobody at all)"]).ok();
    assert_eq!(output.code, Some(0));
    let report = Report::of(company.run(&["sync", "nobody", "--json"])).exits(0);
    assert!(
        report.json["warnings"][0]
            .as_str()
            .expect("a warning")
            .contains("check domain root, subdivisions and filter")
    );
    assert_eq!((company.pbx.writes(), server.marks()), (1, marks), "only the key was made");
}

#[test]
fn starttls_demanded_and_given() {
    let server = lab::slapd("faults-starttls", 4715, &lab::people(Kind::Slapd, 3, 1));
    let demand = "dn: cn=config\nchangetype: modify\nreplace: olcSecurity\nolcSecurity: tls=128\n";
    server.modify_as("cn=config", demand).expect("slapd takes it");
    let company = Company::new(server, Pbx::start(), &[]);
    company.edit(&["--port", "4715", "--security", "none"]);
    let output = company.run(&["sync", DOMAIN]).exits(1);
    assert!(
        output.stderr.contains("only answers on an encrypted connection: choose LDAPS or StartTLS"),
        "{output:#?}"
    );
    company.edit(&["--security", "starttls"]);
    assert_eq!(company.sync().counts()["created"], 3);
    company.quiet().exits(0);
}

#[test]
fn samba_refuses_plain_and_takes_starttls() {
    let server = lab::samba("faults-samba", "127.0.0.45", &lab::people(Kind::Samba, 0, 1));
    server.hire("anna", "Anna Petrova", &[("mail", "anna@example.test")]);
    let people = server.people.clone();
    let company = Company::new(server, Pbx::start(), &["--ou", &people]);
    company.edit(&["--port", "389", "--security", "none"]);
    let output = company.run(&["sync", DOMAIN]).exits(1);
    assert!(
        output.stderr.contains("wants a protected connection for this: choose LDAPS or StartTLS"),
        "{output:#?}"
    );
    company.edit(&["--security", "starttls"]);
    assert_eq!(company.sync().exits(0).counts()["created"], 1);
    company.edit(&["--port", "636", "--security", "ldaps"]);
    refusals(&company);
    hostile_values(&company);
}

#[test]
fn openldap_refuses_single_values() {
    let server = lab::slapd("faults-refusals", 4716, &lab::people(Kind::Slapd, 0, 1));
    server.hire("anna", "Anna Petrova", &[("mail", "anna@example.test")]);
    let company = Company::new(server, Pbx::start(), &[]);
    company.sync().exits(0);
    refusals(&company);
    hostile_values(&company);
}

#[test]
fn ds389_refuses_single_values() {
    let server = lab::ds389("faults-ds389", 4717, &lab::people(Kind::Ds389, 0, 1));
    server.hire("anna", "Anna Petrova", &[("mail", "anna@example.test")]);
    let company = Company::new(server, Pbx::start(), &[]);
    company.sync().exits(0);
    refusals(&company);
    hostile_values(&company);
}

/// An account without rights, and an attribute that the schema lacks.
fn refusals(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    let reader = server.reader.clone();
    company.edit(&["--bind-dn", &reader, "--map", "sip-password="]);
    server.hire("bella", "Bella Norights", &[("mail", "bella@example.test")]);
    let run = company.sync().exits(4);
    assert_eq!(run.conflicts(), ["Bella Norights: refused (extension)"]);
    let conflict = run.conflict("Bella Norights", "refused");
    let reason = conflict["reason"].as_str().expect("a reason");
    assert_eq!(conflict["refused_by"], "directory");
    assert!(reason.contains("no right to write `ipPhone`: give it write permission"), "{reason}");
    assert_eq!(run.counts()["created"], 1);
    let bella = pbx.named("Bella Norights");
    // It rests: not tried again with every run, and nobody else waits for it.
    pbx.edit(bella.id, json!({ "user_email": "bella.b@example.test" }));
    let run = company.sync().exits(4);
    let kinds = ["Bella Norights: refused (email)", "Bella Norights: refused (extension)"];
    assert_eq!(run.conflicts(), kinds);
    company.quiet().exits(4);
    // Asked for again, it is tried again.
    let id = id_of(company, "Bella Norights", "extension");
    company.run(&["conflicts", "retry", &id]).ok();
    let run = company.sync().exits(4);
    assert_eq!((run.changes("Bella Norights").len(), run.results()), (1, vec!["refused"]));
    company.quiet().exits(4);
    // So it is when the settings change.
    let writer = server.writer.clone();
    company.edit(&["--bind-dn", &writer]);
    company.sync().exits(0);
    let entry = server.find("(displayName=Bella Norights)").remove(0);
    assert_eq!((entry.text("ipPhone"), entry.text("mail")), (bella.number, "bella.b@example.test".into()));

    company.edit(&["--map", "extension=noSuchNumber"]);
    server.hire("clara", "Clara Noschema", &[("mail", "clara@example.test")]);
    let run = company.sync().exits(4);
    let reason = run.person("Clara Noschema")["changes"].to_string() + &run.json["conflicts"].to_string();
    assert!(reason.contains("noSuchNumber") && reason.contains("schema"), "{reason}");
    assert!(run.conflicts().contains(&"Clara Noschema: refused (extension)".to_owned()), "{run:#?}");
    assert_eq!(pbx.named("Clara Noschema").email, "clara@example.test");
    company.edit(&["--map", "extension=ipPhone"]);
    let run = company.sync();
    assert_eq!(run.conflicts(), [""; 0], "{run:#?}");
    company.quiet().exits(0);
}

/// What may stand in a directory and has no business in a PBX.
fn hostile_values(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    let photo = if server.kind == Kind::Samba { "thumbnailPhoto" } else { "jpegPhoto" };
    let nul = server.hire("nul", "Nul", &[("mail", "nul@example.test")]);
    server.set_bytes(&nul, "displayName", b"Nul\0 Inside");
    let torn = server.hire("torn", "Torn Picture", &[]);
    server.set_bytes(&torn, photo, &[0xff; 2000]);
    let long = server.hire("long", &"Long ".repeat(12), &[("ipPhone", "123456789")]);
    server.set(&long, "displayName", &["L".repeat(120).as_str()]);
    server.hire("mail", "Wrong Mail", &[("mail", "not an address"), ("mobile", "call me")]);
    server.hire("fine", "Fine Person", &[("mail", "fine@example.test")]);
    assert!(server.try_set_bytes(&torn, "displayName", b"Torn \xff\xfe").is_err(), "no server here takes it");

    let run = company.sync().exits(4);
    let mut expected = vec![
        format!("{}: unusable (extension)", "L".repeat(120)),
        "Torn Picture: unusable (photo)".to_owned(),
        "Wrong Mail: unusable (email)".to_owned(),
        "Wrong Mail: unusable (mobile)".to_owned(),
        format!("{nul}: no-name (name)"),
    ];
    expected.sort();
    assert_eq!(run.conflicts(), expected, "{run:#?}");
    for name in ["Fine Person", "Torn Picture", "Wrong Mail"] {
        assert_eq!(pbx.named(name).number, run.extension(name));
    }
    company.quiet().exits(4);
}

/// A wrong filter, a size limit: an incomplete read disables nobody.
#[test]
fn nobody_leaves_by_an_incomplete_read() {
    let server = lab::slapd("faults-limits", 4718, &lab::people(Kind::Slapd, 1200, 1));
    let base = server.base.clone();
    let company = Company::new(server, Pbx::start(), &["--map", "photo="]);
    let run = company.sync();
    let linked = run.counts()["created"];
    assert!(linked > 1000, "{run:#?}");

    company.edit(&["--bind-dn", &format!("cn=pbx-capped-500,{base}")]);
    let run = company.sync().exits(3);
    let verdict = &run.json["directory"];
    assert_eq!((&verdict["verdict"], &verdict["read"]), (&json!("partial"), &json!(500)));
    assert!(verdict["reason"].as_str().expect("a reason").contains("size limit was reached"), "{verdict}");
    assert_eq!(run.counts().get("disabled"), None, "{run:#?}");

    // Paging gets past the limit of this one.
    company.edit(&["--bind-dn", &format!("cn=pbx-capped,{base}"), "--map", "sip-password="]);
    let run = company.sync();
    assert_eq!(run.json["directory"], json!({ "verdict": "complete", "reason": null, "read": 1200 }));

    let writer = company.server.writer.clone();
    company.edit(&["--bind-dn", &writer, "--filter", "(cn=nobody at all)"]);
    let run = company.sync().exits(3);
    assert_eq!(run.json["directory"]["verdict"], "partial", "{run:#?}");
    assert_eq!(run.counts().get("disabled"), None);

    // Everybody filtered out but one: that is complete, and stopped by the guard.
    company.edit(&["--filter", "(employeeNumber=000001)"]);
    let run = company.sync().exits(3);
    assert_eq!(run.json["halted"]["tripped"][0]["kind"], "disables", "{run:#?}");
    company.edit(&["--filter", ""]);
    let run = company.sync();
    assert_eq!((run.counts().get("disabled"), run.counts().get("restored")), (None, None), "{run:#?}");
}

/// A PBX that misbehaves while three people are hired: how the run ends and
/// what it says.
struct Mischief {
    spec: &'static str,
    code: i32,
    says: &'static [&'static str],
}

#[test]
fn a_pbx_that_misbehaves() {
    let server = lab::slapd("faults-pbx", 4719, &lab::people(Kind::Slapd, 0, 1));
    let company = Company::new(server, Pbx::start(), &[]);
    company.sync().exits(0);
    let table = [
        // Overcome within the run.
        Mischief { spec: "pbx.busy=x3", code: 0, says: &[] },
        Mischief { spec: "pbx.locked=x2", code: 0, says: &[] },
        Mischief { spec: "pbx.timeout-done=x1", code: 0, says: &[] },
        Mischief { spec: "pbx.drop=x1", code: 0, says: &[] },
        Mischief { spec: "pbx.race=x1", code: 0, says: &[] },
        // One person waits for the next run, everyone else is done.
        Mischief {
            spec: "pbx.timeout=x1",
            code: 4,
            says: &["nobody knows whether the PBX did", "The next run looks again"],
        },
        Mischief { spec: "pbx.drop-before=x1", code: 4, says: &["nobody knows whether the PBX did"] },
        // Nothing can be done, and that is said.
        Mischief { spec: "pbx.locked=always", code: 4, says: &["database is locked"] },
        Mischief { spec: "pbx.total=-1", code: 3, says: &["the PBX counts"] },
        Mischief { spec: "pbx.gateway=always", code: 1, says: &["502 Bad Gateway", "look at the PBX"] },
        Mischief {
            spec: "pbx.forbidden=always",
            code: 1,
            says: &["refuses this address", "the PBX's firewall"],
        },
        Mischief { spec: "pbx.busy=always", code: 1, says: &["the PBX is busy"] },
    ];
    for (round, Mischief { spec, code, says }) in table.iter().enumerate() {
        let names: Vec<String> = ["One", "Two", "Three"].map(|n| format!("{n} Of-Round-{round}")).to_vec();
        for (at, name) in names.iter().enumerate() {
            let mail = format!("r{round}-{at}@example.test");
            company.server.hire(
                &format!("r{round}n{at}"),
                name,
                &[("mail", &mail), ("mobile", &format!("+7916{round:03}{at:04}"))],
            );
        }
        company.pbx.misbehave(spec);
        let output = company.run(&["sync", DOMAIN, "--json"]).exits(*code);
        let told = words(&output.stdout);
        for words in *says {
            assert!(told.contains(words), "{spec}: no `{words}` in {told}");
        }
        if *code == 4 && spec.ends_with("x1") {
            assert_eq!(Report::of(output).counts()["created"], 2, "{spec}: everyone else is done");
        }
        company.pbx.misbehave("");
        let after = company.run(&["sync", DOMAIN, "--json"]);
        assert_eq!(after.code, Some(0), "{spec}: {after:#?}");
        each_is_there_once(&company, &names);
        company.quiet().exits(0);
    }
}

/// One employee each, whose number stands in the directory.
fn each_is_there_once(company: &Company, names: &[String]) {
    let employees = company.pbx.employees();
    for name in names {
        let found: Vec<_> = employees.iter().filter(|employee| employee.name == *name).collect();
        assert_eq!(found.len(), 1, "{name}: {found:#?}");
        let employee = found[0];
        let entry = company.server.find(&format!("(displayName={name})")).remove(0);
        assert_eq!(entry.text("ipPhone"), employee.number, "{name}");
        assert_eq!(entry.text("sipPassword"), employee.secret, "{name}");
    }
}

#[test]
fn a_pbx_that_cuts_names_and_one_that_blocks() {
    let server = lab::slapd("faults-cut", 4720, &lab::people(Kind::Slapd, 0, 1));
    server.hire("max", "Maximilian Longname", &[("mail", "max@example.test")]);
    let company = Company::new(server, Pbx::start(), &[]);
    company.pbx.misbehave("pbx.cut=12");
    let run = company.sync().exits(0);
    let told = run.person("Maximilian Longname")["changes"].to_string();
    assert!(told.contains("the PBX stored `Maximilian L` instead"), "{told}");
    assert_eq!(pbx_names(&company), ["Maximilian L"]);
    company.quiet().exits(0);
    company.pbx.misbehave("");
    company.quiet().exits(0);

    company.pbx.misbehave("pbx.limit=x1");
    let output = company.run(&["sync", DOMAIN, "--json"]).exits(1);
    let told = output.json()["error"].to_string();
    assert!(told.contains("it blocks this address for some minutes"), "{told}");
}

#[test]
fn what_is_no_pbx() {
    let server = lab::slapd("faults-no-pbx", 4721, "");
    let company = Company::new(server, Pbx::start(), &[]);
    let web = some_web_server();
    let wrong = company.rollcall.file("wrong-key", "0000000000000000\n").display().to_string();
    let own = company.pbx.url();
    let table: [(&[&str], &[&str]); 3] = [
        (&["--url", &web], &["something that is not MikoPBX", "It works!"]),
        (
            &["--url", "http://127.0.0.1:9"],
            &["cannot be reached", "Check the address, the port and the firewall"],
        ),
        (&["--url", &own, "--api-key-file", &wrong], &["did not accept the sign-in"]),
    ];
    for (options, says) in table {
        company.run(&[&["pbx", "set"], options].concat()).ok();
        for command in [&["pbx", "test"][..], &["sync", DOMAIN]] {
            let output = company.run(command).exits(1);
            let told = words(&(output.stdout.clone() + &output.stderr));
            for words in says {
                assert!(told.contains(words), "{options:?}: no `{words}` in {output:#?}");
            }
        }
    }
}

/// Answers everything with a page.
fn some_web_server() -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            let _ = stream.read(&mut [0; 4096]);
            let page = "<html><h1>It works!</h1></html>";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    url
}

fn add(company: &Company, name: &str, server: &Server, options: &[&str]) -> support::Output {
    let mut args: Vec<String> = ["server", "add", name].map(str::to_owned).to_vec();
    let mut known = server.arguments();
    for option in options.iter().filter(|option| option.starts_with("--")) {
        // An option given twice is a mistake, and there is one kind of trust.
        let clashes = |known: &str| known == *option || (*option == "--fingerprint" && known == "--ca-file");
        if let Some(at) = known.iter().position(|known| clashes(known)) {
            known.drain(at..at + 2);
        }
    }
    args.extend(known);
    args.extend(options.iter().map(|option| (*option).to_owned()));
    company.run(&args)
}

fn id_of(company: &Company, name: &str, field: &str) -> String {
    let list = company.run(&["conflicts", "list", "--json"]).ok().json();
    let rows = list["conflicts"].as_array().expect("conflicts").clone();
    let row = rows.iter().find(|row| row["name"] == name && row["field"] == field);
    row.expect("such a conflict")["id"].to_string()
}

/// Text without the line breaks of tables.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As the messages show it.
fn fingerprint(server: &Server) -> String {
    let hex = server.fingerprint.to_uppercase();
    hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair)).collect::<Vec<_>>().join(":")
}

fn pbx_names(company: &Company) -> Vec<String> {
    company.pbx.employees().into_iter().map(|employee| employee.name).collect()
}
