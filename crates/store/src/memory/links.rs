//! Links and held numbers, in memory.

use super::{Memory, MemoryStore};
use crate::contract::{Links, Reply};
use crate::error::Error;
use crate::rows::{By, DirectoryId, HeldBy, HeldNumber, LinkedEmployee, PbxId};
use reconcile::{EmployeeId, Link, PersonId};
use std::collections::BTreeMap;

impl Links for MemoryStore {
    fn links(&self, directory: DirectoryId) -> Reply<'_, Vec<Link>> {
        self.reply(move |memory| {
            let own = memory.links.iter().filter(|((of, _), _)| *of == directory);
            Ok(own.map(|(_, link)| link.clone()).collect())
        })
    }

    fn link<'a>(&'a self, directory: DirectoryId, person: &'a PersonId) -> Reply<'a, Option<Link>> {
        self.reply(move |memory| Ok(memory.links.get(&(directory, person.clone())).cloned()))
    }

    fn linked_employees(&self, pbx: PbxId) -> Reply<'_, Vec<LinkedEmployee>> {
        self.reply(move |memory| {
            let mut linked: Vec<LinkedEmployee> = of_pbx(memory, pbx)
                .map(|((directory, person), link)| LinkedEmployee {
                    employee: link.employee,
                    directory: *directory,
                    person: person.clone(),
                    name: link.name.clone(),
                })
                .collect();
            linked.sort_by_key(|row| row.employee);
            Ok(linked)
        })
    }

    fn agree<'a>(&'a self, by: By, end: &'a [PersonId], put: &'a [Link]) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let directory = memory.fenced(by)?;
            let pbx = memory.directory(directory)?.pbx;
            check(memory, pbx, directory, end, put)?;
            for person in end {
                memory.links.remove(&(directory, person.clone()));
            }
            for link in put {
                memory.links.insert((directory, link.person.clone()), link.clone());
            }
            Ok(())
        })
    }

    fn release_number<'a>(&'a self, pbx: PbxId, number: &'a str, at_ms: i64) -> Reply<'a, ()> {
        self.reply(move |memory| {
            if !memory.pbxes.contains_key(&pbx) {
                return Err(Error::missing("PBX", pbx));
            }
            memory.released.insert((pbx, number.into()), at_ms);
            Ok(())
        })
    }

    fn held_numbers(&self, pbx: PbxId, since_ms: i64) -> Reply<'_, Vec<HeldNumber>> {
        self.reply(move |memory| {
            let resting = memory.released.iter().filter(|((of, _), at_ms)| *of == pbx && **at_ms >= since_ms);
            let mut held: Vec<HeldNumber> = resting
                .map(|((_, number), at_ms)| HeldNumber {
                    number: number.clone(),
                    by: HeldBy::Rest { at_ms: *at_ms },
                })
                .collect();
            for step in memory.journal.values().filter(|step| step.state.is_unfinished()) {
                let here = memory.directories.get(&step.directory).is_some_and(|row| row.pbx == pbx);
                if let Some(number) = step.reserved_number.clone().filter(|_| here) {
                    let by = HeldBy::Action { directory: step.directory, person: step.person.clone() };
                    held.push(HeldNumber { number, by });
                }
            }
            held.sort_by(|a, b| a.number.cmp(&b.number).then_with(|| a.by.cmp(&b.by)));
            Ok(held)
        })
    }
}

fn of_pbx(memory: &Memory, pbx: PbxId) -> impl Iterator<Item = (&(DirectoryId, PersonId), &Link)> {
    memory
        .links
        .iter()
        .filter(move |((of, _), _)| memory.directories.get(of).is_some_and(|row| row.pbx == pbx))
}

/// Whether the links may change like this: nobody has two, nobody is moved.
fn check(
    memory: &Memory,
    pbx: PbxId,
    directory: DirectoryId,
    end: &[PersonId],
    put: &[Link],
) -> Result<(), Error> {
    let mut people: BTreeMap<(DirectoryId, &PersonId), EmployeeId> = BTreeMap::new();
    let mut employees: BTreeMap<EmployeeId, (DirectoryId, &PersonId)> = BTreeMap::new();
    for ((of, person), link) in of_pbx(memory, pbx) {
        if *of != directory || !end.contains(person) {
            people.insert((*of, person), link.employee);
            employees.insert(link.employee, (*of, person));
        }
    }
    for link in put {
        let person = (directory, &link.person);
        if let Some(&employee) = people.get(&person).filter(|known| **known != link.employee) {
            return Err(Error::PersonLinked { person: link.person.clone(), employee });
        }
        if let Some(&(directory, holder)) = employees.get(&link.employee).filter(|known| **known != person) {
            let (employee, person) = (link.employee, holder.clone());
            return Err(Error::EmployeeLinked { employee, directory, person });
        }
        people.insert(person, link.employee);
        employees.insert(link.employee, person);
    }
    Ok(())
}
