//! A week in the company: somebody comes, somebody goes, and both sides are
//! edited by people who know nothing of each other.

use crate::app::App;
use crate::cli::people::last_seen;
use crate::cli::sandbox::Sandbox;
use anyhow::{Context, Result, anyhow};
use reconcile::{Field, Link, LinkState};
use serde_json::json;
use uuid::Uuid;

const NEW_NAME: &str = "Новикова Дарья Олеговна";
const NEW_MOBILE: &str = "+7 (916) 555-01-23";
/// Numbers tried for the employee who is renumbered in the PBX.
const NUMBERS_TRIED: std::ops::RangeInclusive<u32> = 380..=399;

/// Makes the changes; what happened, a sentence each.
pub async fn happen(app: &App, server: &str, sandbox: &Sandbox) -> Result<Vec<String>> {
    let row = app.server(server).await?;
    let mut links = app.store.links(row.id).await?;
    links.retain(|link| link.state == LinkState::Active && last_seen(link, Field::Mobile).is_some());
    links.sort_by(|a, b| a.name.cmp(&b.name));
    let mut links =
        links.chunk_by(|a, b| a.name == b.name).filter(|same| same.len() == 1).flatten().step_by(5);
    let mut next = || links.next().context("the company is too small for a demonstration");
    let (leaver, mover, renumbered, namesake) = (next()?, next()?, next()?, next()?);

    let (directory, _) = sandbox.directory()?;
    let unit = directory.people_unit();
    directory.hire(&unit, "novikova", NEW_NAME, &[("mail", "novikova@romashka.test")])?;
    directory.disable(id(leaver)?)?;
    directory.set(id(mover)?, "mobile", &[NEW_MOBILE])?;
    directory.hire(&unit, "namesake", &namesake.name, &[("mail", "namesake@romashka.test")])?;
    let (from, to) = renumber(sandbox, renumbered)?;
    Ok(vec![
        format!("{NEW_NAME} was hired and has no number yet (directory)"),
        format!("{} left, the account is disabled (directory)", leaver.name),
        format!("{} has a new mobile, {NEW_MOBILE} (directory)", mover.name),
        format!("{} moved from number {from} to {to} (PBX)", renumbered.name),
        format!("another {} was hired (directory)", namesake.name),
    ])
}

fn id(link: &Link) -> Result<Uuid> {
    Ok(Uuid::parse_str(link.person.as_str())?)
}

/// Gives an employee another number on the PBX's own page.
fn renumber(sandbox: &Sandbox, link: &Link) -> Result<(String, String)> {
    let pbx = sandbox.pbx()?;
    let before = last_seen(link, Field::Extension).context("an employee has a number")?;
    let taken: Vec<String> =
        pbx.employees().into_iter().filter_map(|employee| Some(employee.sip?.number)).collect();
    let free = NUMBERS_TRIED.map(|number| number.to_string()).find(|number| !taken.contains(number));
    let after = free.context("no number is free")?;
    pbx.edit(link.employee.0, json!({ "number": after }))
        .map_err(|why| anyhow!("the sandbox refused: {why}"))?;
    Ok((before, after))
}
