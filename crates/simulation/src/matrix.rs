//! One answer nobody wants, at one place, every time: what becomes of a run in
//! which everything was due — a change each way, a leaver, a newcomer, a
//! picture — and that it all comes right once the answer is gone.

use crate::forced::{Answer, Call, Forced, Phase};
use crate::life::{Life, STACK_BYTES, in_its_own_time};
use crate::rest;
use crate::stage::attribute;
use crate::witness::Actor;
use directory::Kind;
use reconcile::{Field, LinkState};
use rollcall::cycle::Report;
use sandbox::company::Photo;
use serde_json::json;
use std::thread;
use store::{Links, Trigger};
use uuid::Uuid;

/// What a case looked like to the administrator, and what was wrong with it.
#[derive(Debug)]
pub struct Case {
    pub said: String,
    pub wrong: Vec<String>,
}

/// Lives one case; without a forced answer, the one all others must end like.
pub fn case(forced: Option<Forced>) -> (Case, String) {
    let life = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || in_its_own_time(lived(forced)));
    life.expect("the system has a thread left").join().expect("a life is only told, whatever happens in it")
}

/// Every case of the two tables, in their order.
pub fn cases() -> (Vec<Forced>, Vec<Forced>) {
    // All that have a name in RFC 4511, RFC 4528 and Active Directory, and one that has none.
    let codes = (1..=36).chain([
        48, 49, 50, 51, 52, 53, 54, 64, 65, 66, 67, 68, 69, 71, 76, 80, 118, 119, 120, 121, 122, 123, 99,
    ]);
    let unused = [9, 15, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 35];
    let codes = codes.filter(|code| !unused.contains(code));
    let directory =
        codes.flat_map(|code| Phase::ALL.map(|phase| Forced::Directory { phase, code })).collect();
    let pbx = Answer::ALL
        .into_iter()
        .flat_map(|answer| Call::ALL.map(|call| Forced::Pbx { call, answer }))
        .collect();
    (directory, pbx)
}

async fn lived(forced: Option<Forced>) -> (Case, String) {
    let mut life = Life::with(Kind::OpenLdap).await;
    let people = company(&life);
    drop(life.sync(Trigger::Manual, 0).await);
    everything_is_due(&life, &people);
    life.stage.force(forced);
    let result = life.sync(Trigger::Manual, 0).await;
    life.stage.force(None);
    let mut wrong = Vec::new();
    let links = life.stage.store().links(life.directory).await.unwrap_or_default();
    let reads = matches!(forced, Some(Forced::Directory { phase, .. }) if phase != Phase::Modify);
    for link in links.iter().filter(|link| matches!(link.state, LinkState::Left { .. })) {
        let truly = link.person.as_str() == people[2].to_string();
        if !truly || reads {
            wrong.push(format!("{} was disabled", link.person));
        }
    }
    let said = match result {
        Some(Ok(report)) => in_words(&report),
        Some(Err(error)) => format!("the run fails: {}", first_words(&format!("{error:#}"))),
        None => "the process died".to_owned(),
    };
    rest::come_to_rest(&mut life).await;
    let likeness = life.stage.witness().likeness();
    wrong.extend(life.stage.witness().violations.clone());
    (Case { said, wrong }, likeness)
}

/// Four people with everything, of whom the PBX knows nobody.
fn company(life: &Life) -> Vec<Uuid> {
    let stage = &life.stage;
    let hire = |n: u32| {
        let (mail, mobile) = (format!("p{n}@example.test"), format!("+7916000000{n}"));
        let attributes = [("mail", mail.as_str()), ("mobile", mobile.as_str())];
        let id = stage.directory.hire(&stage.staff(), &format!("p{n}"), &format!("Person {n}"), &attributes);
        id.expect("the place is free")
    };
    let people: Vec<Uuid> = (1..=4).map(hire).collect();
    stage.witness().see_directory(Actor::Human);
    people
}

fn everything_is_due(life: &Life, people: &[Uuid]) {
    let stage = &life.stage;
    stage.directory.set(people[0], "mobile", &["+79169999991"]).expect("it may be written");
    let second = stage.pbx.employees().into_iter().find(|employee| employee.username == "Person 2");
    let second = second.expect("the first run created everybody");
    stage.pbx.edit(second.id, json!({ "user_email": "second@example.test" })).expect("it is an address");
    stage.directory.disable(people[2]).expect("it may be written");
    let photo = attribute(stage.kind, Field::Photo);
    stage.directory.set(people[3], photo, &[Photo::new(7).jpeg()]).expect("it may be written");
    let attributes = [("mail", "p5@example.test")];
    stage.directory.hire(&stage.staff(), "p5", "Person 5", &attributes).expect("the place is free");
    let mut witness = stage.witness();
    witness.see_directory(Actor::Human);
    witness.see_pbx(Actor::Human, None);
    witness.rest();
}

fn in_words(report: &Report) -> String {
    let counts = report.counts;
    let mut words = Vec::new();
    for (side, read) in [("directory", &report.directory), ("PBX", &report.pbx)] {
        if !read.verdict.is_complete() {
            words.push(format!("{side} read in part"));
        }
    }
    let numbers = [
        ("refused", report.conflicts.iter().filter(|one| one.kind.as_str() == "refused").count()),
        ("other conflicts", report.conflicts.iter().filter(|one| one.kind.as_str() != "refused").count()),
        ("failed", usize::try_from(counts.failed).unwrap_or_default()),
        ("created", usize::try_from(counts.created).unwrap_or_default()),
        ("updated in the PBX", usize::try_from(counts.updated_in_pbx).unwrap_or_default()),
        ("updated in the directory", usize::try_from(counts.updated_in_directory).unwrap_or_default()),
        ("disabled", usize::try_from(counts.disabled).unwrap_or_default()),
    ];
    words.extend(numbers.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{n} {what}")));
    words.join(", ")
}

/// Enough of an error to recognise it: what failed, and why.
fn first_words(error: &str) -> String {
    let parts: Vec<&str> = error.split(": ").filter(|part| !part.starts_with("directory:")).collect();
    let words: Vec<&str> = parts.into_iter().take(2).collect();
    words.join(": ").split(" (").next().unwrap_or_default().to_owned()
}
