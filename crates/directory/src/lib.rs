//! LDAP and Active Directory: read, look up, write.
//!
//! A [`Directory`] is one configured service. It reads everybody in scope with
//! a verdict on completeness, finds single people by their immutable id, and
//! writes single values, each guarded so that nobody else's edit is lost.
//!
//! Deliberately absent: deciding anything. What to write, and what an absence
//! means, is the pure core's business. Nothing here creates or deletes entries.

#![forbid(unsafe_code)]

mod advice;
mod certificate;
mod connection;
mod controls;
mod count;
mod diagnosis;
mod dial;
mod dialect;
mod directory;
mod discover;
mod dn;
mod dns;
mod entry;
mod error;
mod filter;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod groups;
mod lookup;
mod map;
mod metadata;
mod rights;
mod samples;
mod schema;
mod scope;
mod session;
mod settings;
mod snapshot;
mod step;
mod tls;
mod tree;
mod write;

pub use advice::Refusal;
pub use certificate::{Certificate, certificate};
pub use count::{COUNT_MAX, Count, check_filter};
pub use dial::{Dial, DialByDns, LDAPI, Stream, TcpDial};
pub use directory::{Directory, Target};
pub use discover::{Server, servers};
pub use dns::Service;
pub use error::Error;
pub use filter::FilterError;
pub use frame::MESSAGE_BYTES_MAX;
pub use map::{AttributeMap, Part, Source};
pub use rights::{AttributeRight, MayWrite};
pub use samples::{SAMPLES_MAX, Sample, SampleValue};
pub use schema::{ATTRIBUTES_MAX, Schema, SchemaAttribute};
pub use settings::{Fingerprint, Kind, Security, Settings, SignIn, Trust};
pub use snapshot::{Known, PEOPLE_MAX, PeopleRead};
pub use step::{Step, StepName, StepState};
pub use tree::{Branch, NamingContexts, SUBDIVISIONS_MAX, Subdivision, naming_contexts};
pub use write::{Content, Outcome, Write, WriteReport};
