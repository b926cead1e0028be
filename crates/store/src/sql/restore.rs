//! Putting a backup in the place of a store. It is unpacked and made ready in a
//! directory of its own inside the state directory, while nobody else may use
//! that; only then the old files move aside and the new ones in.
//!
//! What the copy knows is the past. What was under way then is not any more:
//! leases and runs end, plans waiting for a human are discarded, and somebody
//! has to look at a preview again before anything runs by itself.

use super::{
    DATABASE_FILE, FINGERPRINT_KEY, FINGERPRINT_PLACE, SqlStore, known_schema, prepare_directory, sqlite_url,
};
use crate::archive::{Archive, BackupHead};
use crate::contract::{Links, Settings};
use crate::error::Error;
use crate::rows::DirectoryRow;
use crate::vault::{KEY_FILE, Vault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use effects::Random;
use reconcile::{Field, FirstMeeting};
use sqlx::{AnyConnection, Connection, Row};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where a backup is made ready. While it is there, the store does not open.
pub(super) const STAGE: &str = "restoring";
/// The database and what SQLite keeps beside it, then the key.
const FILES: [&str; 4] = [DATABASE_FILE, "rollcall.db-wal", "rollcall.db-shm", KEY_FILE];

/// What to do with a store that is there already.
#[derive(Clone, Copy, Debug)]
pub enum OldStore<'a> {
    Refuse,
    /// Into a directory of this name inside the state directory.
    MoveAside(&'a str),
}

/// What became of a restore.
#[derive(Debug)]
pub struct Restored {
    pub head: BackupHead,
    /// Where the old store is.
    pub moved_to: Option<PathBuf>,
    /// Whether passwords and fingerprints could be taken over. Where not, every
    /// password has to be entered again, and SIP passwords that differ are asked about.
    pub unsealed: bool,
}

impl SqlStore {
    /// Puts a backup in the place of the store in `state_dir`.
    pub async fn restore(
        file: &Path,
        state_dir: &Path,
        credentials: Option<&Path>,
        old: OldStore<'_>,
        random: Arc<dyn Random>,
    ) -> Result<Restored, Error> {
        let archive = Archive::open(file)?;
        if archive.head.schema > known_schema() {
            return Err(Error::NewerBackup { path: file.to_owned() });
        }
        let lock = prepare_directory(state_dir)?;
        lock.try_lock().map_err(|_| Error::InUse(state_dir.to_owned()))?;
        let there = FILES.iter().any(|name| state_dir.join(name).exists());
        if there && matches!(old, OldStore::Refuse) {
            return Err(Error::NotEmpty(state_dir.to_owned()));
        }
        let stage = Stage::new(state_dir)?;
        let (head, key) = (archive.head.clone(), archive.key.clone());
        archive.unpack(&mut stage.create(DATABASE_FILE)?)?;
        let unsealed = stage.make_ready(head.made_ms, key, credentials, random).await?;
        let aside = match old {
            OldStore::MoveAside(name) if there => Some(state_dir.join(name)),
            _ => None,
        };
        stage.move_in(aside.as_deref())?;
        Ok(Restored { head, moved_to: aside, unsealed })
    }
}

/// The directory in which a backup is made ready.
struct Stage<'a> {
    state_dir: &'a Path,
    path: PathBuf,
    /// From here on it must not go before everything is in its place: it is what
    /// keeps others from making a new store in between.
    moving: bool,
}

impl<'a> Stage<'a> {
    /// Whatever an interrupted restore left there is a copy of a backup.
    fn new(state_dir: &'a Path) -> Result<Self, Error> {
        let path = state_dir.join(STAGE);
        let failed = |source| Error::File { doing: "write", path: path.clone(), source };
        if path.exists() {
            fs::remove_dir_all(&path).map_err(failed)?;
        }
        DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
        Ok(Stage { state_dir, path, moving: false })
    }

    fn create(&self, name: &str) -> Result<File, Error> {
        let path = self.path.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        file.map_err(|source| Error::File { doing: "write", path, source })
    }

    /// Ends what was under way and finds the key; whether there is one that opens.
    async fn make_ready(
        &self,
        made_ms: i64,
        key: Option<Zeroizing<Vec<u8>>>,
        credentials: Option<&Path>,
        random: Arc<dyn Random>,
    ) -> Result<bool, Error> {
        sqlx::any::install_default_drivers();
        let url = sqlite_url(&self.path.join(DATABASE_FILE))?;
        let mut database = AnyConnection::connect(&url).await?;
        end_what_was_under_way(&mut database, made_ms).await?;
        let unsealed = self.find_key(&mut database, key, credentials, &random).await?;
        if !unsealed {
            forget_what_is_sealed(&mut database).await?;
        }
        database.close().await?;
        // Opening it also brings an older schema up to date.
        let store = SqlStore::open(&self.path, credentials, random).await?;
        if !unsealed {
            for row in store.directories().await? {
                void_fingerprints(&store, row).await?;
            }
        }
        store.close().await;
        Ok(unsealed)
    }

