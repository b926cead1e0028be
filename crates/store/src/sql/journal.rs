//! The journal, on a database.

use super::{employee_number, employee_of, json, parsed, word};
use crate::PERSON_HISTORY_ROWS_MAX;
use crate::error::Error;
use crate::history::{JournalOf, JournalRow, Settlement};
use crate::rows::{DirectoryId, PictureId, RunId};
use reconcile::PersonId;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

pub(super) async fn add(connection: &mut AnyConnection, row: &JournalRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO journal VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(row.run.0)
    .bind(row.seq)
    .bind(row.directory.0)
    .bind(row.at_ms)
    .bind(row.person.as_str())
    .bind(row.employee.map(employee_number))
    .bind(row.side.as_str())
    .bind(row.what.as_str())
    .bind(&*row.cause)
    .bind(json(&row.before))
    .bind(json(&row.after))
    .bind(row.state.as_str())
    .bind(row.reserved_number.as_deref())
    .bind(row.fingerprint.as_deref())
    .bind(row.picture.map(|picture| picture.0))
    .execute(connection)
    .await
    .map_err(|error| match Error::from(error) {
        error if error.is_double() => Error::StepTaken { run: row.run, seq: row.seq },
        error => error,
    })?;
    Ok(())
}

pub(super) async fn settle(
    pool: &AnyPool,
    run: RunId,
    seq: i64,
    settlement: &Settlement,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE journal SET state = $1, value_after = coalesce($2, value_after), \
         employee = coalesce($3, employee) WHERE run = $4 AND seq = $5",
    )
    .bind(settlement.state.as_str())
    .bind(settlement.after.as_ref().map(json))
    .bind(settlement.employee.map(employee_number))
    .bind(run.0)
    .bind(seq)
    .execute(pool)
    .await?;
    if done.rows_affected() == 0 {
        Err(Error::missing("step", format!("{seq} of run {run}")))
    } else {
        Ok(())
    }
}

pub(super) async fn read(pool: &AnyPool, of: &JournalOf) -> Result<Vec<JournalRow>, Error> {
    let query = match of {
        JournalOf::Run(run) => sqlx::query("SELECT * FROM journal WHERE run = $1 ORDER BY seq").bind(run.0),
        JournalOf::Step(run, seq) => {
            sqlx::query("SELECT * FROM journal WHERE run = $1 AND seq = $2").bind(run.0).bind(*seq)
        }
        JournalOf::Person(directory, person) => sqlx::query(
            "SELECT * FROM journal WHERE directory = $1 AND person = $2 \
             ORDER BY run DESC, seq DESC LIMIT $3",
        )
        .bind(directory.0)
        .bind(person.as_str())
        .bind(i64::try_from(PERSON_HISTORY_ROWS_MAX).unwrap_or(i64::MAX)),
        JournalOf::Unfinished(directory) => sqlx::query(
            "SELECT * FROM journal WHERE directory = $1 AND state IN ('intended', 'unknown') \
             ORDER BY run, seq",
        )
        .bind(directory.0),
    };
    query.fetch_all(pool).await?.iter().map(journal_row).collect()
}

pub(super) fn journal_row(row: &AnyRow) -> Result<JournalRow, Error> {
    Ok(JournalRow {
        run: RunId(row.try_get("run")?),
        seq: row.try_get("seq")?,
        directory: DirectoryId(row.try_get("directory")?),
        at_ms: row.try_get("at_ms")?,
        person: PersonId::new(row.try_get::<&str, _>("person")?),
        employee: employee_of(row)?,
        side: word(row, "side")?,
        what: word(row, "what")?,
        cause: row.try_get("cause")?,
        before: parsed(row, "value_before")?,
        after: parsed(row, "value_after")?,
        state: word(row, "state")?,
        reserved_number: row.try_get::<Option<String>, _>("reserved_number")?.map(Into::into),
        fingerprint: row.try_get::<Option<String>, _>("fingerprint")?.map(Into::into),
        picture: row.try_get::<Option<i64>, _>("picture")?.map(PictureId),
    })
}
