//! Reading everybody, and proving that it was everybody.
//!
//! Memory stays small: every entry becomes a [`Person`] as it arrives, photos
//! are not asked for, and a page is never held.

use crate::advice::{Doing, Refusal};
use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::Error;
use crate::map::Photo;
use crate::scope::Outside;
use crate::session::Query;
use ldap3_proto::proto::LdapResultCode;
use reconcile::{Person, Snapshot, Verdict};
use std::collections::BTreeSet;

/// More people than this are not read.
pub const PEOPLE_MAX: usize = 250_000;
/// Progress is told every so many people.
const PROGRESS_EVERY: usize = 100;
/// So many warnings and reasons are worded; the rest is counted.
const NAMED_MAX: usize = 10;

/// What earlier reads found, against which this one is judged.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Search references seen at the last complete read.
    pub references: BTreeSet<String>,
    /// How many people of this directory are linked.
    pub linked: usize,
}

#[derive(Clone, Debug)]
pub struct PeopleRead {
    /// In order of id, nobody twice.
    pub snapshot: Snapshot<Person>,
    /// To be known at the next read, if this one is complete.
    pub references: BTreeSet<String>,
    /// Entries that were left out, and why.
    pub warnings: Vec<String>,
    /// When the next account will expire, by the directory's clock.
    pub next_expiry_ms: Option<i64>,
}

impl Directory {
    /// Reads everybody in scope. A read that breaks on the way is `Partial`
    /// with what it has; it is an error only if nothing could be read.
    pub async fn read_people(
        &mut self,
        known: &Known,
        progress: &mut (dyn FnMut(usize) + Send),
    ) -> Result<PeopleRead, Error> {
        let at_ms = self.clock.now_ms();
        let mut reading = Reading::default();
        let bases = self.reachable_bases(&mut reading).await?;
        let (outside, reasons) = self.outside().await?;
        reading.reasons.extend(reasons);
        let mut finished = 0;
        let mut failure = None;
        for base in bases {
            let before = reading.rows.len();
            let Err(error) = self.read_base(&base, &outside, &mut reading, progress).await else {
                finished += 1;
                continue;
            };
            let count = reading.rows.len() - before;
            reading.reasons.push(format!("`{base}`: the read stopped after {count} people: {error}"));
            let lost = error.is_lost();
            failure = Some(error);
            if lost {
                break;
            }
        }
        if let (0, true, Some(error)) = (finished, reading.rows.is_empty(), failure) {
            return Err(error);
        }
        progress(reading.rows.len());
        Ok(reading.judge(known, at_ms))
    }

