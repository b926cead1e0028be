//! What must hold whatever happens: nobody loses data by a right that was
//! taken away, a PBX that was restored, a directory that was emptied or a
//! memory that was lost; and a reviewed plan is carried out as it was shown.

mod support;

use serde_json::json;
use std::fs;
use support::company::{Company, Report};
use support::lab::{self, Kind, Server};
use support::pbx::Pbx;

#[test]
fn on_openldap() {
    let company = company(lab::slapd("safety-slapd", 4750, &lab::people(Kind::Slapd, 0, 1)));
    reviewed_plans(&company);
    numbers(&company);
    a_lost_memory(&company);
    a_second_server(&company);
    rights_taken_away(&company);
    mass_changes(&company);
}

#[test]
fn on_samba() {
    let company = company(lab::samba("safety-samba", "127.0.0.48", &lab::people(Kind::Samba, 0, 1)));
    leavers_of_active_directory(&company);
    a_renamed_subdivision(&company);
    a_lost_memory(&company);
    mass_changes(&company);
}

#[test]
fn on_389_directory_server() {
    let company = company(lab::ds389("safety-ds389", 4751, &lab::people(Kind::Ds389, 0, 1)));
    a_lost_memory(&company);
    rights_taken_away(&company);
    mass_changes(&company);
}

/// Eight people with everything, synchronised.
fn company(server: Server) -> Company {
    for n in 0..8 {
        let (mail, mobile) = (format!("p{n}@example.test"), format!("+7 916 000-00-0{n}"));
        let (number, secret) = (format!("30{n}"), format!("Secret-0f-Person-{n}"));
        let attributes =
            [("mail", mail.as_str()), ("mobile", &mobile), ("ipPhone", &number), ("sipPassword", &secret)];
        server.hire(&format!("p{n}"), &format!("Person {n}"), &attributes);
    }
    let scope = server.people.clone();
    let company = Company::new(server, Pbx::start(), &["--ou", &scope, "--numbers", "310-399"]);
    assert_eq!(company.sync().exits(0).counts()["created"], 8);
    company.quiet().exits(0);
    company
}

/// Exactly the plan that was shown is carried out, without what moved since.
fn reviewed_plans(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    server.set(&dn(company, 0), "mobile", &["+79161110000"]);
    server.set(&dn(company, 1), "mobile", &["+79161110001"]);
    let preview = company.preview().exits(0);
    let plan = preview.json["plan"].as_str().expect("a hash").to_owned();
    // Somebody is faster, and somebody else changes meanwhile.
    pbx.set_mobile(pbx.numbered("301").id, "79161119999");
    server.set(&dn(company, 2), "mobile", &["+79161110002"]);
    let run = Report::of(company.run(&["apply", &plan[..12], "--json"])).exits(4);
    assert_eq!(run.changed(), ["Person 0: pbx mobile: 79160000000 → 79161110000"]);
    assert_eq!(run.json["plan"], plan);
    assert!(run.json["warnings"].to_string().contains("Person 1: not done, a side moved"), "{run:#?}");
    assert_eq!(pbx.numbered("301").mobile, "79161119999");
    assert_eq!(pbx.numbered("302").mobile, "79160000002");
    company.run(&["apply", &plan]).exits(2);
    company.run(&["apply", "0000"]).exits(2);
    let run = company.sync().exits(4);
    assert_eq!(run.conflicts(), ["Person 1: both-changed (mobile)"]);
    company.resolve(&run, "Person 1", "both-changed", &["--use", "directory"]).exits(0);
    company.quiet().exits(0);
}

/// Two who want one number, a chain, a circle, and one that rests.
fn numbers(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    server.set(&dn(company, 0), "ipPhone", &["350"]);
    server.set(&dn(company, 1), "ipPhone", &["350"]);
    let run = company.sync().exits(4);
    let wanted = ["Person 0: number-wanted-twice (extension)", "Person 1: number-wanted-twice (extension)"];
    assert_eq!(run.conflicts(), wanted);
    // A chain: each takes what the next gives up.
    server.set(&dn(company, 0), "ipPhone", &["301"]);
    server.set(&dn(company, 1), "ipPhone", &["351"]);
    let run = company.sync().exits(0);
    assert_eq!(run.changed(), ["Person 0: pbx extension: 300 → 301", "Person 1: pbx extension: 301 → 351"]);
    // A circle.
    server.set(&dn(company, 2), "ipPhone", &["303"]);
    server.set(&dn(company, 3), "ipPhone", &["302"]);
    let run = company.sync().exits(4);
    assert_eq!(run.conflicts(), ["Person 2: number-swap (extension)", "Person 3: number-swap (extension)"]);
    assert_eq!((pbx.named("Person 2").number, pbx.named("Person 3").number), ("302".into(), "303".into()));
    server.set(&dn(company, 2), "ipPhone", &["302"]);
    server.set(&dn(company, 3), "ipPhone", &["303"]);
    company.sync().exits(0);
    // Several numbers: nothing says which.
    if server.kind != Kind::Samba {
        server.set(&dn(company, 4), "ipPhone", &["361", "362"]);
        let run = company.sync().exits(4);
        assert_eq!(run.conflicts(), ["Person 4: several-values (extension)"]);
        let run = company.resolve(&run, "Person 4", "several-values", &["--number", "362"]).exits(0);
        assert_eq!(run.changes("Person 4"), ["pbx extension: 304 → 362"]);
        company.quiet().exits(0);
        server.set(&dn(company, 4), "ipPhone", &["362"]);
    }
    // What was released rests: nobody new gets 300 or 304 from the range.
    company.edit(&["--numbers", "300-399"]);
    server.hire("newcomer", "New Comer", &[("mail", "new@example.test")]);
    let run = company.sync().exits(0);
    assert_eq!(run.extension("New Comer"), "308");
    company.quiet().exits(0);
}

