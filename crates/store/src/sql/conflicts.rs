//! Conflicts, answers and quarantine, on a database.

use super::{SqlStore, field_text, from_json, json, next_ids, parsed, word};
use crate::ENDED_CONFLICTS_KEPT_MAX;
use crate::contract::{Conflicts, Reply};
use crate::dying::step;
use crate::error::Error;
use crate::folded::{conflict_searched, fold};
use crate::rows::{
    By, ConflictId, ConflictRow, ConflictState, ConflictsOf, DirectoryId, QuarantineRow, SyncedConflicts,
};
use crate::synced::{self, UNNUMBERED};
use reconcile::{Conflict, ConflictKind, Decision, Field, PersonId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use std::collections::BTreeSet;

impl Conflicts for SqlStore {
    fn sync_conflicts<'a>(
        &'a self,
        by: By,
        now_ms: i64,
        found: &'a [Conflict],
        judged: &'a BTreeSet<ConflictId>,
    ) -> Reply<'a, SyncedConflicts> {
        step("sync_conflicts", async move {
            let (mut tx, directory) = self.begin_by(by).await?;
            let live = live(&mut tx, ConflictsOf::Directory(directory)).await?;
            let decisions = decisions(&mut tx, directory).await?;
            let mut changed = synced::sync(directory, now_ms, &live, &decisions, found, judged);
            let new = changed.iter().filter(|row| row.id == UNNUMBERED).count();
            let first = if new > 0 { next_ids(&mut tx, "conflict", new).await? } else { 0 };
            let mut synced = SyncedConflicts::default();
            for (id, row) in (first..).zip(changed.iter_mut().filter(|row| row.id == UNNUMBERED)) {
                row.id = ConflictId(id);
                synced.opened.push(row.id);
            }
            for row in &changed {
                put_conflict(&mut tx, row).await?;
            }
            synced.ended.extend(changed.iter().filter(|row| !row.state.is_live()).map(|row| row.id));
            forget_ended(&mut tx, directory).await?;
            tx.commit().await?;
            Ok(synced)
        })
    }

    fn conflicts(&self, of: ConflictsOf) -> Reply<'_, Vec<ConflictRow>> {
        Box::pin(async move { live(&mut *self.pool.acquire().await?, of).await })
    }

    fn ended_conflicts<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
    ) -> Reply<'a, Vec<ConflictRow>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT * FROM conflict WHERE directory = $1 AND person = $2 AND ended_ms IS NOT NULL \
                 ORDER BY ended_ms DESC, id DESC",
            );
            let rows = rows.bind(directory.0).bind(person.as_str()).fetch_all(&self.pool).await?;
            rows.iter().map(conflict_row).collect()
        })
    }

    fn clear_conflicts(&self, of: ConflictsOf, now_ms: i64) -> Reply<'_, u64> {
        Box::pin(async move {
            let (directory, id) = wanted(of);
            let done = sqlx::query(
                "UPDATE conflict SET state = 'cleared', ended_ms = $1 \
                 WHERE ended_ms IS NULL AND ($2 = 0 OR directory = $2) AND ($3 = 0 OR id = $3)",
            );
            Ok(done.bind(now_ms).bind(directory).bind(id).execute(&self.pool).await?.rows_affected())
        })
    }

    fn put_decision<'a>(&'a self, directory: DirectoryId, decision: &'a Decision) -> Reply<'a, ()> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            let (person, field) = (decision.person.as_str(), field_text(decision.field));
            sqlx::query(
                "INSERT INTO decision VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (directory, person, kind, field) \
                 DO UPDATE SET at_ms = excluded.at_ms, body = excluded.body",
            )
            .bind(directory.0)
            .bind(person)
            .bind(decision.kind.as_str())
            .bind(field)
            .bind(decision.at_ms)
            .bind(json(decision))
            .execute(&mut *tx)
            .await
            .map_err(|error| Error::from(error).or_missing("directory", directory))?;
            if synced::silences(&decision.answer) {
                sqlx::query(
                    "UPDATE conflict SET state = 'silenced' WHERE directory = $1 AND person = $2 \
                     AND kind = $3 AND field = $4 AND stands_on = $5 AND ended_ms IS NULL",
                )
                .bind(directory.0)
                .bind(person)
                .bind(decision.kind.as_str())
                .bind(field)
                .bind(&*decision.stands_on)
                .execute(&mut *tx)
                .await?;
            }
            Ok(tx.commit().await?)
        })
    }

    fn decisions(&self, directory: DirectoryId) -> Reply<'_, Vec<Decision>> {
        Box::pin(async move { decisions(&mut *self.pool.acquire().await?, directory).await })
    }

    fn remove_decision<'a>(
        &'a self,
        directory: DirectoryId,
        person: &'a PersonId,
        kind: ConflictKind,
        field: Option<Field>,
    ) -> Reply<'a, bool> {
        Box::pin(async move {
            let done = sqlx::query(
                "DELETE FROM decision WHERE directory = $1 AND person = $2 AND kind = $3 AND field = $4",
            )
            .bind(directory.0)
            .bind(person.as_str())
            .bind(kind.as_str())
            .bind(field_text(field))
            .execute(&self.pool)
            .await?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn quarantine(&self, directory: DirectoryId) -> Reply<'_, Vec<QuarantineRow>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT body FROM quarantine WHERE directory = $1");
            let rows = rows.bind(directory.0).fetch_all(&self.pool).await?;
            let parse = |row: &AnyRow| parsed::<QuarantineRow>(row, "body");
            let mut rows = rows.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
            rows.sort_by(|a, b| (&a.person, a.field).cmp(&(&b.person, b.field)));
            Ok(rows)
        })
    }

    fn change_quarantine<'a>(
        &'a self,
        by: By,
        lift: &'a [(PersonId, Option<Field>)],
        put: &'a [QuarantineRow],
    ) -> Reply<'a, ()> {
        step("change_quarantine", async move {
            let (mut tx, directory) = self.begin_by(by).await?;
            for (person, field) in lift {
                sqlx::query("DELETE FROM quarantine WHERE directory = $1 AND person = $2 AND field = $3")
                    .bind(directory.0)
                    .bind(person.as_str())
                    .bind(field_text(*field))
                    .execute(&mut *tx)
                    .await?;
            }
            for row in put {
                sqlx::query(
                    "INSERT INTO quarantine VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (directory, person, field) DO UPDATE SET body = excluded.body",
                )
                .bind(directory.0)
                .bind(row.person.as_str())
                .bind(field_text(row.field))
                .bind(json(row))
                .execute(&mut *tx)
                .await
                .map_err(|error| Error::from(error).or_missing("directory", directory))?;
            }
            Ok(tx.commit().await?)
        })
    }
}

