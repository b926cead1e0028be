//! Who may do what: web logins with their tokens, and the order in which the
//! PBX decides. API keys are next door.

use super::Client;
use super::envelope::{Reply, http_date};
use super::keys::Keys;
use super::request::Call;
use super::secrets::random_text;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use effects::Random;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::HashMap;
use std::net::IpAddr;

pub(super) const NOT_AUTHENTICATED: &str = "The user isn't authenticated.";
const LOGIN: &str = "Auth\\LoginAction::main";
const REFRESH: &str = "Auth\\RefreshAction::main";
const LOGOUT: &str = "Auth\\LogoutAction::main";
const TOKEN_S: i64 = 900;
/// A token works that much longer than it says.
const LEEWAY_S: i64 = 600;
const WINDOW_MS: i64 = 300_000;
const FAILURES_MAX: u32 = 10;
const REFRESHES_MAX: u32 = 100;
const SESSION_S: i64 = 30 * 24 * 3600;
/// Addresses and sessions that are remembered at once.
const REMEMBERED_MAX: usize = 10_000;

#[derive(Debug)]
pub(super) struct Auth {
    pub keys: Keys,
    login: String,
    password: SecretString,
    signing_key: SecretString,
    /// Refresh tokens, and when they end.
    sessions: HashMap<String, i64>,
    failures: HashMap<IpAddr, Window>,
    refreshes: HashMap<IpAddr, Window>,
}

/// A count over a fixed stretch of time.
#[derive(Clone, Copy, Debug)]
struct Window {
    start_ms: i64,
    count: u32,
}

impl Auth {
    pub(super) fn new(login: String, password: SecretString, random: &dyn Random) -> Self {
        Auth {
            keys: Keys::default(),
            login,
            password,
            signing_key: SecretString::from(random_text(random, 64)),
            sessions: HashMap::new(),
            failures: HashMap::new(),
            refreshes: HashMap::new(),
        }
    }

    /// Whether the call may go on. A Bearer that fails beats the pass of
    /// localhost.
    pub(super) fn admits(
        &mut self,
        path: &str,
        verb: &Method,
        headers: &HeaderMap,
        client: Client,
        now_ms: i64,
        memory_s: Option<u64>,
    ) -> bool {
        const PUBLIC: [&str; 3] = ["auth:login", "auth:refresh", "system:ping"];
        let below = path.strip_prefix(super::request::API).unwrap_or_default();
        if PUBLIC.iter().any(|public| below.starts_with(public)) {
            return true;
        }
        match bearer(headers) {
            Some(token) => {
                self.knows_token(token, now_ms) || self.keys.admits(token, verb, path, now_ms, memory_s)
            }
            None => client == Client::Local,
        }
    }

    /// The signature and the time of a JWT.
    pub(super) fn knows_token(&self, token: &str, now_ms: i64) -> bool {
        let Some((content, signature)) = token.rsplit_once('.') else { return false };
        if self.sign(content) != signature {
            return false;
        }
        let claims = content.split_once('.').and_then(|(_, claims)| URL_SAFE_NO_PAD.decode(claims).ok());
        let claims: Value = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        claims["exp"].as_i64().is_some_and(|exp| now_ms.div_euclid(1000) <= exp + LEEWAY_S)
    }

    pub(super) fn login(&mut self, call: &Call, client: Client, random: &dyn Random, now_ms: i64) -> Reply {
        let failures = count(&mut self.failures, client.ip(), now_ms, false);
        if failures >= FAILURES_MAX {
            let text = "Too many authorization attempts. Your IP address is blocked for 300 seconds.";
            return Reply::text("login", LOGIN, text).coded(429);
        }
        let (login, password) = (call.text("login"), call.text("password"));
        let has_session = !call.text("sessionToken").is_empty();
        if (login.is_empty() || password.is_empty()) && !has_session {
            let text = "Either login+password or sessionToken must be provided";
            return Reply::text("login", LOGIN, text).coded(400);
        }
        if login != self.login || password != self.password.expose_secret() {
            let left = FAILURES_MAX - count(&mut self.failures, client.ip(), now_ms, true);
            return Reply::text(
                "login",
                LOGIN,
                format!("Authorization error, you have {left} attempts left"),
            )
            .coded(401);
        }
        // Only the JSON value counts, not the word.
        let remember = call.params.get("rememberMe") == Some(&Value::Bool(true));
        let data = json!({
            "accessToken": self.token(random, now_ms), "tokenType": "Bearer", "expiresIn": TOKEN_S, "login": login,
        });
        let cookie = self.open_session(remember, random, now_ms);
        Reply { cookie: Some(cookie), ..Reply::ok("login", LOGIN, data) }
    }

