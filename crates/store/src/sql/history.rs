//! Runs, the rows of their people, kept pictures and pruning, on a database.

use super::{
    SqlStore, employee_number, employee_of, from_json, journal, json, listed, next_ids, parsed, word,
};
use crate::contract::{History, Reply};
use crate::dying::step;
use crate::error::Error;
use crate::folded::searched;
use crate::history::{
    JournalOf, JournalRow, Outcome, RunNote, RunPerson, RunProgress, RunRow, RunStart, Settlement,
    interrupted,
};
use crate::rows::{DirectoryId, Forgotten, Picture, PictureId, RunId};
use crate::{HISTORY_KEPT_MS, PICTURES_KEPT_BYTES_MAX, PICTURES_KEPT_MS, RUN_PEOPLE_KEPT_MS};
use reconcile::PersonId;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use std::collections::BTreeSet;

impl History for SqlStore {
    fn start_run<'a>(&'a self, start: &'a RunStart) -> Reply<'a, RunId> {
        step("start_run", async move {
            let mut tx = self.begin().await?;
            let directory = start.directory;
            let row = sqlx::query("SELECT name FROM directory WHERE id = $1").bind(directory.0);
            let row = row.fetch_optional(&mut *tx).await?;
            let row = row.ok_or_else(|| Error::missing("directory", directory))?;
            let name: &str = row.try_get("name")?;
            if !self.holds_lease(&mut tx, directory, &start.holder).await? {
                return Err(Error::LeaseLost(name.to_owned()));
            }
            bury_the_dead(&mut tx, directory, start.started_ms).await?;
            let id = next_ids(&mut tx, "run", 1).await?;
            sqlx::query("INSERT INTO run VALUES ($1, $2, $3, $4, $5, NULL, $6, NULL, 'null', $7, NULL)")
                .bind(id)
                .bind(directory.0)
                .bind(name)
                .bind(start.trigger.as_str())
                .bind(start.started_ms)
                .bind(Outcome::Running.as_str())
                .bind(&*start.holder)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(RunId(id))
        })
    }

    fn note_progress<'a>(&'a self, run: RunId, progress: &'a RunProgress) -> Reply<'a, ()> {
        Box::pin(async move {
            sqlx::query("UPDATE run SET progress = $1 WHERE id = $2 AND outcome = 'running'")
                .bind(json(progress))
                .bind(run.0)
                .execute(&self.pool)
                .await?;
            Ok(())
        })
    }

    fn note_run<'a>(&'a self, run: RunId, note: &'a RunNote) -> Reply<'a, ()> {
        step("note_run", async move {
            let mut tx = self.begin().await?;
            let done = sqlx::query(
                "UPDATE run SET outcome = $1, ended_ms = $2, plan_hash = $3, report = $4, progress = NULL \
                 WHERE id = $5",
            )
            .bind(note.outcome.as_str())
            .bind(note.ended_ms)
            .bind(note.plan_hash.as_deref())
            .bind(json(&note.report))
            .bind(run.0)
            .execute(&mut *tx)
            .await?;
            if done.rows_affected() == 0 {
                return Err(Error::missing("run", run));
            }
            if note.outcome == Outcome::Done {
                sqlx::query(
                    "UPDATE directory SET ran_before = 1 \
                     WHERE id = (SELECT directory FROM run WHERE id = $1)",
                )
                .bind(run.0)
                .execute(&mut *tx)
                .await?;
            }
            Ok(tx.commit().await?)
        })
    }

