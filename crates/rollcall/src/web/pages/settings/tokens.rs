//! Tokens of the JSON API.

use super::{Frame, Tab, back};
use crate::app::Usage;
use crate::web::Web;
use crate::web::auth::{Flash, FlashKind, Token, tokens};
use crate::web::problem::Problem;
use crate::web::render::{Page, html};
use crate::web::visit::Visit;
use askama::Template;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "settings-tokens.html")]
struct TokensPage {
    p: Page,
    tabs: [(Tab, bool); 5],
    tokens: Vec<Token>,
}

pub async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let frame = Frame::of(&web, &visit, Tab::Tokens).await?;
    let tokens = tokens::all(&web.app).await?;
    html(&TokensPage { tabs: frame.tabs(), p: frame.page, tokens })
}

#[derive(Deserialize)]
pub struct Named {
    name: String,
}

/// The next page shows it, and no page after that.
pub async fn make(
    State(web): State<Web>,
    visit: Visit,
    Form(named): Form<Named>,
) -> Result<Response, Problem> {
    let key = match Token::make(&web.app, &named.name).await {
        Ok(key) => key,
        Err(error) if error.is::<Usage>() => return back(&web, &visit, Tab::Tokens, Err(error)),
        Err(error) => return Err(error.into()),
    };
    let text = visit.lang.say("token-made", &[("name", named.name.trim().into())]);
    let flash = Flash { secret: Some(key), ..Flash::new(FlashKind::Good, text) };
    web.sessions.flash(visit.session.as_ref(), flash);
    Ok(Redirect::to(Tab::Tokens.href()).into_response())
}

#[derive(Deserialize)]
pub struct Which {
    id: String,
}

pub async fn revoke(
    State(web): State<Web>,
    visit: Visit,
    Form(which): Form<Which>,
) -> Result<Response, Problem> {
    tokens::revoke(&web.app, &which.id).await?;
    let text = visit.lang.say("token-revoked", &[]);
    back(&web, &visit, Tab::Tokens, Ok(text))
}
