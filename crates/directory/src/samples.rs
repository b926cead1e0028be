//! A few people as they are read, for somebody who checks the attribute map:
//! what is stored, and what we make of it. A secret is only ever "set", a
//! picture its size.

use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::Error;
use crate::map::{Photo, Source};
use crate::session::Query;
use reconcile::{Field, Reading};
use serde::Serialize;
use std::collections::BTreeMap;

/// People who are shown.
pub const SAMPLES_MAX: usize = 3;
/// People among whom those with the most to show are chosen.
const CANDIDATES_MAX: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    pub dn: String,
    /// Every mapped field; one without a value we may read has none.
    pub fields: BTreeMap<Field, Vec<SampleValue>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleValue {
    Text {
        raw: String,
        canonical: String,
    },
    /// Something is there that we cannot use.
    Unusable {
        raw: String,
        why: String,
    },
    Picture {
        bytes: usize,
    },
    /// A SIP password, which is never shown.
    Set,
}

impl Directory {
    /// Up to three people in scope, those with the most to show.
    pub async fn samples(&mut self) -> Result<Vec<Sample>, Error> {
        let (mut people, _) =
            self.some_people(CANDIDATES_MAX, self.person_attributes(Photo::NotLooked)).await?;
        let empty = |person: &Entry| {
            let sources = self.settings.map.fields.iter().filter_map(|(_, source)| source.as_ref());
            sources.flat_map(Source::attributes).filter(|name| person.values(name).is_empty()).count()
        };
        people.sort_by_cached_key(|person| (empty(person), person.dn.clone()));
        people.truncate(SAMPLES_MAX);
        let mut samples = Vec::with_capacity(people.len());
        for person in people {
            let query = Query::entry(&person.dn, self.person_attributes(Photo::Wanted));
            // Whoever is gone by now is no sample.
            if let Some(entry) = self.entry("looking at a person", query).await? {
                samples.push(self.sample_of(&entry));
            }
        }
        Ok(samples)
    }

    fn sample_of(&self, entry: &Entry) -> Sample {
        let mapped =
            self.settings.map.fields.iter().filter_map(|(field, source)| Some((field, source.as_ref()?)));
        let fields = mapped.map(|(field, source)| (field, self.shown(entry, field, source))).collect();
        Sample { dn: entry.dn.clone(), fields }
    }

    fn shown(&self, entry: &Entry, field: Field, source: &Source) -> Vec<SampleValue> {
        let reading = self.reader().lens().reading(entry, field);
        match (field, reading) {
            (Field::SipPassword, Reading::Unusable(unusable)) => {
                vec![SampleValue::Unusable { raw: "set".to_owned(), why: unusable.why }]
            }
            (_, Reading::Unusable(unusable)) => {
                vec![SampleValue::Unusable { raw: unusable.raw, why: unusable.why }]
            }
            (Field::SipPassword, reading) => reading.values().iter().map(|_| SampleValue::Set).collect(),
            (Field::Photo, _) => {
                let pictures = source.attributes().flat_map(|name| entry.values(name));
                let pictures = pictures.filter(|picture| !picture.is_empty());
                pictures.map(|picture| SampleValue::Picture { bytes: picture.len() }).collect()
            }
            (_, reading) => {
                let text = |value: &reconcile::Value| SampleValue::Text {
                    raw: value.raw().to_owned(),
                    canonical: value.canonical().to_owned(),
                };
                reading.values().iter().map(text).collect()
            }
        }
    }
}
