//! Everything known about one person: what each side said last, what was
//! agreed, what was written and why.

pub mod view;

use super::conflicts;
use super::errors::usage;
use super::journal::Written;
use super::output::Out;
use super::words::word;
use crate::app::{App, directory_settings};
use anyhow::Result;
use directory::AttributeMap;
use reconcile::{Field, Link, LinkState, PersonId, Value};
use std::collections::BTreeMap;
use store::{ConflictsOf, DirectoryRow, JournalOf, RunId, RunPerson};
use view::{Agreed, Explained, FieldView, Found, Seen, State};

/// More people than this are listed, not explained.
const PEOPLE_EXPLAINED_MAX: usize = 3;
/// Steps of the journal, newest first.
const STEPS_SHOWN_MAX: usize = 20;
/// So much of an id is enough to mean it.
pub const ID_CHARS_MIN: usize = 8;

pub async fn run(app: &App, query: &str, server: Option<&str>, out: &Out) -> Result<u8> {
    out.show(&find(app, query, server).await?)
}

async fn find(app: &App, query: &str, server: Option<&str>) -> Result<Found> {
    let rows = match server {
        Some(name) => vec![app.server(name).await?],
        None => app.store.directories().await?,
    };
    let mut known = Vec::new();
    for row in rows {
        known.extend(everybody(app, row).await?.into_iter().filter(|person| person.is(query)));
    }
    if known.is_empty() {
        return Err(usage(format!(
            "nobody known is called `{query}`; a name, an internal number, an e-mail address or an id would do"
        )));
    }
    // A whole match outweighs parts of names.
    if known.iter().any(|person| person.is_exactly(query)) {
        known.retain(|person| person.is_exactly(query));
    }
    known.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let in_full = known.len() <= PEOPLE_EXPLAINED_MAX;
    let mut people = Vec::new();
    for person in known {
        let mut person = explain(app, person, in_full).await?;
        person.journal.truncate(STEPS_SHOWN_MAX);
        people.push(person);
    }
    Ok(Found { in_full, people })
}

/// One person by the id that the directory gave them, if anything is
/// remembered of them.
pub async fn one(app: &App, row: &DirectoryRow, id: &PersonId) -> Result<Option<Explained>> {
    let link = app.store.link(row.id, id).await?;
    let last = app.store.latest_person(row.id, id).await?;
    let name = match (&link, &last) {
        (Some(link), _) => link.name.to_string(),
        (None, Some((_, last))) => last.name.clone(),
        (None, None) => return Ok(None),
    };
    let known = Known { row: row.clone(), id: id.clone(), name, link, last };
    Ok(Some(explain(app, known, true).await?))
}

/// One person as far as they are remembered.
struct Known {
    row: DirectoryRow,
    id: PersonId,
    name: String,
    link: Option<Link>,
    last: Option<(RunId, RunPerson)>,
}

async fn everybody(app: &App, row: DirectoryRow) -> Result<Vec<Known>> {
    let mut links: BTreeMap<PersonId, Link> =
        app.store.links(row.id).await?.into_iter().map(|link| (link.person.clone(), link)).collect();
    let mut known = Vec::new();
    for (run, last) in app.store.latest_people(row.id).await? {
        let link = links.remove(&last.person);
        let name = link.as_ref().map_or_else(|| last.name.clone(), |link| link.name.to_string());
        known.push(Known { row: row.clone(), id: last.person.clone(), name, link, last: Some((run, last)) });
    }
    known.extend(links.into_values().map(|link| {
        let (id, name) = (link.person.clone(), link.name.to_string());
        Known { row: row.clone(), id, name, link: Some(link), last: None }
    }));
    Ok(known)
}

impl Known {
    fn is(&self, query: &str) -> bool {
        let query = query.trim().to_lowercase();
        let name = self.name.to_lowercase();
        !query.is_empty()
            && (query.split_whitespace().all(|part| name.contains(part)) || self.is_exactly(&query))
    }