    /// The service manager's key comes first, here as ever; then that of the
    /// backup, then the one that is there.
    async fn find_key(
        &self,
        database: &mut AnyConnection,
        key: Option<Zeroizing<Vec<u8>>>,
        credentials: Option<&Path>,
        random: &Arc<dyn Random>,
    ) -> Result<bool, Error> {
        let sealed = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(FINGERPRINT_KEY);
        let sealed: Option<String> =
            sealed.fetch_optional(database).await?.map(|row| row.try_get(0)).transpose()?;
        let sealed = sealed.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        let opens = |vault: &Vault| vault.unseal(FINGERPRINT_PLACE, &sealed).is_ok();
        if let Some(vault) = Vault::find(&self.path, credentials, random)? {
            return match opens(&vault) {
                false if key.is_some() => Err(Error::OtherKey),
                opens => Ok(opens),
            };
        }
        let own = || {
            let vault = Vault::find(self.state_dir, None, random).ok()??;
            let key = fs::read(self.state_dir.join(KEY_FILE)).ok()?;
            opens(&vault).then(|| Zeroizing::new(key))
        };
        let Some(key) = key.or_else(own) else { return Ok(false) };
        self.create(KEY_FILE)?.write_all(&key).map_err(|source| self.failed(source))?;
        Ok(true)
    }

    /// Everything is ready: from here on only names change.
    fn move_in(mut self, aside: Option<&Path>) -> Result<(), Error> {
        sync(&self.path)?;
        if let Some(aside) = aside {
            let made = DirBuilder::new().mode(0o700).create(aside);
            made.map_err(|source| Error::File { doing: "create", path: aside.to_owned(), source })?;
        }
        self.moving = true;
        if let Some(aside) = aside {
            move_all(self.state_dir, aside)?;
        }
        move_all(&self.path, self.state_dir)?;
        fs::remove_dir(&self.path).map_err(|source| self.failed(source))?;
        sync(self.state_dir)
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::File { doing: "write", path: self.path.clone(), source }
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if !self.moving {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

async fn end_what_was_under_way(database: &mut AnyConnection, made_ms: i64) -> Result<(), Error> {
    let runs = "UPDATE run SET outcome = 'interrupted', ended_ms = $1, report = $2 WHERE outcome = 'running'";
    let why = r#"{"error":"it ran while the backup was made that was restored later"}"#;
    sqlx::query(runs).bind(made_ms).bind(why).execute(&mut *database).await?;
    let others = "DELETE FROM lease; \
        UPDATE reviewed_plan SET state = 'discarded' WHERE state = 'pending'; \
        DELETE FROM meta WHERE name LIKE 'directory/%/looked'";
    sqlx::raw_sql(others).execute(database).await?;
    Ok(())
}

/// What nobody can open is of no use, and without it a new key can be made.
async fn forget_what_is_sealed(database: &mut AnyConnection) -> Result<(), Error> {
    let all = "DELETE FROM secret; DELETE FROM meta WHERE name = 'fingerprint-key'; \
        UPDATE journal SET fingerprint = NULL";
    sqlx::raw_sql(all).execute(database).await?;
    Ok(())
}

/// Fingerprints of SIP passwords mean nothing under another key: their pairs are
/// void, so both sides meet for the first time again. Which of them is right
/// where they differ, nobody knows any more; nothing may be overwritten unasked.
async fn void_fingerprints(store: &SqlStore, mut row: DirectoryRow) -> Result<(), Error> {
    let mut links = store.links(row.id).await?;
    for link in &mut links {
        link.pairs[Field::SipPassword] = None;
        link.directory[Field::SipPassword] = None;
        link.pbx[Field::SipPassword] = None;
        link.record_looked_ms = 0;
    }
    store.agree(row.id, &[], &links).await?;
    row.policy.fields[Field::SipPassword].first_meeting = FirstMeeting::Ask;
    store.put_directory(&row, None).await?;
    Ok(())
}

/// The files of a store, as far as they are there.
fn move_all(from: &Path, to: &Path) -> Result<(), Error> {
    for name in FILES {
        match fs::rename(from.join(name), to.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            moved => {
                moved.map_err(|source| Error::File { doing: "move", path: from.join(name), source })?;
            }
        }
    }
    sync(to)?;
    sync(from)
}

fn sync(dir: &Path) -> Result<(), Error> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|source| Error::File { doing: "write", path: dir.to_owned(), source })
}
