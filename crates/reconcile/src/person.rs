//! A person: an entry of a directory, in scope, read through the attribute map.

use crate::field::FieldMap;
use crate::value::Reading;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The immutable id of a person in their directory, in the directory's usual
/// text form (a lower-case UUID, or `8-8-8-8` for nsUniqueId). Never a DN, a
/// login or a mail address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub Box<str>);

impl PersonId {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        PersonId(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    /// Shown to people and used to address writes where the server cannot be
    /// addressed by id. Never compared.
    pub dn: Box<str>,
    pub account: Account,
    pub fields: FieldMap<Reading>,
    /// The entry's change mark at this read, where the account may read one.
    pub mark: Option<Mark>,
    /// When the entry was last modified, by the directory's clock. An upper
    /// bound only: our own writes move it too.
    pub modified_ms: Option<i64>,
}

/// Account state as the directory has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    Enabled,
    /// Locked out after wrong passwords: shown, but not a leaver.
    LockedOut,
    Disabled,
    /// The expiry date has passed.
    Expired,
    /// A permanent lock.
    Locked,
}

impl Account {
    pub const fn active(self) -> bool {
        matches!(self, Account::Enabled | Account::LockedOut)
    }
}

/// A change mark of a whole entry: opaque, equal as long as nothing the
/// directory counts as a change happened to it. `uSNChanged` prefixed by the
/// server's invocation id on AD, `entryCSN` on slapd, `entryusn` on 389 DS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub Box<str>);

/// When one attribute of one entry changed last, where the directory tells
/// (AD's `replPropertyMetaData`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// By the clock of the domain controller that made the change, ±1 s.
    pub time_ms: i64,
    /// The same kind of mark as [`Person::mark`], for this attribute.
    pub mark: Mark,
}

/// What a look-up by id found out about a linked person that a complete read
/// did not return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whereabouts {
    /// Still in scope: the read was torn.
    InScope,
    /// Exists elsewhere in the naming context.
    OutOfScope {
        dn: String,
    },
    /// Exists below the configured bases, but the filter no longer takes it.
    FilteredOut {
        dn: String,
    },
    NotFound,
    /// The server would not say; the reason in words.
    Refused(String),
}
