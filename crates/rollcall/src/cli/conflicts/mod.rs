//! Conflicts: list, show, answer, retry, clear. None of it touches a directory
//! or a PBX; the next synchronisation does.

mod answer;
pub mod retry;
pub mod view;

pub use answer::Said;

use super::args::ConflictsCommand;
use super::errors::usage;
use super::output::Out;
use crate::app::App;
use anyhow::Result;
use reconcile::{Answer, Decision};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use store::{ConflictId, ConflictRow, ConflictsOf, DirectoryId, QuarantineRow};
use view::{Answered, ConflictView, Conflicts, SetAside, Settled};

pub async fn run(app: &App, command: ConflictsCommand, out: &Out) -> Result<u8> {
    match command {
        ConflictsCommand::List { server } => {
            let conflicts = list(app, of_server(app, server.as_deref()).await?).await?;
            out.show(&Conflicts { conflicts })
        }
        ConflictsCommand::Show { id } => {
            let row = one(app, id).await?;
            let views = list(app, ConflictsOf::One(row.id)).await?;
            views.iter().try_fold(0, |_, view| out.show(view))
        }
        ConflictsCommand::Resolve(args) => {
            let rows = rows(app, &args.ids).await?;
            out.show(&resolve(app, &rows, &Said::from(&args)).await?)
        }
        ConflictsCommand::Retry(args) => out.show(&retry::retry(app, &args).await?),
        ConflictsCommand::Clear { id, server } => {
            let of = which(app, id, server.as_deref()).await?;
            out.show(&clear(app, of).await?)
        }
    }
}

pub async fn list(app: &App, of: ConflictsOf) -> Result<Vec<ConflictView>> {
    views(app, app.store.conflicts(of).await?).await
}

/// Conflicts with the names of their servers and the answers given.
pub async fn views(app: &App, rows: Vec<ConflictRow>) -> Result<Vec<ConflictView>> {
    let names: HashMap<DirectoryId, String> =
        app.store.directories().await?.into_iter().map(|row| (row.id, row.name)).collect();
    let mut decisions: HashMap<DirectoryId, Vec<Decision>> = HashMap::new();
    let mut waiting: HashMap<DirectoryId, Vec<QuarantineRow>> = HashMap::new();
    let mut views = Vec::new();
    for row in rows {
        let answers = match decisions.entry(row.directory) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(app.store.decisions(row.directory).await?),
        };
        let waiting = match waiting.entry(row.directory) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(app.store.quarantine(row.directory).await?),
        };
        let set_aside = waiting.iter().find(|waiting| is_about(waiting, &row)).map(SetAside::from);
        let answer = decision_of(answers, &row).map(|decision| decision.answer.clone());
        let server = names.get(&row.directory).cloned().unwrap_or_default();
        views.push(ConflictView::new(server, row, answer, set_aside));
    }
    Ok(views)
}

/// Whether this is the change that a conflict tells of.
fn is_about(waiting: &QuarantineRow, row: &ConflictRow) -> bool {
    let (theirs, ours) = (&waiting.conflict, &row.conflict);
    (&theirs.person, theirs.kind, theirs.field) == (&ours.person, ours.kind, ours.field)
}

/// The answer to exactly this conflict. "Leave out" holds whatever changes.
fn decision_of<'a>(decisions: &'a [Decision], row: &ConflictRow) -> Option<&'a Decision> {
    let conflict = &row.conflict;
    decisions.iter().find(|decision| {
        decision.person == conflict.person
            && decision.kind == conflict.kind
            && decision.field == conflict.field
            && (decision.stands_on == conflict.stands_on || decision.answer == Answer::LeaveOut)
    })
}

/// Remembers what was said to conflicts of one kind, or to none of them.
pub async fn resolve(app: &App, rows: &[ConflictRow], said: &Said) -> Result<Settled> {
    let other = rows.iter().find(|row| row.conflict.kind != rows[0].conflict.kind);
    if let Some(other) = other {
        return Err(usage(format!(
            "conflicts {} and {} are of different kinds; answer them one by one",
            rows[0].id, other.id
        )));
    }
    // Everything is checked before anything is remembered.
    let mut answers = Vec::new();
    for row in rows {
        let answer = answer::answer(said, &row.conflict)?;
        if let Some(answer) = &answer {
            answer::check(row, answer)?;
            if rows.len() > 1 && said.is_personal() {
                return Err(usage(
                    "an employee or a number is one person's: answer these conflicts one by one",
                ));
            }
        }
        answers.push(answer);
    }
    let mut resolved = Vec::new();
    for (row, answer) in rows.iter().zip(answers) {
        match answer {
            Some(answer) => {
                decide(app, row, &answer).await?;
                resolved.push(Answered { conflict: row.id.0, answer });
            }
            None => take_back(app, row).await?,
        }
    }
    Ok(match resolved.is_empty() {
        true => Settled::AskedAgain { asked_again: rows.iter().map(|row| row.id.0).collect() },
        false => Settled::Resolved { resolved },
    })
}

async fn decide(app: &App, row: &ConflictRow, answer: &Answer) -> Result<()> {
    let conflict = &row.conflict;
    let decision = Decision {
        person: conflict.person.clone(),
        kind: conflict.kind,
        field: conflict.field,
        answer: answer.clone(),
        stands_on: conflict.stands_on.clone(),
        at_ms: app.clock.now_ms(),
    };
    Ok(app.store.put_decision(row.directory, &decision).await?)
}

async fn take_back(app: &App, row: &ConflictRow) -> Result<()> {
    let conflict = &row.conflict;
    let there =
        app.store.remove_decision(row.directory, &conflict.person, conflict.kind, conflict.field).await?;
    match there {
        true => Ok(()),
        false => Err(usage(format!("conflict {} has no answer that could be taken back", row.id))),
    }
}

/// Removes rows, not causes.
pub async fn clear(app: &App, of: ConflictsOf) -> Result<Settled> {
    Ok(Settled::Cleared { cleared: app.store.clear_conflicts(of, app.clock.now_ms()).await? })
}

/// One conflict, those of a server, or all.
pub async fn which(app: &App, id: Option<i64>, server: Option<&str>) -> Result<ConflictsOf> {
    match (id, server) {
        (Some(_), Some(_)) => Err(usage("one conflict, or all of a server: not both")),
        (Some(id), None) => Ok(ConflictsOf::One(one(app, id).await?.id)),
        (None, server) => of_server(app, server).await,
    }
}

async fn of_server(app: &App, server: Option<&str>) -> Result<ConflictsOf> {
    match server {
        Some(name) => Ok(ConflictsOf::Directory(app.server(name).await?.id)),
        None => Ok(ConflictsOf::Everybody),
    }
}

/// These conflicts, which have to be there.
pub async fn rows(app: &App, ids: &[i64]) -> Result<Vec<ConflictRow>> {
    let mut rows = Vec::new();
    for id in ids {
        rows.push(one(app, *id).await?);
    }
    Ok(rows)
}

async fn one(app: &App, id: i64) -> Result<ConflictRow> {
    let mut rows = app.store.conflicts(ConflictsOf::One(ConflictId(id))).await?;
    rows.pop()
        .ok_or_else(|| usage(format!("there is no conflict {id} any more; see `rollcall conflicts list`")))
}

#[cfg(test)]
mod tests;
