//! Pages of lists, on a database.

use super::page::Ask;
use super::{SqlStore, conflicts, employee_of, history, journal, parsed, word};
use crate::contract::{Lists, Reply};
use crate::error::Error;
use crate::folded::{Needles, State};
use crate::history::{JournalRow, PersonStatus, RunPerson, RunRow, Updated};
use crate::lists::{
    ConflictQuery, ConflictSort, Counts, LastRun, Order, Page, PeopleQuery, PeopleSort, PersonRow,
    PlanPeopleQuery, PlanPerson, RunPeopleQuery, RunQuery, Standing, Window,
};
use crate::rows::{ConflictRow, ConflictState, DirectoryId, RunId};
use reconcile::{ConflictKind, EmployeeId, PersonId};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

impl Lists for SqlStore {
    fn people<'a>(&'a self, query: &'a PeopleQuery) -> Reply<'a, Page<PersonRow>> {
        Box::pin(async move {
            let (mut ask, needles) = (Ask::default(), Needles::of(&query.search));
            if let Some(directory) = query.directory {
                // The sign keeps SQLite from sorting one directory's people
                // instead of walking the index that has everybody's in order.
                ask.that("+directory = ?", directory.0);
            }
            match query.state {
                None => {}
                Some(Standing::Active) => ask.that("state = ?", State::Active.as_str()),
                Some(Standing::Resting) => ask.that("state = ?", State::Resting.as_str()),
                Some(Standing::Left) => ask.also("state NOT IN ('active', 'resting')"),
                Some(Standing::LeftAs(reason)) => ask.that("state = ?", State::left(reason).as_str()),
            }
            ask.search(&needles);
            let (key, to) = (key(query.sort), direction(query.order));
            // A search reads every row: once, for the page and the total.
            let (conditions, window) = (ask.conditions(), ask.window(query.window));
            let (with, from) = match needles.is_empty() {
                true => (String::new(), format!("listed WHERE {conditions}")),
                false => (
                    format!("WITH hits AS (SELECT pbx, employee, {key} FROM listed WHERE {conditions}) "),
                    "hits".to_owned(),
                ),
            };
            let sql = format!(
                "{with}SELECT total, page.employee AS present, listed.directory, listed.person, \
                 listed.employee, listed.name, listed.number, listed.email, listed.mobile, listed.state, \
                 listed.since_ms, listed.run, run.started_ms, run_person.status, run_person.updated, \
                 run_person.reason \
                 FROM (SELECT count(*) AS total FROM {from}) AS counted \
                 LEFT JOIN (SELECT pbx, employee FROM {from} \
                 ORDER BY {key} {to}, pbx {to}, employee {to} {window}) AS page ON 1 = 1 \
                 LEFT JOIN listed ON listed.pbx = page.pbx AND listed.employee = page.employee \
                 LEFT JOIN run ON run.id = listed.run \
                 LEFT JOIN run_person ON run_person.run = listed.run AND run_person.seq = listed.seq \
                 ORDER BY listed.{key} {to}, listed.pbx {to}, listed.employee {to}"
            );
            ask.page(&self.pool, sql, person_row).await
        })
    }

    fn run_page<'a>(&'a self, query: &'a RunQuery) -> Reply<'a, Page<RunRow>> {
        Box::pin(async move {
            let mut ask = Ask::default();
            if let Some(directory) = query.directory {
                ask.that("+directory = ?", directory.0);
            }
            if let Some(trigger) = query.trigger {
                ask.that("started_by = ?", trigger.as_str());
            }
            let (conditions, window) = (ask.conditions(), ask.window(query.window));
            let sql = format!(
                "SELECT total, page.id AS present, run.* \
                 FROM (SELECT count(*) AS total FROM run WHERE {conditions}) AS counted \
                 LEFT JOIN (SELECT id FROM run WHERE {conditions} ORDER BY id DESC {window}) AS page ON 1 = 1 \
                 LEFT JOIN run ON run.id = page.id ORDER BY run.id DESC"
            );
            ask.page(&self.pool, sql, history::run_row).await
        })
    }

