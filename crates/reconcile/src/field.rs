//! The six fields that are kept in step, and a total map over them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

/// A field of a person that takes part in synchronisation. Account state is
/// deliberately not one: it is read from the directory only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    Name,
    Extension,
    Mobile,
    Email,
    Photo,
    SipPassword,
}

impl Field {
    pub const ALL: [Field; 6] =
        [Field::Name, Field::Extension, Field::Mobile, Field::Email, Field::Photo, Field::SipPassword];

    /// The name used on the command line, in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Field::Name => "name",
            Field::Extension => "extension",
            Field::Mobile => "mobile",
            Field::Email => "email",
            Field::Photo => "photo",
            Field::SipPassword => "sip-password",
        }
    }

    /// Whether an empty value may cross to the other side at all. A name, a
    /// number and a SIP password are never cleared.
    pub const fn clearable(self) -> bool {
        matches!(self, Field::Mobile | Field::Email | Field::Photo)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Field::ALL.into_iter().find(|field| field.as_str() == text).ok_or_else(|| {
            format!("unknown field `{text}`: expected one of {}", Field::ALL.map(Field::as_str).join(", "))
        })
    }
}

/// One `T` for every field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldMap<T>([T; 6]);

impl<T> FieldMap<T> {
    pub fn from_fn(make: impl FnMut(Field) -> T) -> Self {
        FieldMap(Field::ALL.map(make))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Field, &T)> {
        Field::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<Field> for FieldMap<T> {
    type Output = T;

    fn index(&self, field: Field) -> &T {
        &self.0[field as usize]
    }
}

impl<T> IndexMut<Field> for FieldMap<T> {
    fn index_mut(&mut self, field: Field) -> &mut T {
        &mut self.0[field as usize]
    }
}
