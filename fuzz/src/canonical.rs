//! What makes two spellings the same value, of every field that is text.
//!
//! The first line is the region, and may be empty; the second line is one
//! spelling and the rest another.

use reconcile::canonical::{self, for_directory, for_pbx, join_name, name_words};
use reconcile::{Field, Unusable, Value};

/// Control characters aside, as much of an unusable spelling is shown.
const SHOWN_CHARS_MAX: usize = 257;

/// Up to so many digits without a plus may be an internal number.
const INTERNAL_DIGITS_MAX: usize = 8;

type Read = fn(&str, Option<&str>) -> Result<Value, Unusable>;

/// A field with the way each side reads it.
const FIELDS: [(Field, Read, Read); 4] = [
    (Field::Name, name, name),
    (Field::Extension, extension, extension),
    (Field::Mobile, canonical::mobile, canonical::mobile_in_pbx),
    (Field::Email, email, email),
];

pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (region, spellings) = text.split_once('\n').unwrap_or(("", text));
    let (one, other) = spellings.split_once('\n').unwrap_or((spellings, spellings));
    let region = Some(region).filter(|region| !region.is_empty());
    region.map(canonical::is_region);
    for (field, directory, pbx) in FIELDS {
        let (here, there) = (directory(one, region), pbx(other, region));
        holds(field, one, &here, directory, region);
        holds(field, other, &there, pbx, region);
        if let (Ok(here), Ok(there)) = (&here, &there) {
            assert_eq!(here.equivalent(there), there.equivalent(here), "{here:?} {there:?}");
        }
        if let Ok(here) = here {
            goes_to_pbx(field, &here, pbx, region);
        }
        if let Ok(there) = there {
            goes_to_directory(field, &there, directory, region);
        }
    }
    if let Ok(inner) = canonical::inner_extension(one, region) {
        assert_eq!(extension(inner.canonical(), None).as_ref().map(Value::canonical), Ok(inner.canonical()));
    }
    let folded = join_name(one);
    assert_eq!(join_name(&folded), folded);
    assert_eq!(name_words(&folded), name_words(one));
}

/// A canonical form is its own canonical form, and what has none is safe to
/// show.
fn holds(field: Field, spelling: &str, read: &Result<Value, Unusable>, reader: Read, region: Option<&str>) {
    match read {
        Ok(value) => {
            assert_eq!(value.raw(), spelling, "the spelling is kept");
            assert!(value.equivalent(value));
            let canonical = value.canonical();
            let spelt = match field {
                Field::Mobile => canonical.trim_start_matches("digits:"),
                _ => canonical,
            };
            let again = reader(spelt, region);
            // Some capitals fold to letters with marks that no address has (İ).
            let is_folded_away = field == Field::Email && !spelt.is_ascii() && again.is_err();
            if !is_folded_away {
                assert_eq!(again.as_ref().map(Value::canonical), Ok(canonical), "{value:?}");
            }
            assert_eq!(reader(spelling, region).as_ref(), Ok(value), "read twice");
        }
        Err(unusable) => {
            assert!(!unusable.raw.contains(char::is_control), "{unusable:?}");
            assert!(unusable.raw.chars().count() <= SHOWN_CHARS_MAX);
        }
    }
}

/// What is written to the PBX is taken there, and reads back as the same.
fn goes_to_pbx(field: Field, value: &Value, pbx: Read, region: Option<&str>) {
    let Ok(sent) = for_pbx(field, value) else { return };
    agree(value, &sent);
    match field {
        Field::Mobile => assert_eq!(pbx::checks::mobile(sent.raw()), Ok(())),
        Field::Extension => assert_eq!(pbx::checks::number(sent.raw()), Ok(())),
        _ => {}
    }
    let stored = stored(pbx(sent.raw(), region), &sent);
    // An inner extension is what the PBX cannot hold, and so few digits may be a
    // national number here as well: then only the pair knows better.
    let is_national_too =
        field == Field::Mobile && sent.raw().len() <= INTERNAL_DIGITS_MAX && stored.also().is_some();
    if !value.canonical().contains(";ext=") && !is_national_too {
        agree(value, &stored);
    }
}

/// What is written to the directory reads back as the same.
fn goes_to_directory(field: Field, value: &Value, directory: Read, region: Option<&str>) {
    let sent = for_directory(field, value);
    agree(value, &sent);
    agree(value, &stored(directory(sent.raw(), region), &sent));
}

fn stored(read: Result<Value, Unusable>, sent: &Value) -> Value {
    assert!(read.is_ok(), "{sent:?} came back as {read:?}");
    read.unwrap_or_else(|_| sent.clone())
}

fn agree(one: &Value, other: &Value) {
    assert!(one.equivalent(other) && other.equivalent(one), "{one:?} {other:?}");
}

fn name(raw: &str, _: Option<&str>) -> Result<Value, Unusable> {
    canonical::name(raw)
}

fn extension(raw: &str, _: Option<&str>) -> Result<Value, Unusable> {
    canonical::extension(raw)
}

fn email(raw: &str, _: Option<&str>) -> Result<Value, Unusable> {
    canonical::email(raw)
}
