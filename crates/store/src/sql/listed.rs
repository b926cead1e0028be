//! Keeps the table `listed` true: links as lists show, sort and search them. Fills
//! what lists rest on where there were none before.

use super::{employee_number, parsed};
use crate::compact;
use crate::error::Error;
use crate::folded::{Listed, conflict_searched, fold, searched};
use reconcile::{Conflict, Link};
use sqlx::{AnyConnection, Row};

/// Lists a link that was stored just now. Most that are stored look no
/// different: then no index is touched.
pub(super) async fn put(
    connection: &mut AnyConnection,
    directory: i64,
    pbx: i64,
    link: &Link,
) -> Result<(), Error> {
    let listed = Listed::of(link);
    sqlx::query(
        "INSERT INTO listed VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
         (SELECT coalesce(max(run), 0) FROM run_person WHERE directory = $3 AND person = $4), \
         (SELECT coalesce(max(seq), 0) FROM run_person WHERE directory = $3 AND person = $4 \
         AND run = (SELECT max(run) FROM run_person WHERE directory = $3 AND person = $4))) \
         ON CONFLICT (pbx, employee) DO UPDATE SET name = excluded.name, number = excluded.number, \
         email = excluded.email, mobile = excluded.mobile, state = excluded.state, \
         since_ms = excluded.since_ms, name_key = excluded.name_key, number_key = excluded.number_key, \
         email_key = excluded.email_key, search = excluded.search \
         WHERE (listed.name, listed.number, listed.email, listed.mobile, listed.state, listed.since_ms, \
         listed.search) <> (excluded.name, excluded.number, excluded.email, excluded.mobile, \
         excluded.state, excluded.since_ms, excluded.search)",
    )
    .bind(pbx)
    .bind(employee_number(link.employee))
    .bind(directory)
    .bind(link.person.as_str())
    .bind(&*link.name)
    .bind(listed.number)
    .bind(listed.email)
    .bind(listed.mobile)
    .bind(listed.state.as_str())
    .bind(listed.since_ms)
    .bind(listed.name_key)
    .bind(listed.number_key)
    .bind(listed.email_key)
    .bind(listed.search)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that the rows of a run behind `last` tell of their people.
pub(super) async fn seen(connection: &mut AnyConnection, run: i64, last: i64) -> Result<(), Error> {
    sqlx::query(
        "UPDATE listed SET run = $1, seq = newest.seq FROM \
         (SELECT link.pbx, link.employee, max(run_person.seq) AS seq FROM run_person JOIN link \
         ON link.directory = run_person.directory AND link.person = run_person.person \
         WHERE run_person.run = $1 AND run_person.seq > $2 GROUP BY link.pbx, link.employee) AS newest \
         WHERE listed.pbx = newest.pbx AND listed.employee = newest.employee AND listed.run <= $1",
    )
    .bind(run)
    .bind(last)
    .execute(connection)
    .await?;
    Ok(())
}

/// Everything that was stored before there were lists.
pub(super) async fn fill(connection: &mut AnyConnection) -> Result<(), Error> {
    fill_links(connection).await?;
    fill_run_people(connection).await?;
    fill_conflicts(connection).await
}

async fn fill_links(connection: &mut AnyConnection) -> Result<(), Error> {
    let rows = sqlx::query("SELECT directory, pbx, person, employee, name, body FROM link");
    for row in rows.fetch_all(&mut *connection).await? {
        let link = compact::decode(row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?)?;
        put(connection, row.try_get(0)?, row.try_get(1)?, &link).await?;
    }
    Ok(())
}

async fn fill_run_people(connection: &mut AnyConnection) -> Result<(), Error> {
    for run in sqlx::query("SELECT id FROM run").fetch_all(&mut *connection).await? {
        let run: i64 = run.try_get(0)?;
        let rows = sqlx::query("SELECT seq, name, extension FROM run_person WHERE run = $1").bind(run);
        for row in rows.fetch_all(&mut *connection).await? {
            sqlx::query("UPDATE run_person SET search = $1 WHERE run = $2 AND seq = $3")
                .bind(searched([row.try_get(1)?, row.try_get(2)?]))
                .bind(run)
                .bind(row.try_get::<i64, _>(0)?)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

async fn fill_conflicts(connection: &mut AnyConnection) -> Result<(), Error> {
    for row in sqlx::query("SELECT id, body FROM conflict").fetch_all(&mut *connection).await? {
        let conflict: Conflict = parsed(&row, "body")?;
        sqlx::query("UPDATE conflict SET name_key = $1, search = $2 WHERE id = $3")
            .bind(fold(&conflict.name).into_bytes())
            .bind(conflict_searched(&conflict))
            .bind(row.try_get::<i64, _>(0)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
