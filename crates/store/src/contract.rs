//! What a store can do, in six groups. Every method is one transaction: it
//! happened whole or not at all, whenever the process dies or the future is
//! dropped.

use crate::error::Error;
use crate::history::{
    JournalOf, JournalRow, PersonStatus, RunNote, RunPerson, RunProgress, RunRow, RunStart, Settlement,
    Updated,
};
use crate::lists::{
    ConflictQuery, Counts, Page, PeopleQuery, PersonRow, PlanPeopleQuery, PlanPerson, RunPeopleQuery,
    RunQuery, Window,
};
use crate::rows::{
    By, ConflictId, ConflictRow, ConflictState, ConflictsOf, DirectoryId, DirectoryRow, Forgotten,
    HeldNumber, Lease, LinkedEmployee, PbxId, PbxRow, Picture, PictureId, PlanHead, PlanState, QuarantineRow,
    RunId, SecretOf, SyncedConflicts, Touch,
};
use effects::BoxFuture;
use reconcile::canonical::Fingerprinter;
use reconcile::{Conflict, ConflictKind, Decision, Field, Link, PersonId};
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

pub type Reply<'a, T> = BoxFuture<'a, Result<T, Error>>;

pub trait Store: Settings + Links + Conflicts + History + Coordination + Lists + Debug {}

impl<T: Settings + Links + Conflicts + History + Coordination + Lists + Debug> Store for T {}

/// PBXes, directories, their secrets, and small things by name.
pub trait Settings: Send + Sync {
    /// Stores a PBX under its id. Without a secret the stored one stays; an
    /// empty one removes it.
    fn put_pbx<'a>(&'a self, row: &'a PbxRow, secret: Option<&'a SecretString>) -> Reply<'a, ()>;

    fn pbxes(&self) -> Reply<'_, Vec<PbxRow>>;

    /// Stores a directory; [`DirectoryId::NEW`] gives it an id. What runs
    /// observed about it is not touched. The secret as with a PBX.
    fn put_directory<'a>(
        &'a self,
        row: &'a DirectoryRow,
        secret: Option<&'a SecretString>,
    ) -> Reply<'a, DirectoryId>;

    /// In the order of their names.
    fn directories(&self) -> Reply<'_, Vec<DirectoryRow>>;

    fn directory<'a>(&'a self, name: &'a str) -> Reply<'a, Option<DirectoryRow>> {
        Box::pin(async move { Ok(self.directories().await?.into_iter().find(|row| row.name == name)) })
    }

    /// Forgets a directory with its secret, links, conflicts, answers, plans
    /// and pictures; its history stays. The caller holds its lease.
    fn remove_directory(&self, directory: DirectoryId) -> Reply<'_, ()>;

    /// Notes that a run read the directory completely, and which references
    /// it met.
    fn note_directory_read<'a>(&'a self, by: By, at_ms: i64, references: &'a [String]) -> Reply<'a, ()>;

    /// Notes that a run of this directory read the PBX completely.
    fn note_pbx_read(&self, by: By, at_ms: i64) -> Reply<'_, ()>;

    fn secret(&self, of: SecretOf) -> Reply<'_, Option<SecretString>>;

    /// Small things by name: cursors, the web sign-in. Names that begin with
    /// `directory/<id>/` go when that directory goes.
    fn meta<'a>(&'a self, name: &'a str) -> Reply<'a, Option<String>>;

    fn put_meta<'a>(&'a self, name: &'a str, value: Option<&'a str>) -> Reply<'a, ()>;

    /// Puts it where it still is as it was read, absent included. False:
    /// somebody else was faster, and nothing is done.
    fn swap_meta<'a>(&'a self, name: &'a str, was: Option<&'a str>, now: &'a str) -> Reply<'a, bool>;

    /// The small things whose names begin like this, in the order of their names.
    fn metas<'a>(&'a self, prefix: &'a str) -> Reply<'a, Vec<(String, String)>>;

    /// Forgets all of these; some may be gone already.
    fn remove_metas<'a>(&'a self, names: &'a [String]) -> Reply<'a, ()>;

    /// Makes secrets comparable, under a key that is made once per store.
    fn fingerprinter(&self) -> Fingerprinter;
}

/// Who is whom, and the numbers that are neither taken nor free.
pub trait Links: Send + Sync {
    /// In the order of person ids.
    fn links(&self, directory: DirectoryId) -> Reply<'_, Vec<Link>>;

    fn link<'a>(&'a self, directory: DirectoryId, person: &'a PersonId) -> Reply<'a, Option<Link>>;

    /// Every link to an employee of this PBX, in the order of employees.
    fn linked_employees(&self, pbx: PbxId) -> Reply<'_, Vec<LinkedEmployee>>;

