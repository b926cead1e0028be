//! Pages of lists, in memory.

use super::{Memory, MemoryStore, page};
use crate::LIST_ROWS_MAX;
use crate::contract::{Lists, Reply};
use crate::folded::{Listed, Needles, conflict_searched, fold, searched};
use crate::history::{JournalRow, PersonStatus, RunPerson, RunRow, Updated};
use crate::lists::{
    ConflictQuery, ConflictSort, Counts, LastRun, Order, Page, PeopleQuery, PeopleSort, PersonRow,
    PlanPeopleQuery, PlanPerson, RunPeopleQuery, RunQuery, Standing, Window,
};
use crate::rows::{ConflictRow, ConflictState, DirectoryId, PbxId, RunId};
use reconcile::{ConflictKind, Link, PersonId};
use std::collections::BTreeMap;

impl Lists for MemoryStore {
    fn people<'a>(&'a self, query: &'a PeopleQuery) -> Reply<'a, Page<PersonRow>> {
        self.reply(move |memory| {
            let (needles, told) = (Needles::of(&query.search), last_told(memory));
            let wanted = memory.links.iter().filter(|((directory, _), link)| {
                query.directory.is_none_or(|wanted| wanted == *directory)
                    && query.state.is_none_or(|state| state.is_of(&link.state))
            });
            let mut rows = Vec::new();
            for ((directory, person), link) in wanted {
                let listed = Listed::of(link);
                if needles.are_in(&listed.search) {
                    let last = told.get(&(*directory, person));
                    let run = last.map_or(0, |(run, ..)| run.0);
                    let key = (sort_key(query.sort, &listed, run), pbx(memory, *directory), link.employee);
                    rows.push((key, person_row(*directory, link, listed, last)));
                }
            }
            Ok(sorted(rows, query.order, query.window))
        })
    }

    fn run_page<'a>(&'a self, query: &'a RunQuery) -> Reply<'a, Page<RunRow>> {
        self.reply(move |memory| {
            let newest_first = memory.runs.values().rev().map(|run| &run.row);
            let wanted = newest_first.filter(|row| {
                query.directory.is_none_or(|directory| row.directory == directory)
                    && query.trigger.is_none_or(|trigger| row.trigger == trigger)
            });
            Ok(windowed(wanted.cloned().collect(), query.window))
        })
    }

    fn run_people_page<'a>(&'a self, run: RunId, query: &'a RunPeopleQuery) -> Reply<'a, Page<RunPerson>> {
        self.reply(move |memory| {
            let needles = Needles::of(&query.search);
            let people = memory.runs.get(&run).into_iter().flat_map(|run| &run.people);
            let wanted = people.filter(|row| {
                query.status.is_none_or(|status| row.status == status)
                    && query.updated.is_none_or(|updated| row.updated == updated)
                    && needles.are_in(&searched([&*row.name, &*row.extension]))
            });
            Ok(windowed(wanted.cloned().collect(), query.window))
        })
    }

