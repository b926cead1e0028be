//! The live tree of a directory, to pick the domain root and subdivisions from.

use super::NEW;
use super::draft::Edited;
use crate::cli::errors::describe;
use crate::web::Web;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::{Visit, encoded};
use anyhow::Result;
use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use directory::Branch;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "server-tree.html")]
struct TreePage {
    p: Page,
    id: i64,
    name: String,
    base_dn: String,
    /// Where in the tree this is; none at its roots.
    at: Option<String>,
    up: Option<String>,
    roots: Vec<String>,
    branch: Option<Branch>,
    ous: Vec<String>,
    exclude: Vec<String>,
    error: Option<String>,
}

impl TreePage {
    fn is_in(&self, list: &[String], dn: &str) -> bool {
        list.iter().any(|one| one.eq_ignore_ascii_case(dn))
    }

    fn back(&self) -> String {
        if self.id == NEW { "/servers/new".to_owned() } else { format!("/servers/{}", self.id) }
    }
}

#[derive(Deserialize)]
pub struct At {
    #[serde(default)]
    dn: String,
}

pub async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Query(at): Query<At>,
) -> Result<Response, Problem> {
    let edited = Edited::of(&web, &visit, id).await?;
    let base_dn = edited.draft.settings.base_dn.clone();
    let at = Some(at.dn).filter(|dn| !dn.is_empty()).or(Some(base_dn.clone()).filter(|dn| !dn.is_empty()));
    let (mut roots, mut branch, mut error) = (Vec::new(), None, None);
    let looked = match &at {
        Some(dn) => below(&web, &edited, dn).await.map(|found| branch = Some(found)),
        None => roots_of(&web, &edited).await.map(|found| roots = found),
    };
    if let Err(why) = looked {
        error = Some(describe(&why));
    }
    let up = at.as_deref().filter(|dn| !dn.eq_ignore_ascii_case(&base_dn)).and_then(parent);
    let name = if id == NEW { visit.lang.say("server-new", &[]) } else { edited.name.clone() };
    let p = Page::of(&web, &visit, Nav::Servers, visit.lang.say("tree-title", &[])).await?;
    let settings = edited.draft.settings;
    html(&TreePage {
        p,
        id,
        name,
        base_dn,
        at,
        up,
        roots,
        branch,
        ous: settings.ous,
        exclude: settings.exclude,
        error,
    })
}

async fn below(web: &Web, edited: &Edited, dn: &str) -> Result<Branch> {
    // Only the connection has to be right for this, not yet the scope.
    let mut looking = edited.clone();
    let settings = &mut looking.draft.settings;
    if settings.base_dn.is_empty() {
        dn.clone_into(&mut settings.base_dn);
    }
    (settings.ous, settings.exclude, settings.groups, settings.filter) =
        (Vec::new(), Vec::new(), Vec::new(), None);
    let mut directory = looking.directory(&web.app).await?;
    let branch = directory.subdivisions(dn).await;
    directory.close().await;
    Ok(branch?)
}

async fn roots_of(web: &Web, edited: &Edited) -> Result<Vec<String>> {
    let secret = edited.secret(&web.app).await?;
    let dial = web.app.net.dial();
    let found =
        directory::naming_contexts(&edited.draft.settings, secret.as_ref(), &*dial, &web.app.clock).await?;
    let mut roots: Vec<String> = found.suggested.into_iter().chain(found.all).collect();
    let mut seen = std::collections::BTreeSet::new();
    roots.retain(|root| seen.insert(root.to_lowercase()));
    Ok(roots)
}

/// The DN without its first name. A comma may be escaped.
fn parent(dn: &str) -> Option<String> {
    let mut escaped = false;
    for (at, c) in dn.char_indices() {
        match c {
            ',' if !escaped => return Some(dn[at + 1..].trim_start().to_owned()),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    None
}

#[derive(Deserialize)]
pub struct Picked {
    dn: String,
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    at: String,
}

/// Takes a subdivision in or out; it is stored with the rest.
pub async fn take(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(picked): Form<Picked>,
) -> Result<Response, Problem> {
    let mut edited = Edited::of(&web, &visit, id).await?;
    let settings = &mut edited.draft.settings;
    let drop = |list: &mut Vec<String>| list.retain(|one| !one.eq_ignore_ascii_case(&picked.dn));
    match picked.what.as_str() {
        "root" => {
            settings.base_dn = picked.dn.clone();
            (settings.ous, settings.exclude) = (Vec::new(), Vec::new());
        }
        "include" => {
            drop(&mut settings.exclude);
            drop(&mut settings.ous);
            settings.ous.push(picked.dn.clone());
        }
        "exclude" => {
            drop(&mut settings.ous);
            drop(&mut settings.exclude);
            settings.exclude.push(picked.dn.clone());
        }
        _ => {
            drop(&mut settings.ous);
            drop(&mut settings.exclude);
        }
    }
    web.drafts.keep(&web, &visit, id, edited).await?;
    let at = if picked.what == "root" { &picked.dn } else { &picked.at };
    Ok(Redirect::to(&format!("/servers/{id}/tree?dn={}", encoded(at))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_what_follows_the_first_comma_that_is_not_escaped() {
        assert_eq!(parent("ou=a,dc=b").as_deref(), Some("dc=b"));
        assert_eq!(parent("ou=a\\, b, dc=c").as_deref(), Some("dc=c"));
        assert_eq!(parent("ou=a\\\\,dc=c").as_deref(), Some("dc=c"));
        assert_eq!(parent("dc=c"), None);
    }
}
