//! Killed again and again, by position and not by time, a synchronisation ends
//! where an undisturbed one ends: nobody twice, no number lost, no edit lost.
//!
//! Every death is a real SIGKILL of the real binary, before or after a write to
//! its store; the twin is an equal company where nothing ever goes wrong.

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use effects::SystemRandom;
use reconcile::{EmployeeId, Link};
use sandbox::company::Photo;
use sandbox::directory::Personality;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use store::{DirectoryRow, HeldBy, History, JournalOf, JournalRow, Links, Outcome, Settings, SqlStore, What};
use support::branch::Office;
use support::company::{Company, DOMAIN};
use support::lab::{self, Kind};
use support::pbx::{Employee, Pbx};
use tokio::runtime::Runtime;

const PEOPLE: usize = 200;
/// Of whom nobody has an employee: their accounts are disabled.
const DISABLED: usize = PEOPLE / 25;
/// Deaths among the writes of a first synchronisation, and of one that carries
/// changes.
const FIRST_DEATHS: usize = 190;
const CHANGE_DEATHS: usize = 45;

/// The writes of a run that its effects lie between.
const PLACES: [&str; 6] =
    ["after journal", "before agree", "after agree", "before settle", "after settle", "before journal"];
/// Which of its calls: small steps, and a larger one now and then.
const CALLS: [usize; 7] = [2, 3, 2, 4, 2, 5, 3];
/// What a run notes besides, in its order.
const AROUND: [&str; 10] = [
    "take_lease",
    "note_run",
    "start_run",
    "touch",
    "change_quarantine",
    "sync_conflicts",
    "note_directory_read",
    "note_pbx_read",
    "add_run_people",
    "release_lease",
];

#[test]
fn a_first_synchronisation_ends_where_an_undisturbed_one_ends() {
    let (company, twin) = (company("kill-first", 4810), company("kill-first-twin", 4811));
    twin.sync().exits(0);
    let mut deaths = Deaths::of(&company);
    deaths.many(FIRST_DEATHS);
    for place in AROUND {
        deaths.die(&format!("before {place} 1"));
        deaths.die(&format!("after {place} 1"));
    }
    assert!(deaths.positions.len() >= 200, "only {} positions", deaths.positions.len());
    // One for each death before a link was agreed, and whoever else the machine happened to have in flight.
    assert!(deaths.found_again.len() >= 20, "only {} were made unknown to us", deaths.found_again.len());
    company.sync().exits(0);
    let found_again = found_again(&company);
    assert!(found_again.len() >= 15, "only {} were found again", found_again.len());
    assert!(found_again.iter().all(|person| deaths.found_again.contains_key(person)));
    ends_alike(&company, &twin, &deaths);
}

#[test]
fn changes_of_both_sides_end_where_undisturbed_ones_end() {
    let (company, twin) = (company("kill-changes", 4812), company("kill-changes-twin", 4813));
    for company in [&company, &twin] {
        company.sync().exits(0);
        change(company);
    }
    twin.sync().exits(0);
    let mut deaths = Deaths::of(&company);
    deaths.many(CHANGE_DEATHS);
    assert!(deaths.positions.len() >= 40, "only {} positions", deaths.positions.len());
    company.sync().exits(0);
    ends_alike(&company, &twin, &deaths);
}

/// The PBX answered nothing, and carried it out when the next run asked again.
#[test]
fn a_creation_that_comes_late_makes_no_twin() {
    let office = Office::new(Personality::OpenLdap, &["--numbers", "300-399"]);
    // Known by name only: nothing but the journal tells whose employee it is.
    let nina = office.hire("nina", "Nina New", &[]);
    office.pbx.misbehave("pbx.late=x1");
    let run = office.sync().exits(4);
    assert!(
        run.person("Nina New")["reason"].as_str().is_some_and(|why| why.contains("nobody knows")),
        "{run:#?}"
    );
    assert_eq!(office.pbx.employees(), []);
    let run = office.sync().exits(4);
    assert!(
        run.person("Nina New")["reason"].as_str().is_some_and(|why| why.contains("carried out late")),
        "{run:#?}"
    );
    assert_eq!(office.sync().exits(0).counts()["joined"], 1);
    assert_eq!(office.pbx.employees().len(), 1);
    assert_eq!(office.text(nina, "ipPhone"), "300");
    assert_eq!(office.text(nina, "sipPassword"), office.pbx.numbered("300").secret);
    office.quiet().exits(0);
}

