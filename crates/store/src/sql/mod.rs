//! The store on a database. The statements keep to what SQLite and PostgreSQL
//! have in common: `$1`, bigint, text and bytea, `ON CONFLICT`, no collations
//! (texts are sorted here, not there).

mod backup;
mod conflicts;
mod coordination;
mod fence;
mod history;
mod journal;
mod links;
mod listed;
mod lists;
mod page;
mod restore;
mod settings;

pub use restore::{OldStore, Restored};

use crate::error::Error;
use crate::vault::{KEY_FILE, Vault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use effects::Random;
use reconcile::canonical::Fingerprinter;
use reconcile::{EmployeeId, Field};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Row, Transaction};
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

const DATABASE_FILE: &str = "rollcall.db";
const CONNECTIONS_MAX: u32 = 4;
/// How long to wait for a connection, and so for another process's write.
const WAIT_MAX: Duration = Duration::from_secs(15);
/// Each is the schema of its number, counted from 1, and never changes again.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema-1.sql"), include_str!("schema-2.sql"), include_str!("schema-3.sql")];
/// The schema that brought the lists, which are filled from what was there before.
const LISTS: i64 = 2;
/// Any number will do, as long as nobody else locks the same one.
const MIGRATION_LOCK: i64 = 0x0072_6f6c_6c63_616c;
const FINGERPRINT_KEY: &str = "fingerprint-key";
const FINGERPRINT_PLACE: &str = "meta/fingerprint-key/value";
/// FULL: an intended step is on the disk before its effect is anywhere.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL";

pub struct SqlStore {
    pool: AnyPool,
    engine: Engine,
    vault: Vault,
    fingerprinter: Fingerprinter,
    /// Where the vault key is; none where the service manager keeps it.
    key_file: Option<PathBuf>,
    /// Nobody replaces the files of a store while somebody uses them.
    _in_use: Option<File>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

impl SqlStore {
    /// Opens, and makes where it is missing, the database file in the state
    /// directory. `credentials` is the service manager's credential directory.
    pub async fn open(
        state_dir: &Path,
        credentials: Option<&Path>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let directory = prepare_directory(state_dir)?;
        let busy = matches!(directory.try_lock_shared(), Err(TryLockError::WouldBlock));
        if busy || state_dir.join(restore::STAGE).exists() {
            return Err(Error::Restoring(state_dir.to_owned()));
        }
        let url = SecretString::from(sqlite_url(&prepare_file(state_dir)?)?);
        let store = SqlStore::connect(&url, state_dir, credentials, random).await?;
        Ok(SqlStore { _in_use: Some(directory), ..store })
    }

    /// Opens a database by its URL; the vault key is still in the state
    /// directory or the credentials.
    pub async fn connect(
        url: &SecretString,
        state_dir: &Path,
        credentials: Option<&Path>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let engine = match url.expose_secret().starts_with("sqlite:") {
            true => Engine::Sqlite,
            false => Engine::Postgres,
        };
        let url = url.expose_secret();
        // Not by the pool, which would try a hopeless one again and again.
        let mut first = AnyConnection::connect(url).await.map_err(|error| match Error::from(error) {
            Error::Database(error) => Error::Open(error),
            other => other,
        })?;
        migrate(&mut first, engine).await?;
        first.close().await?;
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(WAIT_MAX)
            .after_connect(move |connection, _| Box::pin(engine.set_up(connection)))
            .connect_lazy(url)?;
        let (vault, fingerprinter) = unlock(&pool, state_dir, credentials, &random).await?;
        let key_file = (!Vault::is_credential(credentials)).then(|| state_dir.join(KEY_FILE));
        Ok(SqlStore { pool, engine, vault, fingerprinter, key_file, _in_use: None })
    }

    /// Ends every connection. A store that is merely dropped does so too, but
    /// nobody knows when.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn begin(&self) -> Result<Transaction<'static, Any>, Error> {
        Ok(self.pool.begin_with(self.engine.begin()).await?)
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlStore on {:?}", self.engine)
    }
}

impl Engine {
    async fn set_up(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        if self == Engine::Sqlite {
            sqlx::raw_sql(SQLITE_SETUP).execute(connection).await?;
        }
        Ok(())
    }

    /// On SQLite a transaction takes the write lock at once: one that read
    /// first could not be upgraded after somebody else wrote.
    const fn begin(self) -> &'static str {
        match self {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        }
    }
}

