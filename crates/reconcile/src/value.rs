//! What one side says about one field.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A usable value: the spelling of the side it came from, and the form in
/// which values are compared. A secret's spelling is the word `set` and its
/// canonical form a keyed fingerprint; a picture's are a description and a
/// digest. So a `Value` may be shown, logged and stored as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Spelt", into = "Spelt")]
pub struct Value {
    raw: Box<str>,
    /// Absent where the spelling is the canonical form and there is no second
    /// reading: that is most values, and there are hundreds of thousands.
    forms: Option<Box<Forms>>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Forms {
    canonical: Option<Box<str>>,
    /// A second reading that counts as well: a PBX number without `+` read
    /// nationally, the original of a picture that was derived from it.
    also: Option<Box<str>>,
}

/// A value as JSON has it.
#[derive(Serialize, Deserialize)]
struct Spelt {
    raw: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canonical: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    also: Option<Box<str>>,
}

impl Value {
    pub fn new(raw: impl Into<Box<str>>, canonical: impl Into<Box<str>>) -> Self {
        let canonical = canonical.into();
        Value::of(Spelt { raw: raw.into(), canonical: Some(canonical), also: None })
    }

    /// Adds a second reading that counts as equal.
    pub fn or_also(self, reading: impl Into<Box<str>>) -> Self {
        let spelt = Spelt::from(self);
        Value::of(Spelt { also: Some(reading.into()), ..spelt })
    }

    pub fn raw(&self) -> &str {
        &self.raw
    }

    pub fn canonical(&self) -> &str {
        self.forms.as_ref().and_then(|forms| forms.canonical.as_deref()).unwrap_or(&self.raw)
    }

    pub fn also(&self) -> Option<&str> {
        self.forms.as_ref().and_then(|forms| forms.also.as_deref())
    }

    /// Keeps only what says something new.
    fn of(spelt: Spelt) -> Self {
        let Spelt { raw, canonical, also } = spelt;
        let canonical = canonical.filter(|canonical| *canonical != raw);
        let also = also.filter(|also| also != canonical.as_ref().unwrap_or(&raw));
        let forms = (canonical.is_some() || also.is_some()).then(|| Box::new(Forms { canonical, also }));
        Value { raw, forms }
    }

    /// Every reading under which this value may be found.
    pub fn readings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.canonical()).chain(self.also())
    }

    /// Whether the two say the same thing, however they spell it.
    pub fn equivalent(&self, other: &Value) -> bool {
        self.canonical() == other.canonical()
            || self.also().is_some_and(|mine| other.readings().any(|theirs| mine == theirs))
            || other.also().is_some_and(|theirs| theirs == self.canonical())
    }
}

impl From<Spelt> for Value {
    fn from(spelt: Spelt) -> Self {
        Value::of(spelt)
    }
}

impl From<Value> for Spelt {
    fn from(value: Value) -> Self {
        let Forms { canonical, also } =
            value.forms.map_or(Forms { canonical: None, also: None }, |forms| *forms);
        Spelt { raw: value.raw, canonical, also }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}={}", self.raw, self.canonical())
    }
}

/// What a read found in one field of one entry or record, before anything is
/// concluded from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reading {
    /// The field does not exist here: it is not mapped.
    #[default]
    Unmapped,
    /// Nobody looked in this run, or the answer could not be had. Nothing is
    /// concluded from it.
    NotLooked,
    /// The read came back without it. Whether it is *empty* has to be proved:
    /// servers hide what may not be read by leaving it out.
    Absent,
    /// Proved to be empty (every PBX record is whole, so an empty string is).
    Empty,
    /// The usable values, in canonical order, never an empty list. Unusable
    /// companions are left out.
    Values(Vec<Value>),
    /// Something is there that has no canonical form, and nothing usable
    /// beside it. Counts as set: nothing fills, overwrites or clears it.
    Unusable(Unusable),
}

impl Reading {
    pub fn one(value: Value) -> Self {
        Reading::Values(vec![value])
    }

    /// Sorts and removes doubles, so that order means nothing.
    pub fn many(mut values: Vec<Value>) -> Self {
        values.sort_by(|a, b| a.canonical().cmp(b.canonical()).then_with(|| a.raw().cmp(b.raw())));
        values.dedup();
        if values.is_empty() { Reading::Absent } else { Reading::Values(values) }
    }

    pub fn values(&self) -> &[Value] {
        match self {
            Reading::Values(values) => values,
            _ => &[],
        }
    }
}

/// A value without a canonical form, with the reason in words. For a secret
/// or a picture `raw` is a description, never the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusable {
    pub raw: String,
    pub why: String,
}
