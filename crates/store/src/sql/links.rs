//! Links and held numbers, on a database.

use super::{SqlStore, employee_number, listed};
use crate::compact;
use crate::contract::{Links, Reply};
use crate::dying::step;
use crate::error::Error;
use crate::rows::{By, DirectoryId, HeldBy, HeldNumber, LinkedEmployee, PbxId};
use reconcile::{EmployeeId, Link, PersonId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

impl Links for SqlStore {
    fn links(&self, directory: DirectoryId) -> Reply<'_, Vec<Link>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT person, employee, name, body FROM link WHERE directory = $1")
                .bind(directory.0)
                .fetch_all(&self.pool)
                .await?;
            let mut links = rows.iter().map(link_of).collect::<Result<Vec<_>, Error>>()?;
            links.sort_by(|a, b| a.person.cmp(&b.person));
            Ok(links)
        })
    }

    fn link<'a>(&'a self, directory: DirectoryId, person: &'a PersonId) -> Reply<'a, Option<Link>> {
        Box::pin(async move {
            let row = sqlx::query(
                "SELECT person, employee, name, body FROM link WHERE directory = $1 AND person = $2",
            );
            let row = row.bind(directory.0).bind(person.as_str()).fetch_optional(&self.pool).await?;
            row.as_ref().map(link_of).transpose()
        })
    }

    fn linked_employees(&self, pbx: PbxId) -> Reply<'_, Vec<LinkedEmployee>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT employee, directory, person, name FROM link WHERE pbx = $1 ORDER BY employee",
            );
            let rows = rows.bind(pbx.0).fetch_all(&self.pool).await?;
            rows.iter()
                .map(|row| {
                    Ok(LinkedEmployee {
                        employee: EmployeeId(row.try_get::<i64, _>(0)?.cast_unsigned()),
                        directory: DirectoryId(row.try_get(1)?),
                        person: PersonId::new(row.try_get::<&str, _>(2)?),
                        name: row.try_get::<&str, _>(3)?.into(),
                    })
                })
                .collect()
        })
    }

    fn agree<'a>(&'a self, by: By, end: &'a [PersonId], put: &'a [Link]) -> Reply<'a, ()> {
        step("agree", async move {
            let (mut tx, directory) = self.begin_by(by).await?;
            let pbx = sqlx::query("SELECT pbx FROM directory WHERE id = $1").bind(directory.0);
            let pbx = pbx.fetch_optional(&mut *tx).await?;
            let pbx: i64 = pbx.ok_or_else(|| Error::missing("directory", directory))?.try_get(0)?;
            for person in end {
                sqlx::query("DELETE FROM link WHERE directory = $1 AND person = $2")
                    .bind(directory.0)
                    .bind(person.as_str())
                    .execute(&mut *tx)
                    .await?;
            }
            for link in put {
                if let Err(error) = put_link(&mut tx, directory, pbx, link).await {
                    // A failed transaction answers nothing any more.
                    tx.rollback().await?;
                    if error.is_double() {
                        return Err(self.whose(pbx, directory, link, put).await?.unwrap_or(error));
                    }
                    return Err(error);
                }
            }
            Ok(tx.commit().await?)
        })
    }

    fn release_number<'a>(&'a self, pbx: PbxId, number: &'a str, at_ms: i64) -> Reply<'a, ()> {
        step("release_number", async move {
            sqlx::query(
                "INSERT INTO released_number VALUES ($1, $2, $3) \
                 ON CONFLICT (pbx, number) DO UPDATE SET at_ms = excluded.at_ms",
            )
            .bind(pbx.0)
            .bind(number)
            .bind(at_ms)
            .execute(&self.pool)
            .await
            .map_err(|error| Error::from(error).or_missing("PBX", pbx))?;
            Ok(())
        })
    }

    fn held_numbers(&self, pbx: PbxId, since_ms: i64) -> Reply<'_, Vec<HeldNumber>> {
        Box::pin(async move {
            let resting =
                sqlx::query("SELECT number, at_ms FROM released_number WHERE pbx = $1 AND at_ms >= $2");
            let mut held = Vec::new();
            for row in resting.bind(pbx.0).bind(since_ms).fetch_all(&self.pool).await? {
                let number = row.try_get::<&str, _>(0)?.into();
                held.push(HeldNumber { number, by: HeldBy::Rest { at_ms: row.try_get(1)? } });
            }
            let promised = sqlx::query(
                "SELECT reserved_number, directory, person FROM journal \
                 WHERE state IN ('intended', 'unknown') AND reserved_number IS NOT NULL \
                 AND directory IN (SELECT id FROM directory WHERE pbx = $1)",
            );
            for row in promised.bind(pbx.0).fetch_all(&self.pool).await? {
                let number = row.try_get::<&str, _>(0)?.into();
                let (directory, person) = (DirectoryId(row.try_get(1)?), row.try_get::<&str, _>(2)?);
                held.push(HeldNumber {
                    number,
                    by: HeldBy::Action { directory, person: PersonId::new(person) },
                });
            }
            held.sort_by(|a, b| a.number.cmp(&b.number).then_with(|| a.by.cmp(&b.by)));
            Ok(held)
        })
    }
}

fn link_of(row: &AnyRow) -> Result<Link, Error> {
    compact::decode(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)
}

impl SqlStore {
    /// Says whose the employee is, after the database refused a second link.
    async fn whose(
        &self,
        pbx: i64,
        directory: DirectoryId,
        refused: &Link,
        put: &[Link],
    ) -> Result<Option<Error>, Error> {
        let employee = refused.employee;
        let linked = |directory, person| Error::EmployeeLinked { employee, directory, person };
        let row = sqlx::query("SELECT directory, person FROM link WHERE pbx = $1 AND employee = $2")
            .bind(pbx)
            .bind(employee_number(employee))
            .fetch_optional(&self.pool)
            .await?;
        if let Some(row) = row {
            let person = PersonId::new(row.try_get::<&str, _>("person")?);
            return Ok(Some(linked(DirectoryId(row.try_get("directory")?), person)));
        }
        // The other link was one of the same call, and is undone with it.
        let other = put.iter().find(|link| link.employee == employee && link.person != refused.person);
        Ok(other.map(|link| linked(directory, link.person.clone())))
    }
}

async fn put_link(
    connection: &mut AnyConnection,
    directory: DirectoryId,
    pbx: i64,
    link: &Link,
) -> Result<(), Error> {
    let done = sqlx::query(
        "INSERT INTO link VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (directory, person) DO UPDATE SET name = excluded.name, body = excluded.body \
         WHERE link.employee = excluded.employee",
    )
    .bind(directory.0)
    .bind(link.person.as_str())
    .bind(pbx)
    .bind(employee_number(link.employee))
    .bind(&*link.name)
    .bind(compact::encode(link))
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() > 0 {
        return listed::put(connection, directory.0, pbx, link).await;
    }
    let row = sqlx::query("SELECT employee FROM link WHERE directory = $1 AND person = $2")
        .bind(directory.0)
        .bind(link.person.as_str())
        .fetch_one(connection)
        .await?;
    let employee = EmployeeId(row.try_get::<i64, _>(0)?.cast_unsigned());
    Err(Error::PersonLinked { person: link.person.clone(), employee })
}