/// What the deaths of one synchronisation left behind.
struct Deaths<'a> {
    company: &'a Company,
    /// Where it died and what our memory was at that time.
    positions: BTreeSet<(String, String)>,
    /// Employees that the PBX had made and our memory did not know, by person.
    found_again: BTreeMap<String, EmployeeId>,
}

impl<'a> Deaths<'a> {
    fn of(company: &'a Company) -> Self {
        Deaths { company, positions: BTreeSet::new(), found_again: BTreeMap::new() }
    }

    fn many(&mut self, deaths: usize) {
        for n in 0..deaths {
            self.die(&format!("{} {}", PLACES[n % PLACES.len()], CALLS[n % CALLS.len()]));
        }
    }

    fn die(&mut self, at: &str) {
        assert!(self.company.rollcall.dies(at, ["sync", DOMAIN]), "it ended before `{at}`");
        let memory = Memory::of(self.company);
        let known: BTreeSet<EmployeeId> = memory.links.iter().map(|link| link.employee).collect();
        let employees = self.company.pbx.employees();
        for step in memory.unfinished.iter().filter(|step| step.what == What::Create) {
            let made =
                employees.iter().find(|employee| Some(&*employee.number) == step.reserved_number.as_deref());
            let lost = made.map(|employee| EmployeeId(employee.id)).filter(|id| !known.contains(id));
            self.found_again.extend(lost.map(|id| (step.person.to_string(), id)));
        }
        let steps = memory.unfinished.iter().map(|step| format!("{} {}", step.person, step.what));
        let steps: Vec<String> = steps.collect();
        // Without the times of looking, which make any two memories differ.
        let links = memory.links.iter().map(|link| format!("{} {:?}", link.person, link.pairs));
        let links: Vec<String> = links.collect();
        self.positions.insert((at.to_owned(), format!("{links:?} {steps:?}")));
    }
}

/// What the store of a company says, while nobody uses it.
struct Memory {
    links: Vec<Link>,
    unfinished: Vec<JournalRow>,
    /// Numbers that rest; none is reserved when nothing is unfinished.
    resting: BTreeSet<String>,
    running: usize,
}

impl Memory {
    fn of(company: &Company) -> Self {
        in_store(company, async |store, row| Memory::read(store, row).await)
    }

    async fn read(store: &SqlStore, row: &DirectoryRow) -> Result<Self, store::Error> {
        let held = store.held_numbers(row.pbx, 0).await?;
        let resting = held.iter().filter(|held| matches!(held.by, HeldBy::Rest { .. }));
        let runs = store.runs(Some(row.id), 1_000, 0).await?;
        Ok(Memory {
            links: store.links(row.id).await?,
            unfinished: store.journal_of(&JournalOf::Unfinished(row.id)).await?,
            resting: resting.map(|held| held.number.to_string()).collect(),
            running: runs.iter().filter(|run| run.outcome == Outcome::Running).count(),
        })
    }
}

/// Whose employee was found by what the journal knew of them.
fn found_again(company: &Company) -> BTreeSet<String> {
    in_store(company, async |store, row| {
        let mut people = BTreeSet::new();
        for run in store.runs(Some(row.id), 1_000, 0).await? {
            let steps = store.journal_of(&JournalOf::Run(run.id)).await?;
            let joins = steps.iter().filter(|step| step.what == What::Join);
            let found = joins.filter(|step| step.cause.contains("earlier run"));
            people.extend(found.map(|step| step.person.to_string()));
        }
        Ok(people)
    })
}

fn in_store<T>(
    company: &Company,
    read: impl AsyncFn(&SqlStore, &DirectoryRow) -> Result<T, store::Error>,
) -> T {
    Runtime::new().expect("a runtime").block_on(async {
        let store = SqlStore::open(&company.rollcall.state(), None, Arc::new(SystemRandom)).await;
        let store = store.expect("a death damages nothing");
        let row = store.directory(DOMAIN).await.expect("a store").expect("a server");
        let answer = read(&store, &row).await.expect("a store");
        store.close().await;
        answer
    })
}

