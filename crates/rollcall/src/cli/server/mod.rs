//! Directory servers: add, change, list, show, test, remove.

mod options;
mod pairs;
mod view;

use super::args::{ServerAddArgs, ServerCommand, ServerEditArgs};
use super::errors::usage;
use super::output::Out;
use super::steps::Steps;
use crate::app::{App, directory_settings};
use crate::cycle::{self, stops::Stops};
use crate::limits;
use anyhow::{Context, Result, anyhow};
pub use options::{Draft, range};
use pairs::Dropped;
use reconcile::Link;
use secrecy::SecretString;
use std::future::Future;
use store::{By, ConflictsOf, DirectoryId, DirectoryRow, Lease, PbxId, PbxRow, SecretOf};
use view::{Changed, Known, Listed, Removed, ServerView, Servers};

const NAME_CHARS_MAX: usize = 64;

pub async fn run(app: &App, command: ServerCommand, out: &Out) -> Result<u8> {
    match command {
        ServerCommand::Add(args) => add(app, *args, out).await,
        ServerCommand::Edit(args) => edit(app, *args, out).await,
        ServerCommand::List => out.show(&list(app).await?),
        ServerCommand::Show { name } => {
            let row = app.server(&name).await?;
            out.show(&view(app, &row).await?)
        }
        ServerCommand::Test { name } => {
            let row = app.server(&name).await?;
            let steps = app.directory(&row).await?.test().await;
            out.show(&Steps::of(format!("server {name}"), steps))
        }
        ServerCommand::Remove { name } => remove(app, &name, out).await,
    }
}

async fn add(app: &App, args: ServerAddArgs, out: &Out) -> Result<u8> {
    options::check_complete(&args.options)?;
    let mut draft = Draft::new(args.kind.into());
    draft.take(&args.options)?;
    let secret = options::secret(&args.options, None)?;
    let row = store(app, &args.name, draft, secret.as_ref()).await?;
    out.show(&Changed::added(view(app, &row).await?))
}

/// Stores a new server.
pub async fn store(
    app: &App,
    name: &str,
    draft: Draft,
    secret: Option<&SecretString>,
) -> Result<DirectoryRow> {
    check_name(name)?;
    if app.store.directory(name).await?.is_some() {
        return Err(usage(format!(
            "there is a server `{name}` already; change it with `rollcall server edit {name}`"
        )));
    }
    if !app.store.pbxes().await?.iter().any(|row| row.id == PbxId::DEFAULT) {
        // Stands for the PBX until somebody says which it is.
        let unset = PbxRow { id: PbxId::DEFAULT, name: "pbx".to_owned(), settings: serde_json::Value::Null };
        app.store.put_pbx(&unset, None).await?;
    }
    let row = DirectoryRow {
        id: DirectoryId::NEW,
        name: name.to_owned(),
        pbx: PbxId::DEFAULT,
        settings: serde_json::to_value(&draft.settings)?,
        policy: draft.policy,
        created_ms: app.clock.now_ms(),
        last_complete_ms: 0,
        pbx_complete_ms: 0,
        references: Vec::new(),
        ran_before: false,
    };
    let id = app.store.put_directory(&row, secret).await?;
    Ok(DirectoryRow { id, ..row })
}

async fn edit(app: &App, args: ServerEditArgs, out: &Out) -> Result<u8> {
    let row = app.server(&args.name).await?;
    let (row, dropped) = alone(app, &row, change(app, &row, &args)).await?;
    out.show(&Changed::edited(view(app, &row).await?, &dropped))
}

async fn change(app: &App, row: &DirectoryRow, args: &ServerEditArgs) -> Result<(DirectoryRow, Dropped)> {
    let old = draft_of(row)?;
    let mut new = old.clone();
    if let Some(kind) = args.kind {
        new.change_kind(kind.into());
    }
    new.take(&args.options)?;
    let secret = options::secret(&args.options, Some(&old.settings.sign_in))?;
    settle(app, row, new, secret.as_ref()).await
}

/// Stores other settings of a server, and what follows from them. Without a
/// secret the stored one stays.
pub async fn replace(
    app: &App,
    row: &DirectoryRow,
    new: Draft,
    secret: Option<&SecretString>,
) -> Result<DirectoryRow> {
    let (row, _) = alone(app, row, settle(app, row, new, secret)).await?;
    Ok(row)
}

async fn settle(
    app: &App,
    row: &DirectoryRow,
    new: Draft,
    secret: Option<&SecretString>,
) -> Result<(DirectoryRow, Dropped)> {
    let old = draft_of(row)?;
    let links = app.store.links(row.id).await?;
    check_identity(&row.name, &old, &new, &links)?;
    let dropped = pairs::after(&old, &new, &links);
    // In this order: a pair dropped without need only meets anew.
    app.store.agree(By::Hand(row.id), &[], &dropped.links).await?;
    let row =
        DirectoryRow { settings: serde_json::to_value(&new.settings)?, policy: new.policy, ..row.clone() };
    app.store.put_directory(&row, secret).await?;
    try_all_again(app, row.id).await?;
    if row.policy.thresholds != old.policy.thresholds {
        let mut stops = Stops::of(app, row.id).await?;
        stops.limits_changed();
        stops.keep(app, row.id).await?;
    }
    Ok((row, dropped))
}

