//! Companies, and what people do to them between two runs.

use crate::support::{Company, Email, Extension, Mobile, Name, Photo, Place, Record, SipPassword, company};
use proptest::prelude::*;
use proptest::sample::select;
use reconcile::{Account, Answer, BothChanged, Conflict, Direction, Field, WayOut};

pub const PEOPLE: u64 = 5;

/// Something somebody does to one side between two runs.
#[derive(Clone, Debug)]
pub enum Edit {
    Theirs(u64, Field, usize),
    Several(u64, Field, usize, usize),
    Ours(u64, Field, usize),
    Account(u64, Account),
    Place(u64, Place),
    Delete(u64),
    Arrive(u64, usize),
    Hide(u64, Field),
    Looked(u64, bool),
    /// Answers the first conflict that offers this.
    Answer(WayOut, usize, bool),
}

/// Few values, so that they meet: none, two spellings of one, others, and one
/// that cannot be used.
pub fn value(field: Field, at: usize) -> &'static str {
    let values: [&str; 7] = match field {
        Name => [
            "",
            "Anna Smirnova",
            " Anna  Smirnova",
            "Boris Petrov",
            "Anna Petrova",
            "First02 Last02",
            "A\u{1}",
        ],
        Extension => ["", "250", " 250", "201", "202", "0203", "12a"],
        Mobile => {
            ["", "+79265550000", "8 926 555-00-00", "+79265550001", "100500", "+79261230002", "call me"]
        }
        Email => {
            ["", "a@example.org", "A@Example.org", "b@example.org", "c@example.org", "p02@example.org", "x"]
        }
        Photo => ["", "pictureA", "pictureA", "pictureB", "pictureC", "picture2", "text"],
        SipPassword => ["", "secretA", "secretA", "secretB", "secretC", "secret2", "?"],
    };
    values[at]
}

/// The same as the PBX would take it: a number and a name are always there.
pub fn our_value(field: Field, at: usize) -> &'static str {
    match (field, value(field, at)) {
        (Name, "") => "Somebody",
        (SipPassword, "") => "secret0",
        (Extension, "" | " 250" | "12a") => "251",
        (_, value) => value.trim(),
    }
}

pub fn field() -> impl Strategy<Value = Field> {
    select(Field::ALL.to_vec())
}

pub fn edit() -> impl Strategy<Value = Edit> {
    let person = || 1..=PEOPLE;
    let account = select(vec![Account::Enabled, Account::Disabled, Account::Expired, Account::LockedOut]);
    let place =
        select(vec![Place::Here, Place::Here, Place::Deleted, Place::Moved, Place::Missed, Place::Refused]);
    let way = select(vec![
        WayOut::UseDirectory,
        WayOut::UsePbx,
        WayOut::PickEmployee,
        WayOut::NewEmployee,
        WayOut::Relink,
        WayOut::GiveNumber,
        WayOut::LeaveOut,
        WayOut::LeaveAsIs,
    ]);
    prop_oneof![
        6 => (person(), field(), 0..7usize).prop_map(|(at, field, value)| Edit::Theirs(at, field, value)),
        6 => (person(), field(), 0..7usize).prop_map(|(at, field, value)| Edit::Ours(at, field, value)),
        1 => (person(), field(), 1..7usize, 1..7usize)
            .prop_map(|(at, field, one, other)| Edit::Several(at, field, one, other)),
        1 => (person(), account).prop_map(|(at, account)| Edit::Account(at, account)),
        2 => (person(), place).prop_map(|(at, place)| Edit::Place(at, place)),
        1 => person().prop_map(Edit::Delete),
        1 => (person(), 0..7usize).prop_map(|(at, value)| Edit::Arrive(at, value)),
        1 => (person(), field()).prop_map(|(at, field)| Edit::Hide(at, field)),
        1 => (person(), any::<bool>()).prop_map(|(at, looked)| Edit::Looked(at, looked)),
        4 => (way, 0..7usize, any::<bool>()).prop_map(|(way, at, keep)| Edit::Answer(way, at, keep)),
    ]
}