/// A person of the directory and their employee, as far as nobody drew lots.
#[derive(Debug, PartialEq, Eq)]
struct Both {
    name: [String; 2],
    email: [String; 2],
    mobile: [String; 2],
    photo: [Option<Vec<u8>>; 2],
    number: Option<String>,
    secret: Option<String>,
}

/// Both companies are the same, and each is as it should be.
fn ends_alike(company: &Company, twin: &Company, deaths: &Deaths<'_>) {
    company.quiet().exits(0);
    let (memory, undisturbed) = (Memory::of(company), Memory::of(twin));
    assert_eq!(memory.unfinished, [], "a step without an end");
    assert_eq!(memory.running, 0, "a run without an end");
    assert_eq!(memory.resting, undisturbed.resting);
    let (ours, theirs) = (everybody(company, &memory), everybody(twin, &undisturbed));
    assert_eq!(ours.len(), PEOPLE - DISABLED);
    for (login, both) in &ours {
        assert_eq!(both, &theirs[login], "{login}");
    }
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(numbers(&company.pbx.employees()), numbers(&twin.pbx.employees()));
    for link in &memory.links {
        if let Some(made) = deaths.found_again.get(link.person.as_str()) {
            assert_eq!(link.employee, *made, "{} was made twice", link.name);
        }
    }
}

/// Everybody who has an employee, by login; one employee each, one number each,
/// and the same number and SIP password on both sides.
fn everybody(company: &Company, memory: &Memory) -> BTreeMap<String, Both> {
    let employees: BTreeMap<EmployeeId, Employee> =
        company.pbx.employees().into_iter().map(|employee| (EmployeeId(employee.id), employee)).collect();
    let of: BTreeMap<&str, EmployeeId> =
        memory.links.iter().map(|link| (link.person.as_str(), link.employee)).collect();
    assert_eq!(employees.len(), memory.links.len() + 1, "everybody but the reception is somebody");
    assert_eq!(numbers(employees.values()).len(), employees.len());
    let mut everybody = BTreeMap::new();
    for entry in company.server.find("(uid=p*)") {
        let Some(id) = of.get(entry.text("entryUUID").as_str()) else { continue };
        let (employee, login) = (&employees[id], entry.text("uid"));
        assert_eq!(entry.text("ipPhone"), employee.number, "{login}");
        assert_eq!(entry.text("sipPassword"), employee.secret, "{login}");
        let drawn = |own: &str| !entry.text("title").contains(own);
        let both = Both {
            name: [entry.text("displayName"), employee.name.clone()],
            email: [entry.text("mail"), employee.email.clone()],
            mobile: [entry.text("mobile"), employee.mobile.clone()],
            photo: [entry.bytes("jpegPhoto").first().cloned(), company.pbx.photo(employee.id)],
            number: (!drawn("number")).then(|| employee.number.clone()),
            secret: (!drawn("secret")).then(|| employee.secret.clone()),
        };
        everybody.insert(login, both);
    }
    everybody
}

fn numbers<'a>(employees: impl IntoIterator<Item = &'a Employee>) -> BTreeSet<String> {
    employees.into_iter().map(|employee| employee.number.clone()).collect()
}

/// People of every sort, some of whom the PBX knows.
fn company(name: &str, port: u16) -> Company {
    let server = lab::slapd(name, port, &(lab::people(Kind::Slapd, 0, 1) + &people()));
    let pbx = Pbx::start();
    pbx.hire("201", "Reception", "", "");
    for n in (0..PEOPLE).step_by(20) {
        pbx.hire(&format!("{}", 210 + n / 20), &format!("Person {n}"), &format!("p{n}@example.test"), "");
    }
    Company::new(server, pbx, &["--numbers", "300-699"])
}