    /// Ends links, then stores links: together, or none. The only place where
    /// an agreed pair moves. A link never changes its employee and an employee
    /// never its link, unless the old link ends here as well: else an error.
    fn agree<'a>(&'a self, by: By, end: &'a [PersonId], put: &'a [Link]) -> Reply<'a, ()>;

    fn release_number<'a>(&'a self, pbx: PbxId, number: &'a str, at_ms: i64) -> Reply<'a, ()>;

    /// Numbers released at `since_ms` or later, and numbers that unfinished
    /// steps of the journal reserve; in the order of their digits.
    fn held_numbers(&self, pbx: PbxId, since_ms: i64) -> Reply<'_, Vec<HeldNumber>>;
}

/// Conflicts, what people answered, and refused changes that wait.
pub trait Conflicts: Send + Sync {
    /// Compares the conflicts a run found with the live ones. Found ones are
    /// opened or seen once more; of the others those end that it could judge.
    fn sync_conflicts<'a>(
        &'a self,
        by: By,
        now_ms: i64,
        found: &'a [Conflict],
        judged: &'a BTreeSet<ConflictId>,
    ) -> Reply<'a, SyncedConflicts>;

    /// The live ones, in the order of their ids.
    fn conflicts(&self, of: ConflictsOf) -> Reply<'_, Vec<ConflictRow>>;

    /// Those of a person that ended, newest first.
    fn ended_conflicts<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
    ) -> Reply<'a, Vec<ConflictRow>>;

    /// Removes live rows, not causes. How many there were.
    fn clear_conflicts(&self, of: ConflictsOf, now_ms: i64) -> Reply<'_, u64>;

    /// Remembers an answer in place of an earlier one to the same question.
    /// "Leave as is" and "leave out" silence the conflict at once.
    fn put_decision<'a>(&'a self, directory: DirectoryId, decision: &'a Decision) -> Reply<'a, ()>;

    /// Oldest first.
    fn decisions(&self, directory: DirectoryId) -> Reply<'_, Vec<Decision>>;

    /// Whether there was such an answer.
    fn remove_decision<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
        kind: ConflictKind,
        field: Option<Field>,
    ) -> Reply<'a, bool>;

    /// In the order of persons and fields.
    fn quarantine(&self, directory: DirectoryId) -> Reply<'_, Vec<QuarantineRow>>;

    /// Lifts rows, then stores rows.
    fn change_quarantine<'a>(
        &'a self,
        by: By,
        lift: &'a [(PersonId, Option<Field>)],
        put: &'a [QuarantineRow],
    ) -> Reply<'a, ()>;
}

/// Runs, what became of each person, and the journal.
pub trait History: Send + Sync {
    /// Begins a run of whoever holds the directory's lease. A run that still
    /// says "running" was killed, and says so from now on.
    fn start_run<'a>(&'a self, start: &'a RunStart) -> Reply<'a, RunId>;

    /// Says how far a run is. One that ended stays as it ended.
    fn note_progress<'a>(&'a self, run: RunId, progress: &'a RunProgress) -> Reply<'a, ()>;

    /// Says how a run ended.
    fn note_run<'a>(&'a self, run: RunId, note: &'a RunNote) -> Reply<'a, ()>;

    /// Newest first.
    fn runs(&self, directory: Option<DirectoryId>, limit: u32, offset: u32) -> Reply<'_, Vec<RunRow>>;

    fn run(&self, run: RunId) -> Reply<'_, Option<RunRow>>;

    /// Adds rows behind the ones already there.
    fn add_run_people<'a>(&'a self, run: RunId, people: &'a [RunPerson]) -> Reply<'a, ()>;

    /// In the order in which they were added.
    fn run_people(&self, run: RunId, limit: u32, offset: u32) -> Reply<'_, Vec<RunPerson>>;

    /// The newest row of every person, in the order of person ids.
    fn latest_people(&self, directory: DirectoryId) -> Reply<'_, Vec<(RunId, RunPerson)>>;

    /// The newest row of one person.
    fn latest_person<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
    ) -> Reply<'a, Option<(RunId, RunPerson)>>;

    /// Adds steps, as long as their run holds its lease; a step that is
    /// already there is an error.
    fn journal<'a>(&'a self, rows: &'a [JournalRow]) -> Reply<'a, ()>;

    fn settle<'a>(&'a self, run: RunId, seq: i64, settlement: &'a Settlement) -> Reply<'a, ()>;

    fn journal_of<'a>(&'a self, of: &'a JournalOf) -> Reply<'a, Vec<JournalRow>>;

    /// Keeps a picture that is about to be overwritten or cleared, within
    /// [`crate::PICTURES_KEPT_BYTES_MAX`].
    fn keep_picture<'a>(&'a self, picture: &'a Picture) -> Reply<'a, PictureId>;

    fn picture(&self, id: PictureId) -> Reply<'_, Option<Picture>>;

    /// Removes what is older than this crate's limits.
    fn prune(&self, now_ms: i64) -> Reply<'_, Forgotten>;
}

