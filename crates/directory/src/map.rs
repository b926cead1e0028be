//! The attribute map: where in an entry each field of a person comes from, and
//! what it says there.
//!
//! Deliberately absent: any judgement of emptiness. A value that is not in the
//! entry is [`Reading::Absent`]; whether that means *empty* is not known here.

use crate::entry::Entry;
use crate::filter::is_attribute;
use crate::settings::Kind;
use reconcile::canonical::{self, Fingerprinter};
use reconcile::{Field, FieldMap, Reading, Unusable, Value};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Unusable values are shown cut to this many characters.
const SHOWN_CHARS_MAX: usize = 200;
const INNER: &str = ":inner";

/// Where a field comes from. Its text form is `mail`, `telephoneNumber:inner`
/// or `{givenName} {sn}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Source {
    Attribute(String),
    /// The inner extension in a phone number. Never written back.
    Inner(String),
    /// Text with attribute names in braces. Never written back.
    Template(Vec<Part>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Attribute(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeMap {
    pub fields: FieldMap<Option<Source>>,
    /// An attribute that disables the account when it says `TRUE`, `1`, `yes`
    /// or `disabled`, beside the server's own flags.
    #[serde(default)]
    pub account_state: Option<String>,
}

impl AttributeMap {
    pub fn default_of(kind: Kind) -> Self {
        let attribute = |field| match (kind, field) {
            (Kind::ActiveDirectory, Field::Name) => Some("displayName"),
            (Kind::ActiveDirectory, Field::Extension) => Some("ipPhone"),
            (Kind::ActiveDirectory, Field::Photo) => Some("thumbnailPhoto"),
            (_, Field::Name) => Some("cn"),
            (_, Field::Photo) => Some("jpegPhoto"),
            (_, Field::Mobile) => Some("mobile"),
            (_, Field::Email) => Some("mail"),
            (_, Field::Extension | Field::SipPassword) => None,
        };
        let source = |field| attribute(field).map(|name| Source::Attribute(name.to_owned()));
        AttributeMap { fields: FieldMap::from_fn(source), account_state: None }
    }

    /// Which fields can never be written: templates, numbers taken out of a
    /// phone, and `cn`, which names the entry.
    pub fn read_only(&self) -> FieldMap<bool> {
        FieldMap::from_fn(|field| {
            self.fields[field].as_ref().is_some_and(|source| source.writable().is_none())
        })
    }

    pub fn mapped(&self) -> FieldMap<bool> {
        FieldMap::from_fn(|field| self.fields[field].is_some())
    }

    /// The attributes a read has to ask for.
    pub(crate) fn attributes(&self, photo: Photo) -> Vec<String> {
        let wanted = |field| field != Field::Photo || photo == Photo::Wanted;
        let mut names: Vec<String> = self.account_state.iter().cloned().collect();
        for (_, source) in self.fields.iter().filter(|(field, _)| wanted(*field)) {
            names.extend(source.iter().flat_map(Source::attributes).map(str::to_owned));
        }
        names
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let mut written: Vec<(String, Field)> = Vec::new();
        for (field, source) in self.fields.iter() {
            let Some(source) = source else { continue };
            source.check(field)?;
            if let Source::Attribute(name) = source {
                let name = name.to_lowercase();
                if let Some((_, other)) = written.iter().find(|(taken, _)| *taken == name) {
                    return Err(format!("`{name}` is mapped to both {other} and {field}"));
                }
                written.push((name, field));
            }
        }
        match &self.account_state {
            Some(name) if !is_attribute(name) => {
                Err(format!("`{name}` is no attribute name (account state)"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a read brings the photo's bytes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Photo {
    Wanted,
    NotLooked,
}

/// What is needed to understand values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lens<'a> {
    pub map: &'a AttributeMap,
    pub region: Option<&'a str>,
    pub fingerprinter: &'a Fingerprinter,
}

impl Lens<'_> {
    pub fn readings(&self, entry: &Entry, photo: Photo) -> FieldMap<Reading> {
        FieldMap::from_fn(|field| match (field, photo) {
            (Field::Photo, Photo::NotLooked) if self.map.fields[field].is_some() => Reading::NotLooked,
            _ => self.reading(entry, field),
        })
    }

    pub fn reading(&self, entry: &Entry, field: Field) -> Reading {
        match &self.map.fields[field] {
            None => Reading::Unmapped,
            Some(Source::Attribute(name)) => gather(entry.values(name), |bytes| self.value(field, bytes)),
            Some(Source::Inner(name)) => gather(entry.values(name), |bytes| {
                text(bytes).and_then(|text| canonical::inner_extension(text, self.region))
            }),
            Some(Source::Template(parts)) => self.fill_in(entry, field, parts),
        }
    }

    /// One stored value as the field understands it.
    pub fn value(&self, field: Field, bytes: &[u8]) -> Result<Value, Unusable> {
        match field {
            Field::Photo => canonical::photo(bytes),
            Field::SipPassword => match text(bytes) {
                Ok(_) => self.fingerprinter.secret(bytes),
                Err(unusable) => Err(Unusable { raw: "set".to_owned(), why: unusable.why }),
            },
            Field::Name => canonical::name(text(bytes)?),
            Field::Extension => canonical::extension(text(bytes)?),
            Field::Mobile => canonical::mobile(text(bytes)?, self.region),
            Field::Email => canonical::email(text(bytes)?),
        }
    }

    /// A template with nothing to fill in is as absent as its attributes.
    fn fill_in(&self, entry: &Entry, field: Field, parts: &[Part]) -> Reading {
        let mut filled = String::new();
        let mut found = false;
        for part in parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Attribute(name) => {
                    // Order means nothing: the smallest of several stands for all.
                    let Some(value) = entry.values(name).iter().min() else { continue };
                    match text(value) {
                        Ok(text) => filled.push_str(text),
                        Err(unusable) => return Reading::Unusable(unusable),
                    }
                    found = true;
                }
            }
        }
        match found {
            true => gather(&[filled.trim().as_bytes().to_vec()], |bytes| self.value(field, bytes)),
            false => Reading::Absent,
        }
    }
}

/// Usable values count; an unusable one only where no usable one stands
/// beside it.
fn gather(values: &[Vec<u8>], read: impl Fn(&[u8]) -> Result<Value, Unusable>) -> Reading {
    let mut usable = Vec::with_capacity(values.len());
    let mut unusable: Option<Unusable> = None;
    for value in values.iter().filter(|value| !value.is_empty()) {
        match read(value) {
            Ok(value) => usable.push(value),
            Err(why) => unusable = unusable.filter(|first| first.raw <= why.raw).or(Some(why)),
        }
    }
    match (usable.is_empty(), unusable) {
        (true, Some(unusable)) => Reading::Unusable(unusable),
        _ => Reading::many(usable),
    }
}

fn text(bytes: &[u8]) -> Result<&str, Unusable> {
    // What ends up here goes to terminals, pages and logs.
    let shown = |c: char| match c {
        '\0' => '\u{2400}',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let unusable = |why: &str| {
        let raw = String::from_utf8_lossy(bytes).chars().take(SHOWN_CHARS_MAX).map(shown).collect();
        Unusable { raw, why: why.to_owned() }
    };
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err(unusable("it contains a NUL character")),
        Ok(text) => Ok(text),
        Err(_) => Err(unusable("it is not text (UTF-8)")),
    }
}

impl Source {
    /// The attribute this field may be written to.
    pub(crate) fn writable(&self) -> Option<&str> {
        match self {
            Source::Attribute(name) if is_naming(name) => None,
            Source::Attribute(name) => Some(name),
            Source::Inner(_) | Source::Template(_) => None,
        }
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        let (single, parts) = match self {
            Source::Attribute(name) | Source::Inner(name) => (Some(name.as_str()), &[][..]),
            Source::Template(parts) => (None, &parts[..]),
        };
        single.into_iter().chain(parts.iter().filter_map(|part| match part {
            Part::Attribute(name) => Some(name.as_str()),
            Part::Text(_) => None,
        }))
    }

    fn check(&self, field: Field) -> Result<(), String> {
        if let Some(name) = self.attributes().find(|name| !is_attribute(name)) {
            return Err(format!("`{name}` is no attribute name ({field})"));
        }
        match self {
            Source::Inner(_) if field != Field::Extension => {
                Err(format!("an inner number ({self}) can only be an extension, not the {field}"))
            }
            Source::Template(_) if matches!(field, Field::Photo | Field::SipPassword) => {
                Err(format!("the {field} cannot be made by a template"))
            }
            Source::Template(_) if self.attributes().next().is_none() => {
                Err(format!("the template for the {field} names no attribute in braces"))
            }
            _ => Ok(()),
        }
    }
}

/// These name the entry on AD always, elsewhere often enough.
fn is_naming(attribute: &str) -> bool {
    ["cn", "commonName", "name"].iter().any(|name| attribute.eq_ignore_ascii_case(name))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Attribute(name) => f.write_str(name),
            Source::Inner(name) => write!(f, "{name}{INNER}"),
            Source::Template(parts) => parts.iter().try_for_each(|part| match part {
                Part::Text(text) => f.write_str(text),
                Part::Attribute(name) => write!(f, "{{{name}}}"),
            }),
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.contains(['{', '}']) {
            return template(text).map(Source::Template);
        }
        let source = match text.strip_suffix(INNER) {
            Some(name) => Source::Inner(name.to_owned()),
            None => Source::Attribute(text.to_owned()),
        };
        if source.attributes().any(|name| !is_attribute(name)) {
            return Err(format!(
                "`{text}` is no attribute name: expected `mail`, `telephoneNumber{INNER}` or `{{givenName}} {{sn}}`"
            ));
        }
        Ok(source)
    }
}

fn template(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let brace = rest.find(['{', '}']).unwrap_or(rest.len());
        let (plain, from_brace) = rest.split_at(brace);
        if !plain.is_empty() {
            parts.push(Part::Text(plain.to_owned()));
        }
        let Some(inside) = from_brace.strip_prefix('{') else {
            match from_brace {
                "" => break,
                _ => return Err(format!("a `}}` without `{{` in the template `{text}`")),
            }
        };
        let (name, after) =
            inside.split_once('}').ok_or_else(|| format!("a `}}` is missing in the template `{text}`"))?;
        if !is_attribute(name) {
            return Err(format!("`{name}` is no attribute name (template `{text}`)"));
        }
        parts.push(Part::Attribute(name.to_owned()));
        rest = after;
    }
    Ok(parts)
}

impl From<Source> for String {
    fn from(source: Source) -> String {
        source.to_string()
    }
}

impl TryFrom<String> for Source {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3_proto::proto::{LdapPartialAttribute, LdapSearchResultEntry};

    fn entry(attributes: &[(&str, &[&[u8]])]) -> Entry {
        let attribute = |(name, values): &(&str, &[&[u8]])| LdapPartialAttribute {
            atype: (*name).to_owned(),
            vals: values.iter().map(|value| value.to_vec()).collect(),
        };
        LdapSearchResultEntry {
            dn: "cn=x".to_owned(),
            attributes: attributes.iter().map(attribute).collect(),
        }
        .into()
    }

    fn map(fields: &[(Field, &str)]) -> AttributeMap {
        let mut map = AttributeMap { fields: FieldMap::default(), account_state: None };
        for (field, source) in fields {
            map.fields[*field] = Some(source.parse().unwrap());
        }
        map
    }

    fn read(map: &AttributeMap, entry: &Entry, field: Field) -> Reading {
        let fingerprinter = Fingerprinter::new([7; 32]);
        Lens { map, region: Some("RU"), fingerprinter: &fingerprinter }.reading(entry, field)
    }

    fn raws(reading: &Reading) -> Vec<&str> {
        reading.values().iter().map(Value::raw).collect()
    }

    #[test]
    fn sources_have_one_text_form() {
        for text in ["mail", "telephoneNumber:inner", "{givenName} {sn}", "{sn}, {givenName} (PBX)"] {
            let source: Source = text.parse().unwrap();
            assert_eq!(source.to_string(), text);
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(serde_json::from_str::<Source>(&json).unwrap(), source);
        }
        for text in ["", "my mail", "a:b", "{sn", "sn}", "{}", "{a b}"] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_found_in_any_case_and_empty_ones_do_not_count() {
        let map = map(&[(Field::Email, "Mail"), (Field::Mobile, "mobile")]);
        let entry = entry(&[("mail", &[b"", b"a@example.test"]), ("mobile", &[b""])]);
        assert_eq!(raws(&read(&map, &entry, Field::Email)), ["a@example.test"]);
        assert_eq!(read(&map, &entry, Field::Mobile), Reading::Absent);
        assert_eq!(read(&map, &entry, Field::Name), Reading::Unmapped);
    }

    #[test]
    fn what_is_no_text_is_unusable_unless_something_usable_stands_beside_it() {
        let map = map(&[(Field::Name, "displayName")]);
        let why = |values: &[&[u8]]| match read(&map, &entry(&[("displayName", values)]), Field::Name) {
            Reading::Unusable(unusable) => unusable.why,
            other => panic!("{other:?}"),
        };
        assert!(why(&[b"Iv\0an"]).contains("NUL"));
        assert!(why(&[b"Iv\xffan"]).contains("UTF-8"));
        match read(&map, &entry(&[("displayName", &[b"\x1b[2JIv\0\xff"])]), Field::Name) {
            Reading::Unusable(unusable) => assert_eq!(unusable.raw, "\u{fffd}[2JIv\u{2400}\u{fffd}"),
            other => panic!("{other:?}"),
        }
        let both = entry(&[("displayName", &[b"Iv\xffan", b"Ivan"])]);
        assert_eq!(raws(&read(&map, &both, Field::Name)), ["Ivan"]);
    }

    #[test]
    fn templates_fill_in_what_is_there() {
        let map = map(&[(Field::Name, "{givenName} {sn}")]);
        let full = entry(&[
            ("givenName", &["Иван".as_bytes()]),
            ("sn", &["Петров".as_bytes(), "Абрамов".as_bytes()]),
        ]);
        assert_eq!(raws(&read(&map, &full, Field::Name)), ["Иван Абрамов"]);
        assert_eq!(raws(&read(&map, &entry(&[("sn", &[b"Petrov"])]), Field::Name)), ["Petrov"]);
        assert_eq!(read(&map, &entry(&[("cn", &[b"x"])]), Field::Name), Reading::Absent);
    }

    #[test]
    fn a_secret_is_only_ever_a_fingerprint() {
        let map = map(&[(Field::SipPassword, "sipPassword")]);
        for secret in [&b"hunter2"[..], b"hunter2\xff"] {
            let shown =
                format!("{:?}", read(&map, &entry(&[("sipPassword", &[secret])]), Field::SipPassword));
            assert!(shown.contains("set") && !shown.contains("hunter"), "{shown}");
        }
    }

    #[test]
    fn names_templates_and_inner_numbers_are_read_only() {
        let map =
            map(&[(Field::Name, "CN"), (Field::Extension, "telephoneNumber:inner"), (Field::Email, "mail")]);
        let read_only = map.read_only();
        let flags: Vec<bool> = Field::ALL.map(|field| read_only[field]).to_vec();
        assert_eq!(flags, [true, true, false, false, false, false]);
        let default = AttributeMap::default_of(Kind::ActiveDirectory).read_only();
        assert!(default.iter().all(|(_, read_only)| !read_only));
    }

    #[test]
    fn maps_that_cannot_work_are_refused() {
        let mistake = |fields: &[(Field, &str)], what: &str| {
            let error = map(fields).check().expect_err(what);
            assert!(error.contains(what), "{error}");
        };
        mistake(&[(Field::Mobile, "phone"), (Field::Extension, "Phone")], "both");
        mistake(&[(Field::Mobile, "mobile:inner")], "only be an extension");
        mistake(&[(Field::Photo, "{jpegPhoto}")], "template");
        let shared = map(&[(Field::Mobile, "mobile"), (Field::Extension, "mobile:inner")]);
        assert_eq!(shared.check(), Ok(()), "a number may be read out of a phone that is itself mapped");
        assert_eq!(AttributeMap::default_of(Kind::FreeIpa).check(), Ok(()));
    }
}
