//! Who may sign in: our own administrator, by password, and on demand
//! everybody who may sign in to the MikoPBX.

use crate::app::{App, Usage, pbx_settings};
use crate::limits;
use anyhow::{Result, anyhow};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::PbxId;
use tokio::sync::Semaphore;

const KEY: &str = "web/account";

static HASHES: Semaphore = Semaphore::const_new(limits::HASHES_MAX);

#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    /// Argon2id in the PHC format, salt and costs included.
    hash: String,
    /// Whether a login of the MikoPBX will do.
    pub by_pbx: bool,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account {}", self.name)
    }
}

/// Why somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Wrong,
    /// Too many wrong passwords from there; again in so many seconds.
    Throttled {
        wait_s: u64,
    },
}

impl Account {
    pub async fn of(app: &App) -> Result<Option<Account>> {
        let stored = app.store.meta(KEY).await?;
        Ok(stored.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// Sets name and password; what else was set stays.
    pub async fn set(app: &App, name: &str, password: &SecretString) -> Result<()> {
        let name = check(name, password)?;
        let mut salt = [0; 16];
        app.random.fill(&mut salt);
        let secret = password.clone();
        let hash = one_of_few(move || hash(&secret, &salt)).await?;
        let by_pbx = Account::of(app).await?.is_some_and(|account| account.by_pbx);
        Account { name, hash, by_pbx }.keep(app).await
    }

    pub async fn keep(&self, app: &App) -> Result<()> {
        Ok(app.store.put_meta(KEY, Some(&serde_json::to_string(self)?)).await?)
    }

    /// Whether this is the administrator. As long for a wrong name as for a
    /// wrong password.
    pub async fn is(&self, name: &str, password: &SecretString) -> Result<bool> {
        let (hash, secret) = (self.hash.clone(), password.clone());
        let right = one_of_few(move || verify(&hash, &secret)).await?;
        Ok(right && name.trim() == self.name)
    }
}

/// Whether the MikoPBX lets this login in.
pub async fn pbx_lets_in(app: &App, login: &str, password: &SecretString) -> Result<bool> {
    let settings = pbx_settings(&app.pbx_row(PbxId::DEFAULT).await?)?;
    let sign_in = pbx::SignIn::Login { login: login.trim().to_owned() };
    let settings = pbx::Settings { sign_in, ..settings };
    let pbx = match app.pbx_with(&settings, Some(password.clone())) {
        Ok(pbx) => pbx,
        Err(_) => return Ok(false),
    };
    Ok(pbx.signs_in().await?)
}

fn check(name: &str, password: &SecretString) -> Result<String> {
    let name = name.trim();
    let length = password.expose_secret().chars().count();
    let wrong = match () {
        () if name.is_empty() || name.chars().count() > limits::LOGIN_CHARS_MAX => {
            format!("a login has 1 to {} characters", limits::LOGIN_CHARS_MAX)
        }
        () if name.chars().any(char::is_control) => "a login has no control characters".to_owned(),
        () if !(limits::PASSWORD_CHARS_MIN..=limits::PASSWORD_CHARS_MAX).contains(&length) => format!(
            "a password has {} to {} characters",
            limits::PASSWORD_CHARS_MIN,
            limits::PASSWORD_CHARS_MAX
        ),
        () => return Ok(name.to_owned()),
    };
    Err(anyhow!(Usage(wrong)))
}

/// Hashing is made to be dear: many strangers who try at once wait for each
/// other, and runs go on meanwhile.
async fn one_of_few<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let turn = HASHES.acquire().await?;
    tokio::task::spawn_blocking(move || {
        let _until_done = turn;
        work()
    })
    .await?
}

fn hash(password: &SecretString, salt: &[u8]) -> Result<String> {
    let hash = Argon2::default().hash_password_with_salt(password.expose_secret().as_bytes(), salt);
    Ok(hash.map_err(|error| anyhow!("the password cannot be hashed: {error}"))?.to_string())
}

fn verify(hash: &str, password: &SecretString) -> Result<bool> {
    let hash = PasswordHash::new(hash).map_err(|error| anyhow!("the stored password is damaged: {error}"))?;
    Ok(Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
}
