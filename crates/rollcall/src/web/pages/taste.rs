//! Language and theme, remembered by the browser.

use crate::web::Web;
use crate::web::auth::local_path;
use crate::web::lang::Lang;
use crate::web::problem::Problem;
use crate::web::visit::{LANG_COOKIE, THEME_COOKIE, Theme};
use axum::extract::{Form, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

const YEAR_S: u32 = 365 * 24 * 3_600;

#[derive(Deserialize)]
pub struct Choice {
    language: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    then: String,
}

pub async fn choose(State(web): State<Web>, Form(choice): Form<Choice>) -> Result<Response, Problem> {
    let mut response = Redirect::to(local_path(&choice.then)).into_response();
    let lang = choice.language.as_deref().and_then(Lang::of).map(|lang| (LANG_COOKIE, lang.code()));
    let theme = choice.theme.as_deref().and_then(Theme::of).map(|theme| (THEME_COOKIE, theme.as_str()));
    let secure = if web.is_secure() { "; Secure" } else { "" };
    for (name, value) in lang.into_iter().chain(theme) {
        let cookie = format!("{name}={value}; Path=/; Max-Age={YEAR_S}; SameSite=Lax; HttpOnly{secure}");
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::try_from(cookie)?);
    }
    Ok(response)
}
