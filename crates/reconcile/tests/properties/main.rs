//! What holds for any company, whatever happens to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what is wrong by panicking")]

mod checks;
mod edits;
mod mess;
#[path = "../support/mod.rs"]
mod support;

use checks::{check_explained, check_well_formed};
use edits::{Edit, PEOPLE, any_company, edits, field, id, our_value, perform, value};
use mess::{make, mess};
use proptest::prelude::*;
use proptest::sample::select;
use reconcile::needs::{needs, recall_photos, to_date};
use reconcile::observe::observe;
use reconcile::plan::{LinkStep, plan};
use reconcile::{BothChanged, Field, LinkState, Verdict, World};
use std::collections::BTreeMap;
use support::{Company, Extension, company, partial};

/// The same rows in another order.
fn turned(world: &World) -> World {
    let mut turned = world.clone();
    turned.people.rows.reverse();
    turned.employees.rows.rotate_left(2.min(world.employees.rows.len()));
    turned.numbers.reverse();
    turned.links.reverse();
    turned.decisions.reverse();
    turned.set_aside.reverse();
    turned
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
                None | Some(LinkStep::Wake | LinkStep::Rest) => {}
                Some(LinkStep::Leave { .. } | LinkStep::Return { .. }) => prop_assert!(!directory, "{:#?}", action),
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
        let again = plan(&turned(&world));
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

    #[test]
    fn a_plan_is_well_formed(mut company in any_company(), first in edits(), second in edits()) {
        perform(&mut company, &first);
        company.run();
        perform(&mut company, &second);
        let world = company.world();
        check_well_formed(&world, &plan(&world));
    }

    /// Whatever our memory holds and whatever the reads found: no panic, no
    /// number twice, and the same plan from the same rows in another order.
    #[test]
    fn a_mess_is_planned_too(
        mut company in any_company(),
        edits in edits(),
        mess in prop::collection::vec(mess(), 0..24),
    ) {
        perform(&mut company, &edits);
        let mut world = company.world();
        mess.iter().for_each(|mess| make(&mut world, mess));
        let planned = plan(&world);
        check_well_formed(&world, &planned);
        prop_assert_eq!(&plan(&turned(&world)), &planned);
        observe(&world);
        to_date(&world);
        needs(&world);
        recall_photos(&mut world);
        check_well_formed(&world, &plan(&world));
    }
}