    /// The bases that answer a base search. That the domain root does is
    /// indispensable; a subdivision or group that does not is a reason for
    /// `Partial`.
    async fn reachable_bases(&mut self, reading: &mut Reading) -> Result<Vec<String>, Error> {
        self.prove(&self.settings.base_dn.clone(), "the domain root").await?;
        let mut bases = Vec::new();
        for base in self.settings.bases().to_vec() {
            match self.prove(&base, "the subdivision").await {
                Ok(_) => bases.push(base),
                Err(error @ Error::Refused { .. }) => reading.reasons.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        for group in self.settings.groups.clone() {
            match self.prove(&group, "the group").await {
                Ok(_) => {}
                Err(error @ Error::Refused { .. }) => reading.reasons.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        match bases.is_empty() {
            true => Err(Error::Settings(format!(
                "none of the subdivisions can be read: {}",
                reading.reasons.join("; ")
            ))),
            false => Ok(bases),
        }
    }

    /// The entry in the server's spelling, if it answers a base search.
    pub(crate) async fn prove(&mut self, dn: &str, what: &str) -> Result<Entry, Error> {
        let what = format!("{what} `{dn}` cannot be read");
        let (mut entries, end) = self.find(Query::entry(dn, vec!["1.1".to_owned()])).await?;
        if end.result.code != LdapResultCode::Success {
            return Err(Error::Refused { what, refusal: Refusal::new(&end.result, Doing::Read) });
        }
        entries.pop().ok_or_else(|| Error::Refused {
            what,
            refusal: Refusal::ours("the account is not allowed to see it"),
        })
    }

    async fn read_base(
        &mut self,
        base: &str,
        outside: &Outside,
        reading: &mut Reading,
        progress: &mut (dyn FnMut(usize) + Send),
    ) -> Result<(), Error> {
        let filter = self.settings.people_filter()?;
        let page_size = self.settings.page_size;
        let query = Query::below(base, filter, self.person_attributes(Photo::NotLooked));
        let ids_are_the_servers = self.settings.ids_are_the_servers();
        let id_attribute = self.settings.id_attribute().to_owned();
        let (session, reader) = self.reading().await?;
        let mut take = |entry: Entry| {
            reading.entries += 1;
            if outside.holds(&entry) {
                return reading.entries < PEOPLE_MAX;
            }
            match reader.person(&entry) {
                Some((person, expires_ms)) => {
                    reading.next_expiry_ms = [reading.next_expiry_ms, expires_ms].into_iter().flatten().min();
                    reading.rows.push(person);
                }
                None if ids_are_the_servers => reading.hidden_ids += 1,
                None => reading.warn(format!("{}: no usable {id_attribute}, left out", entry.dn)),
            }
            if reading.rows.len().is_multiple_of(PROGRESS_EVERY) {
                progress(reading.rows.len());
            }
            reading.entries < PEOPLE_MAX
        };
        let pages = session.pages(query, page_size, &mut take).await?;
        reading.references.extend(pages.references);
        match pages.cut_short {
            None => Ok(()),
            Some(refusal) => Err(Error::Refused { what: "the search ended early".to_owned(), refusal }),
        }
    }
}

/// A read under way.
#[derive(Default)]
struct Reading {
    /// How many came, with those that are nobody.
    entries: usize,
    rows: Vec<Person>,
    references: BTreeSet<String>,
    reasons: Vec<String>,
    warnings: Vec<String>,
    warnings_unnamed: usize,
    hidden_ids: usize,
    next_expiry_ms: Option<i64>,
}

impl Reading {
    fn warn(&mut self, warning: String) {
        match self.warnings.len() < NAMED_MAX {
            true => self.warnings.push(warning),
            false => self.warnings_unnamed += 1,
        }
    }

    fn judge(mut self, known: &Known, at_ms: i64) -> PeopleRead {
        // Subdivisions may overlap, and people move while we read.
        self.rows.sort_by(|a, b| a.id.cmp(&b.id));
        self.rows.dedup_by(|a, b| a.id == b.id);
        if self.warnings_unnamed > 0 {
            self.warnings.push(format!("and {} more like these", self.warnings_unnamed));
        }
        if self.hidden_ids > 0 {
            self.reasons.push(format!(
                "{} entries came without their id, so nobody knows who they are: let the account read it",
                self.hidden_ids
            ));
        }
        let unknown: Vec<&String> = self.references.difference(&known.references).collect();
        if let Some(first) = unknown.first() {
            self.reasons.push(format!(
                "{} part(s) of the directory are on another server that was not there before, the first is {first}",
                unknown.len()
            ));
        }
        if self.rows.is_empty() && known.linked > 0 {
            self.reasons.push(format!(
                "nobody was found although {} people are linked: check domain root, filter and read permission",
                known.linked
            ));
        }
        let verdict = match self.reasons.is_empty() {
            true => Verdict::Complete,
            false => Verdict::Partial(self.reasons.join("; ")),
        };
        PeopleRead {
            snapshot: Snapshot { rows: self.rows, verdict, at_ms },
            references: self.references,
            warnings: self.warnings,
            next_expiry_ms: self.next_expiry_ms,
        }
    }
}
