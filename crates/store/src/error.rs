//! What can go wrong with the store, in words for the administrator.

use crate::rows::{DirectoryId, RunId};
use reconcile::{EmployeeId, PersonId};
use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {doing} {}: {source}; the user Rollcall runs as must be able to", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },

    #[error("{} can be reached by other users; run: chmod {wanted} {}", path.display(), path.display())]
    TooOpen { path: PathBuf, wanted: &'static str },

    #[error("the path {} is not UTF-8; choose another state directory", .0.display())]
    Path(PathBuf),

    #[error("cannot open the database: {0}")]
    Open(#[source] sqlx::Error),

    #[error(
        "the database was written by a newer Rollcall (schema {found}, this one knows {known}); \
         install that version again, or restore a backup from before it"
    )]
    NewerSchema { found: i64, known: i64 },

    #[error(
        "the vault key {} is missing, but the database was sealed with one; restore the key from \
         your backup, or move the database away to start anew",
        .0.display()
    )]
    KeyMissing(PathBuf),

    #[error("the vault key {} is too short: it needs at least 32 bytes", .0.display())]
    KeyTooShort(PathBuf),

    #[error(
        "{0} cannot be unsealed: the vault key is not the one it was sealed with; \
         restore that key, or enter the secret again"
    )]
    WrongKey(String),

    #[error(
        "the database did not answer for too long: another process keeps it locked, or its server \
         is away; nothing was stored, try again"
    )]
    Busy,

    #[error("the disk of the database is full; nothing was stored, make room and try again")]
    DiskFull,

    #[error("the database may not be written; check who owns its file and whether the disk is read-only")]
    ReadOnly,

    #[error("{what} in the database cannot be read: {why}; restore a backup")]
    Damaged { what: &'static str, why: String },

    #[error(
        "the store is on PostgreSQL: back it up with pg_dump, and the file vault.key of the state \
         directory with it"
    )]
    NotInAFile,

    #[error("{} is no backup made by `rollcall backup`; it was left as it is", .0.display())]
    NoBackup(PathBuf),

    #[error("the backup {} is damaged: {why}; nothing was restored, take another one", path.display())]
    BackupDamaged { path: PathBuf, why: String },

    #[error("the backup {} was made by a newer Rollcall; install that version to restore it", path.display())]
    NewerBackup { path: PathBuf },

    #[error(
        "another process of Rollcall uses the state directory {}; wait for its run or stop the service, \
         then restore", .0.display()
    )]
    InUse(PathBuf),

    #[error(
        "a backup is being restored into {}, or that was interrupted; wait, or run `rollcall restore` again",
        .0.display()
    )]
    Restoring(PathBuf),

    #[error("there is a store in {} already; --force moves it aside, and nothing of it is deleted", .0.display())]
    NotEmpty(PathBuf),

    #[error(
        "the vault key of the service manager (credential rollcall-key) is not the one in the backup; \
         give the service that key, or restore from a shell and hand over the vault.key that appears"
    )]
    OtherKey,

    #[error("{person} is linked to employee {employee} already; that link has to end first")]
    PersonLinked { person: PersonId, employee: EmployeeId },

    #[error(
        "employee {employee} is linked to {person} of directory {directory} already; \
         that link has to end first"
    )]
    EmployeeLinked { employee: EmployeeId, directory: DirectoryId, person: PersonId },

    #[error("the name `{0}` is taken; choose another")]
    NameTaken(String),

    #[error(
        "people of `{0}` are linked to employees of its PBX; to use another PBX, \
         remove the directory and add it anew"
    )]
    PbxFixed(String),

    #[error("there is no {0}; it may have been removed meanwhile")]
    Missing(String),

    #[error("step {seq} of run {run} is in the journal already")]
    StepTaken { run: RunId, seq: i64 },

    #[error("the database refused: {0}")]
    Database(#[source] sqlx::Error),
}

impl Error {
    pub(crate) fn damaged(what: &'static str, why: impl ToString) -> Self {
        Error::Damaged { what, why: why.to_string() }
    }

    pub(crate) fn missing(what: &str, id: impl ToString) -> Self {
        Error::Missing(format!("{what} {}", id.to_string()))
    }

    /// Whether the database refused because such a row exists.
    pub(crate) fn is_double(&self) -> bool {
        matches!(self, Error::Database(sqlx::Error::Database(why)) if why.is_unique_violation())
    }

    /// Names what is gone, where the database refused a row because the one it
    /// belongs to is.
    pub(crate) fn or_missing(self, what: &str, id: impl ToString) -> Self {
        match self {
            Error::Database(sqlx::Error::Database(why)) if why.is_foreign_key_violation() => {
                Error::missing(what, id)
            }
            other => other,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::PoolTimedOut => return Error::Busy,
            sqlx::Error::Database(why) => why.code().unwrap_or_default().into_owned(),
            _ => return Error::Database(error),
        };
        // PostgreSQL has five characters; SQLite's low byte is the class.
        if code == "53100" {
            return Error::DiskFull;
        }
        let class = if code.len() < 5 { code.parse().unwrap_or(0) & 0xff } else { 0 };
        match class {
            5 | 6 => Error::Busy,
            8 => Error::ReadOnly,
            13 => Error::DiskFull,
            11 | 26 => Error::damaged("a page", error),
            _ => Error::Database(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Error;
    use sqlx::{AnyConnection, Connection};

    async fn refused(setup: &'static str, statement: &'static str) -> Error {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(setup).execute(&mut connection).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap_err().into()
    }

    #[tokio::test]
    async fn what_the_disk_does_is_told_from_what_we_do() {
        let table = "CREATE TABLE t (a bigint PRIMARY KEY); PRAGMA max_page_count = 3;";
        let full = refused(table, "INSERT INTO t VALUES (zeroblob(100000))").await;
        assert!(matches!(full, Error::DiskFull), "{full:?}");
        let read_only = refused("PRAGMA query_only = ON", "CREATE TABLE t (a bigint)").await;
        assert!(matches!(read_only, Error::ReadOnly), "{read_only:?}");
        let slip = refused(table, "INSERT INTO nowhere VALUES (1)").await;
        assert!(matches!(slip, Error::Database(_)), "{slip:?}");
        let double = refused(table, "INSERT INTO t VALUES (1), (1)").await;
        assert!(double.is_double(), "{double:?}");
    }

    #[tokio::test]
    async fn a_lock_that_is_not_given_up_is_busy() {
        sqlx::any::install_default_drivers();
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/t.db?mode=rwc", dir.path().display());
        let mut holder = AnyConnection::connect(&url).await.unwrap();
        let mut waiter = AnyConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
        sqlx::raw_sql("PRAGMA busy_timeout = 1").execute(&mut waiter).await.unwrap();
        let busy = Error::from(sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut waiter).await.unwrap_err());
        assert!(matches!(busy, Error::Busy), "{busy:?}");
    }
}
