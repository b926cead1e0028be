//! Runs, their people, the journal and kept pictures, in memory.

use super::{Memory, MemoryStore, Run, next, page};
use crate::contract::{History, Reply};
use crate::error::Error;
use crate::history::{
    JournalOf, JournalRow, Outcome, RunNote, RunPerson, RunProgress, RunRow, RunStart, Settlement,
    interrupted,
};
use crate::rows::{By, DirectoryId, Forgotten, Picture, PictureId, RunId};
use crate::{
    HISTORY_KEPT_MS, PERSON_HISTORY_ROWS_MAX, PICTURES_KEPT_BYTES_MAX, PICTURES_KEPT_MS, RUN_PEOPLE_KEPT_MS,
};
use reconcile::PersonId;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

impl History for MemoryStore {
    fn start_run<'a>(&'a self, start: &'a RunStart) -> Reply<'a, RunId> {
        self.reply(move |memory| {
            let directory_name = memory.directory(start.directory)?.name.clone();
            if !memory.holds_lease(start.directory, &start.holder) {
                return Err(Error::LeaseLost(directory_name));
            }
            let dead = memory.runs.values_mut().map(|run| &mut run.row);
            for row in dead.filter(|row| row.directory == start.directory && row.outcome == Outcome::Running)
            {
                row.outcome = Outcome::Interrupted;
                row.ended_ms = Some(start.started_ms);
                row.report = interrupted();
                row.progress = None;
            }
            let id = RunId(next(&mut memory.last_run));
            let row = RunRow {
                id,
                directory: start.directory,
                directory_name,
                trigger: start.trigger,
                started_ms: start.started_ms,
                ended_ms: None,
                outcome: Outcome::Running,
                plan_hash: None,
                report: Json::Null,
                holder: start.holder.clone(),
                progress: None,
            };
            memory.runs.insert(id, Run { row, people: Vec::new(), touches: BTreeSet::new() });
            Ok(id)
        })
    }

