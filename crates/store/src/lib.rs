//! What Rollcall remembers: settings and their secrets, links with the pairs
//! both sides agreed on, conflicts and answers, runs and their journal.
//!
//! There are two stores behind the one trait [`Store`]: [`SqlStore`] on a
//! database file (or a PostgreSQL server), and [`MemoryStore`] for simulations.
//! One test suite holds both to the same behaviour.
//!
//! Deliberately absent: work queues. Observations are kept, not work; after a
//! crash the plan is computed again. The journal is for history, for undo and
//! for recognising a half-done creation.

#![forbid(unsafe_code)]

mod archive;
mod compact;
mod contract;
mod dying;
mod error;
mod folded;
mod gate;
mod history;
mod lists;
mod memory;
mod rows;
mod sql;
mod synced;
mod vault;
mod words;

pub use archive::{BackupHead, BackupKey};
pub use contract::{Conflicts, Coordination, History, Links, Lists, Reply, Settings, Store};
pub use error::Error;
pub use gate::{Gate, Passing};
pub use history::{
    JournalOf, JournalRow, Outcome, PersonStatus, Phase, RunNote, RunPerson, RunProgress, RunRow, RunStart,
    Settlement, Side, State, Trigger, Updated, What,
};
pub use lists::{
    ConflictQuery, ConflictSort, Counts, LastRun, Order, Page, PeopleQuery, PeopleSort, PersonRow,
    PlanPeopleQuery, PlanPerson, RunPeopleQuery, RunQuery, Standing, Window,
};
pub use memory::MemoryStore;
pub use rows::{
    By, ConflictId, ConflictRow, ConflictState, ConflictsOf, DirectoryId, DirectoryRow, Forgotten, HeldBy,
    HeldNumber, Lease, LinkedEmployee, PbxId, PbxRow, Picture, PictureId, PlanHead, PlanState, QuarantineRow,
    RunId, SecretOf, SyncedConflicts, Touch,
};
pub use sql::{OldStore, Restored, SqlStore, known_schema};

/// Rows on one page of a list; more are not given at once.
pub const LIST_ROWS_MAX: u32 = 1_000;
/// Reviewed plans kept per directory; the oldest go first.
pub const PLANS_KEPT_MAX: usize = 20;
/// Of these, the newest keep what they have in store for each person.
pub const PLAN_PEOPLE_KEPT_MAX: usize = 3;
/// Conflicts that ended, kept per directory for the history of its people.
pub const ENDED_CONFLICTS_KEPT_MAX: usize = 10_000;
/// Journal rows shown in the history of one person, newest first.
pub const PERSON_HISTORY_ROWS_MAX: usize = 1_000;
/// How long an overwritten or cleared picture is kept for undo, and how many
/// bytes of them in all; the oldest go first.
pub const PICTURES_KEPT_MS: i64 = 30 * DAY_MS;
pub const PICTURES_KEPT_BYTES_MAX: u64 = 1 << 30;
/// How long a run keeps the rows of people whose later rows say it better.
pub const RUN_PEOPLE_KEPT_MS: i64 = 90 * DAY_MS;
/// How long runs and their journal are kept.
pub const HISTORY_KEPT_MS: i64 = 366 * DAY_MS;

const DAY_MS: i64 = 24 * 3_600_000;
