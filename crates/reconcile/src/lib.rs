//! What is known of a person, and what to do about it: pure functions over
//! plain data.
//!
//! Architecture invariant: nothing in this crate awaits, asks the time, draws
//! a random number or does I/O, and everything it returns is in a fixed order.

#![forbid(unsafe_code)]

pub mod canonical;
mod conflict;
mod employee;
mod field;
mod link;
mod person;
mod policy;
mod snapshot;
mod value;

pub use conflict::{Answer, Candidate, Conflict, ConflictKind, Decision, RefusedBy, WayOut};
pub use employee::{Employee, EmployeeId, TakenNumber};
pub use field::{Field, FieldMap};
pub use link::{Interval, LeftReason, Link, LinkState, Pair, Sight};
pub use person::{Account, AttributeChange, Mark, Person, PersonId, Whereabouts};
pub use policy::{BothChanged, Direction, FieldPolicy, FirstMeeting, NumberRange, Policy, Thresholds};
pub use snapshot::{Snapshot, Verdict};
pub use value::{Reading, Unusable, Value};
