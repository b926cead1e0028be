//! PBXes, directories, secrets and small things, on a database.

use super::{SqlStore, json, next_ids, parsed};
use crate::contract::{Reply, Settings};
use crate::dying::step;
use crate::error::Error;
use crate::rows::{By, DirectoryId, DirectoryRow, PbxId, PbxRow, SecretOf};
use reconcile::canonical::Fingerprinter;
use secrecy::{ExposeSecret, SecretString};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

impl Settings for SqlStore {
    fn put_pbx<'a>(&'a self, row: &'a PbxRow, secret: Option<&'a SecretString>) -> Reply<'a, ()> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            sqlx::query(
                "INSERT INTO pbx VALUES ($1, $2, $3) \
                 ON CONFLICT (id) DO UPDATE SET name = excluded.name, settings = excluded.settings",
            )
            .bind(row.id.0)
            .bind(&*row.name)
            .bind(json(&row.settings))
            .execute(&mut *tx)
            .await
            .map_err(|error| name_taken(error, &row.name))?;
            self.put_secret(&mut tx, SecretOf::Pbx(row.id), secret).await?;
            Ok(tx.commit().await?)
        })
    }

    fn pbxes(&self) -> Reply<'_, Vec<PbxRow>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT id, name, settings FROM pbx ORDER BY id");
            let rows = rows.fetch_all(&self.pool).await?;
            rows.iter()
                .map(|row| {
                    let (id, name) = (PbxId(row.try_get("id")?), row.try_get("name")?);
                    Ok(PbxRow { id, name, settings: parsed(row, "settings")? })
                })
                .collect()
        })
    }

    fn put_directory<'a>(
        &'a self,
        row: &'a DirectoryRow,
        secret: Option<&'a SecretString>,
    ) -> Reply<'a, DirectoryId> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            let id = if row.id == DirectoryId::NEW {
                insert(&mut tx, row).await?
            } else {
                update(&mut tx, row).await?;
                row.id
            };
            self.put_secret(&mut tx, SecretOf::Directory(id), secret).await?;
            tx.commit().await?;
            Ok(id)
        })
    }

    fn directories(&self) -> Reply<'_, Vec<DirectoryRow>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT * FROM directory").fetch_all(&self.pool).await?;
            let mut rows = rows.iter().map(directory_row).collect::<Result<Vec<_>, Error>>()?;
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(rows)
        })
    }

    fn remove_directory(&self, directory: DirectoryId) -> Reply<'_, ()> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            // Links, conflicts, answers, quarantine and plans go by their
            // reference to the directory.
            sqlx::query("DELETE FROM directory WHERE id = $1").bind(directory.0).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM lease WHERE directory = $1").bind(directory.0).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM picture WHERE directory = $1")
                .bind(directory.0)
                .execute(&mut *tx)
                .await?;
            let owner = SecretOf::Directory(directory).to_string();
            sqlx::query("DELETE FROM secret WHERE owner = $1").bind(&*owner).execute(&mut *tx).await?;
            let names = format!("{owner}/%");
            sqlx::query("DELETE FROM meta WHERE name LIKE $1").bind(names).execute(&mut *tx).await?;
            Ok(tx.commit().await?)
        })
    }

    fn note_directory_read<'a>(&'a self, by: By, at_ms: i64, references: &'a [String]) -> Reply<'a, ()> {
        step("note_directory_read", async move {
            let (mut tx, directory) = self.begin_by(by).await?;
            let done =
                sqlx::query("UPDATE directory SET last_complete_ms = $1, referrals = $2 WHERE id = $3")
                    .bind(at_ms)
                    .bind(json(references))
                    .bind(directory.0)
                    .execute(&mut *tx)
                    .await?;
            found(done.rows_affected(), directory)?;
            Ok(tx.commit().await?)
        })
    }

    fn note_pbx_read(&self, by: By, at_ms: i64) -> Reply<'_, ()> {
        step("note_pbx_read", async move {
            let (mut tx, directory) = self.begin_by(by).await?;
            let done = sqlx::query("UPDATE directory SET pbx_complete_ms = $1 WHERE id = $2")
                .bind(at_ms)
                .bind(directory.0)
                .execute(&mut *tx)
                .await?;
            found(done.rows_affected(), directory)?;
            Ok(tx.commit().await?)
        })
    }

    fn secret(&self, of: SecretOf) -> Reply<'_, Option<SecretString>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT sealed FROM secret WHERE owner = $1").bind(of.to_string());
            let Some(row) = row.fetch_optional(&self.pool).await? else { return Ok(None) };
            let secret = self.vault.unseal(&place(of), row.try_get(0)?)?;
            let secret = std::str::from_utf8(&secret).map_err(|error| Error::damaged("a secret", error))?;
            Ok(Some(SecretString::from(secret)))
        })
    }

    fn meta<'a>(&'a self, name: &'a str) -> Reply<'a, Option<String>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(name);
            Ok(row.fetch_optional(&self.pool).await?.map(|row| row.try_get(0)).transpose()?)
        })
    }

    fn put_meta<'a>(&'a self, name: &'a str, value: Option<&'a str>) -> Reply<'a, ()> {
        step("put_meta", async move {
            let query = match value {
                Some(value) => sqlx::query(
                    "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                )
                .bind(name)
                .bind(value),
                None => sqlx::query("DELETE FROM meta WHERE name = $1").bind(name),
            };
            query.execute(&self.pool).await?;
            Ok(())
        })
    }

    fn swap_meta<'a>(&'a self, name: &'a str, was: Option<&'a str>, now: &'a str) -> Reply<'a, bool> {
        step("swap_meta", async move {
            let query = match was {
                Some(was) => sqlx::query("UPDATE meta SET value = $2 WHERE name = $1 AND value = $3")
                    .bind(name)
                    .bind(now)
                    .bind(was),
                None => sqlx::query("INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
                    .bind(name)
                    .bind(now),
            };
            Ok(query.execute(&self.pool).await?.rows_affected() > 0)
        })
    }

    fn metas<'a>(&'a self, prefix: &'a str) -> Reply<'a, Vec<(String, String)>> {
        Box::pin(async move {
            // LIKE would not tell cases apart on SQLite.
            let rows = sqlx::query("SELECT name, value FROM meta WHERE substr(name, 1, length($1)) = $1");
            let rows = rows.bind(prefix).fetch_all(&self.pool).await?;
            let read = |row: &AnyRow| Ok((row.try_get(0)?, row.try_get(1)?));
            let mut metas = rows.iter().map(read).collect::<Result<Vec<(String, String)>, Error>>()?;
            metas.sort();
            Ok(metas)
        })
    }

    fn remove_metas<'a>(&'a self, names: &'a [String]) -> Reply<'a, ()> {
        step("remove_metas", async move {
            let mut tx = self.begin().await?;
            for name in names {
                sqlx::query("DELETE FROM meta WHERE name = $1").bind(&**name).execute(&mut *tx).await?;
            }
            Ok(tx.commit().await?)
        })
    }

    fn fingerprinter(&self) -> Fingerprinter {
        self.fingerprinter.clone()
    }
}