/// `title` says what a person brings along and nobody draws by lot.
fn people() -> String {
    let mut ldif = String::new();
    for n in 0..PEOPLE {
        let mut title = String::from("brings");
        let mut more = String::new();
        if [1, 3, 7].contains(&(n % 10)) {
            title += " number";
            let _ = writeln!(more, "ipPhone: {}", asked(n));
        }
        if n % 3 == 0 && n % 20 != 0 {
            title += " secret";
            let _ = writeln!(more, "sipPassword: 0wn-Pa55word-0f-{n}");
        }
        if n % 2 == 0 {
            let _ = writeln!(more, "mobile: +7 916 000-{:02}-{:02}", n / 100, n % 100);
        }
        if n % 8 == 2 {
            let _ = writeln!(more, "jpegPhoto:: {}", STANDARD.encode(Photo::new(n as u64).jpeg()));
        }
        if has_mail(n) {
            let _ = writeln!(more, "mail: p{n}@example.test");
        }
        if n % 25 == 24 {
            more += "pwdAccountLockedTime: 000001010000Z\n";
        }
        let _ = write!(
            ldif,
            "dn: uid=p{n},dc=example,dc=test\nobjectClass: inetOrgPerson\nobjectClass: pbxPerson\nuid: p{n}\n\
             cn: {name}\nsn: {n}\ndisplayName: {name}\ntitle: {title}\n{more}\n",
            name = name(n)
        );
    }
    ldif
}

fn has_mail(n: usize) -> bool {
    n.is_multiple_of(3) || n.is_multiple_of(20)
}

/// Without an e-mail address two share a name: whose employee somebody of that
/// name is, only the journal can tell.
fn name(n: usize) -> String {
    if has_mail(n) { format!("Person {n}") } else { format!("Namesake {}", n / 3) }
}

/// The number a person asks for; every third begins with a zero.
fn asked(n: usize) -> String {
    if n % 10 == 1 { format!("0{}", 700 + n) } else { format!("{}", 1_000 + n) }
}

/// A day on both sides: eighteen people each are edited, fewer than the guard
/// stops, and many who had no mobile get one.
fn change(company: &Company) {
    let (server, pbx, memory) = (&company.server, &company.pbx, Memory::of(company));
    let ids: BTreeMap<String, String> =
        server.find("(uid=p*)").iter().map(|entry| (entry.text("uid"), entry.text("entryUUID"))).collect();
    let employee_of = |n: usize| {
        let link = memory.links.iter().find(|link| link.person.as_str() == ids[&format!("p{n}")]);
        link.map(|link| link.employee.0)
    };
    let dn = |n: usize| format!("uid=p{n},dc=example,dc=test");
    for n in (0..PEOPLE).filter(|n| ![3, 7].contains(&(n % 10))) {
        match n % 4 {
            1 => server.set(&dn(n), "mobile", &[&format!("+7 919 000-0{}-{:02}", n / 100, n % 100)]),
            3 => employee_of(n).iter().for_each(|id| pbx.set_mobile(*id, &format!("79200000{n:03}"))),
            _ => {}
        }
    }
    for k in 0..18 {
        let (there, here) = (10 * k + 3, 10 * k + 7);
        server.set(&dn(there), "mobile", &[&format!("+7 917 000-00-{k:02}")]);
        match k % 5 {
            0 => server.set(&dn(there), "displayName", &[&format!("Renamed {there}")]),
            1 => server.set(&dn(there), "mail", &[&format!("q{there}@example.test")]),
            2 => server.set_bytes(&dn(there), "jpegPhoto", &Photo::new(1_000 + there as u64).jpeg()),
            3 => server.set(&dn(there), "sipPassword", &[&format!("An0ther-Pa55word-0f-{there}")]),
            _ => server.set(&dn(there), "ipPhone", &[&format!("0{}", 2_000 + there)]),
        }
        let id = employee_of(here).expect("nobody of these is disabled");
        pbx.set_mobile(id, &format!("791800000{k:02}"));
        match k % 5 {
            0 => pbx.edit(id, json!({ "user_username": format!("Renamed {here}") })),
            1 => pbx.edit(id, json!({ "user_email": format!("q{here}@example.test") })),
            2 => pbx.set_photo(id, &Photo::new(1_000 + here as u64).jpeg()),
            3 => pbx.edit(id, json!({ "sip_secret": format!("An0ther-Pa55word-0f-{here}") })),
            _ => pbx.edit(id, json!({ "number": format!("{}", 2_000 + here) })),
        }
    }
}