/// A company of a few people, in step or about to meet, under any policy.
pub fn any_company() -> impl Strategy<Value = Company> {
    let direction = || {
        select(vec![
            Direction::Both,
            Direction::Both,
            Direction::Both,
            Direction::ToPbx,
            Direction::ToDirectory,
            Direction::Off,
        ])
    };
    let both =
        || select(vec![BothChanged::Newest, BothChanged::Directory, BothChanged::Pbx, BothChanged::Ask]);
    let fields = prop::collection::vec((direction(), both(), any::<bool>()), 6);
    (fields, any::<bool>(), prop::bool::weighted(0.9), any::<bool>()).prop_map(
        |(fields, dates, write_back, settled)| {
            let mut company = company();
            for (field, (direction, both_changed, clear)) in Field::ALL.into_iter().zip(fields) {
                let policy = &mut company.policy.fields[field];
                (policy.direction, policy.both_changed, policy.clear) = (direction, both_changed, clear);
            }
            company.policy.write_back = write_back;
            company.dates_attributes = dates;
            (1..=PEOPLE).for_each(|at| company.pair_up(at));
            company.queue("203", "QUEUE");
            company.employee(3).ext("0203");
            company.person("p03").ext("0203");
            if settled {
                company.settle();
            }
            company
        },
    )
}

pub fn perform(company: &mut Company, edits: &[Edit]) {
    for edit in edits {
        match edit {
            Edit::Theirs(at, field, value_at) => {
                company.person(&id(*at)).set(*field, value(*field, *value_at));
            }
            Edit::Several(at, field, one, other) => {
                let mut values = vec![value(*field, *one), value(*field, *other)];
                values.dedup();
                company.person(&id(*at)).many(*field, &values);
            }
            Edit::Ours(at, field, value_at) => {
                let value = our_value(*field, *value_at);
                // The PBX has no number twice.
                let taken = |record: &Record| record.values[Extension] == value;
                let twice = *field == Extension && company.records.values().any(taken);
                if let Some(record) = company.records.get_mut(at).filter(|_| !twice) {
                    record.set(*field, value);
                }
            }
            Edit::Account(at, account) => {
                company.person(&id(*at)).account(*account);
            }
            Edit::Place(at, place) => {
                company.person(&id(*at)).place(place.clone());
            }
            Edit::Delete(at) => {
                company.records.remove(at);
            }
            Edit::Arrive(at, value_at) => {
                let person = company.person(&format!("n{at}"));
                person.name(value(Name, *value_at)).ext(value(Extension, *value_at));
            }
            Edit::Hide(at, field) => {
                company.person(&id(*at)).hide(*field);
            }
            Edit::Looked(at, looked) => {
                if let Some(record) = company.records.get_mut(at) {
                    record.looked = *looked;
                }
            }
            Edit::Answer(way, value_at, keep) => {
                let conflicts = company.preview().conflicts;
                let Some(conflict) = conflicts.iter().find(|row| row.ways_out.contains(way)) else {
                    continue;
                };
                if let Some(answer) = answer(conflict, *way, *value_at, *keep) {
                    company.answer(conflict, answer);
                }
            }
        }
    }
}

pub fn answer(conflict: &Conflict, way: WayOut, at: usize, keep_in_pbx: bool) -> Option<Answer> {
    Some(match way {
        WayOut::UseDirectory => Answer::UseDirectory,
        WayOut::UsePbx => Answer::UsePbx,
        WayOut::PickEmployee => Answer::Employee { id: conflict.candidates.get(at % 2)?.employee },
        WayOut::NewEmployee => Answer::NewEmployee,
        WayOut::Relink => Answer::Relink,
        WayOut::GiveNumber => Answer::Number {
            number: ["201", "250", "260", "261", "262", "263", "264"][at].into(),
            keep_in_pbx,
        },
        WayOut::LeaveOut => Answer::LeaveOut,
        WayOut::LeaveAsIs => Answer::LeaveAsIs,
        WayOut::Retry => return None,
    })
}

pub fn id(at: u64) -> String {
    format!("p{at:02}")
}

pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 0..8)
}
