//! How many were read the last time: a read that looks complete and is less
//! than half of that is not believed, unless a human says that it is right.

use crate::app::{App, pbx_settings};
use anyhow::Result;
use reconcile::plausible::too_few;
use reconcile::{Verdict, World};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::DirectoryRow;

/// How many people and employees are expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// About as many as the last time.
    #[default]
    AsBefore,
    /// A human knows that there are fewer by now.
    Fewer,
}

/// What the counts of each side belong to: under other settings, other people
/// are read.
#[derive(Clone, Debug)]
pub struct Scopes {
    people: String,
    employees: String,
}

/// The last complete read of each side.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Counts {
    people: Option<Counted>,
    employees: Option<Counted>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    read: usize,
    scope: String,
}

impl Scopes {
    pub async fn of(app: &App, row: &DirectoryRow, settings: &directory::Settings) -> Result<Self> {
        let pbx = pbx_settings(&app.pbx_row(row.pbx).await?)?;
        let people = (
            settings.kind,
            &settings.base_dn,
            &settings.ous,
            &settings.exclude,
            &settings.groups,
            &settings.filter,
            settings.id_attribute(),
            settings.domain.as_ref().map_or(&settings.hosts[..], std::slice::from_ref),
        );
        Ok(Scopes { people: print(&people)?, employees: print(&pbx.url)? })
    }
}

/// Takes reads that are too small to be believed for partial ones.
pub async fn judge(
    app: &App,
    row: &DirectoryRow,
    scopes: &Scopes,
    expect: Expect,
    world: &mut World,
) -> Result<()> {
    if expect == Expect::Fewer {
        return Ok(());
    }
    let before = counts(app, row).await?;
    let (people, employees) = (world.people.rows.len(), world.employees.rows.len());
    if let Some(why) = doubt(before.people, &scopes.people, people, "people") {
        world.people.verdict = also(&world.people.verdict, why);
    }
    if let Some(why) = doubt(before.employees, &scopes.employees, employees, "employees") {
        world.employees.verdict = also(&world.employees.verdict, why);
    }
    Ok(())
}

/// Remembers how many were read, of each side that was read completely.
pub async fn remember(app: &App, row: &DirectoryRow, scopes: &Scopes, world: &World) -> Result<()> {
    let before = app.store.meta(&key(row)).await?;
    let mut counts: Counts = parsed(before.as_deref());
    if world.people.verdict.is_complete() {
        counts.people = Some(Counted { read: world.people.rows.len(), scope: scopes.people.clone() });
    }
    if world.employees.verdict.is_complete() {
        counts.employees =
            Some(Counted { read: world.employees.rows.len(), scope: scopes.employees.clone() });
    }
    let now = serde_json::to_string(&counts)?;
    if before.as_deref() != Some(&now) {
        app.store.put_meta(&key(row), Some(&now)).await?;
    }
    Ok(())
}

fn doubt(before: Option<Counted>, scope: &str, read: usize, what: &str) -> Option<String> {
    let before = before.filter(|before| before.scope == scope)?.read;
    too_few(read, before).then(|| {
        format!(
            "{read} {what} were read, {before} the last time under the same settings: if that is right, repeat \
             this with --expect-fewer; if not, look what became of the others"
        )
    })
}

fn also(verdict: &Verdict, why: String) -> Verdict {
    Verdict::Partial(match verdict.reason() {
        Some(reason) => format!("{reason}; {why}"),
        None => why,
    })
}

async fn counts(app: &App, row: &DirectoryRow) -> Result<Counts> {
    Ok(parsed(app.store.meta(&key(row)).await?.as_deref()))
}

/// What cannot be read is as if nothing had been remembered.
fn parsed(text: Option<&str>) -> Counts {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn key(row: &DirectoryRow) -> String {
    format!("directory/{}/counts", row.id)
}

fn print(scope: &impl Serialize) -> Result<String> {
    let digest = Sha256::digest(serde_json::to_vec(scope)?);
    Ok(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}