/// What was refused under other settings may well be taken under these.
async fn try_all_again(app: &App, directory: DirectoryId) -> Result<()> {
    let refused = app.store.quarantine(directory).await?;
    let lifted: Vec<_> = refused.into_iter().map(|row| (row.person, row.field)).collect();
    Ok(app.store.change_quarantine(By::Hand(directory), &lifted, &[]).await?)
}

pub fn draft_of(row: &DirectoryRow) -> Result<Draft> {
    let settings = directory_settings(row)?;
    let mut policy = row.policy.clone();
    policy.read_only = settings.map.read_only();
    Ok(Draft { settings, policy })
}

/// People are known by an id of one directory; with other ids everybody linked
/// would look gone.
fn check_identity(name: &str, old: &Draft, new: &Draft, links: &[Link]) -> Result<()> {
    let (old, new) = (&old.settings, &new.settings);
    if domain(&old.base_dn) != domain(&new.base_dn) {
        return Err(usage(format!(
            "`{}` is not in the domain of `{}`: another naming context is another directory; add a new server",
            new.base_dn, old.base_dn
        )));
    }
    if !links.is_empty() && (old.kind != new.kind || old.id_attribute != new.id_attribute) {
        return Err(usage(format!(
            "{} people of `{name}` are known by their ids: another type or id attribute is another directory; \
             add a new server",
            links.len()
        )));
    }
    Ok(())
}

/// What stands for the naming context: the `dc=` names at the end, or the last
/// name where there are none. For names that have passed the settings' check.
fn domain(dn: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut escaped = false;
    for c in dn.chars() {
        match c {
            ',' if !escaped => names.push(String::new()),
            c if c.is_whitespace() => {}
            c => names.iter_mut().last().into_iter().for_each(|name| name.extend(c.to_lowercase())),
        }
        escaped = c == '\\' && !escaped;
    }
    let is_dc = |name: &String| name.starts_with("dc=");
    let at = names.len() - names.iter().rev().take_while(|name| is_dc(name)).count();
    names.split_off(at.min(names.len() - 1))
}

async fn remove(app: &App, name: &str, out: &Out) -> Result<u8> {
    let links = forget(app, name).await?;
    out.show(&Removed { removed: name.to_owned(), links })
}

/// Forgets a server; how many people were linked. Both sides stay as they are.
pub async fn forget(app: &App, name: &str) -> Result<usize> {
    let row = app.server(name).await?;
    alone(app, &row, async {
        let links = app.store.links(row.id).await?.len();
        app.store.remove_directory(row.id).await?;
        Ok(links)
    })
    .await
}

/// Does something to a server that no run may be in the middle of.
async fn alone<T>(app: &App, row: &DirectoryRow, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut salt = [0; 8];
    app.random.fill(&mut salt);
    let holder = format!("settings-{:016x}", u64::from_le_bytes(salt));
    let now_ms = app.clock.now_ms();
    let lease = app.store.take_lease(row.id, &holder, now_ms + limits::LEASE_MS, now_ms).await?;
    if lease != Lease::Held {
        return Err(anyhow!(
            "server `{}` is being synchronised right now; try again when that is done",
            row.name
        ));
    }
    let result = work.await;
    app.store.release_lease(row.id, &holder).await.context("the server could not be given free again")?;
    result
}

pub fn check_name(name: &str) -> Result<()> {
    let fits = name.trim() == name && (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    match fits && !name.starts_with('-') && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(usage(format!(
            "a server's name has 1 to {NAME_CHARS_MAX} characters, no control characters, no blank at its ends \
             and no - at its beginning"
        ))),
    }
}

pub async fn view(app: &App, row: &DirectoryRow) -> Result<ServerView> {
    let draft = draft_of(row)?;
    let known = Known {
        secret: app.store.secret(SecretOf::Directory(row.id)).await?.is_some(),
        links: app.store.links(row.id).await?.len(),
        stops: Stops::of(app, row.id).await?,
        look_first: cycle::look_first(app, row).await?,
    };
    Ok(ServerView::new(row, &draft, known))
}

async fn list(app: &App) -> Result<Servers> {
    let mut servers = Vec::new();
    for row in app.store.directories().await? {
        servers.push(listed(app, &row).await?);
    }
    Ok(Servers { servers })
}

/// A server as lists tell of it.
pub async fn listed(app: &App, row: &DirectoryRow) -> Result<Listed> {
    let settings = directory_settings(row)?;
    let links = app.store.links(row.id).await?.len();
    let conflicts = app.store.conflicts(ConflictsOf::Directory(row.id)).await?.len();
    let last_run = app.store.runs(Some(row.id), 1, 0).await?.pop();
    let stops = Stops::of(app, row.id).await?;
    let write_back = row.policy.write_back;
    Ok(Listed::new(row.name.clone(), &settings, write_back, links, conflicts, &stops, last_run))
}

#[cfg(test)]
mod tests;
