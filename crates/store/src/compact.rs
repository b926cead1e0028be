//! The stored form of a link, as JSON arrays. Fifty thousand of them are read
//! in every run, so what repeats is written once: a sight that shows the agreed
//! value, the two sides of a pair spelled alike, the mark all sights share.

use crate::error::Error;
use reconcile::{EmployeeId, Field, FieldMap, Interval, Link, LinkState, Mark, Pair, PersonId, Sight, Value};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Nothing, or a value's spelling, canonical form and second reading; what is
/// equal to its predecessor is left out at the end.
type Text<'a> = Vec<Cow<'a, str>>;

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    state: LinkState,
    dn: Cow<'a, str>,
    dial: Cow<'a, str>,
    record_ms: i64,
    photo_ms: i64,
    etag: Option<Cow<'a, str>>,
    photo_mark: Option<Mark>,
    marks: Vec<Cow<'a, str>>,
    fields: Vec<StoredField<'a>>,
}

/// The agreed pair and the last sight of each side.
#[derive(Serialize, Deserialize)]
struct StoredField<'a>(Option<StoredPair<'a>>, Option<StoredSight<'a>>, Option<StoredSight<'a>>);

/// The directory's value, the PBX's unless it is the same, and whether held.
#[derive(Serialize, Deserialize)]
struct StoredPair<'a>(Text<'a>, Option<Text<'a>>, u8);

/// The value unless it is the pair's, since when, and the number of its mark.
#[derive(Serialize, Deserialize)]
struct StoredSight<'a>(Option<Text<'a>>, i64, i64, Option<usize>);

/// Everything of a link but its person, employee and name, which are columns.
pub(crate) fn encode(link: &Link) -> String {
    // Without `..`: a new part of a link must not be forgotten here.
    let Link {
        person: _,
        employee: _,
        name: _,
        state,
        pairs,
        directory,
        pbx,
        dn,
        dial,
        record_looked_ms,
        photo_looked_ms,
        photo_etag,
        photo_mark,
    } = link;
    let mut marks = Vec::new();
    let fields = Field::ALL.map(|field| {
        let pair = pairs[field].as_ref();
        StoredField(
            pair.map(store_pair),
            directory[field]
                .as_ref()
                .map(|sight| store_sight(sight, pair.map(|pair| &pair.directory), &mut marks)),
            pbx[field].as_ref().map(|sight| store_sight(sight, pair.map(|pair| &pair.pbx), &mut marks)),
        )
    });
    let body = Body {
        state: state.clone(),
        dn: dn.as_ref().into(),
        dial: dial.as_ref().into(),
        record_ms: *record_looked_ms,
        photo_ms: *photo_looked_ms,
        etag: photo_etag.as_deref().map(Cow::from),
        photo_mark: photo_mark.clone(),
        marks,
        fields: fields.into(),
    };
    serde_json::to_string(&body).expect("strings, numbers and arrays are always JSON")
}

pub(crate) fn decode(person: &str, employee: i64, name: &str, body: &str) -> Result<Link, Error> {
    let body: Body = serde_json::from_str(body).map_err(|error| Error::damaged("a link", error))?;
    let (mut pairs, mut directory, mut pbx) = (FieldMap::default(), FieldMap::default(), FieldMap::default());
    for (field, StoredField(pair, in_directory, in_pbx)) in Field::ALL.into_iter().zip(body.fields) {
        let pair = pair.map(load_pair);
        let load = |sight: Option<StoredSight>, agreed: Option<&Option<Value>>| {
            sight.map(|sight| load_sight(sight, agreed, &body.marks)).transpose()
        };
        directory[field] = load(in_directory, pair.as_ref().map(|pair| &pair.directory))?;
        pbx[field] = load(in_pbx, pair.as_ref().map(|pair| &pair.pbx))?;
        pairs[field] = pair;
    }
    Ok(Link {
        person: PersonId::new(person),
        employee: EmployeeId(employee.cast_unsigned()),
        state: body.state,
        pairs,
        directory,
        pbx,
        name: name.into(),
        dn: body.dn.into(),
        dial: body.dial.into(),
        record_looked_ms: body.record_ms,
        photo_looked_ms: body.photo_ms,
        photo_etag: body.etag.map(Box::from),
        photo_mark: body.photo_mark,
    })
}

fn store_pair(pair: &Pair) -> StoredPair<'_> {
    let same = pair.directory == pair.pbx;
    StoredPair(
        store_value(pair.directory.as_ref()),
        (!same).then(|| store_value(pair.pbx.as_ref())),
        pair.held.into(),
    )
}

fn load_pair(StoredPair(directory, pbx, held): StoredPair) -> Pair {
    let directory = load_value(directory);
    Pair { pbx: pbx.map_or_else(|| directory.clone(), load_value), directory, held: held != 0 }
}

fn store_sight<'a>(
    sight: &'a Sight,
    agreed: Option<&Option<Value>>,
    marks: &mut Vec<Cow<'a, str>>,
) -> StoredSight<'a> {
    let mark = sight.mark.as_ref().map(|Mark(mark)| {
        marks.iter().position(|known| **known == **mark).unwrap_or_else(|| {
            marks.push(mark.as_ref().into());
            marks.len() - 1
        })
    });
    let value = (agreed != Some(&sight.value)).then(|| store_value(sight.value.as_ref()));
    StoredSight(value, sight.change.after_ms, sight.change.by_ms, mark)
}

fn load_sight(
    StoredSight(value, after_ms, by_ms, mark): StoredSight,
    agreed: Option<&Option<Value>>,
    marks: &[Cow<str>],
) -> Result<Sight, Error> {
    let value = match (value, agreed) {
        (Some(text), _) => load_value(text),
        (None, Some(agreed)) => agreed.clone(),
        (None, None) => return Err(Error::damaged("a link", "a sight refers to a pair that is not there")),
    };
    let mark = match mark.map(|number| marks.get(number)) {
        None => None,
        Some(Some(mark)) => Some(Mark(mark.as_ref().into())),
        Some(None) => return Err(Error::damaged("a link", "a sight refers to a mark that is not there")),
    };
    Ok(Sight { value, change: Interval { after_ms, by_ms }, mark })
}

fn store_value(value: Option<&Value>) -> Text<'_> {
    let Some(value) = value else { return Vec::new() };
    let mut text = vec![Cow::from(value.raw())];
    if value.canonical() != value.raw() || value.also().is_some() {
        text.push(value.canonical().into());
    }
    text.extend(value.also().map(Cow::from));
    text
}

fn load_value(text: Text) -> Option<Value> {
    let mut parts = text.into_iter();
    let raw = parts.next()?;
    let canonical = parts.next().unwrap_or_else(|| raw.clone());
    let value = Value::new(raw, canonical);
    Some(match parts.next() {
        Some(also) => value.or_also(also),
        None => value,
    })
}
