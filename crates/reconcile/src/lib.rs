//! What is known of a person, and what to do about it: pure functions over
//! plain data.
//!
//! Architecture invariant: nothing in this crate awaits, asks the time, draws
//! a random number or does I/O, and everything it returns is in a fixed order.

#![forbid(unsafe_code)]

pub mod absence;
pub mod canary;
pub mod canonical;
mod conflict;
mod employee;
mod field;
pub mod guard;
mod impostor;
pub mod join;
mod judged;
mod link;
pub mod merge;
pub mod needs;
pub mod newest;
pub mod numbers;
pub mod observe;
mod person;
pub mod plan;
pub mod plausible;
mod policy;
mod snapshot;
pub mod unfinished;
mod value;
mod world;

pub use conflict::{Answer, Candidate, Conflict, ConflictKind, Decision, RefusedBy, WayOut};
pub use employee::{Employee, EmployeeId, TakenNumber};
pub use field::{Field, FieldMap};
pub use judged::Judge;
pub use link::{Interval, LeftReason, Link, LinkState, Pair, Sight};
pub use person::{Account, AttributeChange, Mark, Person, PersonId, Whereabouts};
pub use policy::{BothChanged, Direction, FieldPolicy, FirstMeeting, NumberRange, Policy, Thresholds};
pub use snapshot::{Side, Snapshot, Verdict};
pub use value::{Reading, Unusable, Value};
pub use world::{Index, SetAside, World};
