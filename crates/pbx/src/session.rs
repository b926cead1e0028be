//! Signing in: nothing on the loopback, an API key, or a web login whose
//! token lives for 15 minutes.
//!
//! A wrong password is tried once, not again and again: ten failures lock the
//! address out and end in a ban.

use crate::envelope::Reply;
use crate::error::Error;
use crate::settings::SignIn;
use crate::wire::{Call, Pass, Wire};
use http::header::SET_COOKIE;
use http::{HeaderMap, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;

/// A token is renewed this long before it expires.
const MARGIN_MS: i64 = 20_000;
/// How long a refused password is not tried again.
const REFUSAL_MS: i64 = 600_000;

pub(crate) struct Session {
    sign_in: SignIn,
    secret: SecretString,
    login: Mutex<Login>,
    /// The PBX accepted this sign-in at least once, so that a later 401 is
    /// about a permission.
    known: AtomicBool,
}

#[derive(Default)]
enum Login {
    #[default]
    Out,
    In {
        access: SecretString,
        refresh: Option<SecretString>,
        renew_at_ms: i64,
    },
    Refused {
        why: String,
        until_ms: i64,
    },
}

#[derive(Deserialize)]
struct Token {
    #[serde(rename = "accessToken")]
    access: String,
    #[serde(rename = "expiresIn")]
    expires_in_s: i64,
}

impl Session {
    pub(crate) fn new(sign_in: SignIn, secret: Option<SecretString>) -> Result<Self, Error> {
        let secret = match (&sign_in, secret) {
            (SignIn::Local, _) => SecretString::default(),
            (_, Some(secret)) if !secret.expose_secret().is_empty() => secret,
            (SignIn::ApiKey, _) => return Err(Error::Settings("the API key is missing".to_owned())),
            (SignIn::Login { login }, _) => {
                return Err(Error::Settings(format!("the password of `{login}` is missing")));
            }
        };
        Ok(Session { sign_in, secret, login: Mutex::default(), known: AtomicBool::new(false) })
    }

    /// What the next call carries. Signs in or renews where that is due.
    pub(crate) async fn token(&self, wire: &Wire) -> Result<Option<SecretString>, Error> {
        match &self.sign_in {
            // Even an empty Authorization header would turn trust into 401.
            SignIn::Local => Ok(None),
            SignIn::ApiKey => Ok(Some(self.secret.clone())),
            SignIn::Login { login } => self.access_token(wire, login, None).await.map(Some),
        }
    }

    /// After a 401: another token than `used`, or `None` where there is none
    /// to be had.
    pub(crate) async fn another(
        &self,
        wire: &Wire,
        used: &SecretString,
    ) -> Result<Option<SecretString>, Error> {
        match &self.sign_in {
            SignIn::Login { login } => self.access_token(wire, login, Some(used)).await.map(Some),
            SignIn::Local | SignIn::ApiKey => Ok(None),
        }
    }

    pub(crate) fn worked(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    pub(crate) fn known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// What a refused sign-in may mean: the PBX gives one answer to all.
    pub(crate) fn hint(&self, grant: &str) -> String {
        match &self.sign_in {
            SignIn::Local => "Rollcall does not come from the PBX's own loopback: use an API key".to_owned(),
            SignIn::ApiKey => format!(
                "The API key is unknown or deleted, or lacks {grant}; one that was tried before it was made \
                 works a minute later"
            ),
            SignIn::Login { login } => format!("The token of `{login}` is not taken"),
        }
    }

    async fn access_token(
        &self,
        wire: &Wire,
        login: &str,
        stale: Option<&SecretString>,
    ) -> Result<SecretString, Error> {
        let now_ms = wire.clock.now_ms();
        // Held while signing in: everybody else waits for the same token.
        let mut state = self.login.lock().await;
        let refresh = match &*state {
            Login::In { access, refresh, renew_at_ms } => {
                let is_stale = stale.is_some_and(|stale| stale.expose_secret() == access.expose_secret());
                if now_ms < *renew_at_ms && !is_stale {
                    return Ok(access.clone());
                }
                refresh.clone()
            }
            Login::Refused { why, until_ms } if now_ms < *until_ms => {
                return Err(Error::NotSignedIn { why: why.clone() });
            }
            Login::Refused { .. } | Login::Out => None,
        };
        if let Some(refresh) = refresh
            && let Some(renewed) = renew(wire, refresh).await?
        {
            return Ok(renewed.keep(&mut state, now_ms));
        }
        match self.sign_in(wire, login).await {
            Ok(fresh) => Ok(fresh.keep(&mut state, now_ms)),
            Err(Error::NotSignedIn { why }) => {
                *state = Login::Refused { why: why.clone(), until_ms: now_ms + REFUSAL_MS };
                Err(Error::NotSignedIn { why })
            }
            Err(error) => Err(error),
        }
    }

    async fn sign_in(&self, wire: &Wire, login: &str) -> Result<Fresh, Error> {
        let body = BTreeMap::from([("login", login), ("password", self.secret.expose_secret())]);
        let call = Call::send(Method::POST, "auth:login", &body, "sign in").harmless();
        match wire.send(&call, Pass::None).await? {
            (Reply::Done(data), headers) => Fresh::read(&data, refresh_token(&headers))
                .ok_or_else(|| wire.conclude(&call, Reply::Done(data), false)),
            (reply, _) => Err(wire.conclude(&call, reply, false)),
        }
    }
}

/// `None` where the refresh token is no longer taken: the password is then
/// asked for once more.
async fn renew(wire: &Wire, refresh: SecretString) -> Result<Option<Fresh>, Error> {
    let nothing = BTreeMap::<&str, &str>::new();
    let call = Call::send(Method::POST, "auth:refresh", &nothing, "stay signed in").harmless();
    match wire.send(&call, Pass::RefreshToken(&refresh)).await? {
        (Reply::Done(data), _) => Ok(Fresh::read(&data, Some(refresh))),
        (Reply::Unauthorised(_), _) => Ok(None),
        (reply, _) => Err(wire.conclude(&call, reply, true)),
    }
}

struct Fresh {
    access: SecretString,
    refresh: Option<SecretString>,
    expires_in_s: i64,
}

impl Fresh {
    fn read(data: &serde_json::value::RawValue, refresh: Option<SecretString>) -> Option<Self> {
        let token: Token = serde_json::from_str(data.get()).ok()?;
        Some(Fresh { access: token.access.into(), refresh, expires_in_s: token.expires_in_s })
    }

    fn keep(self, state: &mut Login, now_ms: i64) -> SecretString {
        let access = self.access.clone();
        let lives_ms = self.expires_in_s.clamp(60, 86_400) * 1000;
        let renew_at_ms = now_ms + lives_ms - MARGIN_MS;
        *state = Login::In { access: self.access, refresh: self.refresh, renew_at_ms };
        access
    }
}

/// The refresh token out of its cookie, as it came: it goes back like that.
fn refresh_token(headers: &HeaderMap) -> Option<SecretString> {
    headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.strip_prefix("refreshToken="))
        .map(|rest| rest.split(';').next().unwrap_or_default())
        .find(|value| !value.is_empty())
        .map(SecretString::from)
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({:?})", self.sign_in)
    }
}
