//! What the pages of lists ask for, and the rows they get. A list may be of
//! fifty thousand: it is sorted, searched and cut to a page where it is stored.

use crate::LIST_ROWS_MAX;
use crate::history::{PersonStatus, Trigger, Updated};
use crate::rows::{ConflictState, DirectoryId, RunId};
use reconcile::{ConflictKind, EmployeeId, LeftReason, LinkState, PersonId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Which part of a list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// At most [`LIST_ROWS_MAX`], whatever is asked for.
    pub limit: u32,
    pub offset: u32,
}

impl Default for Window {
    fn default() -> Self {
        Window { limit: LIST_ROWS_MAX, offset: 0 }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// How many there are on all pages together.
    pub total: u64,
}

/// The descending order is the ascending one read backwards, ties included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Ascending,
    Descending,
}

/// Which linked people. An empty search finds everybody; else every word of it
/// has to be part of the name, the number, the e-mail address or the mobile
/// number, in any case; a phone number may be written in any way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleQuery {
    pub directory: Option<DirectoryId>,
    pub state: Option<Standing>,
    pub search: String,
    pub sort: PeopleSort,
    pub order: Order,
    pub window: Window,
}

/// What a [`LinkState`] is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Active,
    Resting,
    /// For whatever reason.
    Left,
    LeftAs(LeftReason),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeopleSort {
    #[default]
    Name,
    /// As numbers: 99 comes before 100.
    Number,
    Email,
    /// Active people first, who are so since no known time; then by when they
    /// left or began to rest.
    Since,
    /// By the run that told of them last; whom none told of come first.
    LastRun,
}

/// A linked person. What is not known is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    pub directory: DirectoryId,
    pub person: PersonId,
    pub employee: EmployeeId,
    pub name: String,
    /// As last seen: in the PBX, or else in the directory. So are the next two.
    pub number: String,
    pub email: String,
    pub mobile: String,
    pub state: LinkState,
    pub last: Option<LastRun>,
}

/// What became of a person in the last run that had something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRun {
    pub run: RunId,
    pub started_ms: i64,
    pub status: PersonStatus,
    pub updated: Updated,
    pub reason: String,
}

/// Which people of a run, in the order in which they were added. The search is
/// that of [`PeopleQuery`], in name and number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPeopleQuery {
    pub status: Option<PersonStatus>,
    pub updated: Option<Updated>,
    pub search: String,
    pub window: Window,
}

/// Which runs, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunQuery {
    pub directory: Option<DirectoryId>,
    pub trigger: Option<Trigger>,
    pub window: Window,
}

/// What a reviewed plan has in store for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanPerson {
    /// An employee without a person has the empty id.
    pub person: PersonId,
    pub employee: Option<EmployeeId>,
    pub name: String,
    pub extension: String,
    /// In one word of whoever makes the plan.
    pub kind: String,
    pub changes: Json,
    pub reason: String,
}

/// Which people of a reviewed plan, in the order in which they were put. The
/// search is that of [`PeopleQuery`], in name and number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanPeopleQuery {
    pub kind: Option<String>,
    pub search: String,
    pub window: Window,
}

/// Which conflicts. The search is that of [`PeopleQuery`], in the name and in
/// what each side stores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictQuery {
    pub directory: Option<DirectoryId>,
    pub kind: Option<ConflictKind>,
    /// None: the live ones.
    pub state: Option<ConflictState>,
    pub search: String,
    pub sort: ConflictSort,
    pub order: Order,
    pub window: Window,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictSort {
    /// When they were first seen.
    #[default]
    Date,
    /// By name.
    Person,
}

/// How much there is of a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub linked: u64,
    /// Of these.
    pub left: u64,
    pub conflicts_open: u64,
    /// Refused changes that wait.
    pub quarantined: u64,
}
