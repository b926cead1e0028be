//! People who know nothing of Rollcall, at work on both sides. They draw from a
//! small pool, so that they meet: the same mobile twice, one number for two,
//! names that are spelt another way, and values that nobody can use.

use crate::stage::{Stage, attribute};
use crate::witness::Actor;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use directory::Kind;
use reconcile::Field;
use sandbox::company::Photo;
use serde_json::{Value as Json, json};
use uuid::Uuid;

const PEOPLE_MAX: usize = 8;
const EMPLOYEES_MAX: usize = 12;
const NAMES: [&str; 10] = [
    "Anna Berg",
    "Anna  Berg",
    "anna berg",
    "Иван Петров",
    "Петров Иван",
    "Seán O'Neill",
    "Li Wei",
    "Zoë Müller-Lüdenscheidt",
    "Олег <b>Смелый</b>",
    "Tom Tom",
];
const MOBILES: [&str; 8] = [
    "+7 926 123-45-67",
    "89261234567",
    "79261234567",
    "+7 (916) 000-00-01",
    "+49 151 23456789",
    "8 800 555-35-35",
    "+7 926 123-45-67 доб. 12",
    "not a phone",
];
const MAILS: [&str; 7] = [
    "anna@example.test",
    "Anna@Example.test",
    "ivan@example.test",
    "oleg@example.test",
    "li@example.test",
    "tom@example.test",
    "no-address",
];
const NUMBERS: [&str; 9] = ["201", "202", "203", "204", "0205", "211", "212", "12a", "+7 (495) 123-45-67"];
const SECRETS: [&str; 5] = [
    "Correct-Horse-7-Battery",
    "Tower-Of-9-Hanoi-Disks",
    "Quite-A-Long-Secret-5",
    "weak",
    "Another_Fine-Pass_88",
];

/// One edit on one side. Refusals are their own business.
pub fn edit(stage: &Stage) {
    stage.see_directory();
    stage.see_pbx(None);
    match stage.lot.strikes(500) {
        true => in_directory(stage),
        false => in_pbx(stage),
    }
    let mut witness = stage.witness();
    witness.see_directory(Actor::Human);
    witness.see_pbx(Actor::Human, None);
}

/// One edit of this employee, whatever it is.
pub fn edit_employee(stage: &Stage, id: u64) {
    let field = *stage.lot.pick(&Field::ALL).unwrap_or(&Field::Mobile);
    stage.note(format_args!("  somebody edits {field} of employee {id} in the PBX"));
    if let Err(error) = stage.pbx.edit(id, fields(stage, &[field])) {
        stage.note(format_args!("  refused: {error}"));
    }
    stage.witness().see_pbx(Actor::Human, None);
}

/// The company before anybody synchronised it: some are on both sides already.
pub fn found(stage: &Stage) {
    for _ in 0..stage.lot.within(2, 7) {
        hire(stage);
    }
    for _ in 0..stage.lot.within(0, 5) {
        employ(stage);
    }
    let mut witness = stage.witness();
    witness.see_directory(Actor::Human);
    witness.see_pbx(Actor::Human, None);
    witness.rest();
}

fn in_directory(stage: &Stage) {
    let people = stage.directory.people();
    let Some(&id) = stage.lot.pick(&people) else { return hire(stage) };
    let what = stage.lot.below(100);
    stage.note(format_args!("  somebody edits {id} in the directory ({what})"));
    let done = match what {
        0..8 if people.len() < PEOPLE_MAX => {
            hire(stage);
            Ok(())
        }
        8..13 => stage.directory.disable(id),
        13..22 => stage.directory.enable(id),
        22..25 => stage.directory.delete(id),
        25..29 => stage.directory.move_to(id, &stage.former()),
        29..36 => stage.directory.move_to(id, &stage.staff()),
        36..44 => {
            let fields = [Field::Mobile, Field::Email, Field::Photo, Field::SipPassword, Field::Extension];
            let field = *stage.lot.pick(&fields).unwrap_or(&Field::Mobile);
            stage.directory.set::<&str>(id, attribute(stage.kind, field), &[])
        }
        44..50 if stage.kind != Kind::ActiveDirectory => {
            let mut several = vec![drawn(stage, Field::Mobile), drawn(stage, Field::Mobile)];
            // An attribute is a set: no directory holds a value twice.
            several.dedup();
            stage.directory.set(id, "mobile", &several)
        }
        _ => set(stage, id),
    };
    if let Err(error) = done {
        stage.note(format_args!("  refused: {error}"));
    }
}

