//! The first visit. Until there is an administrator, whoever holds the key
//! that `serve` printed may become it; nobody else on the machine can.

use super::account::Account;
use super::sessions::random_key;
use crate::web::Web;
use anyhow::Result;
use effects::Random;

#[derive(Debug)]
pub struct Setup {
    key: SetupKey,
}

/// Not for logs.
struct SetupKey(String);

impl std::fmt::Debug for SetupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetupKey")
    }
}

impl Setup {
    pub fn new(random: &dyn Random) -> Self {
        Setup { key: SetupKey(random_key(random).chars().take(32).collect()) }
    }

    pub fn key(&self) -> &str {
        &self.key.0
    }

    /// Whether this is the key, found out in a time that does not depend on
    /// where it differs.
    pub fn is(&self, key: &str) -> bool {
        super::sessions::digest(key) == super::sessions::digest(&self.key.0)
    }
}

impl Web {
    /// Whether nobody can sign in yet.
    pub async fn needs_setup(&self) -> Result<bool> {
        Ok(Account::of(&self.app).await?.is_none())
    }

    /// The path at which the administrator's password is set the first time.
    pub fn setup_path(&self) -> String {
        format!("/setup?key={}", self.setup.key())
    }
}
