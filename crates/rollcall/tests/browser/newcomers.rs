//! Whoever is new and cannot be matched, named or numbered by itself: each way
//! out is pressed in a browser, and shows after the next synchronisation.

use super::conflicts::{Press, answer};
use super::site::at_an_office;
use super::support::office::Office;
use super::support::pbx::Employee;
use sandbox::directory::{Account, Writes};
use std::collections::BTreeSet;

const PEOPLE: usize = 14;

const ANSWERS: [Press<'static>; 11] = [
    ("Person 02", "Make a new employee", None),
    ("Person 03", "Leave this person out", None),
    ("Person 04", "Use the domain's", None),
    ("Person 05", "Use the PBX's", None),
    ("Person 06", "Leave as is", None),
    ("CN=Person 07,OU=Staff,DC=ad,DC=example,DC=test", "Leave this person out", None),
    ("Person 10", "Give", Some("455")),
    ("Person 11", "Leave this person out", None),
    ("Person 12", "Give", Some("456")),
    ("Person 13", "Make a new employee", None),
    ("Person 14", "Leave this person out", None),
];

#[test]
fn newcomers_are_answered_and_the_answers_are_carried_out() {
    at_an_office(PEOPLE, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        let office = site.office();
        let twin = meet_for_the_first_time(office);
        office.sync().exits(4);
        hired_beside(office);
        let asked = office.sync().exits(4);
        assert_eq!(asked.conflicts().len(), ANSWERS.len() + 1, "{:#?}", asked.conflicts());
        let writes = office.writes();
        window.open("/conflicts").await;
        answer(&window, ("Person 01", &format!("It is Person 01 · {}", twin.number), None)).await;
        for press in ANSWERS {
            answer(&window, press).await;
        }
        assert_eq!(office.writes(), writes, "an answer is carried out by the next synchronisation");
        office.sync().exits(0);
        carried_out(office, &twin);
        let quiet = office.sync().exits(0);
        assert_eq!((quiet.writes(), quiet.conflicts().len()), ((0, 0), 0));
        window.open("/conflicts").await;
        window.sees("No conflicts").await;
        window.close().await;
    });
}

/// One of the two employees that may be Person 01.
fn meet_for_the_first_time(office: &Office) -> Employee {
    let pbx = &office.pbx;
    // An attribute that may hold several values.
    office.edit(&[
        "--map",
        "extension=uid",
        "--first-meeting",
        "mobile=ask",
        "--first-meeting",
        "extension=directory",
        "--numbers",
        "400-401",
    ]);
    let everything = |account: &mut Account| account.rights.writes = Writes::AllBut(BTreeSet::new());
    office.directory.with_account("pbx-sync", everything).expect("the account");
    for n in 1..=PEOPLE {
        office.set(n, "uid", &[&(300 + n).to_string()]);
    }
    let twins = |n: usize| {
        ["61", "62"].map(|number| {
            let name = format!("Person {n:02}");
            pbx.hire(&format!("{number}{n}"), &name, &format!("{number}.{n}@example.test"), "")
        })
    };
    let [first, _] = twins(1);
    twins(2);
    twins(3);
    for n in 4..=6 {
        let (number, name, mail) = (format!("30{n}"), format!("Person {n:02}"), format!("p{n}@example.test"));
        pbx.hire(&number, &name, &mail, &format!("7999000000{n}"));
    }
    office.set(7, "displayName", &[]);
    for n in 8..=11 {
        office.set(n, "uid", &[]);
    }
    office.set(12, "uid", &["312", "412"]);
    pbx.employee(first)
}

/// Somebody of the same name and mail, beside the one who is linked.
fn hired_beside(office: &Office) {
    office.directory.found_unit(office.directory.base(), "Branch").expect("room for a unit");
    let unit = format!("OU=Branch,{}", office.directory.base());
    let beside = |n| {
        let (login, name, mail) = (format!("beside{n}"), format!("Person {n}"), format!("p{n}@example.test"));
        office
            .directory
            .hire(&unit, &login, &name, &[("mail", &mail), ("uid", &format!("5{n}"))])
            .expect("room for a person");
    };
    (13..=14).for_each(beside);
}

fn carried_out(office: &Office, twin: &Employee) {
    let called = |name: &str| {
        let employees = office.pbx.employees();
        employees.into_iter().filter(|employee| employee.name == name).collect::<Vec<_>>()
    };
    let joined = office.pbx.employee(twin.id);
    assert_eq!((joined.email.as_str(), called("Person 01").len()), ("p1@example.test", 2));
    assert_eq!((called("Person 02").len(), called("Person 03").len()), (3, 2));
    assert!(called("Person 02").iter().any(|employee| employee.email == "p2@example.test"));
    let mobiles = |n: usize| (office.pbx.named(&format!("Person {n:02}")).mobile, office.text(n, "mobile"));
    assert_eq!(mobiles(4), ("79160000004".into(), "+7 916 000-0004".into()));
    assert_eq!(mobiles(5), ("79990000005".into(), "+79990000005".into()));
    assert_eq!(mobiles(6), ("79990000006".into(), "+7 916 000-0006".into()));
    assert_eq!((office.pbx.named("Person 10").number.as_str(), &*office.text(10, "uid")), ("455", "455"));
    assert_eq!((called("Person 11").len(), office.text(11, "uid")), (0, String::new()));
    assert_eq!(office.pbx.named("Person 12").number, "456");
    assert_eq!((called("Person 13").len(), called("Person 14").len()), (2, 1));
    assert_eq!(office.pbx.numbered("513").name, "Person 13");
}
