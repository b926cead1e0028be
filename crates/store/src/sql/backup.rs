//! Making a backup: a consistent copy beside whatever goes on, packed into one
//! file that is there whole or not at all.

use super::{Engine, SqlStore, known_schema};
use crate::archive::{self, BackupHead, BackupKey};
use crate::error::Error;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;
use zeroize::Zeroizing;

type Key = Option<Zeroizing<Vec<u8>>>;

impl SqlStore {
    /// Writes everything into `file`, in place of an older backup there. With
    /// `with_key` the vault key as well, unless the service manager keeps it.
    /// The file is then as secret as the state directory.
    pub async fn backup(
        &self,
        file: &Path,
        with_key: bool,
        made_ms: i64,
        version: &str,
    ) -> Result<BackupHead, Error> {
        if self.engine == Engine::Postgres {
            return Err(Error::NotInAFile);
        }
        if fs::symlink_metadata(file).is_ok() && !archive::is_backup(file) {
            return Err(Error::NoBackup(file.to_owned()));
        }
        let (kept, key) = self.key_to_keep(with_key)?;
        let draft = Draft::beside(file)?;
        let copy = draft.copy.to_str().ok_or_else(|| Error::Path(draft.copy.clone()))?;
        // One transaction of its own: runs go on meanwhile, and none shows in part.
        sqlx::query("VACUUM INTO $1").bind(copy).execute(&self.pool).await?;
        let head = BackupHead::new(made_ms, version, known_schema(), kept);
        let failed = |source| Error::File { doing: "write", path: file.to_owned(), source };
        let mut database = File::open(&draft.copy).map_err(failed)?;
        let head = archive::write(&draft.file, head, key.as_ref().map(|key| &key[..]), &mut database)
            .map_err(failed)?;
        draft.file.sync_all().map_err(failed)?;
        fs::rename(&draft.path, file).map_err(failed)?;
        File::open(directory_of(file)).and_then(|dir| dir.sync_all()).map_err(failed)?;
        Ok(head)
    }

    fn key_to_keep(&self, with_key: bool) -> Result<(BackupKey, Key), Error> {
        let Some(path) = &self.key_file else { return Ok((BackupKey::Credential, None)) };
        if !with_key {
            return Ok((BackupKey::LeftOut, None));
        }
        let key =
            fs::read(path).map_err(|source| Error::File { doing: "read", path: path.clone(), source })?;
        Ok((BackupKey::Included, Some(Zeroizing::new(key))))
    }
}

/// The files a backup grows in, beside the one it is to become and readable by
/// their owner only. What is left of them goes with this.
struct Draft {
    path: PathBuf,
    file: File,
    copy: PathBuf,
}

impl Draft {
    fn beside(file: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { doing: "write", path: file.to_owned(), source };
        let name = file.file_name().ok_or_else(|| failed(ErrorKind::IsADirectory.into()))?;
        let beside = |end: &str| {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}.{end}", process::id()));
            directory_of(file).join(hidden)
        };
        let create = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let (path, copy) = (beside("part"), beside("copy"));
        let draft = Draft { file: create(&path).map_err(failed)?, path, copy };
        // SQLite fills an empty file, and would make one for everybody to read.
        create(&draft.copy).map_err(failed)?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The first became the backup, where all went well.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(&self.copy);
    }
}

fn directory_of(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