fn set(stage: &Stage, id: Uuid) -> Result<(), sandbox::directory::Error> {
    let field = *stage.lot.pick(&Field::ALL).unwrap_or(&Field::Mobile);
    let name = attribute(stage.kind, field);
    match field {
        Field::Photo => stage.directory.set(id, name, &[picture(stage)]),
        _ => stage.directory.set(id, name, &[drawn(stage, field)]),
    }
}

fn in_pbx(stage: &Stage) {
    let employees = stage.pbx.employees();
    let with_phone: Vec<u64> = employees.iter().filter(|e| e.sip.is_some()).map(|e| e.id).collect();
    let Some(&id) = stage.lot.pick(&with_phone) else { return employ(stage) };
    let what = stage.lot.below(100);
    stage.note(format_args!("  somebody edits employee {id} in the PBX ({what})"));
    let done = match what {
        0..6 if employees.len() < EMPLOYEES_MAX => {
            employ(stage);
            Ok(())
        }
        6..10 => stage.pbx.delete(id),
        10..13 => {
            stage.pbx.add_queue(&format!("2{}", stage.lot.within(10, 20)));
            Ok(())
        }
        13..22 => {
            let field =
                *stage.lot.pick(&["mobile_number", "user_email", "user_avatar"]).unwrap_or(&"user_email");
            stage.pbx.edit(id, json!({ (field): "" }))
        }
        _ => {
            let field = *stage.lot.pick(&Field::ALL).unwrap_or(&Field::Mobile);
            stage.pbx.edit(id, fields(stage, &[field]))
        }
    };
    if let Err(error) = done {
        stage.note(format_args!("  refused: {error}"));
    }
}

fn hire(stage: &Stage) {
    let login = format!("u{}", stage.lot.below(1 << 40));
    let name = drawn(stage, Field::Name);
    let mut attributes: Vec<(&str, &str)> = Vec::new();
    for field in [Field::Mobile, Field::Email, Field::Extension, Field::SipPassword] {
        if stage.lot.strikes(550) {
            attributes.push((attribute(stage.kind, field), drawn(stage, field)));
        }
    }
    // In Active Directory the name is the entry's own and must be the only one.
    let hired = stage.directory.hire(&stage.staff(), &login, &login, &attributes);
    let named = hired.and_then(|id| {
        stage.directory.set(id, "displayName", &[name])?;
        match stage.lot.strikes(300) {
            true => stage.directory.set(id, attribute(stage.kind, Field::Photo), &[picture(stage)]),
            false => Ok(()),
        }
    });
    stage.note(format_args!("  {name} is hired: {named:?}"));
}

fn employ(stage: &Stage) {
    let mut wanted = vec![Field::Name, Field::Extension, Field::SipPassword];
    wanted.extend([Field::Mobile, Field::Email, Field::Photo].into_iter().filter(|_| stage.lot.strikes(500)));
    let made = stage.pbx.add(fields(stage, &wanted));
    stage.note(format_args!("  an employee is made in the PBX: {made:?}"));
}

/// Fields of an employee as the PBX's page sends them.
fn fields(stage: &Stage, wanted: &[Field]) -> Json {
    let mut fields = serde_json::Map::new();
    for field in wanted {
        let (name, value) = match field {
            Field::Name => ("user_username", drawn(stage, Field::Name).to_owned()),
            Field::Extension => ("number", drawn(stage, Field::Extension).to_owned()),
            Field::Mobile => ("mobile_number", drawn(stage, Field::Mobile).to_owned()),
            Field::Email => ("user_email", drawn(stage, Field::Email).to_owned()),
            Field::SipPassword => ("sip_secret", drawn(stage, Field::SipPassword).to_owned()),
            Field::Photo => {
                ("user_avatar", format!("data:image/jpeg;base64,{}", STANDARD.encode(picture(stage))))
            }
        };
        fields.insert(name.to_owned(), value.into());
    }
    Json::Object(fields)
}

fn drawn(stage: &Stage, field: Field) -> &'static str {
    let from: &'static [&'static str] = match field {
        Field::Name => &NAMES,
        Field::Extension => &NUMBERS,
        Field::Mobile => &MOBILES,
        Field::Email => &MAILS,
        Field::SipPassword | Field::Photo => &SECRETS,
    };
    stage.lot.pick(from).copied().unwrap_or_default()
}

/// One of a few portraits; now and then something too small for the PBX, or no
/// picture at all.
fn picture(stage: &Stage) -> Vec<u8> {
    match stage.lot.below(12) {
        0 => b"\xff\xd8\xff\xe0 tiny".to_vec(),
        1 => b"this is no picture".to_vec(),
        which => Photo::new(which).jpeg(),
    }
}
