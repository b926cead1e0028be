//! What holds for any company, whatever happens to it.

mod support;

use proptest::prelude::*;
use proptest::sample::select;
use reconcile::plan::{LinkStep, Plan, plan};
use reconcile::{
    Account, Answer, BothChanged, Conflict, Direction, Field, LinkState, Reading, Verdict, WayOut,
};
use std::collections::{BTreeMap, BTreeSet};
use support::{Company, Email, Extension, Mobile, Name, Photo, Place, SipPassword, company, partial};

const PEOPLE: u64 = 5;

/// Something somebody does to one side between two runs.
#[derive(Clone, Debug)]
enum Edit {
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
fn value(field: Field, at: usize) -> &'static str {
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
fn our_value(field: Field, at: usize) -> &'static str {
    match (field, value(field, at)) {
        (Name, "") => "Somebody",
        (SipPassword, "") => "secret0",
        (Extension, "" | " 250" | "12a") => "251",
        (_, value) => value.trim(),
    }
}

fn field() -> impl Strategy<Value = Field> {
    select(Field::ALL.to_vec())
}

fn edit() -> impl Strategy<Value = Edit> {
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
fn any_company() -> impl Strategy<Value = Company> {
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

fn perform(company: &mut Company, edits: &[Edit]) {
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
                let taken = |record: &support::Record| record.values[Extension] == value;
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

fn answer(conflict: &Conflict, way: WayOut, at: usize, keep_in_pbx: bool) -> Option<Answer> {
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

fn id(at: u64) -> String {
    format!("p{at:02}")
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 0..8)
}

/// Every difference between the sides of a link is told to somebody.
fn check_explained(company: &Company, plan: &Plan) {
    let world = company.world();
    for link in company.links.iter().filter(|link| link.state == LinkState::Active) {
        let person = world.people.rows.iter().find(|row| row.id == link.person);
        let employee = world.employees.rows.iter().find(|row| row.id == link.employee);
        let (Some(person), Some(employee)) = (person, employee) else { continue };
        let line = plan.people.iter().find(|line| line.person == link.person).unwrap();
        for field in Field::ALL.into_iter().filter(|field| company.policy.direction(*field) != Direction::Off)
        {
            let (theirs, ours) = (&person.fields[field], &employee.fields[field]);
            let (Reading::Values(theirs), Reading::Values(ours)) = (theirs, ours) else { continue };
            let in_step = theirs.iter().any(|value| value.equivalent(&ours[0]));
            let told = line.differs.contains(&field)
                || plan.conflicts.iter().any(|row| row.person == link.person && row.field == Some(field))
                || company.decisions.iter().any(|row| row.person == link.person && row.field == Some(field));
            assert!(in_step || told, "{field} of {}: {theirs:?} {ours:?} {line:?}", link.person);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// The executor is strict: no equal value is written, no number is there
    /// twice, no value is overwritten that was not read, no link is shared.
    #[test]
    fn perturbed_twice_it_comes_to_rest(mut company in any_company(), first in edits(), second in edits()) {
        perform(&mut company, &first);
        company.run();
        perform(&mut company, &second);
        company.settle();
        let plan = company.preview();
        prop_assert!(plan.actions.is_empty());
        check_explained(&company, &plan);
    }

    /// An edit of one side, in step before, arrives on the other; and where it
    /// does not, somebody is told and it stands where it was made.
    #[test]
    fn a_one_sided_edit_is_never_lost(
        edits in prop::collection::btree_map((1..=PEOPLE, field()), (any::<bool>(), 1..6usize), 1..6),
        both in select(vec![BothChanged::Newest, BothChanged::Directory, BothChanged::Pbx, BothChanged::Ask]),
    ) {
        let mut company = company();
        (1..=PEOPLE).for_each(|at| company.pair_up(at));
        for field in Field::ALL {
            company.both_changed(field, both);
        }
        company.settle();
        let mut made = BTreeMap::new();
        for ((at, field), (theirs, value_at)) in edits {
            if theirs {
                company.person(&id(at)).set(field, value(field, value_at));
                made.insert((at, field), (theirs, value(field, value_at)));
            } else {
                let value = our_value(field, value_at);
                let taken = company.records.values().any(|record| record.values[Extension] == value);
                if !(field == Extension && taken) {
                    company.employee(at).set(field, value);
                    made.insert((at, field), (theirs, value));
                }
            }
        }
        company.settle();
        let plan = company.preview();
        let world = company.world();
        for ((at, field), (theirs, value)) in made {
            if company.link_of(&id(at)).is_none_or(|link| link.state != LinkState::Active) {
                continue;
            }
            let stands = if theirs { company.theirs(&id(at), field) } else { company.ours(at, field) };
            prop_assert_eq!(stands, value, "{} of {} was overwritten", field, at);
            let person = world.people.rows.iter().find(|row| row.id.as_str() == id(at)).unwrap();
            let employee = world.employees.rows.iter().find(|row| row.id.0 == at).unwrap();
            let (theirs, ours) = (person.fields[field].values(), employee.fields[field].values());
            let arrived = theirs.iter().any(|theirs| ours.iter().any(|ours| ours.equivalent(theirs)));
            let told = plan.conflicts.iter().any(|row| row.person.as_str() == id(at));
            prop_assert!(arrived || told, "{} of {} was lost", field, at);
        }
    }

    /// Without an answer a link keeps its two ends for good.
    #[test]
    fn a_link_is_never_repointed(mut company in any_company(), first in edits(), second in edits()) {
        company.settle();
        let ends = |company: &Company| -> BTreeMap<String, u64> {
            company.links.iter().map(|link| (link.person.to_string(), link.employee.0)).collect()
        };
        let before = ends(&company);
        for edits in [first, second] {
            let unanswered: Vec<Edit> =
                edits.into_iter().filter(|edit| !matches!(edit, Edit::Answer(..))).collect();
            perform(&mut company, &unanswered);
            company.run();
        }
        let after = ends(&company);
        for (person, employee) in &before {
            let now = after.get(person);
            // Where the employee was deleted the link ended, and a new one begins.
            let ended = !company.records.contains_key(employee);
            prop_assert!(now.is_none_or(|now| now == employee || ended), "{} moved to {:?}", person, now);
            let others = after.iter().filter(|(other, now)| *other != person && *now == employee);
            prop_assert_eq!(others.count(), 0, "{} was taken from {}", employee, person);
        }
    }

    #[test]
    fn a_partial_snapshot_removes_creates_and_clears_nobody(
        mut company in any_company(),
        first in edits(),
        second in edits(),
        (directory, pbx) in select(vec![(true, false), (false, true), (true, true)]),
    ) {
        perform(&mut company, &first);
        company.run();
        perform(&mut company, &second);
        if directory {
            company.directory = partial();
        }
        if pbx {
            company.pbx = partial();
        }
        let plan = company.preview();
        for action in &plan.actions {
            match &action.link {
                None | Some(LinkStep::Return { .. } | LinkStep::Wake | LinkStep::Rest) => {}
                Some(LinkStep::Leave { .. }) => prop_assert!(!directory, "{:#?}", action),
                other => prop_assert!(false, "{:?}", other),
            }
            let mut changes = action.pbx.iter().chain(&action.directory);
            prop_assert!(changes.all(|change| change.after.is_some()), "{:#?}", action);
            prop_assert!(!pbx || action.pbx.iter().all(|change| change.field != Extension), "{:#?}", action);
        }
        let records = company.records.len();
        company.run();
        prop_assert_eq!(company.records.len(), records);
    }

    #[test]
    fn the_order_of_rows_means_nothing(mut company in any_company(), first in edits(), second in edits()) {
        perform(&mut company, &first);
        company.run();
        perform(&mut company, &second);
        let world = company.world();
        let planned = plan(&world);
        prop_assert_eq!(&plan(&world), &planned, "a preview is the plan");
        let mut turned = world.clone();
        turned.people.rows.reverse();
        turned.employees.rows.rotate_left(2.min(world.employees.rows.len()));
        turned.numbers.reverse();
        turned.links.reverse();
        turned.decisions.reverse();
        let again = plan(&turned);
        prop_assert_eq!(again.hash(), planned.hash());
        prop_assert_eq!(again, planned);
    }

    /// An incomplete read in between changes nothing about where it ends.
    #[test]
    fn a_torn_read_in_between_only_delays(mut company in any_company(), edits in edits()) {
        let unanswered: Vec<Edit> = edits
            .into_iter()
            .filter(|edit| matches!(edit, Edit::Theirs(..) | Edit::Ours(..) | Edit::Account(..)))
            .collect();
        // Who was later is a question of when somebody looked.
        for field in Field::ALL {
            if company.policy.fields[field].both_changed == BothChanged::Newest {
                company.both_changed(field, BothChanged::Ask);
            }
        }
        company.settle();
        perform(&mut company, &unanswered);
        let mut torn = company.clone();
        (torn.directory, torn.pbx) = (partial(), partial());
        torn.run();
        (torn.directory, torn.pbx) = (Verdict::Complete, Verdict::Complete);
        company.settle();
        torn.settle();
        let values = |company: &Company| -> Vec<_> {
            let records = company.records.iter().map(|(id, record)| (*id, record.values.clone()));
            records.collect()
        };
        let theirs = |company: &Company| -> Vec<_> {
            company.entries.iter().map(|(id, entry)| (id.clone(), entry.values.clone())).collect()
        };
        prop_assert_eq!(values(&company), values(&torn));
        prop_assert_eq!(theirs(&company), theirs(&torn));
    }

    /// What a plan says of people adds up.
    #[test]
    fn a_plan_is_well_formed(mut company in any_company(), first in edits(), second in edits()) {
        perform(&mut company, &first);
        company.run();
        perform(&mut company, &second);
        let world = company.world();
        let plan = plan(&world);
        let people: Vec<_> = plan.people.iter().map(|line| &line.person).collect();
        let unique: BTreeSet<_> = people.iter().collect();
        prop_assert_eq!(unique.len(), people.len(), "one line a person");
        let moved: BTreeSet<_> = plan
            .actions
            .iter()
            .filter_map(|action| match &action.link {
                Some(LinkStep::Relink { from }) => Some(from),
                _ => None,
            })
            .collect();
        let everybody: BTreeSet<_> = world.people.rows.iter().map(|row| &row.id)
            .chain(world.links.iter().map(|link| &link.person).filter(|id| !moved.contains(id)))
            .collect();
        prop_assert_eq!(unique.into_iter().copied().collect::<BTreeSet<_>>(), everybody);
        let acting: BTreeSet<_> = plan.actions.iter().map(|action| &action.person).collect();
        prop_assert_eq!(acting.len(), plan.actions.len(), "one action a person");
        let employees: Vec<_> = plan.actions.iter().filter_map(|action| action.employee).collect();
        prop_assert_eq!(employees.iter().collect::<BTreeSet<_>>().len(), employees.len());
        prop_assert!(plan.actions.is_sorted_by_key(|action| action.wave));
        let keys: BTreeSet<_> =
            plan.conflicts.iter().map(|row| (&row.person, row.kind, row.field)).collect();
        prop_assert_eq!(keys.len(), plan.conflicts.len(), "one row a conflict");
        for action in &plan.actions {
            for change in action.pbx.iter().chain(&action.directory) {
                prop_assert!(change.after.is_some() || change.field.clearable(), "{:#?}", action);
                prop_assert!(change.before.is_some() || change.after.is_some(), "{:#?}", action);
            }
            let to_pbx = |field| company.policy.direction(field).to_pbx();
            let allowed = |change: &reconcile::plan::Change| match &action.link {
                Some(LinkStep::Create { .. }) => {
                    to_pbx(change.field) || matches!(change.field, Name | Extension | SipPassword)
                }
                _ => to_pbx(change.field),
            };
            prop_assert!(action.pbx.iter().all(allowed), "{:#?}", action);
            let back = |field| company.policy.direction(field).to_directory();
            prop_assert!(action.directory.iter().all(|change| back(change.field)), "{:#?}", action);
        }
    }
}