/// What keeps runs from getting in one another's way: reviewed plans, the
/// lease, the guard's counts.
pub trait Coordination: Send + Sync {
    /// Keeps a plan for review; putting it again makes it pending again. At
    /// most [`crate::PLANS_KEPT_MAX`] are kept per directory.
    fn put_plan<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        made_ms: i64,
        body: &'a str,
    ) -> Reply<'a, ()>;

    /// Stores what a kept plan has in store for each person, in place of what was
    /// stored of it before. Only the [`crate::PLAN_PEOPLE_KEPT_MAX`] newest plans
    /// of a directory keep it.
    fn put_plan_people<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        people: &'a [PlanPerson],
    ) -> Reply<'a, ()>;

    /// Newest first.
    fn plans(&self, directory: DirectoryId) -> Reply<'_, Vec<PlanHead>>;

    fn plan<'a>(&'a self, directory: DirectoryId, hash: &'a str) -> Reply<'a, Option<(PlanHead, String)>>;

    fn settle_plan<'a>(&'a self, directory: DirectoryId, hash: &'a str, state: PlanState) -> Reply<'a, ()>;

    /// Takes the lease of a directory if it is free, expired or already this
    /// holder's.
    fn take_lease<'a>(
        &'a self,
        directory: DirectoryId,
        holder: &'a str,
        until_ms: i64,
        now_ms: i64,
    ) -> Reply<'a, Lease>;

    /// Prolongs a lease that is still held. False: it is lost, and so is the
    /// right to write anything.
    fn renew_lease<'a>(
        &'a self,
        directory: DirectoryId,
        holder: &'a str,
        until_ms: i64,
        now_ms: i64,
    ) -> Reply<'a, bool>;

    fn release_lease<'a>(&'a self, directory: DirectoryId, holder: &'a str) -> Reply<'a, ()>;

    /// Who holds it at this time, if anybody.
    fn lease_holder(&self, directory: DirectoryId, now_ms: i64) -> Reply<'_, Option<(String, i64)>>;

    /// Notes what a run, which holds its lease, is about to do: for the guard
    /// of later runs.
    fn touch<'a>(&'a self, run: RunId, touches: &'a [Touch]) -> Reply<'a, ()>;

    /// What automatic runs started at `since_ms` or later touched, each person
    /// once per kind.
    fn touched(&self, directory: DirectoryId, since_ms: i64) -> Reply<'_, BTreeSet<Touch>>;
}

/// Pages of lists that may be long. What is sorted is never in doubt: rows that
/// are alike come in the order of their ids.
pub trait Lists: Send + Sync {
    /// Linked people, of one directory or of all.
    fn people<'a>(&'a self, query: &'a PeopleQuery) -> Reply<'a, Page<PersonRow>>;

    fn run_page<'a>(&'a self, query: &'a RunQuery) -> Reply<'a, Page<RunRow>>;

    fn run_people_page<'a>(&'a self, run: RunId, query: &'a RunPeopleQuery) -> Reply<'a, Page<RunPerson>>;

    /// How many people of a run there are of each kind, as far as there are any.
    fn run_counts(&self, run: RunId) -> Reply<'_, BTreeMap<(PersonStatus, Updated), u64>>;

    /// Steps of a run in their order: everybody's, or one person's.
    fn journal_page<'a>(
        &'a self,
        run: RunId,
        person: Option<&'a PersonId>,
        window: Window,
    ) -> Reply<'a, Page<JournalRow>>;

    /// Empty where the plan is gone, or is too old to keep its people.
    fn plan_people<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        query: &'a PlanPeopleQuery,
    ) -> Reply<'a, Page<PlanPerson>>;

    /// How many people of a plan there are of each kind.
    fn plan_counts<'a>(&'a self, directory: DirectoryId, hash: &'a str) -> Reply<'a, BTreeMap<String, u64>>;

    fn conflict_page<'a>(&'a self, query: &'a ConflictQuery) -> Reply<'a, Page<ConflictRow>>;

    /// How many conflicts there are of each kind in each state, ended ones too.
    fn conflict_counts(
        &self,
        directory: Option<DirectoryId>,
    ) -> Reply<'_, BTreeMap<(ConflictKind, ConflictState), u64>>;

    /// Of every directory.
    fn directory_counts(&self) -> Reply<'_, BTreeMap<DirectoryId, Counts>>;
}
