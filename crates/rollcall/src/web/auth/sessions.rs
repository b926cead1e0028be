//! Sessions: a random key in the browser, its digest in the store.

use crate::app::App;
use crate::limits;
use anyhow::Result;
use effects::Random;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use store::DirectoryId;

const PREFIX: &str = "web/session/";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// The digest of its key.
    pub id: String,
    pub row: SessionRow,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    pub who: String,
    /// Signed in by the login of the MikoPBX.
    pub by_pbx: bool,
    pub created_ms: i64,
    pub seen_ms: i64,
    /// The browser, as it calls itself.
    pub agent: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashKind {
    Good,
    Bad,
}

impl FlashKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            FlashKind::Good => "good",
            FlashKind::Bad => "bad",
        }
    }
}

/// What the next page says at its top: what became of the last click.
#[derive(Clone, Debug)]
pub struct Flash {
    pub kind: FlashKind,
    pub text: String,
    /// Servers whose next run carries it out: it can be started at once.
    pub next: Vec<(DirectoryId, String)>,
    /// Shown this once.
    pub secret: Option<SecretString>,
}

impl Flash {
    pub fn new(kind: FlashKind, text: impl Into<String>) -> Self {
        Flash { kind, text: text.into(), next: Vec::new(), secret: None }
    }

    pub fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(ExposeSecret::expose_secret)
    }
}

#[derive(Debug)]
pub struct Sessions {
    app: App,
    flashes: Mutex<BTreeMap<String, Flash>>,
}

impl Sessions {
    pub fn new(app: App) -> Self {
        Sessions { app, flashes: Mutex::default() }
    }

    /// Begins a session; its key, for the browser alone.
    pub async fn begin(&self, who: &str, by_pbx: bool, agent: &str) -> Result<String> {
        self.forget_expired().await?;
        let key = random_key(&*self.app.random);
        let now_ms = self.app.clock.now_ms();
        let agent = agent.chars().filter(|c| !c.is_control()).take(limits::AGENT_CHARS_MAX).collect();
        let row = SessionRow { who: who.to_owned(), by_pbx, created_ms: now_ms, seen_ms: now_ms, agent };
        self.put(&digest(&key), &row).await?;
        Ok(key)
    }

    /// The session of this key, unless it expired.
    pub async fn find(&self, key: &str) -> Result<Option<Session>> {
        let id = digest(key);
        let Some(text) = self.app.store.meta(&name(&id)).await? else { return Ok(None) };
        let Ok(mut row) = serde_json::from_str::<SessionRow>(&text) else { return Ok(None) };
        let now_ms = self.app.clock.now_ms();
        if row.is_expired(now_ms) {
            self.end(&id).await?;
            return Ok(None);
        }
        if now_ms - row.seen_ms >= limits::SESSION_SEEN_MS {
            row.seen_ms = now_ms;
            // Who was signed out meanwhile is not signed in again by having been seen.
            let seen = serde_json::to_string(&row)?;
            self.app.store.swap_meta(&name(&id), Some(&text), &seen).await?;
        }
        Ok(Some(Session { id, row }))
    }

    pub async fn end(&self, id: &str) -> Result<()> {
        self.locked().remove(id);
        Ok(self.app.store.put_meta(&name(id), None).await?)
    }

    /// Ends every session but this one.
    pub async fn end_others(&self, id: &str) -> Result<()> {
        for session in self.all().await? {
            if session.id != id {
                self.end(&session.id).await?;
            }
        }
        Ok(())
    }

    /// All that are alive, the last seen first.
    pub async fn all(&self) -> Result<Vec<Session>> {
        let now_ms = self.app.clock.now_ms();
        let stored = self.app.store.metas(PREFIX).await?;
        let session = |(name, text): (String, String)| {
            let row = serde_json::from_str::<SessionRow>(&text).ok()?;
            let id = name.strip_prefix(PREFIX)?.to_owned();
            (!row.is_expired(now_ms)).then_some(Session { id, row })
        };
        let mut sessions: Vec<Session> = stored.into_iter().filter_map(session).collect();
        sessions.sort_by(|a, b| (b.row.seen_ms, &a.id).cmp(&(a.row.seen_ms, &b.id)));
        Ok(sessions)
    }

    /// Says something at the top of the next page of this session.
    pub fn tell(&self, session: Option<&Session>, kind: FlashKind, text: impl Into<String>) {
        self.flash(session, Flash::new(kind, text));
    }

    pub fn flash(&self, session: Option<&Session>, flash: Flash) {
        if let Some(session) = session {
            self.locked().insert(session.id.clone(), flash);
        }
    }

    pub fn told(&self, session: Option<&Session>) -> Option<Flash> {
        self.locked().remove(&session?.id)
    }

    /// Also keeps their number bounded: the longest unseen go.
    async fn forget_expired(&self) -> Result<()> {
        let alive = self.all().await?;
        let keep: Vec<&str> =
            alive.iter().take(limits::SESSIONS_MAX - 1).map(|session| session.id.as_str()).collect();
        for (name, _) in self.app.store.metas(PREFIX).await? {
            let id = name.strip_prefix(PREFIX).unwrap_or_default();
            if !keep.contains(&id) {
                self.end(id).await?;
            }
        }
        Ok(())
    }

    async fn put(&self, id: &str, row: &SessionRow) -> Result<()> {
        Ok(self.app.store.put_meta(&name(id), Some(&serde_json::to_string(row)?)).await?)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Flash>> {
        self.flashes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionRow {
    fn is_expired(&self, now_ms: i64) -> bool {
        now_ms - self.seen_ms >= limits::SESSION_IDLE_MS || now_ms - self.created_ms >= limits::SESSION_MS
    }
}

/// 256 random bits in hexadecimal digits.
pub fn random_key(random: &dyn Random) -> String {
    let mut key = [0; 32];
    random.fill(&mut key);
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn digest(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name(id: &str) -> String {
    format!("{PREFIX}{id}")
}
