//! Settings that somebody is working on. They live in this process, per
//! session and server, with the password that was typed; a browser never gets
//! that back.

use super::NEW;
use crate::app::{App, directory_settings};
use crate::cli::errors::usage;
use crate::cli::server::{self as servers, Draft};
use crate::limits;
use crate::web::Web;
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::visit::Visit;
use anyhow::Result;
use directory::{Directory, Kind, Security};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::{DirectoryRow, SecretOf};

const ANOTHER_SERVER: &str = "the stored password belongs to the address and login that are stored: type the password \
                              of these";
const CHANGED_MEANWHILE: &str = "somebody else changed this server meanwhile: forget these changes, and make them again \
                                 on what is stored now";

/// Whether what people set is the same; what runs note is not looked at.
fn same_settings(a: &DirectoryRow, b: &DirectoryRow) -> bool {
    a.settings == b.settings && a.policy == b.policy
}

/// A server as it would be stored.
#[derive(Clone, Debug)]
pub struct Edited {
    /// Absent for a new one.
    pub row: Option<DirectoryRow>,
    /// What was stored when the work on it began.
    base: Option<DirectoryRow>,
    pub name: String,
    pub draft: Draft,
    /// As typed; without one the stored one counts.
    pub secret: Option<SecretString>,
    /// Whether there is anything to save.
    pub is_changed: bool,
    /// Whether there is a stored password.
    pub has_secret: bool,
}

#[derive(Default)]
pub struct Drafts(Mutex<BTreeMap<(String, i64), Edited>>);

impl fmt::Debug for Drafts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} drafts", self.locked().len())
    }
}

impl Drafts {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<(String, i64), Edited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn keep(&self, web: &Web, visit: &Visit, id: i64, edited: Edited) -> Result<()> {
        let alive = web.sessions.all().await?;
        let mut drafts = self.locked();
        // A session that expired has not been heard of: its passwords go now.
        drafts.retain(|(of, _), _| alive.iter().any(|session| session.id == *of));
        while drafts.len() >= limits::DRAFTS_MAX {
            drafts.pop_first();
        }
        drafts.insert(key(visit, id), Edited { is_changed: true, ..edited });
        Ok(())
    }

    /// With its passwords, when a session ends.
    pub fn forget_session(&self, session: &str) {
        self.locked().retain(|(of, _), _| of != session);
    }

    pub fn forget(&self, visit: &Visit, id: i64) {
        self.locked().remove(&key(visit, id));
    }
}

fn key(visit: &Visit, id: i64) -> (String, i64) {
    (visit.session.as_ref().map(|session| session.id.clone()).unwrap_or_default(), id)
}

impl Edited {
    /// What this session is working on, or else what is stored.
    pub async fn of(web: &Web, visit: &Visit, id: i64) -> Result<Self, Problem> {
        let kept = web.drafts.locked().get(&key(visit, id)).cloned();
        if id == NEW {
            return Ok(kept.unwrap_or_else(Edited::blank));
        }
        let row = pages::server(web, id).await?;
        let has_secret = web.app.store.secret(SecretOf::Directory(row.id)).await?.is_some();
        Ok(match kept {
            Some(kept) => Edited { row: Some(row), has_secret, ..kept },
            None => Edited {
                name: row.name.clone(),
                draft: servers::draft_of(&row)?,
                base: Some(row.clone()),
                row: Some(row),
                secret: None,
                is_changed: false,
                has_secret,
            },
        })
    }

    fn blank() -> Self {
        Edited {
            row: None,
            base: None,
            name: String::new(),
            draft: Draft::new(Kind::ActiveDirectory),
            secret: None,
            is_changed: false,
            has_secret: false,
        }
    }

    /// The directory as it would be asked with these settings.
    pub async fn directory(&self, app: &App) -> Result<Directory> {
        Ok(app.directory_with(self.draft.settings.clone(), self.secret(app).await?)?)
    }

    pub async fn secret(&self, app: &App) -> Result<Option<SecretString>> {
        Ok(match (&self.secret, &self.row) {
            (Some(secret), _) => Some(secret.clone()),
            // Only to whom it was typed for: else a browser could have it sent
            // wherever it likes.
            (None, Some(row)) if self.is_for(&directory_settings(row)?) => {
                app.store.secret(SecretOf::Directory(row.id)).await?
            }
            (None, Some(_)) => return Err(usage(ANOTHER_SERVER)),
            (None, None) => None,
        })
    }

    /// Whether the stored password is the one of this server and login.
    fn is_for(&self, stored: &directory::Settings) -> bool {
        let now = &self.draft.settings;
        let weaker = now.security == Security::None && stored.security != Security::None;
        (&now.hosts, &now.domain, now.port, &now.sign_in)
            == (&stored.hosts, &stored.domain, stored.port, &stored.sign_in)
            && !weaker
    }

    /// Stores it; the server as it is from then on.
    pub async fn save(&self, app: &App) -> Result<DirectoryRow> {
        let secret = self.secret.as_ref();
        match &self.row {
            Some(row) if self.base.as_ref().is_some_and(|base| !same_settings(base, row)) => {
                Err(usage(CHANGED_MEANWHILE))
            }
            Some(row) if secret.is_none() && !self.is_for(&directory_settings(row)?) => {
                Err(usage(ANOTHER_SERVER))
            }
            Some(row) => servers::replace(app, row, self.draft.clone(), secret).await,
            None => servers::store(app, self.name.trim(), self.draft.clone(), secret).await,
        }
    }
}
