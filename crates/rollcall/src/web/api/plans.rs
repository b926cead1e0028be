//! Kept plans: look, carry out, discard.

use super::jobs::start;
use super::reply::{Asked, At, Refusal, Reply, Sent, part, part_of, server, window, with};
use crate::cycle::plans::{self, Brief, Kept};
use crate::web::Web;
use crate::web::live::Task;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{DirectoryRow, PlanPeopleQuery, PlanPerson};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The id of a server.
    server: Option<i64>,
    limit: Option<u32>,
    offset: Option<u32>,
}

/// Kept plans, the newest of each server first.
#[utoipa::path(get, path = "/plans", tag = "plans", params(Which), responses(
    (status = 200, body = Object, description = "`plans`: those of `plans`; `total`, `limit`, `offset`")
))]
pub async fn list(State(web): State<Web>, Asked(which): Asked<Which>) -> Reply {
    let name = match which.server {
        Some(id) => Some(server(&web, id).await?.name),
        None => None,
    };
    let plans = plans::list(&web.app, name.as_deref()).await?;
    part_of("plans", &plans, window(which.limit, which.offset))
}

/// One plan, and what was told when it was made.
#[utoipa::path(get, path = "/plans/{plan}", tag = "plans", params(("plan" = String, Path, description = "the whole hash")), responses(
    (status = 200, body = Object, description = "the object of `plans`, with `report`: that of `preview` without its people")
))]
pub async fn show(State(web): State<Web>, At(hash): At<String>) -> Reply {
    let (_, kept, brief) = find(&web, &hash).await?;
    Ok(Json(with(&kept, json!({ "report": brief.report }))?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Whom {
    /// `create`, `update`, `write-back`, `join`, `disabled`, `return`, `conflict`, `unlink`, `unchanged`, `left`, `skip`.
    kind: Option<String>,
    /// Words of name or number.
    search: Option<String>,
    limit: Option<u32>,
    offset: Option<u32>,
}

/// The people of a plan, as long as they are kept.
#[utoipa::path(get, path = "/plans/{plan}/people", tag = "plans", params(("plan" = String, Path), Whom), responses(
    (status = 200, body = Object, description = "`people`: those of a report, with `kind`; `total`, `limit`, `offset`")
))]
pub async fn people(State(web): State<Web>, At(hash): At<String>, Asked(whom): Asked<Whom>) -> Reply {
    let (row, ..) = find(&web, &hash).await?;
    let window = window(whom.limit, whom.offset);
    let query = PlanPeopleQuery { kind: whom.kind, search: whom.search.unwrap_or_default(), window };
    let found = web.app.store.plan_people(row.id, &hash, &query).await?;
    let person = |person: &PlanPerson| with(&person.changes, json!({ "kind": person.kind }));
    let rows: Vec<Value> = found.rows.iter().map(person).collect::<Result<_, _>>()?;
    part("people", &rows, found.total, window)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Although the guard stopped it.
    #[serde(default)]
    release: bool,
}

/// Carries out exactly this plan.
#[utoipa::path(post, path = "/plans/{plan}/apply", tag = "plans", params(("plan" = String, Path)),
    request_body = Release, responses((status = 202, body = Object, description = "the job; see `/servers/{id}/job`"))
)]
pub async fn apply(
    State(web): State<Web>,
    At(hash): At<String>,
    Sent(Release { release }): Sent<Release>,
) -> Result<Response, Refusal> {
    let (row, ..) = find(&web, &hash).await?;
    // Says at once what is wrong with it, if anything is.
    plans::reviewed(&web.app, &hash, release).await?;
    Ok(start(&web, &row, Task::Apply { plan: hash, release }))
}

/// Drops a plan; what it stopped is counted anew.
#[utoipa::path(post, path = "/plans/{plan}/discard", tag = "plans", params(("plan" = String, Path)), responses(
    (status = 200, body = Object, description = "the object of `plans discard`")
))]
pub async fn discard(State(web): State<Web>, At(hash): At<String>) -> Reply {
    find(&web, &hash).await?;
    Ok(Json(serde_json::to_value(plans::discard(&web.app, &hash).await?)?))
}

async fn find(web: &Web, hash: &str) -> Result<(DirectoryRow, Kept, Brief), Refusal> {
    for row in web.app.store.directories().await? {
        if let Some((kept, brief)) = plans::told(&web.app, &row, hash).await? {
            return Ok((row, kept, brief));
        }
    }
    Err(Refusal::not_found("plan"))
}