async fn live(connection: &mut AnyConnection, of: ConflictsOf) -> Result<Vec<ConflictRow>, Error> {
    let (directory, id) = wanted(of);
    let rows = sqlx::query(
        "SELECT * FROM conflict WHERE ended_ms IS NULL \
         AND ($1 = 0 OR directory = $1) AND ($2 = 0 OR id = $2) ORDER BY id",
    );
    let rows = rows.bind(directory).bind(id).fetch_all(connection).await?;
    rows.iter().map(conflict_row).collect()
}

/// Directory and id; 0, which no row has, stands for any.
const fn wanted(of: ConflictsOf) -> (i64, i64) {
    match of {
        ConflictsOf::Everybody => (0, 0),
        ConflictsOf::Directory(directory) => (directory.0, 0),
        ConflictsOf::One(id) => (0, id.0),
    }
}

async fn decisions(connection: &mut AnyConnection, directory: DirectoryId) -> Result<Vec<Decision>, Error> {
    let rows = sqlx::query("SELECT body FROM decision WHERE directory = $1");
    let rows = rows.bind(directory.0).fetch_all(connection).await?;
    let parse = |row: &AnyRow| parsed::<Decision>(row, "body");
    let mut rows = rows.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(synced::age);
    Ok(rows)
}

async fn put_conflict(connection: &mut AnyConnection, row: &ConflictRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO conflict VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (id) DO UPDATE SET stands_on = excluded.stands_on, body = excluded.body, \
         last_seen_ms = excluded.last_seen_ms, seen = excluded.seen, state = excluded.state, \
         ended_ms = excluded.ended_ms, name_key = excluded.name_key, search = excluded.search",
    )
    .bind(row.id.0)
    .bind(row.directory.0)
    .bind(row.conflict.person.as_str())
    .bind(row.conflict.kind.as_str())
    .bind(field_text(row.conflict.field))
    .bind(&*row.conflict.stands_on)
    .bind(json(&row.conflict))
    .bind(row.first_seen_ms)
    .bind(row.last_seen_ms)
    .bind(row.count)
    .bind(row.state.as_str())
    .bind(row.ended_ms)
    .bind(fold(&row.conflict.name).into_bytes())
    .bind(conflict_searched(&row.conflict))
    .execute(connection)
    .await
    .map_err(|error| Error::from(error).or_missing("directory", row.directory))?;
    Ok(())
}

async fn forget_ended(connection: &mut AnyConnection, directory: DirectoryId) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM conflict WHERE id IN (SELECT id FROM conflict WHERE directory = $1 \
         AND ended_ms IS NOT NULL ORDER BY ended_ms DESC, id DESC LIMIT $2 OFFSET $3)",
    )
    .bind(directory.0)
    .bind(i64::MAX)
    .bind(i64::try_from(ENDED_CONFLICTS_KEPT_MAX).unwrap_or(i64::MAX))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) fn conflict_row(row: &AnyRow) -> Result<ConflictRow, Error> {
    Ok(ConflictRow {
        id: ConflictId(row.try_get("id")?),
        directory: DirectoryId(row.try_get("directory")?),
        conflict: from_json("a conflict", row.try_get("body")?)?,
        first_seen_ms: row.try_get("first_seen_ms")?,
        last_seen_ms: row.try_get("last_seen_ms")?,
        count: row.try_get("seen")?,
        state: word::<ConflictState>(row, "state")?,
        ended_ms: row.try_get("ended_ms")?,
    })
}