    fn run_people_page<'a>(&'a self, run: RunId, query: &'a RunPeopleQuery) -> Reply<'a, Page<RunPerson>> {
        Box::pin(async move {
            let mut ask = Ask::default();
            ask.that("run = ?", run.0);
            if let Some(status) = query.status {
                ask.that("status = ?", status.as_str());
            }
            if let Some(updated) = query.updated {
                ask.that("updated = ?", updated.as_str());
            }
            ask.search(&Needles::of(&query.search));
            let (conditions, window) = (ask.conditions(), ask.window(query.window));
            let sql = format!(
                "SELECT total, page.seq AS present, run_person.* \
                 FROM (SELECT count(*) AS total FROM run_person WHERE {conditions}) AS counted \
                 LEFT JOIN (SELECT run, seq FROM run_person WHERE {conditions} \
                 ORDER BY seq {window}) AS page ON 1 = 1 \
                 LEFT JOIN run_person ON run_person.run = page.run AND run_person.seq = page.seq \
                 ORDER BY run_person.seq"
            );
            ask.page(&self.pool, sql, history::run_person).await
        })
    }

    fn run_counts(&self, run: RunId) -> Reply<'_, BTreeMap<(PersonStatus, Updated), u64>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT status, updated, count(*) AS total FROM run_person WHERE run = $1 \
                 GROUP BY status, updated",
            );
            let rows = rows.bind(run.0).fetch_all(&self.pool).await?;
            rows.iter().map(|row| Ok(((word(row, "status")?, word(row, "updated")?), total(row)?))).collect()
        })
    }

    fn journal_page<'a>(
        &'a self,
        run: RunId,
        person: Option<&'a PersonId>,
        window: Window,
    ) -> Reply<'a, Page<JournalRow>> {
        Box::pin(async move {
            let mut ask = Ask::default();
            ask.that("run = ?", run.0);
            if let Some(person) = person {
                ask.that("person = ?", person.as_str());
            }
            let (conditions, window) = (ask.conditions(), ask.window(window));
            let sql = format!(
                "SELECT total, page.seq AS present, journal.* \
                 FROM (SELECT count(*) AS total FROM journal WHERE {conditions}) AS counted \
                 LEFT JOIN (SELECT run, seq FROM journal WHERE {conditions} \
                 ORDER BY seq {window}) AS page ON 1 = 1 \
                 LEFT JOIN journal ON journal.run = page.run AND journal.seq = page.seq \
                 ORDER BY journal.seq"
            );
            ask.page(&self.pool, sql, journal::journal_row).await
        })
    }

    fn plan_people<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        query: &'a PlanPeopleQuery,
    ) -> Reply<'a, Page<PlanPerson>> {
        Box::pin(async move {
            let mut ask = Ask::default();
            ask.that("directory = ?", directory.0);
            ask.that("hash = ?", hash);
            if let Some(kind) = &query.kind {
                ask.that("kind = ?", &**kind);
            }
            ask.search(&Needles::of(&query.search));
            let (conditions, window) = (ask.conditions(), ask.window(query.window));
            let sql = format!(
                "SELECT total, page.seq AS present, plan_person.* \
                 FROM (SELECT count(*) AS total FROM plan_person WHERE {conditions}) AS counted \
                 LEFT JOIN (SELECT directory, hash, seq FROM plan_person WHERE {conditions} \
                 ORDER BY seq {window}) AS page ON 1 = 1 \
                 LEFT JOIN plan_person ON plan_person.directory = page.directory \
                 AND plan_person.hash = page.hash AND plan_person.seq = page.seq ORDER BY plan_person.seq"
            );
            ask.page(&self.pool, sql, plan_person).await
        })
    }

    fn plan_counts<'a>(&'a self, directory: DirectoryId, hash: &'a str) -> Reply<'a, BTreeMap<String, u64>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT kind, count(*) AS total FROM plan_person WHERE directory = $1 AND hash = $2 \
                 GROUP BY kind",
            );
            let rows = rows.bind(directory.0).bind(hash).fetch_all(&self.pool).await?;
            rows.iter().map(|row| Ok((row.try_get("kind")?, total(row)?))).collect()
        })
    }

    fn conflict_page<'a>(&'a self, query: &'a ConflictQuery) -> Reply<'a, Page<ConflictRow>> {
        Box::pin(async move {
            let mut ask = Ask::default();
            if let Some(directory) = query.directory {
                ask.that("+directory = ?", directory.0);
            }
            if let Some(kind) = query.kind {
                ask.that("kind = ?", kind.as_str());
            }
            match query.state {
                None => ask.also("state IN ('open', 'silenced')"),
                Some(state) => ask.that("state = ?", state.as_str()),
            }
            ask.search(&Needles::of(&query.search));
            let key = match query.sort {
                ConflictSort::Date => "first_seen_ms",
                ConflictSort::Person => "name_key",
            };
            let to = direction(query.order);
            let (conditions, window) = (ask.conditions(), ask.window(query.window));
            let sql = format!(
                "SELECT total, page.id AS present, conflict.* \
                 FROM (SELECT count(*) AS total FROM conflict WHERE {conditions}) AS counted \
                 LEFT JOIN (SELECT id FROM conflict WHERE {conditions} \
                 ORDER BY {key} {to}, id {to} {window}) AS page ON 1 = 1 \
                 LEFT JOIN conflict ON conflict.id = page.id ORDER BY conflict.{key} {to}, conflict.id {to}"
            );
            ask.page(&self.pool, sql, conflicts::conflict_row).await
        })
    }

    fn conflict_counts(
        &self,
        directory: Option<DirectoryId>,
    ) -> Reply<'_, BTreeMap<(ConflictKind, ConflictState), u64>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT kind, state, count(*) AS total FROM conflict WHERE ($1 = 0 OR directory = $1) \
                 GROUP BY kind, state",
            );
            let rows = rows.bind(directory.map_or(0, |directory| directory.0));
            rows.fetch_all(&self.pool)
                .await?
                .iter()
                .map(|row| Ok(((kind(row)?, word(row, "state")?), total(row)?)))
                .collect()
        })
    }

    fn directory_counts(&self) -> Reply<'_, BTreeMap<DirectoryId, Counts>> {
        Box::pin(async move {
            // The sign keeps SQLite from fetching every conflict by an index that
            // does not know its state.
            let rows = sqlx::query(
                "SELECT id AS directory, '' AS what, 0 AS total FROM directory \
                 UNION ALL SELECT directory, state, count(*) FROM listed GROUP BY directory, state \
                 UNION ALL SELECT +directory, 'open', count(*) FROM conflict WHERE state = 'open' \
                 GROUP BY +directory \
                 UNION ALL SELECT directory, 'quarantined', count(*) FROM quarantine GROUP BY directory",
            );
            let mut counts: BTreeMap<DirectoryId, Counts> = BTreeMap::new();
            for row in rows.fetch_all(&self.pool).await? {
                let of = counts.entry(DirectoryId(row.try_get("directory")?)).or_default();
                match row.try_get("what")? {
                    // It is there, if only with nothing.
                    "" => {}
                    "open" => of.conflicts_open = total(&row)?,
                    "quarantined" => of.quarantined = total(&row)?,
                    "active" | "resting" => of.linked += total(&row)?,
                    _ => {
                        of.linked += total(&row)?;
                        of.left += total(&row)?;
                    }
                }
            }
            Ok(counts)
        })
    }
}

