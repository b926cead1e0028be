//! The store in memory, for simulations: the same behaviour without a file,
//! a thread or a secret kept from the process that holds it.

mod conflicts;
mod coordination;
mod history;
mod links;
mod lists;
mod settings;

use crate::contract::Reply;
use crate::error::Error;
use crate::gate::{Gate, Passing};
use crate::history::{JournalRow, RunPerson, RunRow};
use crate::lists::PlanPerson;
use crate::rows::{
    By, ConflictId, ConflictRow, DirectoryId, DirectoryRow, PbxId, PbxRow, Picture, PictureId, PlanHead,
    QuarantineRow, RunId, SecretOf, Touch,
};
use effects::Random;
use reconcile::canonical::Fingerprinter;
use reconcile::{ConflictKind, Decision, Field, Link, PersonId};
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

/// Clones share what is remembered.
#[derive(Clone)]
pub struct MemoryStore {
    memory: Arc<Mutex<Memory>>,
    fingerprinter: Fingerprinter,
    gate: Option<Arc<dyn Gate>>,
}

impl MemoryStore {
    pub fn new(random: &dyn Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        MemoryStore { memory: Arc::default(), fingerprinter: Fingerprinter::new(key), gate: None }
    }

    /// The same memory, behind a gate.
    pub fn behind(&self, gate: Arc<dyn Gate>) -> Self {
        MemoryStore { gate: Some(gate), ..self.clone() }
    }

    /// One transaction: `act` checks everything before it changes anything.
    #[track_caller]
    fn reply<'a, T: Send + 'a>(
        &'a self,
        act: impl FnOnce(&mut Memory) -> Result<T, Error> + Send + 'a,
    ) -> Reply<'a, T> {
        let place = Location::caller();
        Box::pin(async move {
            if let Some(gate) = &self.gate {
                gate.pass(Passing::Before, place).await;
            }
            let reply = act(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner));
            if let Some(gate) = &self.gate {
                gate.pass(Passing::After, place).await;
            }
            reply
        })
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

#[derive(Default)]
struct Memory {
    last_directory: i64,
    last_conflict: i64,
    last_picture: i64,
    last_run: i64,
    pbxes: BTreeMap<PbxId, PbxRow>,
    directories: BTreeMap<DirectoryId, DirectoryRow>,
    secrets: BTreeMap<SecretOf, SecretString>,
    meta: BTreeMap<String, String>,
    links: BTreeMap<(DirectoryId, PersonId), Link>,
    released: BTreeMap<(PbxId, Box<str>), i64>,
    conflicts: BTreeMap<ConflictId, ConflictRow>,
    decisions: BTreeMap<(DirectoryId, PersonId, ConflictKind, Option<Field>), Decision>,
    quarantine: BTreeMap<(DirectoryId, PersonId, Option<Field>), QuarantineRow>,
    runs: BTreeMap<RunId, Run>,
    journal: BTreeMap<(RunId, i64), JournalRow>,
    pictures: BTreeMap<PictureId, Picture>,
    plans: BTreeMap<(DirectoryId, String), (PlanHead, String)>,
    plan_people: BTreeMap<(DirectoryId, String), Vec<PlanPerson>>,
    leases: BTreeMap<DirectoryId, (String, i64)>,
}

struct Run {
    row: RunRow,
    people: Vec<RunPerson>,
    touches: BTreeSet<Touch>,
}

impl Memory {
    fn directory(&mut self, id: DirectoryId) -> Result<&mut DirectoryRow, Error> {
        self.directories.get_mut(&id).ok_or_else(|| Error::missing("directory", id))
    }

    fn run(&mut self, id: RunId) -> Result<&mut Run, Error> {
        self.runs.get_mut(&id).ok_or_else(|| Error::missing("run", id))
    }

    /// The directory that something is stored about; of a run only while it
    /// holds its lease.
    fn fenced(&mut self, by: By) -> Result<DirectoryId, Error> {
        let run = match by {
            By::Hand(directory) => return Ok(directory),
            By::Run(run) => self.run(run)?.row.clone(),
        };
        match self.holds_lease(run.directory, &run.holder) {
            true => Ok(run.directory),
            false => Err(Error::LeaseLost(run.directory_name)),
        }
    }

    fn holds_lease(&self, directory: DirectoryId, holder: &str) -> bool {
        self.leases.get(&directory).is_some_and(|(current, _)| current == holder)
    }
}

fn next(last: &mut i64) -> i64 {
    *last += 1;
    *last
}

/// One page of what comes in order.
fn page<T>(rows: impl Iterator<Item = T>, limit: u32, offset: u32) -> Vec<T> {
    let rows_of = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    rows.skip(rows_of(offset)).take(rows_of(limit)).collect()
}