    fn runs(&self, directory: Option<DirectoryId>, limit: u32, offset: u32) -> Reply<'_, Vec<RunRow>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT * FROM run WHERE ($1 = 0 OR directory = $1) ORDER BY id DESC LIMIT $2 OFFSET $3",
            )
            .bind(directory.map_or(0, |directory| directory.0))
            .bind(i64::from(limit))
            .bind(i64::from(offset))
            .fetch_all(&self.pool)
            .await?;
            rows.iter().map(run_row).collect()
        })
    }

    fn run(&self, run: RunId) -> Reply<'_, Option<RunRow>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT * FROM run WHERE id = $1").bind(run.0);
            row.fetch_optional(&self.pool).await?.as_ref().map(run_row).transpose()
        })
    }

    fn add_run_people<'a>(&'a self, run: RunId, people: &'a [RunPerson]) -> Reply<'a, ()> {
        step("add_run_people", async move {
            let mut tx = self.begin().await?;
            let row = sqlx::query(
                "SELECT directory, (SELECT coalesce(max(seq), 0) FROM run_person WHERE run = $1) AS last \
                 FROM run WHERE id = $1",
            );
            let row = row.bind(run.0).fetch_optional(&mut *tx).await?;
            let row = row.ok_or_else(|| Error::missing("run", run))?;
            let (directory, last): (i64, i64) = (row.try_get("directory")?, row.try_get("last")?);
            for (seq, person) in (last + 1..).zip(people) {
                add_person(&mut tx, run, seq, directory, person).await?;
            }
            listed::seen(&mut tx, run.0, last).await?;
            Ok(tx.commit().await?)
        })
    }

    fn run_people(&self, run: RunId, limit: u32, offset: u32) -> Reply<'_, Vec<RunPerson>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT * FROM run_person WHERE run = $1 ORDER BY seq LIMIT $2 OFFSET $3")
                .bind(run.0)
                .bind(i64::from(limit))
                .bind(i64::from(offset))
                .fetch_all(&self.pool)
                .await?;
            rows.iter().map(run_person).collect()
        })
    }

    fn latest_people(&self, directory: DirectoryId) -> Reply<'_, Vec<(RunId, RunPerson)>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT run_person.* FROM run_person JOIN (SELECT person, max(run) AS run FROM run_person \
                 WHERE directory = $1 GROUP BY person) AS newest \
                 ON newest.person = run_person.person AND newest.run = run_person.run \
                 WHERE run_person.directory = $1 ORDER BY run_person.run, run_person.seq",
            );
            let rows = rows.bind(directory.0).fetch_all(&self.pool).await?;
            let read = |row: &AnyRow| Ok((RunId(row.try_get("run")?), run_person(row)?));
            let mut people = rows.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
            people.sort_by(|a, b| a.1.person.cmp(&b.1.person));
            Ok(people)
        })
    }

    fn latest_person<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
    ) -> Reply<'a, Option<(RunId, RunPerson)>> {
        Box::pin(async move {
            let row = sqlx::query(
                "SELECT * FROM run_person WHERE directory = $1 AND person = $2 \
                 ORDER BY run DESC, seq DESC LIMIT 1",
            );
            let row = row.bind(directory.0).bind(person.as_str()).fetch_optional(&self.pool).await?;
            row.map(|row| Ok((RunId(row.try_get("run")?), run_person(&row)?))).transpose()
        })
    }

    fn journal<'a>(&'a self, rows: &'a [JournalRow]) -> Reply<'a, ()> {
        step("journal", async move {
            let mut tx = self.begin().await?;
            for run in rows.iter().map(|row| row.run).collect::<BTreeSet<_>>() {
                self.under_lease_of(&mut tx, run).await?;
            }
            for row in rows {
                journal::add(&mut tx, row).await?;
            }
            Ok(tx.commit().await?)
        })
    }

    fn settle<'a>(&'a self, run: RunId, seq: i64, settlement: &'a Settlement) -> Reply<'a, ()> {
        step("settle", async move { journal::settle(&self.pool, run, seq, settlement).await })
    }

    fn journal_of<'a>(&'a self, of: &'a JournalOf) -> Reply<'a, Vec<JournalRow>> {
        Box::pin(async move { journal::read(&self.pool, of).await })
    }

    fn keep_picture<'a>(&'a self, picture: &'a Picture) -> Reply<'a, PictureId> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            let id = next_ids(&mut tx, "picture", 1).await?;
            sqlx::query("INSERT INTO picture VALUES ($1, $2, $3, $4, $5, $6)")
                .bind(id)
                .bind(picture.directory.0)
                .bind(picture.person.as_str())
                .bind(picture.taken_ms)
                .bind(i64::try_from(picture.bytes.len()).unwrap_or(i64::MAX))
                .bind(&*picture.bytes)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "DELETE FROM picture WHERE id IN (SELECT id FROM \
                 (SELECT id, sum(size) OVER (ORDER BY id DESC) AS total FROM picture) AS newest_first \
                 WHERE total > $1)",
            )
            .bind(i64::try_from(PICTURES_KEPT_BYTES_MAX).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(PictureId(id))
        })
    }

    fn picture(&self, id: PictureId) -> Reply<'_, Option<Picture>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT directory, person, taken_ms, bytes FROM picture WHERE id = $1");
            let Some(row) = row.bind(id.0).fetch_optional(&self.pool).await? else { return Ok(None) };
            Ok(Some(Picture {
                directory: DirectoryId(row.try_get("directory")?),
                person: PersonId::new(row.try_get::<&str, _>("person")?),
                taken_ms: row.try_get("taken_ms")?,
                bytes: row.try_get("bytes")?,
            }))
        })
    }

    fn prune(&self, now_ms: i64) -> Reply<'_, Forgotten> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            let forgotten = Forgotten {
                pictures: delete(
                    &mut tx,
                    "DELETE FROM picture WHERE taken_ms < $1",
                    now_ms - PICTURES_KEPT_MS,
                )
                .await?,
                run_people: delete(
                    &mut tx,
                    "DELETE FROM run_person WHERE run IN (SELECT id FROM run WHERE started_ms < $1) \
                     AND EXISTS (SELECT 1 FROM run_person AS later WHERE later.run > run_person.run \
                     AND later.directory = run_person.directory AND later.person = run_person.person)",
                    now_ms - RUN_PEOPLE_KEPT_MS,
                )
                .await?,
                journal: delete(
                    &mut tx,
                    "DELETE FROM journal WHERE state NOT IN ('intended', 'unknown') \
                     AND run IN (SELECT id FROM run WHERE started_ms < $1)",
                    now_ms - HISTORY_KEPT_MS,
                )
                .await?,
                // A run goes when nothing tells of it any more; its touches
                // go with it.
                runs: delete(
                    &mut tx,
                    "DELETE FROM run WHERE started_ms < $1 AND ended_ms IS NOT NULL \
                     AND NOT EXISTS (SELECT 1 FROM run_person WHERE run_person.run = run.id) \
                     AND NOT EXISTS (SELECT 1 FROM journal WHERE journal.run = run.id)",
                    now_ms - RUN_PEOPLE_KEPT_MS,
                )
                .await?,
            };
            tx.commit().await?;
            Ok(forgotten)
        })
    }
}

