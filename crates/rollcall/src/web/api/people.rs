//! Everybody who is linked, and those whose employees keep working without them.

use super::reply::{Asked, Reply, part, server_if, window};
use super::runs::word;
use crate::web::Web;
use axum::extract::State;
use reconcile::{LeftReason, LinkState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{DirectoryId, PeopleQuery, PeopleSort, PersonRow, Standing};
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The id of a server.
    server: Option<i64>,
    /// Words of name, number, e-mail or mobile.
    search: Option<String>,
    /// `active`, `resting`, `left`.
    state: Option<String>,
    limit: Option<u32>,
    offset: Option<u32>,
}

/// Linked people, by name.
#[utoipa::path(get, path = "/people", tag = "people", params(Which), responses(
    (status = 200, body = Object, description = "`people`: `server`, `id`, `name`, `extension`, `email`, `mobile`, `employee`, `state`, \
     `reason` and `since_ms` where they left, `last` as in `people`; `total`, `limit`, `offset`")
))]
pub async fn list(State(web): State<Web>, Asked(which): Asked<Which>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum State {
        Active,
        Resting,
        Left,
    }
    let state = word::<State>("state", which.state.as_deref())?.map(|state| match state {
        State::Active => Standing::Active,
        State::Resting => Standing::Resting,
        State::Left => Standing::Left,
    });
    found(&web, "people", &which, state, PeopleSort::Name).await
}

/// Disabled or gone from the directory while their employees keep working.
#[utoipa::path(get, path = "/disabled", tag = "people", params(Which), responses(
    (status = 200, body = Object, description = "`disabled`: as `people`; `total`, `limit`, `offset`")
))]
pub async fn disabled(State(web): State<Web>, Asked(which): Asked<Which>) -> Reply {
    found(&web, "disabled", &which, Some(Standing::Left), PeopleSort::Since).await
}

async fn found(web: &Web, name: &str, which: &Which, state: Option<Standing>, sort: PeopleSort) -> Reply {
    let window = window(which.limit, which.offset);
    let directory = server_if(web, which.server).await?;
    let search = which.search.clone().unwrap_or_default();
    let query = PeopleQuery { directory, state, search, sort, window, ..PeopleQuery::default() };
    let page = web.app.store.people(&query).await?;
    let rows = web.app.store.directories().await?.into_iter();
    let names: BTreeMap<DirectoryId, String> = rows.map(|row| (row.id, row.name)).collect();
    let person = |row| Person::of(row, &names);
    part(name, &page.rows.into_iter().map(person).collect::<Vec<Person>>(), page.total, window)
}

#[derive(Debug, Serialize)]
struct Person {
    server: String,
    id: String,
    name: String,
    extension: Option<String>,
    email: Option<String>,
    mobile: Option<String>,
    employee: u64,
    state: &'static str,
    reason: Option<LeftReason>,
    since_ms: Option<i64>,
    last: Option<Value>,
}

impl Person {
    fn of(row: PersonRow, names: &BTreeMap<DirectoryId, String>) -> Self {
        let known = |text: String| Some(text).filter(|text| !text.is_empty());
        let (state, reason, since_ms) = match row.state {
            LinkState::Active => ("active", None, None),
            LinkState::Left { reason, since_ms } => ("left", Some(reason), Some(since_ms)),
            LinkState::Resting { .. } => ("resting", None, None),
        };
        let last = row.last.map(|last| {
            json!({ "run": last.run, "status": last.status, "updated": last.updated, "reason": known(last.reason) })
        });
        Person {
            server: names.get(&row.directory).cloned().unwrap_or_default(),
            id: row.person.to_string(),
            name: row.name,
            extension: known(row.number),
            email: known(row.email),
            mobile: known(row.mobile),
            employee: row.employee.0,
            state,
            reason,
            since_ms,
            last,
        }
    }
}