/// Without its memory Rollcall finds everybody again and writes nothing.
fn a_lost_memory(company: &Company) {
    let people = company.preview().people().len();
    let before = company.counted();
    let state = company.rollcall.state();
    fs::rename(&state, state.with_extension("lost")).expect("one's own files");
    company.set_up();
    let run = company.sync().exits(0);
    assert_eq!(run.counts(), [("joined", people as u64)].into());
    assert_eq!((run.writes(), run.changed()), ((0, 0), Vec::new()));
    assert_eq!(company.counted(), before);
    company.quiet().exits(0);
}

/// Somebody's employee is nobody else's, in another directory neither.
fn a_second_server(company: &Company) {
    let other = lab::slapd("safety-other", 4752, &lab::people(Kind::Slapd, 0, 1));
    other.hire("p5", "Person 5", &[("mail", "p5@example.test")]);
    other.hire("omar", "Omar Other", &[("mail", "omar@example.test")]);
    let mut add: Vec<String> = ["server", "add", "other"].map(str::to_owned).to_vec();
    add.extend(other.arguments());
    add.extend(support::company::every_field(other.kind));
    add.extend(["--write-back", "--numbers", "300-399"].map(str::to_owned));
    company.run(&add).ok();
    let before = company.pbx.employees().len();
    let run = Report::of(company.run(&["sync", "other", "--json"])).exits(4);
    assert_eq!(run.conflicts(), ["Person 5: already-someones"]);
    assert_eq!(company.pbx.employees().len(), before + 1);
    let all = company.run(&["sync", "--all", "--json"]).exits(4).json();
    assert_eq!(all["runs"].as_array().expect("runs").len(), 2, "{all:#}");
    company.run(&["server", "remove", "other"]).ok();
    assert_eq!(company.pbx.employees().len(), before + 1, "forgetting a server deletes nobody");
    company.pbx.delete(company.pbx.named("Omar Other").id);
}

/// An attribute that may no longer be read looks empty, and is not.
fn rights_taken_away(company: &Company) {
    let pbx = &company.pbx;
    let before = pbx.employees();
    company.server.hide("mobile");
    company.server.hide("mail");
    company.server.hide("sipPassword");
    let run = company.quiet();
    assert_eq!(run.counts().get("updated_in_pbx"), None);
    assert_eq!(pbx.employees(), before);
    // Not even for somebody whose entry changes.
    company.server.set(&dn_by_name(company, "Person 6"), "title", &["Chief"]);
    company.quiet();
    assert_eq!(pbx.employees(), before);
}

/// Too much at once stops before the first write.
fn mass_changes(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    let before = pbx.employees();
    company.edit(&["--filter", "(displayName=Person 7)"]);
    let run = company.sync().exits(3);
    assert_eq!(run.json["halted"]["tripped"][0]["kind"], "disables", "{run:#?}");
    company.edit(&["--filter", ""]);
    company.quiet();
    // The PBX is an older one by now: most linked ids are gone.
    for employee in before.iter().take(7) {
        pbx.delete(employee.id);
    }
    let run = company.sync().exits(3);
    assert_eq!(run.json["halted"]["tripped"][0]["kind"], "lost-employees", "{run:#?}");
    assert_eq!(pbx.employees().len(), before.len() - 7);
    let restored: Vec<String> = before.iter().take(7).map(|employee| employee.number.clone()).collect();
    assert!(restored.iter().all(|number| pbx.employees().iter().all(|left| left.number != *number)));
    // And the directory is all but emptied too.
    let entries = server.find("(displayName=Person*)");
    for entry in entries.iter().take(7) {
        server.delete(&entry.dn);
    }
    let run = company.sync().exits(3);
    assert!(run.json["halted"].is_object(), "{run:#?}");
    assert_eq!(pbx.employees().len(), before.len() - 7);
}

/// An expired account leaves; one locked out after wrong passwords does not.
fn leavers_of_active_directory(company: &Company) {
    let server = &company.server;
    server.set(&dn(company, 0), "accountExpires", &["131000000000000000"]);
    let run = company.sync().exits(0);
    assert_eq!(run.counts(), [("disabled", 1)].into());
    let disabled = company.run(&["disabled", "--json"]).ok().json();
    assert_eq!(disabled["disabled"][0]["reason"], "expired", "{disabled:#}");
    company.quiet().exits(0);
    server.set(&dn(company, 0), "accountExpires", &["0"]);
    assert_eq!(company.sync().exits(0).counts(), [("restored", 1)].into());
    company.quiet().exits(0);
}

/// Everybody's place changes, and nobody does.
fn a_renamed_subdivision(company: &Company) {
    let server = &company.server;
    let ou = server.subdivide("Отдел \"А\"");
    for n in 0..3 {
        let here = dn(company, n);
        let rdn = here.split_once(',').expect("a DN").0.to_owned();
        server.rename(&here, &rdn, &ou);
    }
    server.rename(&ou, "OU=Отдел, Б", &server.people);
    company.quiet().exits(0);
    server.set(&dn(company, 1), "mobile", &["+79162220001"]);
    let run = company.sync().exits(0);
    assert_eq!(run.changed(), ["Person 1: pbx mobile: 79160000001 → 79162220001"]);
    assert_eq!(company.preview().exits(0).json["counts"]["unchanged"], json!(8));
}

fn dn(company: &Company, n: usize) -> String {
    dn_by_name(company, &format!("Person {n}"))
}

fn dn_by_name(company: &Company, name: &str) -> String {
    company.server.find(&format!("(displayName={name})")).remove(0).dn
}
