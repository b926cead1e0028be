//! What is checked of every plan.

use crate::support::{Company, Extension, Name, SipPassword, sent};
use reconcile::plan::{Action, LinkStep, Plan};
use reconcile::{Direction, Employee, EmployeeId, Field, LinkState, Reading, World};
use std::collections::{BTreeMap, BTreeSet};

/// Every difference between the sides of a link is told to somebody.
pub fn check_explained(company: &Company, plan: &Plan) {
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

/// What a plan says of people adds up.
pub fn check_well_formed(world: &World, plan: &Plan) {
    let people: Vec<_> = plan.people.iter().map(|line| &line.person).collect();
    let unique: BTreeSet<_> = people.iter().copied().collect();
    assert_eq!(unique.len(), people.len(), "one line a person");
    let moved = plan.actions.iter().filter_map(|action| match &action.link {
        Some(LinkStep::Relink { from }) => Some(from),
        _ => None,
    });
    let moved: BTreeSet<_> = moved.collect();
    let linked = world.links.iter().map(|link| &link.person).filter(|id| !moved.contains(id));
    let everybody: BTreeSet<_> = world.people.rows.iter().map(|row| &row.id).chain(linked).collect();
    assert_eq!(unique, everybody);
    let acting: BTreeSet<_> = plan.actions.iter().map(|action| &action.person).collect();
    assert_eq!(acting.len(), plan.actions.len(), "one action a person");
    let employees: Vec<_> = plan.actions.iter().filter_map(|action| action.employee).collect();
    assert_eq!(employees.iter().collect::<BTreeSet<_>>().len(), employees.len(), "one action an employee");
    assert!(plan.actions.is_sorted_by_key(|action| action.wave));
    let keys: BTreeSet<_> = plan.conflicts.iter().map(|row| (&row.person, row.kind, row.field)).collect();
    assert_eq!(keys.len(), plan.conflicts.len(), "one row a conflict");
    plan.actions.iter().for_each(|action| check_action(world, action));
    check_numbers(world, plan);
}

fn check_action(world: &World, action: &Action) {
    for change in action.pbx.iter().chain(&action.directory) {
        assert!(change.after.is_some() || change.field.clearable(), "{action:#?}");
        assert!(change.before.is_some() || change.after.is_some(), "{action:#?}");
        assert_ne!(change.before, change.after, "{action:#?}");
    }
    let rests = matches!(
        action.link,
        Some(
            LinkStep::Leave { .. } | LinkStep::Unlink | LinkStep::Rest | LinkStep::Join { left: Some(_), .. }
        )
    );
    assert!(!rests || action.pbx.is_empty() && action.directory.is_empty() && action.agree.is_empty());
    let creates = matches!(action.link, Some(LinkStep::Create { .. }));
    let indispensable = |field| creates && matches!(field, Name | Extension | SipPassword);
    for change in &action.pbx {
        let allowed = world.policy.direction(change.field).to_pbx() || indispensable(change.field);
        assert!(allowed, "{action:#?}");
    }
    for change in &action.directory {
        assert!(world.policy.direction(change.field).to_directory(), "{action:#?}");
    }
}

/// Carried out in order, no number is ever there twice.
fn check_numbers(world: &World, plan: &Plan) {
    let number_of =
        |row: &Employee| row.fields[Extension].values().first().map(|value| value.raw().to_owned());
    let mut of_employee: BTreeMap<EmployeeId, String> =
        world.employees.rows.iter().filter_map(|row| Some((row.id, number_of(row)?))).collect();
    let mut taken: BTreeSet<String> = world.numbers.iter().map(|row| row.number.to_string()).collect();
    for action in &plan.actions {
        let Some(number) = sent(&action.pbx, Extension) else { continue };
        assert!(taken.insert(number.to_owned()), "{number} twice: {action:#?}");
        let before = action.employee.and_then(|id| of_employee.insert(id, number.to_owned()));
        before.map(|number| taken.remove(&number));
    }
}