    fn run_counts(&self, run: RunId) -> Reply<'_, BTreeMap<(PersonStatus, Updated), u64>> {
        self.reply(move |memory| {
            let people = memory.runs.get(&run).into_iter().flat_map(|run| &run.people);
            Ok(counted(people.map(|row| (row.status, row.updated))))
        })
    }

    fn journal_page<'a>(
        &'a self,
        run: RunId,
        person: Option<&'a PersonId>,
        window: Window,
    ) -> Reply<'a, Page<JournalRow>> {
        self.reply(move |memory| {
            let rows = memory.journal.range((run, i64::MIN)..=(run, i64::MAX)).map(|(_, row)| row);
            let wanted = rows.filter(|row| person.is_none_or(|person| row.person == *person));
            Ok(windowed(wanted.cloned().collect(), window))
        })
    }

    fn plan_people<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        query: &'a PlanPeopleQuery,
    ) -> Reply<'a, Page<PlanPerson>> {
        self.reply(move |memory| {
            let needles = Needles::of(&query.search);
            let wanted = plan_people(memory, directory, hash).filter(|row| {
                query.kind.as_ref().is_none_or(|kind| row.kind == *kind)
                    && needles.are_in(&searched([&*row.name, &*row.extension]))
            });
            Ok(windowed(wanted.cloned().collect(), query.window))
        })
    }

    fn plan_counts<'a>(&'a self, directory: DirectoryId, hash: &'a str) -> Reply<'a, BTreeMap<String, u64>> {
        self.reply(move |memory| {
            Ok(counted(plan_people(memory, directory, hash).map(|row| row.kind.clone())))
        })
    }

    fn conflict_page<'a>(&'a self, query: &'a ConflictQuery) -> Reply<'a, Page<ConflictRow>> {
        self.reply(move |memory| {
            let needles = Needles::of(&query.search);
            let wanted = memory.conflicts.values().filter(|row| {
                query.directory.is_none_or(|directory| row.directory == directory)
                    && query.kind.is_none_or(|kind| row.conflict.kind == kind)
                    && query.state.map_or(row.state.is_live(), |state| row.state == state)
                    && needles.are_in(&conflict_searched(&row.conflict))
            });
            let keyed = wanted.map(|row| {
                let key = match query.sort {
                    ConflictSort::Date => (row.first_seen_ms, String::new()),
                    ConflictSort::Person => (0, fold(&row.conflict.name)),
                };
                ((key, row.id), row.clone())
            });
            Ok(sorted(keyed.collect(), query.order, query.window))
        })
    }

    fn conflict_counts(
        &self,
        directory: Option<DirectoryId>,
    ) -> Reply<'_, BTreeMap<(ConflictKind, ConflictState), u64>> {
        self.reply(move |memory| {
            let rows = memory.conflicts.values();
            let own = rows.filter(|row| directory.is_none_or(|directory| row.directory == directory));
            Ok(counted(own.map(|row| (row.conflict.kind, row.state))))
        })
    }

    fn directory_counts(&self) -> Reply<'_, BTreeMap<DirectoryId, Counts>> {
        self.reply(|memory| {
            let of = |directory: DirectoryId| {
                let links = || memory.links.iter().filter(move |((of, _), _)| *of == directory);
                let open = memory.conflicts.values().filter(|row| row.directory == directory);
                let open = open.filter(|row| row.state == ConflictState::Open);
                let quarantined = memory.quarantine.keys().filter(|(of, ..)| *of == directory);
                Counts {
                    linked: links().count() as u64,
                    left: links().filter(|(_, link)| Standing::Left.is_of(&link.state)).count() as u64,
                    conflicts_open: open.count() as u64,
                    quarantined: quarantined.count() as u64,
                }
            };
            Ok(memory.directories.keys().map(|id| (*id, of(*id))).collect())
        })
    }
}

fn plan_people<'a>(
    memory: &'a Memory,
    directory: DirectoryId,
    hash: &str,
) -> impl Iterator<Item = &'a PlanPerson> + use<'a> {
    memory.plan_people.get(&(directory, hash.to_owned())).into_iter().flatten()
}

fn counted<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    keys.fold(BTreeMap::new(), |mut counts, key| {
        *counts.entry(key).or_default() += 1;
        counts
    })
}

type Told<'a> = (RunId, i64, &'a RunPerson);

/// The newest row that tells of each person, with its run and when that began.
fn last_told(memory: &Memory) -> BTreeMap<(DirectoryId, &PersonId), Told<'_>> {
    let runs = memory.runs.iter();
    runs.flat_map(|(id, run)| {
        run.people.iter().map(move |row| ((run.row.directory, &row.person), (*id, run.row.started_ms, row)))
    })
    .collect()
}

fn pbx(memory: &Memory, directory: DirectoryId) -> Option<PbxId> {
    memory.directories.get(&directory).map(|row| row.pbx)
}

fn sort_key(sort: PeopleSort, listed: &Listed, run: i64) -> (i64, Vec<u8>) {
    match sort {
        PeopleSort::Name => (0, listed.name_key.clone()),
        PeopleSort::Number => (0, listed.number_key.clone()),
        PeopleSort::Email => (0, listed.email_key.clone()),
        PeopleSort::Since => (listed.since_ms, Vec::new()),
        PeopleSort::LastRun => (run, Vec::new()),
    }
}

fn person_row(directory: DirectoryId, link: &Link, listed: Listed, last: Option<&Told>) -> PersonRow {
    let Listed { number, email, mobile, .. } = listed;
    PersonRow {
        directory,
        person: link.person.clone(),
        employee: link.employee,
        name: link.name.to_string(),
        number,
        email,
        mobile,
        state: link.state.clone(),
        last: last.map(|(run, started_ms, row)| LastRun {
            run: *run,
            started_ms: *started_ms,
            status: row.status,
            updated: row.updated,
            reason: row.reason.clone(),
        }),
    }
}

/// One page of rows with their keys, of which no two are alike.
fn sorted<K: Ord, T>(mut rows: Vec<(K, T)>, order: Order, window: Window) -> Page<T> {
    rows.sort_by(|(a, _), (b, _)| match order {
        Order::Ascending => a.cmp(b),
        Order::Descending => b.cmp(a),
    });
    windowed(rows.into_iter().map(|(_, row)| row).collect(), window)
}

fn windowed<T>(rows: Vec<T>, window: Window) -> Page<T> {
    let total = rows.len() as u64;
    Page { rows: page(rows.into_iter(), window.limit.min(LIST_ROWS_MAX), window.offset), total }
}
