//! Secrets at rest: sealed with XChaCha20-Poly1305, each bound to its place so
//! that a sealed value copied to another row does not open there.

use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use effects::Random;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

pub(crate) const KEY_FILE: &str = "vault.key";
const CREDENTIAL: &str = "rollcall-key";
const KEY_BYTES_MIN: usize = 32;
const NONCE_BYTES: usize = 24;

pub struct Vault {
    cipher: XChaCha20Poly1305,
    random: Arc<dyn Random>,
}

impl Vault {
    /// Any 32 bytes or more will do as a key: raw, hexadecimal or base64, with
    /// or without a line end.
    pub fn new(key: &[u8], random: Arc<dyn Random>) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"rollcall vault 1\0");
        digest.update(key.trim_ascii());
        let key = Zeroizing::new(<[u8; 32]>::from(digest.finalize()));
        Vault { cipher: XChaCha20Poly1305::new((&*key).into()), random }
    }

    /// Finds the key: the service manager's credential, else the file in the
    /// state directory. `None` where there is neither.
    pub fn find(
        state_dir: &Path,
        credentials: Option<&Path>,
        random: &Arc<dyn Random>,
    ) -> Result<Option<Self>, Error> {
        let credential = credential(credentials);
        let own = state_dir.join(KEY_FILE);
        if credential.is_none() {
            refuse_open_file(&own)?;
        }
        let path = credential.unwrap_or(own);
        let key = match fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::File { doing: "read", path, source }),
        };
        if key.trim_ascii().len() < KEY_BYTES_MIN {
            return Err(Error::KeyTooShort(path));
        }
        Ok(Some(Vault::new(&key, random.clone())))
    }

    /// Whether the service manager keeps the key.
    pub fn is_credential(credentials: Option<&Path>) -> bool {
        credential(credentials).is_some()
    }

    /// Makes the key file. Of two processes that do so at once, one wins and
    /// both use its key.
    pub fn create(state_dir: &Path, random: &Arc<dyn Random>) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; KEY_BYTES_MIN]);
        random.fill(&mut *key);
        let path = state_dir.join(KEY_FILE);
        // A link appears whole or not at all, and never over an existing file.
        let draft = state_dir.join(format!(".{KEY_FILE}.{}", std::process::id()));
        let linked = write_private(&draft, &Zeroizing::new(STANDARD.encode(*key)))
            .and_then(|()| fs::hard_link(&draft, &path))
            .and_then(|()| fs::File::open(state_dir)?.sync_all());
        let removed = fs::remove_file(&draft);
        match linked.and(removed) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(source) => return Err(Error::File { doing: "write", path, source }),
        }
        Vault::find(state_dir, None, random)?.ok_or(Error::KeyMissing(path))
    }

    /// `place` names table, row and column; the same is needed to unseal.
    pub fn seal(&self, place: &str, secret: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; NONCE_BYTES];
        self.random.fill(&mut sealed);
        let nonce = XNonce::try_from(&sealed[..]).expect("the nonce is 24 bytes long");
        let payload = Payload { msg: secret, aad: place.as_bytes() };
        sealed.extend(self.cipher.encrypt(&nonce, payload).expect("the secret is shorter than 256 GiB"));
        sealed
    }

    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let wrong = || Error::WrongKey(place.to_owned());
        let (nonce, body) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(wrong)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| wrong())?;
        let payload = Payload { msg: body, aad: place.as_bytes() };
        self.cipher.decrypt(&nonce, payload).map(Zeroizing::new).map_err(|_| wrong())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

fn credential(credentials: Option<&Path>) -> Option<PathBuf> {
    credentials.map(|dir| dir.join(CREDENTIAL)).filter(|path| path.exists())
}

fn refuse_open_file(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            Err(Error::TooOpen { path: path.to_owned(), wanted: "0600" })
        }
        _ => Ok(()),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
