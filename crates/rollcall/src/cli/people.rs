//! Everybody of a server, and those whose employees keep working without them.

use super::output::{Cell, Ink, Out, Page, Table, View, count, shown};
use super::words;
use crate::app::App;
use anyhow::Result;
use reconcile::{Field, LeftReason, Link, LinkState, Sight, Value};
use serde::Serialize;
use std::collections::BTreeMap;
use store::{DirectoryId, Outcome, PersonStatus, RunId, RunPerson, Trigger};

/// Among so many runs, newest first, there is a whole one, or none is looked for.
const RUNS_LOOKED_AT_MAX: u32 = 100;

pub async fn people(app: &App, server: &str, out: &Out) -> Result<u8> {
    out.show(&everybody(app, server).await?)
}

async fn everybody(app: &App, server: &str) -> Result<People> {
    let row = app.server(server).await?;
    let mut people: BTreeMap<String, PersonRow> = app
        .store
        .links(row.id)
        .await?
        .iter()
        .map(|link| (link.person.to_string(), PersonRow::linked(link)))
        .collect();
    let last_whole = last_whole_run(app, row.id).await?;
    for (run, last) in app.store.latest_people(row.id).await? {
        let id = last.person.to_string();
        // A trouble that a later run did not find is over.
        let trouble = matches!(last.status, PersonStatus::Conflict | PersonStatus::Failed);
        if trouble && Some(run) < last_whole && people.contains_key(&id) {
            continue;
        }
        people.entry(id).or_insert_with(|| PersonRow::unlinked(&last)).ran(run, &last);
    }
    let mut people: Vec<PersonRow> = people.into_values().collect();
    people.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(People { server: row.name, people })
}

/// The newest run that saw both sides whole: what it does not tell of a person
/// is over.
pub async fn last_whole_run(app: &App, directory: DirectoryId) -> Result<Option<RunId>> {
    let runs = app.store.runs(Some(directory), RUNS_LOOKED_AT_MAX, 0).await?;
    // An undo tells of those it concerns, and of nobody else.
    let whole = |run: &&store::RunRow| run.outcome == Outcome::Done && run.trigger != Trigger::Undo;
    Ok(runs.iter().find(whole).map(|run| run.id))
}

#[derive(Debug, Serialize)]
struct People {
    server: String,
    people: Vec<PersonRow>,
}

#[derive(Debug, Serialize)]
struct PersonRow {
    id: String,
    name: String,
    extension: Option<String>,
    employee: Option<u64>,
    /// `active`, `left`, `resting` or `unlinked`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<LeftReason>,
    last: Option<Last>,
}

/// What became of them in the last run that had something to tell.
#[derive(Debug, Serialize)]
struct Last {
    run: RunId,
    status: store::PersonStatus,
    updated: store::Updated,
    reason: Option<String>,
}

impl PersonRow {
    fn linked(link: &Link) -> Self {
        let (state, left) = match &link.state {
            LinkState::Active => ("active", None),
            LinkState::Left { reason, .. } => ("left", Some(*reason)),
            LinkState::Resting { .. } => ("resting", None),
        };
        PersonRow {
            id: link.person.to_string(),
            name: link.name.to_string(),
            extension: last_seen(link, Field::Extension),
            employee: Some(link.employee.0),
            state,
            left,
            last: None,
        }
    }

    fn unlinked(last: &RunPerson) -> Self {
        PersonRow {
            id: last.person.to_string(),
            name: last.name.clone(),
            extension: Some(last.extension.clone()).filter(|number| !number.is_empty()),
            employee: None,
            state: "unlinked",
            left: None,
            last: None,
        }
    }

    fn ran(&mut self, run: RunId, last: &RunPerson) {
        let reason = Some(last.reason.clone()).filter(|reason| !reason.is_empty());
        self.last = Some(Last { run, status: last.status, updated: last.updated, reason });
    }
}

/// A value as last seen: in the PBX, or else in the directory.
pub fn last_seen(link: &Link, field: Field) -> Option<String> {
    let value = |sight: &Option<Sight>| sight.as_ref()?.value.as_ref().map(Value::raw).map(str::to_owned);
    value(&link.pbx[field]).or_else(|| value(&link.directory[field]))
}

