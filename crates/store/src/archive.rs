//! The file of a backup: a line that says what it is, a line of JSON about it,
//! the vault key if it is kept, the database, and a checksum of all that.
//!
//! It is read from the front to the end and believed only once the checksum
//! was seen; nothing in it is larger than its own head says.

use crate::error::Error;
use crate::words::words;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The first line; the number is that of the format.
const MAGIC: &str = "rollcall backup ";
const FORMAT: u32 = 1;
/// The second line is a few hundred bytes; the first is shorter.
const LINE_BYTES_MAX: u64 = 4_096;
/// A key is 32 bytes in any spelling.
const KEY_BYTES_MAX: usize = 4_096;
const CHECKSUM_BYTES: u64 = 32;

/// What a backup says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupHead {
    pub made_ms: i64,
    /// The version of Rollcall that made it.
    pub version: String,
    /// The version of the database in it.
    pub schema: i64,
    pub key: BackupKey,
    key_bytes: usize,
    database_bytes: u64,
}

words! {
    /// What became of the vault key.
    pub enum BackupKey {
        Included = "included",
        /// It was asked for without.
        LeftOut = "left-out",
        /// The service manager keeps it: it is not ours to copy.
        Credential = "credential",
    }
}

/// A backup that is being read.
pub(crate) struct Archive {
    pub head: BackupHead,
    pub key: Option<Zeroizing<Vec<u8>>>,
    path: PathBuf,
    from: Hashed<BufReader<File>>,
}

/// Writes a backup; `head` needs no sizes.
pub(crate) fn write(
    to: impl Write,
    head: BackupHead,
    key: Option<&[u8]>,
    database: &mut File,
) -> io::Result<BackupHead> {
    let mut to = Hashed { inner: to, digest: Sha256::new() };
    let database_bytes = database.metadata()?.len();
    let key = key.unwrap_or_default();
    let head = BackupHead { key_bytes: key.len(), database_bytes, ..head };
    writeln!(to, "{MAGIC}{FORMAT}\n{}", serde_json::to_string(&head)?)?;
    to.write_all(key)?;
    let copied = io::copy(&mut database.take(database_bytes), &mut to)?;
    if copied != database_bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let Hashed { mut inner, digest } = to;
    inner.write_all(&digest.finalize())?;
    inner.flush()?;
    Ok(head)
}

impl BackupHead {
    pub(crate) fn new(made_ms: i64, version: &str, schema: i64, key: BackupKey) -> Self {
        BackupHead { made_ms, version: version.to_owned(), schema, key, key_bytes: 0, database_bytes: 0 }
    }
}

impl Archive {
    /// Reads what stands before the database.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| reading(path, source))?;
        let bytes = file.metadata().map_err(|source| reading(path, source))?.len();
        let mut from = Hashed { inner: BufReader::new(file), digest: Sha256::new() };
        let first = line(&mut from).map_err(|source| reading(path, source))?;
        let format = first.strip_prefix(MAGIC).and_then(|format| format.parse::<u32>().ok());
        let format = format.ok_or_else(|| Error::NoBackup(path.to_owned()))?;
        if format > FORMAT {
            return Err(Error::NewerBackup { path: path.to_owned() });
        }
        let damaged = |why: &str| Error::BackupDamaged { path: path.to_owned(), why: why.to_owned() };
        let head = line(&mut from).map_err(|source| reading(path, source))?;
        let head_bytes = (first.len() + head.len() + 2) as u64;
        let head: BackupHead = serde_json::from_str(&head).map_err(|_| damaged("its head cannot be read"))?;
        let rest = bytes.checked_sub(head_bytes + CHECKSUM_BYTES + head.key_bytes as u64);
        if head.key_bytes > KEY_BYTES_MAX || rest != Some(head.database_bytes) {
            return Err(damaged("it is cut short, or something stands behind its end"));
        }
        let mut key = Zeroizing::new(vec![0; head.key_bytes]);
        from.read_exact(&mut key).map_err(|source| reading(path, source))?;
        let key = (head.key == BackupKey::Included).then_some(key);
        Ok(Archive { head, key, path: path.to_owned(), from })
    }

    /// Writes the database to a file, and says whether all of it is as it was.
    pub(crate) fn unpack(mut self, to: &mut File) -> Result<(), Error> {
        let writing = |source| Error::File { doing: "restore", path: self.path.clone(), source };
        let mut database = (&mut self.from).take(self.head.database_bytes);
        let copied = io::copy(&mut database, to).map_err(writing)?;
        to.sync_all().map_err(writing)?;
        let Hashed { mut inner, digest } = self.from;
        let mut checksum = [0; CHECKSUM_BYTES as usize];
        inner.read_exact(&mut checksum).map_err(|source| reading(&self.path, source))?;
        if copied != self.head.database_bytes || checksum[..] != digest.finalize()[..] {
            let why = "its checksum is wrong".to_owned();
            return Err(Error::BackupDamaged { path: self.path, why });
        }
        Ok(())
    }
}

/// Whether a file is a backup, of whatever version; missing ones are not.
pub(crate) fn is_backup(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut start = Vec::new();
    let read = file.take(MAGIC.len() as u64).read_to_end(&mut start);
    read.is_ok() && start == MAGIC.as_bytes()
}

fn reading(path: &Path, source: io::Error) -> Error {
    Error::File { doing: "read", path: path.to_owned(), source }
}

/// A line without its end; what is longer than any of ours is cut.
fn line(from: &mut Hashed<BufReader<File>>) -> io::Result<String> {
    let mut line = Vec::new();
    from.inner.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    from.digest.update(&line);
    line.pop_if(|last| *last == b'\n');
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Whatever passes is digested.
struct Hashed<T> {
    inner: T,
    digest: Sha256,
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.digest.update(&bytes[..read]);
        Ok(read)
    }
}