impl SqlStore {
    async fn put_secret(
        &self,
        connection: &mut AnyConnection,
        of: SecretOf,
        secret: Option<&SecretString>,
    ) -> Result<(), Error> {
        let query = match secret.map(ExposeSecret::expose_secret) {
            None => return Ok(()),
            Some("") => sqlx::query("DELETE FROM secret WHERE owner = $1").bind(of.to_string()),
            Some(secret) => sqlx::query(
                "INSERT INTO secret VALUES ($1, $2) \
                 ON CONFLICT (owner) DO UPDATE SET sealed = excluded.sealed",
            )
            .bind(of.to_string())
            .bind(self.vault.seal(&place(of), secret.as_bytes())),
        };
        query.execute(connection).await?;
        Ok(())
    }
}

/// Table, row and column of a secret.
fn place(of: SecretOf) -> String {
    format!("secret/{of}/sealed")
}

async fn insert(connection: &mut AnyConnection, row: &DirectoryRow) -> Result<DirectoryId, Error> {
    let id = next_ids(connection, "directory", 1).await?;
    sqlx::query("INSERT INTO directory VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '[]', 0)")
        .bind(id)
        .bind(&*row.name)
        .bind(row.pbx.0)
        .bind(json(&row.settings))
        .bind(json(&row.policy))
        .bind(row.created_ms)
        .execute(connection)
        .await
        .map_err(|error| name_taken(error, &row.name).or_missing("PBX", row.pbx))?;
    Ok(DirectoryId(id))
}

async fn update(connection: &mut AnyConnection, row: &DirectoryRow) -> Result<(), Error> {
    let before = sqlx::query(
        "SELECT pbx, (SELECT count(*) FROM link WHERE directory = $1) AS links FROM directory WHERE id = $1",
    );
    let before = before.bind(row.id.0).fetch_optional(&mut *connection).await?;
    let before = before.ok_or_else(|| Error::missing("directory", row.id))?;
    let (pbx, links): (i64, i64) = (before.try_get("pbx")?, before.try_get("links")?);
    if pbx != row.pbx.0 && links > 0 {
        return Err(Error::PbxFixed(row.name.clone()));
    }
    sqlx::query("UPDATE directory SET name = $1, pbx = $2, settings = $3, policy = $4 WHERE id = $5")
        .bind(&*row.name)
        .bind(row.pbx.0)
        .bind(json(&row.settings))
        .bind(json(&row.policy))
        .bind(row.id.0)
        .execute(connection)
        .await
        .map_err(|error| name_taken(error, &row.name).or_missing("PBX", row.pbx))?;
    Ok(())
}

fn directory_row(row: &AnyRow) -> Result<DirectoryRow, Error> {
    Ok(DirectoryRow {
        id: DirectoryId(row.try_get("id")?),
        name: row.try_get("name")?,
        pbx: PbxId(row.try_get("pbx")?),
        settings: parsed(row, "settings")?,
        policy: parsed(row, "policy")?,
        created_ms: row.try_get("created_ms")?,
        last_complete_ms: row.try_get("last_complete_ms")?,
        pbx_complete_ms: row.try_get("pbx_complete_ms")?,
        references: parsed(row, "referrals")?,
        ran_before: row.try_get::<i64, _>("ran_before")? != 0,
    })
}

fn name_taken(error: sqlx::Error, name: &str) -> Error {
    match Error::from(error) {
        error if error.is_double() => Error::NameTaken(name.to_owned()),
        error => error,
    }
}

fn found(rows: u64, directory: DirectoryId) -> Result<(), Error> {
    if rows == 0 { Err(Error::missing("directory", directory)) } else { Ok(()) }
}