fn total(row: &AnyRow) -> Result<u64, Error> {
    Ok(row.try_get::<i64, _>("total")?.cast_unsigned())
}

fn kind(row: &AnyRow) -> Result<ConflictKind, Error> {
    let word: &str = row.try_get("kind")?;
    let kind = ConflictKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    kind.ok_or_else(|| Error::damaged("a conflict", format!("unknown kind `{word}`")))
}

fn plan_person(row: &AnyRow) -> Result<PlanPerson, Error> {
    Ok(PlanPerson {
        person: PersonId::new(row.try_get::<&str, _>("person")?),
        employee: employee_of(row)?,
        name: row.try_get("name")?,
        extension: row.try_get("extension")?,
        kind: row.try_get("kind")?,
        changes: parsed(row, "changes")?,
        reason: row.try_get("reason")?,
    })
}

const fn key(sort: PeopleSort) -> &'static str {
    match sort {
        PeopleSort::Name => "name_key",
        PeopleSort::Number => "number_key",
        PeopleSort::Email => "email_key",
        PeopleSort::Since => "since_ms",
        PeopleSort::LastRun => "run",
    }
}

const fn direction(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

fn person_row(row: &AnyRow) -> Result<PersonRow, Error> {
    let last = match row.try_get::<Option<i64>, _>("started_ms")? {
        None => None,
        Some(started_ms) => Some(LastRun {
            run: RunId(row.try_get("run")?),
            started_ms,
            status: word(row, "status")?,
            updated: word(row, "updated")?,
            reason: row.try_get("reason")?,
        }),
    };
    Ok(PersonRow {
        directory: DirectoryId(row.try_get("directory")?),
        person: PersonId::new(row.try_get::<&str, _>("person")?),
        employee: EmployeeId(row.try_get::<i64, _>("employee")?.cast_unsigned()),
        name: row.try_get("name")?,
        number: row.try_get("number")?,
        email: row.try_get("email")?,
        mobile: row.try_get("mobile")?,
        state: word::<State>(row, "state")?.since(row.try_get("since_ms")?),
        last,
    })
}
