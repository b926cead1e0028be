//! Reviewed plans, the lease and the guard's counts, on a database.

use super::{SqlStore, employee_number, json, word};
use crate::contract::{Coordination, Reply};
use crate::dying::step;
use crate::error::Error;
use crate::folded::searched;
use crate::lists::PlanPerson;
use crate::rows::{DirectoryId, Lease, PlanHead, PlanState, RunId, Touch};
use crate::{PLAN_PEOPLE_KEPT_MAX, PLANS_KEPT_MAX};
use reconcile::PersonId;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeSet;

impl Coordination for SqlStore {
    fn put_plan<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        made_ms: i64,
        body: &'a str,
    ) -> Reply<'a, ()> {
        step("put_plan", async move {
            let mut tx = self.begin().await?;
            sqlx::query(
                "INSERT INTO reviewed_plan VALUES ($1, $2, $3, 'pending', $4) \
                 ON CONFLICT (directory, hash) \
                 DO UPDATE SET made_ms = excluded.made_ms, state = excluded.state, body = excluded.body",
            )
            .bind(directory.0)
            .bind(hash)
            .bind(made_ms)
            .bind(body)
            .execute(&mut *tx)
            .await
            .map_err(|error| Error::from(error).or_missing("directory", directory))?;
            sqlx::query(
                "DELETE FROM reviewed_plan WHERE directory = $1 AND hash IN (SELECT hash FROM reviewed_plan \
                 WHERE directory = $1 ORDER BY made_ms DESC, hash LIMIT $2 OFFSET $3)",
            )
            .bind(directory.0)
            .bind(i64::MAX)
            .bind(i64::try_from(PLANS_KEPT_MAX).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await?;
            Ok(tx.commit().await?)
        })
    }

    fn put_plan_people<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        people: &'a [PlanPerson],
    ) -> Reply<'a, ()> {
        step("put_plan_people", async move {
            let mut tx = self.begin().await?;
            let plan = sqlx::query("SELECT 1 FROM reviewed_plan WHERE directory = $1 AND hash = $2");
            let plan = plan.bind(directory.0).bind(hash).fetch_optional(&mut *tx).await?;
            plan.ok_or_else(|| Error::missing("plan", hash))?;
            sqlx::query("DELETE FROM plan_person WHERE directory = $1 AND hash = $2")
                .bind(directory.0)
                .bind(hash)
                .execute(&mut *tx)
                .await?;
            for (seq, person) in (1_i64..).zip(people) {
                sqlx::query("INSERT INTO plan_person VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
                    .bind(directory.0)
                    .bind(hash)
                    .bind(seq)
                    .bind(person.person.as_str())
                    .bind(person.employee.map(employee_number))
                    .bind(&*person.name)
                    .bind(&*person.extension)
                    .bind(&*person.kind)
                    .bind(json(&person.changes))
                    .bind(&*person.reason)
                    .bind(searched([&*person.name, &*person.extension]))
                    .execute(&mut *tx)
                    .await?;
            }
            sqlx::query(
                "DELETE FROM plan_person WHERE directory = $1 AND hash IN (SELECT hash FROM reviewed_plan \
                 WHERE directory = $1 ORDER BY made_ms DESC, hash LIMIT $2 OFFSET $3)",
            )
            .bind(directory.0)
            .bind(i64::MAX)
            .bind(i64::try_from(PLAN_PEOPLE_KEPT_MAX).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await?;
            Ok(tx.commit().await?)
        })
    }

    fn plans(&self, directory: DirectoryId) -> Reply<'_, Vec<PlanHead>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT directory, hash, made_ms, state FROM reviewed_plan \
                 WHERE directory = $1 ORDER BY made_ms DESC, hash",
            );
            rows.bind(directory.0).fetch_all(&self.pool).await?.iter().map(plan_head).collect()
        })
    }

    fn plan<'a>(&'a self, directory: DirectoryId, hash: &'a str) -> Reply<'a, Option<(PlanHead, String)>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT * FROM reviewed_plan WHERE directory = $1 AND hash = $2");
            let row = row.bind(directory.0).bind(hash).fetch_optional(&self.pool).await?;
            row.map(|row| Ok((plan_head(&row)?, row.try_get("body")?))).transpose()
        })
    }

    fn settle_plan<'a>(&'a self, directory: DirectoryId, hash: &'a str, state: PlanState) -> Reply<'a, ()> {
        Box::pin(async move {
            let done = sqlx::query("UPDATE reviewed_plan SET state = $1 WHERE directory = $2 AND hash = $3")
                .bind(state.as_str())
                .bind(directory.0)
                .bind(hash)
                .execute(&self.pool)
                .await?;
            if done.rows_affected() == 0 { Err(Error::missing("plan", hash)) } else { Ok(()) }
        })
    }

    fn take_lease<'a>(
        &'a self,
        directory: DirectoryId,
        holder: &'a str,
        until_ms: i64,
        now_ms: i64,
    ) -> Reply<'a, Lease> {
        step("take_lease", async move {
            let mut tx = self.begin().await?;
            sqlx::query(
                "INSERT INTO lease VALUES ($1, $2, $3) ON CONFLICT (directory) \
                 DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms \
                 WHERE lease.until_ms <= $4 OR lease.holder = excluded.holder",
            )
            .bind(directory.0)
            .bind(holder)
            .bind(until_ms)
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
            // The statement above locked the row, or made it.
            let row = sqlx::query("SELECT holder, until_ms FROM lease WHERE directory = $1")
                .bind(directory.0)
                .fetch_one(&mut *tx)
                .await?;
            tx.commit().await?;
            let current: String = row.try_get("holder")?;
            Ok(if current == holder {
                Lease::Held
            } else {
                Lease::HeldBy { holder: current, until_ms: row.try_get("until_ms")? }
            })
        })
    }

    fn renew_lease<'a>(
        &'a self,
        directory: DirectoryId,
        holder: &'a str,
        until_ms: i64,
        now_ms: i64,
    ) -> Reply<'a, bool> {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE lease SET until_ms = $1 WHERE directory = $2 AND holder = $3 AND until_ms > $4",
            )
            .bind(until_ms)
            .bind(directory.0)
            .bind(holder)
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn release_lease<'a>(&'a self, directory: DirectoryId, holder: &'a str) -> Reply<'a, ()> {
        step("release_lease", async move {
            sqlx::query("DELETE FROM lease WHERE directory = $1 AND holder = $2")
                .bind(directory.0)
                .bind(holder)
                .execute(&self.pool)
                .await?;
            Ok(())
        })
    }

    fn lease_holder(&self, directory: DirectoryId, now_ms: i64) -> Reply<'_, Option<(String, i64)>> {
        Box::pin(async move {
            let row =
                sqlx::query("SELECT holder, until_ms FROM lease WHERE directory = $1 AND until_ms > $2");
            let row = row.bind(directory.0).bind(now_ms).fetch_optional(&self.pool).await?;
            row.map(|row| Ok((row.try_get("holder")?, row.try_get("until_ms")?))).transpose()
        })
    }

    fn touch<'a>(&'a self, run: RunId, touches: &'a [Touch]) -> Reply<'a, ()> {
        step("touch", async move {
            let mut tx = self.begin().await?;
            self.under_lease_of(&mut tx, run).await?;
            for touch in touches {
                sqlx::query(
                    "INSERT INTO touch VALUES ($1, $2, $3) ON CONFLICT (run, kind, person) DO NOTHING",
                )
                .bind(run.0)
                .bind(&*touch.kind)
                .bind(touch.person.as_str())
                .execute(&mut *tx)
                .await?;
            }
            Ok(tx.commit().await?)
        })
    }

    fn touched(&self, directory: DirectoryId, since_ms: i64) -> Reply<'_, BTreeSet<Touch>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT DISTINCT touch.kind, touch.person FROM touch JOIN run ON run.id = touch.run \
                 WHERE run.directory = $1 AND run.started_by = 'automatic' AND run.started_ms >= $2",
            );
            let rows = rows.bind(directory.0).bind(since_ms).fetch_all(&self.pool).await?;
            rows.iter()
                .map(|row| {
                    let person = PersonId::new(row.try_get::<&str, _>(1)?);
                    Ok(Touch { kind: row.try_get::<&str, _>(0)?.into(), person })
                })
                .collect()
        })
    }
}

fn plan_head(row: &AnyRow) -> Result<PlanHead, Error> {
    Ok(PlanHead {
        directory: DirectoryId(row.try_get("directory")?),
        hash: row.try_get("hash")?,
        made_ms: row.try_get("made_ms")?,
        state: word(row, "state")?,
    })
}
