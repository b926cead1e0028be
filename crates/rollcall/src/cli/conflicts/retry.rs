//! Tries refused changes again at the next run instead of after their pause:
//! one, or all of a person.

use super::one;
use super::view::Settled;
use crate::app::App;
use crate::cli::args::RetryArgs;
use crate::cli::errors::usage;
use crate::cli::explain::ID_CHARS_MIN;
use anyhow::Result;
use reconcile::{Field, PersonId, canonical};
use std::collections::BTreeMap;
use store::{By, ConflictRow, ConflictsOf, DirectoryRow};

pub async fn retry(app: &App, args: &RetryArgs) -> Result<Settled> {
    match (&args.id, &args.person, &args.server) {
        (Some(id), ..) => of_conflict(app, &one(app, *id).await?).await,
        (None, Some(person), Some(server)) => of_person(app, person, &app.server(server).await?).await,
        (None, ..) => Err(usage("say which: a conflict's number, or --person with --server")),
    }
}

pub async fn of_conflict(app: &App, row: &ConflictRow) -> Result<Settled> {
    let key = (row.conflict.person.clone(), row.conflict.field);
    let rows = app.store.quarantine(row.directory).await?;
    let waiting = rows.iter().any(|row| (&row.person, row.field) == (&key.0, key.1));
    app.store.change_quarantine(By::Hand(row.directory), &[key], &[]).await?;
    Ok(Settled::Retried { retried: row.id.0, waiting })
}

pub async fn of_person(app: &App, query: &str, row: &DirectoryRow) -> Result<Settled> {
    let (id, name) = find(app, query, row).await?;
    let waiting = app.store.quarantine(row.id).await?;
    let keys: Vec<(PersonId, Option<Field>)> =
        waiting.into_iter().filter(|row| row.person == id).map(|row| (row.person, row.field)).collect();
    app.store.change_quarantine(By::Hand(row.id), &keys, &[]).await?;
    Ok(Settled::RetriedPerson { person: id, name, lifted: keys.len() })
}

/// The one person of a server who is called so, among those who are linked or
/// have a conflict.
async fn find(app: &App, query: &str, row: &DirectoryRow) -> Result<(PersonId, String)> {
    let conflicts = app.store.conflicts(ConflictsOf::Directory(row.id)).await?;
    let waiting = app.store.quarantine(row.id).await?;
    let told =
        conflicts.into_iter().map(|row| row.conflict).chain(waiting.into_iter().map(|row| row.conflict));
    let mut names: BTreeMap<PersonId, String> = told.map(|told| (told.person, told.name)).collect();
    let links = app.store.links(row.id).await?;
    names.extend(links.into_iter().map(|link| (link.person, link.name.to_string())));
    let folded = canonical::join_name(query);
    names.retain(|id, name| {
        let by_id = query.len() >= ID_CHARS_MIN && id.as_str().starts_with(&query.to_lowercase());
        id.as_str() == query || by_id || canonical::join_name(name) == folded
    });
    let mut found = names.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(usage(format!(
            "nobody of server `{}` is called `{query}`; give the whole name or the id, see `rollcall people {}`",
            row.name, row.name
        ))),
        (Some((one, _)), Some((other, _))) => {
            Err(usage(format!("`{query}` is several people: {one}, {other}, …; give the id")))
        }
    }
}
