//! Conflicts, answers and quarantine, in memory.

use super::{Memory, MemoryStore, next};
use crate::ENDED_CONFLICTS_KEPT_MAX;
use crate::contract::{Conflicts, Reply};
use crate::rows::{
    By, ConflictId, ConflictRow, ConflictState, ConflictsOf, DirectoryId, QuarantineRow, SyncedConflicts,
};
use crate::synced::{self, UNNUMBERED};
use reconcile::{Conflict, ConflictKind, Decision, Field, PersonId};
use std::cmp::Reverse;
use std::collections::BTreeSet;

impl Conflicts for MemoryStore {
    fn sync_conflicts<'a>(
        &'a self,
        by: By,
        now_ms: i64,
        found: &'a [Conflict],
        judged: &'a BTreeSet<ConflictId>,
    ) -> Reply<'a, SyncedConflicts> {
        self.reply(move |memory| {
            let directory = memory.fenced(by)?;
            if !found.is_empty() {
                memory.directory(directory)?;
            }
            let live = live(memory, ConflictsOf::Directory(directory));
            let decisions = decisions(memory, directory);
            let mut synced = SyncedConflicts::default();
            for mut row in synced::sync(directory, now_ms, &live, &decisions, found, judged) {
                if row.id == UNNUMBERED {
                    row.id = ConflictId(next(&mut memory.last_conflict));
                    synced.opened.push(row.id);
                }
                if !row.state.is_live() {
                    synced.ended.push(row.id);
                }
                memory.conflicts.insert(row.id, row);
            }
            forget_ended(memory, directory);
            Ok(synced)
        })
    }

    fn conflicts(&self, of: ConflictsOf) -> Reply<'_, Vec<ConflictRow>> {
        self.reply(move |memory| Ok(live(memory, of)))
    }

    fn ended_conflicts<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
    ) -> Reply<'a, Vec<ConflictRow>> {
        self.reply(move |memory| {
            let rows = memory.conflicts.values().filter(|row| {
                row.directory == directory && row.conflict.person == *person && !row.state.is_live()
            });
            let mut rows: Vec<ConflictRow> = rows.cloned().collect();
            rows.sort_by_key(|row| Reverse((row.ended_ms, row.id)));
            Ok(rows)
        })
    }

    fn clear_conflicts(&self, of: ConflictsOf, now_ms: i64) -> Reply<'_, u64> {
        self.reply(move |memory| {
            let mut cleared = 0;
            for row in memory.conflicts.values_mut().filter(|row| row.state.is_live() && is_wanted(row, of)) {
                row.state = ConflictState::Cleared;
                row.ended_ms = Some(now_ms);
                cleared += 1;
            }
            Ok(cleared)
        })
    }

    fn put_decision<'a>(&'a self, directory: DirectoryId, decision: &'a Decision) -> Reply<'a, ()> {
        self.reply(move |memory| {
            memory.directory(directory)?;
            let Decision { person, kind, field, .. } = decision;
            memory.decisions.insert((directory, person.clone(), *kind, *field), decision.clone());
            let answered = memory.conflicts.values_mut().find(|row| {
                let conflict = &row.conflict;
                row.state.is_live()
                    && row.directory == directory
                    && (&conflict.person, conflict.kind, conflict.field) == (person, *kind, *field)
                    && conflict.stands_on == decision.stands_on
            });
            if let Some(row) = answered.filter(|_| synced::silences(&decision.answer)) {
                row.state = ConflictState::Silenced;
            }
            Ok(())
        })
    }

    fn decisions(&self, directory: DirectoryId) -> Reply<'_, Vec<Decision>> {
        self.reply(move |memory| Ok(decisions(memory, directory)))
    }

    fn remove_decision<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
        kind: ConflictKind,
        field: Option<Field>,
    ) -> Reply<'a, bool> {
        self.reply(move |memory| {
            Ok(memory.decisions.remove(&(directory, person.clone(), kind, field)).is_some())
        })
    }

    fn quarantine(&self, directory: DirectoryId) -> Reply<'_, Vec<QuarantineRow>> {
        self.reply(move |memory| {
            let own = memory.quarantine.iter().filter(|((of, ..), _)| *of == directory);
            Ok(own.map(|(_, row)| row.clone()).collect())
        })
    }

    fn change_quarantine<'a>(
        &'a self,
        by: By,
        lift: &'a [(PersonId, Option<Field>)],
        put: &'a [QuarantineRow],
    ) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let directory = memory.fenced(by)?;
            if !put.is_empty() {
                memory.directory(directory)?;
            }
            for (person, field) in lift {
                memory.quarantine.remove(&(directory, person.clone(), *field));
            }
            for row in put {
                memory.quarantine.insert((directory, row.person.clone(), row.field), row.clone());
            }
            Ok(())
        })
    }
}

fn live(memory: &Memory, of: ConflictsOf) -> Vec<ConflictRow> {
    let rows = memory.conflicts.values().filter(|row| row.state.is_live() && is_wanted(row, of));
    rows.cloned().collect()
}

fn is_wanted(row: &ConflictRow, of: ConflictsOf) -> bool {
    match of {
        ConflictsOf::Everybody => true,
        ConflictsOf::Directory(directory) => row.directory == directory,
        ConflictsOf::One(id) => row.id == id,
    }
}

fn decisions(memory: &Memory, directory: DirectoryId) -> Vec<Decision> {
    let own = memory.decisions.iter().filter(|((of, ..), _)| *of == directory);
    let mut rows: Vec<Decision> = own.map(|(_, decision)| decision.clone()).collect();
    rows.sort_by_key(synced::age);
    rows
}

fn forget_ended(memory: &mut Memory, directory: DirectoryId) {
    let ended = memory.conflicts.values().filter(|row| row.directory == directory && !row.state.is_live());
    let mut ended: Vec<_> = ended.map(|row| (row.ended_ms, row.id)).collect();
    ended.sort_unstable_by_key(|&row| Reverse(row));
    for (_, id) in ended.into_iter().skip(ENDED_CONFLICTS_KEPT_MAX) {
        memory.conflicts.remove(&id);
    }
}
