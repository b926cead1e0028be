//! The words of a write: what is to change, on what grounds, and what became
//! of it.

use crate::checks;
use crate::error::Error;
use crate::record::Record;
use bytes::Bytes;
use reconcile::{Field, FieldMap, Reading};
use secrecy::SecretString;
use std::fmt;

/// A new value of one field. `None` clears.
#[derive(Clone)]
pub enum Change {
    Name(String),
    Extension(String),
    /// Digits, as the PBX's own pages store it.
    Mobile(Option<String>),
    Email(Option<String>),
    Photo(Option<Bytes>),
    SipPassword(SecretString),
}

#[derive(Clone, Debug)]
pub struct FieldWrite {
    pub change: Change,
    /// What the PBX stored when this was decided. If it stores something else
    /// now, nothing is written. `NotLooked` takes whatever is there.
    pub expected: Reading,
}

pub type Outcome = Result<(), Error>;

/// What became of a save. An `Ok` says that the PBX took the field; what it
/// made of it is the caller's to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub record: Record,
    /// What the PBX answered to the request that each field was saved with.
    /// Where the record says something else, somebody edited it before the last
    /// request of this save.
    pub stored: FieldMap<Reading>,
    /// What the record said right before. A field that nobody sent and that
    /// differs now was changed by the PBX itself while saving.
    pub before: FieldMap<Reading>,
    pub outcomes: Vec<(Field, Outcome)>,
    /// Of the picture, if one was written.
    pub photo_etag: Option<String>,
}

#[derive(Clone, Debug)]
pub struct NewEmployee {
    pub name: String,
    pub number: String,
    pub secret: SecretString,
    pub email: Option<String>,
    /// Digits.
    pub mobile: Option<String>,
}

impl Change {
    pub fn field(&self) -> Field {
        match self {
            Change::Name(_) => Field::Name,
            Change::Extension(_) => Field::Extension,
            Change::Mobile(_) => Field::Mobile,
            Change::Email(_) => Field::Email,
            Change::Photo(_) => Field::Photo,
            Change::SipPassword(_) => Field::SipPassword,
        }
    }

    /// Whether the PBX could take it, as far as that can be told from here.
    pub fn check(&self) -> Result<(), Error> {
        let verdict = match self {
            Change::Name(name) => checks::name(name),
            Change::Extension(number) => checks::number(number),
            Change::Mobile(Some(mobile)) => checks::mobile(mobile),
            Change::Email(Some(email)) => checks::email(email),
            Change::Photo(Some(photo)) => checks::photo(photo),
            Change::SipPassword(secret) => checks::secret(secret),
            Change::Mobile(None) | Change::Email(None) | Change::Photo(None) => Ok(()),
        };
        verdict.map_err(|why| Error::Unusable { field: self.field(), why })
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Name(text) | Change::Extension(text) => write!(f, "{} := {text:?}", self.field()),
            Change::Mobile(text) | Change::Email(text) => write!(f, "{} := {text:?}", self.field()),
            Change::Photo(photo) => {
                write!(f, "{} := {:?} bytes", self.field(), photo.as_ref().map(Bytes::len))
            }
            Change::SipPassword(_) => write!(f, "{} := (secret)", self.field()),
        }
    }
}