async fn migrate(connection: &mut AnyConnection, engine: Engine) -> Result<(), Error> {
    engine.set_up(connection).await?;
    if engine == Engine::Sqlite {
        // Remembered in the file. Outside a transaction, or it is ignored.
        sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut *connection).await?;
    }
    let mut tx = connection.begin_with(engine.begin()).await?;
    if engine == Engine::Postgres {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK).execute(&mut *tx).await?;
    }
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS schema_version (version bigint NOT NULL)")
        .execute(&mut *tx)
        .await?;
    let row = sqlx::query("SELECT max(version) FROM schema_version").fetch_one(&mut *tx).await?;
    let found = row.try_get::<Option<i64>, _>(0)?.unwrap_or(0);
    for (known, statements) in (1..).zip(MIGRATIONS) {
        if known > found {
            sqlx::raw_sql(statements).execute(&mut *tx).await?;
            if known == LISTS {
                listed::fill(&mut tx).await?;
            }
            sqlx::query("INSERT INTO schema_version VALUES ($1)").bind(known).execute(&mut *tx).await?;
        }
    }
    tx.commit().await?;
    let known = known_schema();
    if found > known { Err(Error::NewerSchema { found, known }) } else { Ok(()) }
}

/// Finds or makes the vault key, and with it the fingerprint key; a wrong
/// vault key is noticed here, before anything relies on it.
async fn unlock(
    pool: &AnyPool,
    state_dir: &Path,
    credentials: Option<&Path>,
    random: &Arc<dyn Random>,
) -> Result<(Vault, Fingerprinter), Error> {
    let stored = async || -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(FINGERPRINT_KEY);
        Ok(row.fetch_optional(pool).await?.map(|row| row.try_get(0)).transpose()?)
    };
    let found = stored().await?;
    let vault = match Vault::find(state_dir, credentials, random)? {
        Some(vault) => vault,
        None if found.is_some() => return Err(Error::KeyMissing(state_dir.join(KEY_FILE))),
        None => Vault::create(state_dir, random)?,
    };
    if found.is_none() {
        let mut key = [0; 32];
        random.fill(&mut key);
        sqlx::query("INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(FINGERPRINT_KEY)
            .bind(STANDARD.encode(vault.seal(FINGERPRINT_PLACE, &key)))
            .execute(pool)
            .await?;
    }
    // Read back: another process may have been first.
    let sealed = stored().await?.ok_or_else(|| Error::missing("entry", FINGERPRINT_KEY))?;
    let sealed = STANDARD.decode(sealed).map_err(|error| Error::damaged("the fingerprint key", error))?;
    let key = vault.unseal(FINGERPRINT_PLACE, &sealed)?;
    let key = key.as_slice().try_into().map_err(|error| Error::damaged("the fingerprint key", error))?;
    Ok((vault, Fingerprinter::new(key)))
}

/// Makes the directory (0700), and opens it so that it can be locked.
fn prepare_directory(state_dir: &Path) -> Result<File, Error> {
    let failed = |doing| move |source| Error::File { doing, path: state_dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(state_dir).map_err(failed("create"))?;
    let directory = File::open(state_dir).map_err(failed("look into"))?;
    let found = directory.metadata().map_err(failed("look into"))?;
    if found.permissions().mode() & 0o022 != 0 {
        return Err(Error::TooOpen { path: state_dir.to_owned(), wanted: "0700" });
    }
    Ok(directory)
}

/// Makes the database file (0600); SQLite gives the files beside it the same mode.
fn prepare_file(state_dir: &Path) -> Result<PathBuf, Error> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { doing, path, source }
    };
    let path = state_dir.canonicalize().map_err(failed("look into", state_dir))?.join(DATABASE_FILE);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed("write", &path))?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(failed("protect", &path))?;
    Ok(path)
}

fn sqlite_url(path: &Path) -> Result<String, Error> {
    let path = path.to_str().ok_or_else(|| Error::Path(path.to_owned()))?;
    let escaped = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{escaped}?mode=rw"))
}

/// The newest schema this version knows.
pub fn known_schema() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The first of `count` new ids.
async fn next_ids(connection: &mut AnyConnection, counter: &'static str, count: usize) -> Result<i64, Error> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let row = sqlx::query("UPDATE counter SET last = last + $1 WHERE name = $2 RETURNING last")
        .bind(count)
        .bind(counter)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<i64, _>(0)? - count + 1)
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("our rows have only text keys, which JSON can hold")
}

fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::damaged(what, error))
}

/// A JSON column.
fn parsed<T: DeserializeOwned>(row: &AnyRow, column: &'static str) -> Result<T, Error> {
    from_json(column, row.try_get(column)?)
}

/// A column that holds a word of a closed set.
fn word<T: FromStr<Err = String>>(row: &AnyRow, column: &'static str) -> Result<T, Error> {
    row.try_get::<&str, _>(column)?.parse().map_err(|why| Error::damaged(column, why))
}

const fn field_text(field: Option<Field>) -> &'static str {
    match field {
        Some(field) => field.as_str(),
        None => "",
    }
}

const fn employee_number(employee: EmployeeId) -> i64 {
    employee.0.cast_signed()
}

fn employee_of(row: &AnyRow) -> Result<Option<EmployeeId>, Error> {
    let number: Option<i64> = row.try_get("employee")?;
    Ok(number.map(|number| EmployeeId(number.cast_unsigned())))
}