impl View for People {
    fn write(&self, page: &mut Page) {
        if self.people.is_empty() {
            return page.say("Nobody is known yet: the first synchronisation reads everybody.", Ink::Plain);
        }
        let mut table = Table::new(["Person", "Number", "State", "Status", "Updated", "Reason"])
            .keep(["Number", "Status", "Updated"]);
        for person in &self.people {
            let ink = if person.state == "active" { Ink::Plain } else { Ink::Dim };
            let last = person.last.as_ref();
            let state = match person.left {
                Some(reason) => words::left_reason(reason),
                None => person.state,
            };
            // Whoever has nothing to tell is in step.
            let status = match (last, person.state) {
                (Some(last), _) => words::word(last.status),
                (None, "active") => "processed".to_owned(),
                (None, _) => String::new(),
            };
            table.row([
                shown(Some(&person.name)).into(),
                shown(person.extension.as_deref()).into(),
                Cell::new(state, ink),
                status.into(),
                last.map(|last| updated(last.updated)).unwrap_or_default().into(),
                last.and_then(|last| last.reason.clone()).unwrap_or_default().into(),
            ]);
        }
        page.table(&table);
        page.gap();
        let linked = self.people.iter().filter(|person| person.employee.is_some()).count();
        let people = count(self.people.len(), "person", "people");
        page.say(format!("{people}, {linked} linked."), Ink::Strong);
    }
}

pub const fn updated(updated: store::Updated) -> &'static str {
    match updated {
        store::Updated::Nothing => "",
        store::Updated::Pbx => "PBX",
        store::Updated::Directory => "directory",
        store::Updated::Both => "both",
    }
}

pub async fn disabled(app: &App, server: Option<&str>, out: &Out) -> Result<u8> {
    out.show(&leavers(app, server).await?)
}

async fn leavers(app: &App, server: Option<&str>) -> Result<Disabled> {
    let rows = match server {
        Some(name) => vec![app.server(name).await?],
        None => app.store.directories().await?,
    };
    let mut disabled = Vec::new();
    for row in rows {
        for link in app.store.links(row.id).await? {
            if let LinkState::Left { reason, since_ms } = link.state {
                disabled.push(Left {
                    server: row.name.clone(),
                    id: link.person.to_string(),
                    name: link.name.to_string(),
                    extension: last_seen(&link, Field::Extension),
                    email: last_seen(&link, Field::Email),
                    employee: link.employee.0,
                    reason,
                    since_ms,
                });
            }
        }
    }
    disabled.sort_by(|a, b| (&a.server, &a.name, &a.id).cmp(&(&b.server, &b.name, &b.id)));
    Ok(Disabled { disabled })
}

#[derive(Debug, Serialize)]
struct Disabled {
    disabled: Vec<Left>,
}

#[derive(Debug, Serialize)]
struct Left {
    server: String,
    id: String,
    name: String,
    extension: Option<String>,
    email: Option<String>,
    employee: u64,
    reason: LeftReason,
    since_ms: i64,
}

impl View for Disabled {
    fn write(&self, page: &mut Page) {
        if self.disabled.is_empty() {
            return page.say("Nobody who is disabled or gone has a working employee.", Ink::Good);
        }
        let mut table =
            Table::new(["Person", "Number", "Reason", "Since", "E-mail", "Server"]).keep(["Number", "Since"]);
        for person in &self.disabled {
            table.row([
                shown(Some(&person.name)).into(),
                shown(person.extension.as_deref()).into(),
                words::left_reason(person.reason).into(),
                page.look.day(person.since_ms).into(),
                shown(person.email.as_deref()).into(),
                person.server.clone().into(),
            ]);
        }
        page.table(&table);
        page.gap();
        page.say(
            "Their employees keep working, untouched. Delete one in the PBX and the row disappears.",
            Ink::Dim,
        );
    }
}

#[cfg(test)]
mod tests;