    fn is_exactly(&self, query: &str) -> bool {
        let query = query.trim().to_lowercase();
        let id = self.id.as_str().to_lowercase();
        let by_id = id == query || (query.len() >= ID_CHARS_MIN && id.starts_with(&query));
        let last_number = self.last.as_ref().is_some_and(|(_, last)| last.extension == query);
        by_id
            || last_number
            || self.name.to_lowercase() == query
            || self.keys().any(|value| value.readings().any(|reading| reading.to_lowercase() == query))
    }

    /// Numbers and addresses of both sides.
    fn keys(&self) -> impl Iterator<Item = &Value> {
        let sights = self.link.iter().flat_map(|link| {
            [Field::Extension, Field::Email, Field::Mobile]
                .into_iter()
                .flat_map(|field| [&link.directory[field], &link.pbx[field]])
        });
        sights.filter_map(|sight| sight.as_ref()?.value.as_ref())
    }
}

async fn explain(app: &App, person: Known, in_full: bool) -> Result<Explained> {
    let mut journal = Vec::new();
    let mut open = Vec::new();
    if in_full {
        let of = JournalOf::Person(person.row.id, person.id.clone());
        let rows = app.store.journal_of(&of).await?;
        journal = rows.into_iter().map(Written::from).collect();
        let rows = conflicts::list(app, ConflictsOf::Directory(person.row.id)).await?;
        open = rows.into_iter().filter(|row| row.conflict.person == person.id).collect();
    }
    let link = person.link.as_ref();
    let map = directory_settings(&person.row)?.map;
    let last_whole = super::people::last_whole_run(app, person.row.id).await?;
    let extension = link.and_then(|link| super::people::last_seen(link, Field::Extension));
    let last_number = person.last.as_ref().map(|(_, last)| last.extension.clone());
    Ok(Explained {
        id: person.id.to_string(),
        server: person.row.name,
        dn: link.map(|link| link.dn.to_string()),
        employee: link.map(|link| link.employee.0),
        extension: extension.or(last_number.filter(|number| !number.is_empty())),
        state: match link.map(|link| &link.state) {
            None => State::Unlinked,
            Some(LinkState::Active) => State::Active,
            Some(LinkState::Left { reason, since_ms }) => {
                State::Left { reason: *reason, since_ms: *since_ms }
            }
            Some(LinkState::Resting { since_ms }) => State::Resting { since_ms: *since_ms },
        },
        fields: link.map(|link| fields(link, &map)).unwrap_or_default(),
        // What an earlier run told may be over by now.
        last_run: person.last.filter(|(run, _)| Some(*run) >= last_whole).map(|(run, last)| view::LastRun {
            run: run.0,
            status: word(last.status),
            reason: Some(last.reason).filter(|reason| !reason.is_empty()),
        }),
        name: person.name,
        conflicts: open,
        journal,
    })
}

/// Both sides of every field that was ever seen.
fn fields(link: &Link, map: &AttributeMap) -> BTreeMap<Field, FieldView> {
    let view = |field: Field| {
        let seen = |sight: &Option<reconcile::Sight>| {
            sight.as_ref().map(|sight| Seen {
                value: sight.value.as_ref().map(|value| value.raw().to_owned()),
                after_ms: sight.change.after_ms,
                by_ms: sight.change.by_ms,
            })
        };
        let spelled = |value: &Option<Value>| value.as_ref().map(|value| value.raw().to_owned());
        let agreed = link.pairs[field].as_ref().map(|pair| Agreed {
            directory: spelled(&pair.directory),
            pbx: spelled(&pair.pbx),
            held: pair.held,
            differs: match (&pair.directory, &pair.pbx) {
                (Some(a), Some(b)) => !a.equivalent(b),
                (a, b) => a != b,
            },
        });
        let view = FieldView {
            directory: seen(&link.directory[field]),
            pbx: seen(&link.pbx[field]),
            agreed,
            mapped: map.fields[field].is_some(),
        };
        let known = view.directory.is_some() || view.pbx.is_some() || view.agreed.is_some();
        known.then_some((field, view))
    };
    Field::ALL.into_iter().filter_map(view).collect()
}

#[cfg(test)]
mod tests;
