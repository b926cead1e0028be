//! Tokens of the JSON API: a random key with whoever calls, its digest here.

use super::sessions::{digest, random_key};
use crate::app::{App, Usage};
use crate::limits;
use anyhow::{Result, anyhow};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

const PREFIX: &str = "web/token/";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The digest of its key.
    pub id: String,
    pub row: TokenRow,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    pub name: String,
    pub created_ms: i64,
    pub used_ms: Option<i64>,
}

impl Token {
    /// Makes a token; its key, which nobody can be told again.
    pub async fn make(app: &App, name: &str) -> Result<SecretString> {
        let name = check(name)?;
        if all(app).await?.len() >= limits::TOKENS_MAX {
            let text = format!("there are {} tokens already; revoke one first", limits::TOKENS_MAX);
            return Err(anyhow!(Usage(text)));
        }
        let key = random_key(&*app.random);
        let row = TokenRow { name, created_ms: app.clock.now_ms(), used_ms: None };
        app.store.put_meta(&self::name(&digest(&key)), Some(&serde_json::to_string(&row)?)).await?;
        Ok(SecretString::from(key))
    }

    /// The token of this key. That it was used is noted now and then.
    pub async fn find(app: &App, key: &str) -> Result<Option<Token>> {
        let id = digest(key);
        let Some(text) = app.store.meta(&name(&id)).await? else { return Ok(None) };
        let Ok(row) = serde_json::from_str::<TokenRow>(&text) else { return Ok(None) };
        let mut token = Token { id, row };
        let now_ms = app.clock.now_ms();
        if token.row.used_ms.is_none_or(|used_ms| now_ms - used_ms >= limits::TOKEN_USED_MS) {
            token.row.used_ms = Some(now_ms);
            // A token that was revoked meanwhile does not come back by having been used.
            let used = serde_json::to_string(&token.row)?;
            app.store.swap_meta(&name(&token.id), Some(&text), &used).await?;
        }
        Ok(Some(token))
    }
}

/// All there are, the newest first.
pub async fn all(app: &App) -> Result<Vec<Token>> {
    let stored = app.store.metas(PREFIX).await?;
    let token = |(name, text): (String, String)| {
        let row = serde_json::from_str(&text).ok()?;
        Some(Token { id: name.strip_prefix(PREFIX)?.to_owned(), row })
    };
    let mut tokens: Vec<Token> = stored.into_iter().filter_map(token).collect();
    tokens.sort_by(|a, b| (b.row.created_ms, &a.id).cmp(&(a.row.created_ms, &b.id)));
    Ok(tokens)
}

pub async fn revoke(app: &App, id: &str) -> Result<()> {
    Ok(app.store.put_meta(&name(id), None).await?)
}

fn check(name: &str) -> Result<String> {
    let name = name.trim();
    let fits = (1..=limits::TOKEN_NAME_CHARS_MAX).contains(&name.chars().count());
    match fits && !name.chars().any(char::is_control) {
        true => Ok(name.to_owned()),
        false => {
            let most = limits::TOKEN_NAME_CHARS_MAX;
            Err(anyhow!(Usage(format!(
                "a token's name has 1 to {most} characters, none of them a control character"
            ))))
        }
    }
}

fn name(id: &str) -> String {
    format!("{PREFIX}{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::errors::is_usage;
    use crate::cli::testing::{NOW_MS, app};
    use effects::ManualClock;
    use secrecy::ExposeSecret;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_token_lives_from_making_to_revoking_and_its_key_is_nowhere() {
        let mut app = app();
        let key = Token::make(&app, " monitoring ").await.unwrap();
        let key = key.expose_secret();
        assert_eq!(key.len(), 64);
        for (name, text) in app.store.metas("").await.unwrap() {
            assert!(!name.contains(key) && !text.contains(key), "{name}");
        }
        let unused = all(&app).await.unwrap();
        assert_eq!((&*unused[0].row.name, unused[0].row.used_ms), ("monitoring", None));

        for wrong in ["", &key[1..], &key.to_uppercase(), &unused[0].id] {
            assert_eq!(Token::find(&app, wrong).await.unwrap(), None, "{wrong}");
        }
        let found = Token::find(&app, key).await.unwrap().unwrap();
        assert_eq!(found.row.used_ms, Some(NOW_MS));
        // Noted once a minute, not at every call.
        for (later_ms, noted_ms) in [(59_999, NOW_MS), (60_000, NOW_MS + 60_000)] {
            app.clock = Arc::new(ManualClock::at(NOW_MS + later_ms));
            Token::find(&app, key).await.unwrap();
            assert_eq!(all(&app).await.unwrap()[0].row.used_ms, Some(noted_ms));
        }
        revoke(&app, &found.id).await.unwrap();
        assert_eq!(Token::find(&app, key).await.unwrap(), None);
        assert_eq!(all(&app).await.unwrap(), []);
    }

    #[tokio::test]
    async fn tokens_have_names_and_are_not_without_number() {
        let app = app();
        for name in ["", "  ", "a\nb", &"x".repeat(limits::TOKEN_NAME_CHARS_MAX + 1)] {
            assert!(is_usage(&Token::make(&app, name).await.unwrap_err()), "{name:?}");
        }
        for n in 0..limits::TOKENS_MAX {
            Token::make(&app, &n.to_string()).await.unwrap();
        }
        assert!(is_usage(&Token::make(&app, "one more").await.unwrap_err()));
    }
}
