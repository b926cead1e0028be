//! Who asks, and how they like their pages: language, theme, signed in or not.
//! Found once per request, before any page.

use super::auth::{Session, cookie};
use super::lang::Lang;
use super::{Web, auth};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub const LANG_COOKIE: &str = "rollcall_language";
pub const THEME_COOKIE: &str = "rollcall_theme";

/// Characters that may stand in a query value as they are.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    pub const fn as_str(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub fn of(text: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.as_str() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Visit {
    pub lang: Lang,
    pub theme: Theme,
    pub session: Option<Session>,
    /// Path and query of this request.
    pub here: String,
}

impl Visit {
    pub async fn of(web: &Web, headers: &HeaderMap, here: String) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|text| text.to_str().ok());
        let chosen = cookie(headers, LANG_COOKIE).and_then(|code| Lang::of(&code));
        let session = match cookie(headers, auth::SESSION_COOKIE) {
            Some(key) => web.sessions.find(&key).await.unwrap_or_else(|error| {
                tracing::error!(%error, "a session cannot be looked up");
                None
            }),
            None => None,
        };
        Visit {
            lang: chosen.unwrap_or_else(|| Lang::preferred(accepted.unwrap_or_default())),
            theme: cookie(headers, THEME_COOKIE).and_then(|text| Theme::of(&text)).unwrap_or_default(),
            session,
            here,
        }
    }
}

pub async fn look(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let here = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let visit = Visit::of(&web, request.headers(), here).await;
    request.extensions_mut().insert(visit);
    next.run(request).await
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Visit>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Lets nobody in who is not signed in: pages lead to the sign-in, and from
/// there back.
pub async fn only_signed_in(State(web): State<Web>, visit: Visit, request: Request, next: Next) -> Response {
    if visit.session.is_some() {
        return next.run(request).await;
    }
    match web.needs_setup().await {
        Ok(true) => Redirect::to("/setup").into_response(),
        Ok(false) => {
            let then = encoded(&visit.here);
            let is_page = request.method() == axum::http::Method::GET && visit.here != "/";
            let to = if is_page { format!("/sign-in?then={then}") } else { "/sign-in".to_owned() };
            Redirect::to(&to).into_response()
        }
        Err(error) => super::problem::Problem::from(error).into_response(),
    }
}

/// A text as a value in an address.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}
