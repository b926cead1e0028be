//! The web pages: a router, and what every page shares. A page parses, calls
//! what the command line calls, and renders; it holds no logic of its own.
//!
//! Deliberately absent: inline script or style (the content policy forbids
//! both), state in the browser beyond one session cookie and the choice of
//! language and theme, and any page that works only with script.

mod api;
mod assets;
mod auth;
mod doors;
mod download;
mod lang;
mod lists;
mod live;
mod pages;
mod problem;
mod render;
mod serve;
#[cfg(test)]
mod testing;
mod turns;
mod visit;

pub use serve::{LISTEN_DEFAULT, ServeOptions, Serving, Tls, start};
pub use turns::take_turns;

use crate::app::App;
use anyhow::Result;
use auth::{Sessions, Setup, Throttle};
use live::Jobs;
use secrecy::SecretString;
use std::sync::Arc;

/// What every request starts from.
#[derive(Clone, Debug)]
pub struct Web {
    pub app: App,
    pub jobs: Arc<Jobs>,
    sessions: Arc<Sessions>,
    throttle: Arc<Throttle>,
    drafts: Arc<pages::Drafts>,
    setup: Arc<Setup>,
    /// Whether browsers come over TLS, so that the cookie may not go without.
    secure: bool,
}

impl Web {
    pub fn new(app: App, secure: bool) -> Self {
        Web {
            jobs: Arc::new(Jobs::new(app.clone())),
            sessions: Arc::new(Sessions::new(app.clone())),
            throttle: Arc::default(),
            drafts: Arc::default(),
            setup: Arc::new(Setup::new(&*app.random)),
            secure,
            app,
        }
    }
}

impl Web {
    pub const fn is_secure(&self) -> bool {
        self.secure
    }
}

/// Says who the administrator is, as the first visit does.
pub async fn set_account(app: &App, login: &str, password: &SecretString) -> Result<()> {
    auth::Account::set(app, login, password).await
}