/// Whoever starts a run holds the lease: one that still says "running" was
/// killed.
async fn bury_the_dead(
    connection: &mut AnyConnection,
    directory: DirectoryId,
    now_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE run SET outcome = $1, ended_ms = $2, report = $3, progress = NULL \
         WHERE directory = $4 AND outcome = 'running'",
    )
    .bind(Outcome::Interrupted.as_str())
    .bind(now_ms)
    .bind(json(&interrupted()))
    .bind(directory.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(connection: &mut AnyConnection, sql: &'static str, before_ms: i64) -> Result<u64, Error> {
    Ok(sqlx::query(sql).bind(before_ms).execute(connection).await?.rows_affected())
}

async fn add_person(
    connection: &mut AnyConnection,
    run: RunId,
    seq: i64,
    directory: i64,
    person: &RunPerson,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO run_person VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
        .bind(run.0)
        .bind(seq)
        .bind(directory)
        .bind(person.person.as_str())
        .bind(person.employee.map(employee_number))
        .bind(&*person.name)
        .bind(&*person.extension)
        .bind(person.status.as_str())
        .bind(person.updated.as_str())
        .bind(json(&person.changes))
        .bind(&*person.reason)
        .bind(searched([&*person.name, &*person.extension]))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) fn run_person(row: &AnyRow) -> Result<RunPerson, Error> {
    Ok(RunPerson {
        person: PersonId::new(row.try_get::<&str, _>("person")?),
        employee: employee_of(row)?,
        name: row.try_get("name")?,
        extension: row.try_get("extension")?,
        status: word(row, "status")?,
        updated: word(row, "updated")?,
        changes: parsed(row, "changes")?,
        reason: row.try_get("reason")?,
    })
}

pub(super) fn run_row(row: &AnyRow) -> Result<RunRow, Error> {
    Ok(RunRow {
        id: RunId(row.try_get("id")?),
        directory: DirectoryId(row.try_get("directory")?),
        directory_name: row.try_get("directory_name")?,
        trigger: word(row, "started_by")?,
        started_ms: row.try_get("started_ms")?,
        ended_ms: row.try_get("ended_ms")?,
        outcome: word(row, "outcome")?,
        plan_hash: row.try_get("plan_hash")?,
        report: parsed(row, "report")?,
        holder: row.try_get("holder")?,
        progress: row
            .try_get::<Option<&str>, _>("progress")?
            .map(|text| from_json("progress", text))
            .transpose()?,
    })
}