    /// The refresh token stays the same.
    pub(super) fn refresh(
        &mut self,
        headers: &HeaderMap,
        client: Client,
        random: &dyn Random,
        now_ms: i64,
    ) -> Reply {
        if count(&mut self.refreshes, client.ip(), now_ms, true) > REFRESHES_MAX {
            return Reply::text("refresh", REFRESH, "Too many refresh attempts").coded(429);
        }
        let Some(token) = session_cookie(headers) else {
            return Reply::text("refresh", REFRESH, "Refresh token is missing in cookie").coded(401);
        };
        if self.sessions.get(token).is_none_or(|end_ms| *end_ms < now_ms) {
            return Reply::text("refresh", REFRESH, "Refresh token expired or not found").coded(401);
        }
        let data = json!({
            "accessToken": self.token(random, now_ms), "tokenType": "Bearer", "expiresIn": TOKEN_S,
            "homePage": "/admin-cabinet/extensions/index",
        });
        Reply::ok("refresh", REFRESH, data)
    }

    /// The access token lives on until it ends.
    pub(super) fn logout(&mut self, headers: &HeaderMap) -> Reply {
        if bearer(headers).is_none() {
            return Reply::text("logout", LOGOUT, NOT_AUTHENTICATED).coded(401);
        }
        if let Some(token) = session_cookie(headers) {
            self.sessions.remove(token);
        }
        let cookie = format!(
            "refreshToken=deleted; expires={}; Max-Age=0; path=/; HttpOnly; SameSite=Strict",
            http_date(1)
        );
        let data = json!({ "message": "Successfully logged out" });
        Reply { cookie: Some(cookie), ..Reply::ok("logout", LOGOUT, data) }
    }

    fn token(&self, random: &dyn Random, now_ms: i64) -> String {
        let now_s = now_ms.div_euclid(1000);
        let claims = json!({
            "userId": self.login, "role": "admins", "language": "en", "iat": now_s, "nbf": now_s,
            "exp": now_s + TOKEN_S, "jti": random_text(random, 8),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let content = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "HS256" })), part(&claims));
        format!("{content}.{}", self.sign(&content))
    }

    fn sign(&self, content: &str) -> String {
        let key = self.signing_key.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(content.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// The cookie. Its value is encoded and must come back as it is.
    fn open_session(&mut self, remember: bool, random: &dyn Random, now_ms: i64) -> String {
        let opaque = format!("{}+/=", random_text(random, 100));
        let value = utf8_percent_encode(&opaque, NON_ALPHANUMERIC).to_string();
        if self.sessions.len() >= REMEMBERED_MAX {
            self.sessions.retain(|_, end_ms| *end_ms >= now_ms);
        }
        self.sessions.insert(value.clone(), now_ms + SESSION_S * 1000);
        let lifetime = if remember {
            format!("expires={}; Max-Age={SESSION_S}; ", http_date(now_ms.div_euclid(1000) + SESSION_S))
        } else {
            String::new()
        };
        format!("refreshToken={value}; {lifetime}path=/; HttpOnly; SameSite=Strict")
    }
}

/// The token of a Bearer. Any other form of the header counts as none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let token = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?.trim();
    (!token.is_empty()).then_some(token)
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix("refreshToken="))
}

/// The count of the address's window, after counting once more or not.
fn count(windows: &mut HashMap<IpAddr, Window>, ip: IpAddr, now_ms: i64, more: bool) -> u32 {
    let open = |window: &Window| now_ms - window.start_ms < WINDOW_MS;
    if windows.len() >= REMEMBERED_MAX {
        windows.retain(|_, window| open(window));
    }
    let window = windows.entry(ip).or_insert(Window { start_ms: now_ms, count: 0 });
    if !open(window) {
        *window = Window { start_ms: now_ms, count: 0 };
    }
    window.count += u32::from(more);
    window.count
}