    fn note_progress<'a>(&'a self, run: RunId, progress: &'a RunProgress) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let running = memory.runs.get_mut(&run).filter(|run| run.row.outcome == Outcome::Running);
            if let Some(run) = running {
                run.row.progress = Some(*progress);
            }
            Ok(())
        })
    }

    fn note_run<'a>(&'a self, run: RunId, note: &'a RunNote) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let row = &mut memory.run(run)?.row;
            let RunNote { outcome, ended_ms, plan_hash, report } = note.clone();
            *row = RunRow { outcome, ended_ms, plan_hash, report, progress: None, ..row.clone() };
            let directory = row.directory;
            if let Some(directory) = memory.directories.get_mut(&directory) {
                directory.ran_before |= outcome == Outcome::Done;
            }
            Ok(())
        })
    }

    fn runs(&self, directory: Option<DirectoryId>, limit: u32, offset: u32) -> Reply<'_, Vec<RunRow>> {
        self.reply(move |memory| {
            let newest_first = memory.runs.values().rev().map(|run| &run.row);
            let own = newest_first.filter(|row| directory.is_none_or(|directory| row.directory == directory));
            Ok(page(own.cloned(), limit, offset))
        })
    }

    fn run(&self, run: RunId) -> Reply<'_, Option<RunRow>> {
        self.reply(move |memory| Ok(memory.runs.get(&run).map(|run| run.row.clone())))
    }

    fn add_run_people<'a>(&'a self, run: RunId, people: &'a [RunPerson]) -> Reply<'a, ()> {
        self.reply(move |memory| {
            memory.run(run)?.people.extend_from_slice(people);
            Ok(())
        })
    }

    fn run_people(&self, run: RunId, limit: u32, offset: u32) -> Reply<'_, Vec<RunPerson>> {
        self.reply(move |memory| {
            let people = memory.runs.get(&run).map(|run| run.people.iter().cloned());
            Ok(people.map_or_else(Vec::new, |people| page(people, limit, offset)))
        })
    }

    fn latest_people(&self, directory: DirectoryId) -> Reply<'_, Vec<(RunId, RunPerson)>> {
        self.reply(move |memory| {
            let newest = newest_runs(memory);
            let runs = memory.runs.iter().filter(|(_, run)| run.row.directory == directory);
            let rows = runs.flat_map(|(id, run)| run.people.iter().map(|person| (*id, person)));
            let mut rows: Vec<(RunId, RunPerson)> = rows
                .filter(|(id, person)| newest.get(&(directory, &person.person)) == Some(id))
                .map(|(id, person)| (id, person.clone()))
                .collect();
            rows.sort_by(|a, b| a.1.person.cmp(&b.1.person));
            Ok(rows)
        })
    }

    fn latest_person<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
    ) -> Reply<'a, Option<(RunId, RunPerson)>> {
        self.reply(move |memory| {
            let newest_first = memory.runs.iter().rev().filter(|(_, run)| run.row.directory == directory);
            let mut rows = newest_first.filter_map(|(id, run)| {
                let row = run.people.iter().rev().find(|row| row.person == *person)?;
                Some((*id, row.clone()))
            });
            Ok(rows.next())
        })
    }

    fn journal<'a>(&'a self, rows: &'a [JournalRow]) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let mut new = BTreeMap::new();
            for row in rows {
                memory.fenced(By::Run(row.run))?;
                let key = (row.run, row.seq);
                if memory.journal.contains_key(&key) || new.insert(key, row.clone()).is_some() {
                    return Err(Error::StepTaken { run: row.run, seq: row.seq });
                }
            }
            memory.journal.append(&mut new);
            Ok(())
        })
    }

    fn settle<'a>(&'a self, run: RunId, seq: i64, settlement: &'a Settlement) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let step = memory.journal.get_mut(&(run, seq));
            let step = step.ok_or_else(|| Error::missing("step", format!("{seq} of run {run}")))?;
            step.state = settlement.state;
            step.after = settlement.after.clone().unwrap_or(std::mem::take(&mut step.after));
            step.employee = settlement.employee.or(step.employee);
            Ok(())
        })
    }

    fn journal_of<'a>(&'a self, of: &'a JournalOf) -> Reply<'a, Vec<JournalRow>> {
        self.reply(move |memory| {
            let rows = memory.journal.values();
            Ok(match of {
                JournalOf::Run(run) => rows.filter(|row| row.run == *run).cloned().collect(),
                JournalOf::Step(run, seq) => memory.journal.get(&(*run, *seq)).cloned().into_iter().collect(),
                JournalOf::Person(directory, person) => rows
                    .rev()
                    .filter(|row| row.directory == *directory && row.person == *person)
                    .take(PERSON_HISTORY_ROWS_MAX)
                    .cloned()
                    .collect(),
                JournalOf::Unfinished(directory) => rows
                    .filter(|row| row.directory == *directory && row.state.is_unfinished())
                    .cloned()
                    .collect(),
            })
        })
    }

    fn keep_picture<'a>(&'a self, picture: &'a Picture) -> Reply<'a, PictureId> {
        self.reply(move |memory| {
            let id = PictureId(next(&mut memory.last_picture));
            memory.pictures.insert(id, picture.clone());
            let mut total = 0_u64;
            let newest_first = memory.pictures.iter().rev();
            let beyond = newest_first.filter_map(|(id, picture)| {
                total = total.saturating_add(picture.bytes.len() as u64);
                (total > PICTURES_KEPT_BYTES_MAX).then_some(*id)
            });
            for id in beyond.collect::<Vec<_>>() {
                memory.pictures.remove(&id);
            }
            Ok(id)
        })
    }

    fn picture(&self, id: PictureId) -> Reply<'_, Option<Picture>> {
        self.reply(move |memory| Ok(memory.pictures.get(&id).cloned()))
    }

    fn prune(&self, now_ms: i64) -> Reply<'_, Forgotten> {
        self.reply(move |memory| {
            let mut forgotten = Forgotten::default();
            let kept = |keep: bool, count: &mut u64| {
                *count += u64::from(!keep);
                keep
            };
            memory.pictures.retain(|_, picture| {
                kept(picture.taken_ms >= now_ms - PICTURES_KEPT_MS, &mut forgotten.pictures)
            });
            let newest: BTreeMap<(DirectoryId, PersonId), RunId> = newest_runs(memory)
                .into_iter()
                .map(|((directory, person), run)| ((directory, person.clone()), run))
                .collect();
            for (id, run) in &mut memory.runs {
                let (row, old) = (&run.row, run.row.started_ms < now_ms - RUN_PEOPLE_KEPT_MS);
                run.people.retain(|person| {
                    let latest = newest.get(&(row.directory, person.person.clone())) == Some(id);
                    kept(!old || latest, &mut forgotten.run_people)
                });
            }
            memory.journal.retain(|(run, _), step| {
                let started_ms = memory.runs.get(run).map_or(i64::MAX, |run| run.row.started_ms);
                let keep = step.state.is_unfinished() || started_ms >= now_ms - HISTORY_KEPT_MS;
                kept(keep, &mut forgotten.journal)
            });
            let told: BTreeSet<RunId> = memory.journal.keys().map(|(run, _)| *run).collect();
            memory.runs.retain(|id, run| {
                let recent = run.row.started_ms >= now_ms - RUN_PEOPLE_KEPT_MS || run.row.ended_ms.is_none();
                kept(recent || !run.people.is_empty() || told.contains(id), &mut forgotten.runs)
            });
            Ok(forgotten)
        })
    }
}

/// The newest run that has a row of each person.
fn newest_runs(memory: &Memory) -> BTreeMap<(DirectoryId, &PersonId), RunId> {
    let runs = memory.runs.iter();
    runs.flat_map(|(id, run)| run.people.iter().map(move |person| ((run.row.directory, &person.person), *id)))
        .collect()
}
